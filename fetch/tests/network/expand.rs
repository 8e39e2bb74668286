//! Short links.

use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::thread;

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Expand, Expanded, Failure, How, Limits, Method, Outcome, Platform, Platforms, Target, Why};

use crate::world::{World, head};

fn platform(host: &str) -> Platform {
    Platform {
        host: host.into(),
        how: Some(How::Location),
        method: Method::Get,
        editable: false,
        per_minute: Some(6000),
        ttl_s: None,
    }
}

fn set(client: &mut Client, platforms: Vec<Platform>) {
    let set = client.platforms(&Platforms { version: "v1".into(), platforms }).unwrap().into_result().unwrap();
    assert_eq!(set.version, "v1");
}

fn expand(client: &mut Client, url: &str) -> Result<Expanded, Failure> {
    let ask = Expand { url: url.into(), platforms: Some("v1".into()), limits: Limits::default() };
    client.expand(&ask).unwrap().into_result()
}

fn target(url: &str, host: Option<&str>) -> Option<Target> {
    Some(Target { url: url.into(), host: host.map(str::to_owned), user_info: false })
}

/// `server` blocks of one shortener, each path leading somewhere.
fn shortener(address: &str, ways: &[(&str, &str)]) -> String {
    let locations: String = ways.iter().map(|(path, to)| format!("location = /{path} {{ return 301 \"{to}\"; }}\n")).collect();
    format!("server {{ listen {address}:80; {locations} }}\n")
}

#[test]
fn a_link_is_followed_over_platforms_and_its_target_is_neither_fetched_nor_resolved() {
    let Some(mut world) = World::new() else { return };
    let asked = world.names(|name, _| match name {
        "sho.rt." | "a.sho.rt." => Some([11, 0, 0, 2]),
        "tiny.example." => Some([11, 0, 0, 3]),
        _ => Some([11, 0, 0, 4]),
    });
    world.nginx(&format!(
        "{}{}",
        shortener(
            "11.0.0.2",
            &[
                ("x", "https://bank.example/pay?id=7#top"),
                ("two", "http://tiny.example/t"),
                ("app", "market://details?id=com.example")
            ]
        ),
        shortener("11.0.0.3", &[("t", "http://final.example./end"), ("idn", "http://bücher.example/")]),
    ));
    let finals = world.says("11.0.0.4:80", "HTTP/1.1 200 OK\r\n\r\nhello");
    let client = &mut world.fetcher(&["--on", "expand", "--jitter-ms", "10"]);
    set(client, vec![platform("sho.rt"), Platform { editable: true, ..platform("tiny.example") }]);

    let one = expand(client, "http://a.sho.rt/x").unwrap();
    assert_eq!(one.target, target("https://bank.example/pay?id=7#top", Some("bank.example")));
    assert_eq!((one.hops.len(), one.hops[0].status, one.hops[0].platform.as_str()), (1, Some(301), "sho.rt"));
    assert!(!one.editable && one.stopped.is_none() && one.ttl_s > 80_000);

    let two = expand(client, "http://user@sho.rt/two#part").unwrap();
    assert_eq!(two.target, target("http://final.example./end", Some("final.example")));
    assert_eq!(two.hops.iter().map(|hop| hop.url.as_str()).collect::<Vec<_>>(), ["http://sho.rt/two", "http://tiny.example/t"]);
    assert!(two.editable && two.hops[1].editable && !two.hops[0].editable);

    assert_eq!(expand(client, "http://sho.rt/app").unwrap().target, target("market://details?id=com.example", Some("details")));
    assert_eq!(
        expand(client, "http://tiny.example/idn").unwrap().target,
        target("http://xn--bcher-kva.example/", Some("xn--bcher-kva.example"))
    );
    assert_eq!(finals.load(Ordering::Relaxed), 0, "nobody went to a target");
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|name| ["a.sho.rt.", "sho.rt.", "tiny.example."].contains(&name.as_str())), "{asked:?}");
}

