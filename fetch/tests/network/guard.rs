//! The guard: what is never connected to, however it is named.

use std::sync::atomic::Ordering;

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Feed, Outcome, Why};

use crate::world::World;

const LIST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na.example\n";

fn why(client: &mut Client, url: &str) -> Option<Why> {
    match client.feed(&Feed::new(url), &mut Vec::new()).unwrap() {
        Outcome::Ok(_) => None,
        Outcome::Failed(failure) => Some(failure.why),
    }
}

#[test]
fn names_that_lead_inside_are_refused_and_nobody_inside_hears_of_it() {
    let Some(mut world) = World::new() else { return };
    let names = [
        ("private", "A 10.0.0.1"),
        ("cgnat", "A 100.64.0.1"),
        ("metadata", "A 169.254.169.254"),
        ("private16", "A 192.168.0.1"),
        ("benchmark", "A 198.18.0.1"),
        ("documentation", "A 203.0.113.1"),
        ("relay", "A 192.88.99.1"),
        ("loopback", "A 127.0.0.1"),
        ("zero", "A 0.0.0.0"),
        ("broadcast", "A 255.255.255.255"),
        ("self", "A 11.255.0.1"),
        ("operator", "A 11.0.0.9"),
        ("ula", "AAAA fd00::1"),
        ("nat64", "AAAA 64:ff9b::b00:1"),
        ("sixtofour", "AAAA 2002:b00:1::1"),
        ("teredo", "AAAA 2001:0:1::1"),
        ("mapped", "AAAA ::ffff:11.0.0.2"),
        ("loopback6", "AAAA ::1"),
        ("self6", "AAAA 2600:11:ff::1"),
        ("alias", "CNAME private"),
        ("alias2", "CNAME alias"),
        ("literal", "CNAME 127.0.0.1."),
    ];
    let mut records: String = names.iter().map(|(name, record)| format!("{name} {record}\n")).collect();
    records += "ring1 CNAME ring2\nring2 CNAME ring1\nboth A 10.0.0.1\nboth A 11.0.0.2\nsix AAAA 2600:11::1\nempty TXT x\n";
    world.zone("example.", &records);
    world.knot();
    let (all, inside) = (world.says("0.0.0.0:80", LIST), world.raw("box", "0.0.0.0:80", |_| {}));
    let (all6, inside6) = (world.says("[::1]:80", LIST), world.raw("box", "[::1]:80", |_| {}));
    world.says("[2600:11::1]:80", LIST);
    let client = &mut world.fetcher(&["--forbid", "11.0.0.9"]);
    for (name, record) in names {
        let got = why(client, &format!("http://{name}.example/"));
        assert!(matches!(got, Some(Why::Forbidden)) || name == "literal" && got.is_some(), "{name} {record}: {got:?}");
    }
    for name in ["ring1", "empty", "absent"] {
        let got = why(client, &format!("http://{name}.example/"));
        assert!(matches!(got, Some(Why::NoSuchName | Why::Dns)), "{name}: {got:?}");
    }
    let heard = [&all, &inside, &all6, &inside6].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(heard, [0; 4], "nobody was connected to");
    assert_eq!(client.status().unwrap().into_result().unwrap().connections, 0);
    // And the same servers answer a name that may be asked: the one address of two that is the Internet's, and IPv6.
    assert_eq!(why(client, "http://both.example/"), None);
    assert_eq!(all.load(Ordering::Relaxed), 1);
    assert_eq!(why(client, "http://six.example/"), None);
}

#[test]
fn a_name_that_turns_inward_between_two_looks_is_not_followed() {
    let Some(mut world) = World::new() else { return };
    // Asked again for the redirect, the name is at home in the box.
    world.names(|_, before| Some(if before == 0 { [11, 0, 0, 2] } else { [127, 0, 0, 1] }));
    let outside =
        world.says("11.0.0.2:80", "HTTP/1.1 302 Found\r\nLocation: http://rebind.example/again\r\nContent-Length: 0\r\n\r\n");
    let inside = world.raw("box", "127.0.0.1:80", |_| {});
    let client = &mut world.fetcher(&[]);
    assert_eq!(why(client, "http://rebind.example/"), Some(Why::Forbidden));
    assert_eq!((outside.load(Ordering::Relaxed), inside.load(Ordering::Relaxed)), (1, 0));
}

#[test]
fn a_certificate_of_nobody_for_another_or_out_of_date_ends_it() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "good A 11.0.0.2\nother A 11.0.0.3\nnobody A 11.0.0.4\nold A 11.0.0.5\nplain A 11.0.0.6\n");
    world.knot();
    let (good, nobody, old) =
        (world.certificate(&["good.example"]), world.untrusted(&["nobody.example"]), world.expired(&["old.example"]));
    let server = |ip: &str, what: &str| format!("server {{ listen {ip}:443 {what} location / {{ return 200 'a.example'; }} }}\n");
    world.nginx(&format!(
        "{}{}{}{}{}",
        server("11.0.0.2", &format!("ssl; {good}")),
        server("11.0.0.3", &format!("ssl; {good}")),
        server("11.0.0.4", &format!("ssl; {nobody}")),
        server("11.0.0.5", &format!("ssl; {old}")),
        server("11.0.0.6", ";"),
    ));
    let client = &mut world.fetcher(&[]);
    assert_eq!(why(client, "https://good.example/"), None);
    for name in ["other", "nobody", "old", "plain"] {
        assert_eq!(why(client, &format!("https://{name}.example/")), Some(Why::Tls), "{name}");
    }
}