#[test]
fn a_target_may_be_anything_and_is_never_gone_to() {
    let Some(mut world) = World::new() else { return };
    world.names(|_, _| Some([11, 0, 0, 2]));
    let ways = [
        ("file", "file:///etc/passwd", "file:///etc/passwd", None),
        ("loopback", "http://127.0.0.1/admin", "http://127.0.0.1/admin", Some("127.0.0.1")),
        ("octal", "http://0177.0.0.1/", "http://127.0.0.1/", Some("127.0.0.1")),
        ("hex", "http://0x7f000001/", "http://127.0.0.1/", Some("127.0.0.1")),
        ("decimal", "http://2130706433/", "http://127.0.0.1/", Some("127.0.0.1")),
        ("six", "http://[::1]:8080/", "http://[::1]:8080/", Some("[::1]")),
        (
            "metadata",
            "http://169.254.169.254/latest/meta-data/",
            "http://169.254.169.254/latest/meta-data/",
            Some("169.254.169.254"),
        ),
        ("port", "http://other.example:6379/", "http://other.example:6379/", Some("other.example")),
        ("script", "javascript:alert(1)", "javascript:alert(1)", None),
    ];
    let list: Vec<(&str, &str)> = ways.iter().map(|(path, to, ..)| (*path, *to)).collect();
    let more = [
        ("user", "https://bank.example@evil.example/"),
        ("back", "http://bank.example@sho.rt/file"),
        ("odd", "http://sho.rt:22/x"),
    ];
    world.nginx(&shortener("11.0.0.2", &[&list[..], &more].concat()));
    let inside = world.raw("box", "127.0.0.1:80", |_| {});
    let client = &mut world.fetcher(&["--on", "expand", "--jitter-ms", "0"]);
    set(client, vec![platform("sho.rt")]);
    for (path, _, url, host) in ways {
        assert_eq!(expand(client, &format!("http://sho.rt/{path}")).unwrap().target, target(url, host), "{path}");
    }
    let user = expand(client, "http://sho.rt/user").unwrap().target.unwrap();
    assert_eq!((user.url.as_str(), user.host.as_deref(), user.user_info), ("https://evil.example/", Some("evil.example"), true));
    assert_eq!(expand(client, "http://sho.rt/back").unwrap().hops.len(), 2, "what stands before @ is not where it leads");
    assert_eq!(expand(client, "http://sho.rt/odd").unwrap().stopped.unwrap().why, Why::Port);
    assert_eq!(inside.load(Ordering::Relaxed), 0);
}

#[test]
fn loops_long_ways_and_dead_ends_are_named() {
    let Some(mut world) = World::new() else { return };
    world.names(|_, _| Some([11, 0, 0, 2]));
    let chain: Vec<(String, String)> = (0..7).map(|n| (format!("c{n}"), format!("http://sho.rt/c{}", n + 1))).collect();
    let mut ways: Vec<(&str, &str)> = chain.iter().map(|(path, to)| (path.as_str(), to.as_str())).collect();
    ways.extend([
        ("l1", "/l2"),
        ("l2", "http://sho.rt/l1"),
        ("self", "http://sho.rt/self"),
        ("no", "http://norecipe.example/x"),
        ("bad", "http://["),
    ]);
    let page = "server { listen 11.0.0.2:80; server_name meta.example; default_type text/html;\n\
                location = /m { return 200 '<html><!-- <meta http-equiv=refresh content=\"0;url=http://x.example\"> --><meta http-equiv=\"refresh\" content=\"0; url=https://bank.example/&amp;\">'; }\n\
                location = /js { return 200 '<script>location=\"https://evil.example/\"</script>'; } }\n";
    let gone = "server { listen 11.0.0.2:80; server_name busy.example; location / { add_header Retry-After 120 always; return 429; } }\n";
    world.nginx(&format!("{}{page}{gone}", shortener("11.0.0.2", &ways)));
    let client = &mut world.fetcher(&["--on", "expand", "--jitter-ms", "0"]);
    let meta = Platform { how: Some(How::MetaRefresh), ..platform("meta.example") };
    set(client, vec![platform("sho.rt"), meta, platform("busy.example"), Platform { how: None, ..platform("norecipe.example") }]);

    let why = |client: &mut Client, url: &str| {
        let way = expand(client, url).unwrap();
        assert!(way.target.is_none(), "{way:?}");
        (way.stopped.unwrap().why, way.hops.len())
    };
    assert_eq!(why(client, "http://sho.rt/l1"), (Why::Loop, 2));
    assert_eq!(why(client, "http://sho.rt/self"), (Why::Loop, 1));
    assert_eq!(why(client, "http://sho.rt/c0"), (Why::Hops, 5));
    assert_eq!(why(client, "http://sho.rt/absent"), (Why::Absent, 1));
    assert_eq!(why(client, "http://sho.rt/bad"), (Why::Redirect, 1));
    assert_eq!(why(client, "http://sho.rt/no"), (Why::NoRecipe, 2));
    assert_eq!(why(client, "http://meta.example/js"), (Why::NoTarget, 1));
    assert_eq!(expand(client, "http://meta.example/m").unwrap().target, target("https://bank.example/&", Some("bank.example")));
    let busy = expand(client, "http://busy.example/x").unwrap();
    // What is left of it, in whole seconds.
    assert!(busy.hops[0].status == Some(429) && (118..=120).contains(&busy.ttl_s), "{busy:?}");
    assert_eq!(busy.stopped.map(|why| (why.why, why.retry_after_s)), Some((Why::Budget, Some(120))));
    assert!(expand(client, "http://busy.example/x").unwrap().hops[0].remembered, "the link has the rest that was asked for");
    let other = expand(client, "http://busy.example/y").unwrap_err();
    assert_eq!((other.why, other.retry_after_s), (Why::Budget, Some(10)), "the platform a short one: one link is not all of its");
    assert_eq!(world.access_log().matches(" 429 ").count(), 1);
    assert_eq!(expand(client, "http://other.example/").unwrap_err().why, Why::NoRecipe);
    assert_eq!(expand(client, "http://sho.rt.evil.example/").unwrap_err().why, Why::NoRecipe);
}

#[test]
fn a_slug_is_fetched_once_and_platforms_have_budgets() {
    let Some(mut world) = World::new() else { return };
    world.names(|name, _| Some(if name == "slow.example." { [11, 0, 0, 2] } else { [11, 0, 0, 3] }));
    let slow = world.raw("net", "11.0.0.2:80", |mut stream| {
        head(&mut stream);
        thread::sleep(std::time::Duration::from_millis(300));
        let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: https://bank.example/\r\nContent-Length: 0\r\n\r\n");
    });
    let tight = world.says("11.0.0.3:80", "HTTP/1.1 302 Found\r\nLocation: https://bank.example/\r\n\r\n");
    let socket = world.fetcher_at(&["--on", "expand", "--jitter-ms", "50"]);
    let client = &mut Client::connect(&socket).unwrap();
    set(client, vec![platform("slow.example"), Platform { per_minute: Some(4), ..platform("tight.example") }]);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| expand(&mut Client::connect(&socket).unwrap(), "http://slow.example/x").unwrap().target.unwrap());
        }
    });
    assert_eq!(slow.load(Ordering::Relaxed), 1, "eight who ask at once are one fetch");
    assert!(expand(client, "http://slow.example/x").unwrap().hops[0].remembered);
    assert_eq!(client.status().unwrap().into_result().unwrap().remembered, 8);

    assert!(expand(client, "http://tight.example/1").is_ok());
    let refused = expand(client, "http://tight.example/2").unwrap_err();
    assert_eq!((refused.why, refused.retry_after_s), (Why::Budget, Some(15)));
    assert!(expand(client, "http://tight.example/1").unwrap().hops[0].remembered, "what is known costs nothing");
    assert_eq!(tight.load(Ordering::Relaxed), 1);
}

#[test]
fn it_is_off_until_it_is_switched_on_and_knows_no_platform_by_itself() {
    let Some(mut world) = World::new() else { return };
    let off = &mut world.fetcher(&[]);
    let failure = expand(off, "http://sho.rt/x").unwrap_err();
    assert_eq!(failure.why, Why::Off);
    assert!(failure.detail.contains("--on expand"), "{failure}");
    let on = &mut world.fetcher(&["--on", "expand"]);
    assert_eq!(expand(on, "http://sho.rt/x").unwrap_err().why, Why::Platforms);
    set(on, vec![platform("sho.rt")]);
    let other = Expand { url: "http://sho.rt/x".into(), platforms: Some("v2".into()), limits: Limits::default() };
    assert!(matches!(on.expand(&other).unwrap(), Outcome::Failed(Failure { why: Why::Platforms, .. })));
    let wrong = on.platforms(&Platforms { version: "v3".into(), platforms: vec![platform("com")] }).unwrap();
    assert!(matches!(wrong, Outcome::Failed(Failure { why: Why::Name, .. })));
    assert_eq!(
        on.status().unwrap().into_result().unwrap().platforms.as_deref(),
        Some("v1"),
        "a set with something wrong changes nothing"
    );
}
