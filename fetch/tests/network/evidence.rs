//! Evidence about names.

use std::fs;

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Evidence, EvidenceOf, Failure, Outcome, Why};

use crate::world::World;

fn collect(client: &mut Client, of: &EvidenceOf) -> Evidence {
    client.evidence(of).unwrap().into_result().unwrap()
}

fn why<T: std::fmt::Debug>(outcome: Option<Outcome<T>>) -> Why {
    outcome.unwrap().into_result().unwrap_err().why
}

fn of(host: &str) -> EvidenceOf {
    EvidenceOf { host: host.into(), token: Some("abc123".into()), ..EvidenceOf::default() }
}

#[test]
fn everything_that_the_network_says_about_a_name_comes_together() {
    let Some(mut world) = World::new() else { return };
    let records = "@ A 11.0.0.2\n@ A 10.0.0.1\n@ AAAA 2600:11::1\n@ TXT \"v=spf1 -all\"\n@ TXT \"ztsms-verify=\" \"abc123\"\nwww CNAME edge\n\
                   edge CNAME bank.example.\n_ztsms.edge TXT ztsms-verify=other";
    world.zone("bank.example.", records);
    world.zone("example.", "rdap A 11.0.0.3\nregistry A 11.0.0.4");
    world.knot();
    let bank = world.certificate(&["bank.example", "www.bank.example", "rdap.example", "registry.example"]);
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl default_server; server_name bank.example; {bank}\n\
           location = / {{ return 302 https://www.bank.example/home; }} }}\n\
         server {{ listen 11.0.0.2:443 ssl; server_name www.bank.example; {bank} location /home {{ return 302 https://sho.rt:81/; }} }}\n\
         server {{ listen 11.0.0.3:443 ssl; {bank} location / {{ return 302 https://registry.example$request_uri; }} }}\n\
         server {{ listen 11.0.0.4:443 ssl; {bank} default_type application/rdap+json; }}"
    ));
    let www = world.dir().join("www");
    fs::create_dir_all(www.join(".well-known")).unwrap();
    fs::create_dir_all(www.join("rdap/domain")).unwrap();
    fs::write(www.join(".well-known/ztsms.txt"), "# ours\nztsms-verify=abc123\n").unwrap();
    let record = r#"{"ldhName":"BANK.EXAMPLE","events":[{"eventAction":"registration","eventDate":"2001-02-03T04:05:06Z"}],
        "entities":[{"roles":["registrar"],"handle":"R-1"}],"nameservers":[{"ldhName":"NS1.bank.example"}]}"#;
    fs::write(www.join("rdap/domain/bank.example"), record).unwrap();
    let client = &mut world.fetcher(&[]);

    let found = collect(client, &EvidenceOf { rdap: Some("https://rdap.example/rdap".into()), ..of("Bank.Example.") });
    assert_eq!(found.host, "bank.example");
    let dns = found.dns.unwrap().into_result().unwrap();
    assert_eq!((dns.a.len(), dns.aaaa.len()), (2, 1));
    assert_eq!(dns.forbidden, ["10.0.0.1: private"]);
    assert_eq!(dns.ns.into_result().unwrap(), ["ns1.bank.example", "ns2.bank.example"]);
    let soa = dns.soa.into_result().unwrap();
    assert_eq!((soa.mname.as_str(), soa.rname.as_str()), ("ns1.bank.example", "hostmaster.bank.example"));
    assert!(soa.serial >= 7);
    let txt = found.txt.unwrap().into_result().unwrap();
    assert_eq!((txt.matches, txt.tokens), (true, vec!["abc123".to_owned()]));
    let file = found.well_known.unwrap().into_result().unwrap();
    assert_eq!((file.token.matches, file.url.as_str()), (true, "https://bank.example/.well-known/ztsms.txt"));
    let certificate = found.certificate.unwrap().into_result().unwrap();
    assert_eq!(certificate.verified, Outcome::Ok(()));
    assert!(
        certificate.subject.contains("O=Example Bank") && certificate.issuer.contains("Small Internet CA"),
        "{certificate:?}"
    );
    assert_eq!(
        (certificate.names[0].as_str(), certificate.names_in_all, certificate.protocol.as_str()),
        ("bank.example", 4, "TLSv1_3")
    );
    assert!(certificate.not_before < certificate.not_after && certificate.sha256.len() == 64);
    let front = found.front.unwrap().into_result().unwrap();
    let hops: Vec<(&str, u16)> = front.hops.iter().map(|hop| (hop.url.as_str(), hop.status)).collect();
    assert_eq!(hops, [("https://bank.example/", 302), ("https://www.bank.example/home", 302)]);
    assert_eq!(front.stopped.unwrap().why, Why::Port);
    let registration = found.registration.unwrap().into_result().unwrap();
    assert_eq!(registration.registered.as_deref(), Some("2001-02-03T04:05:06Z"));
    assert_eq!((registration.registrar.as_deref(), registration.name_servers.len()), (Some("R-1"), 1));

    let alias = collect(client, &EvidenceOf { registrable: Some("bank.example".into()), ..of("www.bank.example") });
    let dns = alias.dns.unwrap().into_result().unwrap();
    assert_eq!(dns.cname, ["edge.bank.example", "bank.example"]);
    assert_eq!(dns.ns.into_result().unwrap().len(), 2);
    assert!(alias.registration.is_none(), "nobody asked for it");

    let daily = collect(client, &EvidenceOf { token_only: true, ..of("bank.example") });
    assert!(daily.txt.unwrap().into_result().unwrap().matches && daily.dns.is_none() && daily.certificate.is_none());
}

#[test]
fn what_is_missing_says_why_and_hinders_nothing_else() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "lone A 11.0.0.9\nbad A 11.0.0.2\nelsewhere A 11.0.0.3\nother A 11.0.0.4\nwrong A 11.0.0.5\ninside A 10.0.0.1\nwrong TXT ztsms-verify=of-another");
    world.knot();
    let (nobody, fine) =
        (world.untrusted(&["bad.example"]), world.certificate(&["elsewhere.example", "other.example", "wrong.example"]));
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl; {nobody} }}\n\
         server {{ listen 11.0.0.3:443 ssl; {fine} location / {{ return 301 https://other.example$request_uri; }} }}\n\
         server {{ listen 11.0.0.4:443 ssl; {fine} location /.well-known/ {{ return 200 'ztsms-verify=abc123'; }} }}\n\
         server {{ listen 11.0.0.5:443 ssl; {fine} location / {{ return 200 '<html>ztsms-verify=abc123</html>'; }} }}"
    ));
    let client = &mut world.fetcher(&[]);

    let absent = collect(client, &of("absent.example"));
    assert_eq!(why(absent.dns), Why::NoSuchName);
    assert_eq!(why(absent.txt), Why::Absent);
    assert_eq!((why(absent.certificate), why(absent.front)), (Why::NoSuchName, Why::NoSuchName));

    let lone = collect(client, &of("lone.example"));
    let dns = lone.dns.unwrap().into_result().unwrap();
    assert_eq!(dns.a.len(), 1);
    assert!(matches!(dns.ns, Outcome::Failed(Failure { why: Why::NoSuchName, .. })));
    assert_eq!((why(lone.well_known), why(lone.certificate), why(lone.front)), (Why::Connect, Why::Connect, Why::Connect));

    let bad = collect(client, &of("bad.example"));
    let certificate = bad.certificate.unwrap().into_result().unwrap();
    assert!(certificate.issuer.contains("Nobody's CA"));
    assert!(matches!(certificate.verified, Outcome::Failed(Failure { why: Why::Tls, .. })), "told, and told not to be trusted");
    assert_eq!(why(bad.well_known), Why::Tls, "a file by way of such a certificate is nobody's");

    let elsewhere = collect(client, &of("elsewhere.example"));
    assert_eq!(why(elsewhere.well_known), Why::Redirect, "another host's file says nothing about this one");
    assert_eq!(elsewhere.front.unwrap().into_result().unwrap().hops.len(), 2);

    let wrong = collect(client, &of("wrong.example"));
    assert_eq!(why(wrong.well_known), Why::Absent);
    let txt = wrong.txt.unwrap().into_result().unwrap();
    assert_eq!((txt.matches, txt.tokens.len()), (false, 1));

    let inside = collect(client, &of("inside.example"));
    assert_eq!(inside.dns.unwrap().into_result().unwrap().forbidden.len(), 1);
    assert_eq!(
        (why(inside.certificate), why(inside.well_known), why(inside.front)),
        (Why::Forbidden, Why::Forbidden, Why::Forbidden)
    );

    for (host, expected) in
        [("localhost", Why::Name), ("127.0.0.1", Why::Literal), ("a.example/x", Why::Name), ("http://a.example", Why::Name)]
    {
        assert_eq!(client.evidence(&of(host)).unwrap().into_result().unwrap_err().why, expected, "{host}");
    }
    let odd = EvidenceOf { registrable: Some("other.example".into()), ..of("a.notother.example") };
    assert_eq!(client.evidence(&odd).unwrap().into_result().unwrap_err().why, Why::Request);
    let plain = EvidenceOf { rdap: Some("http://rdap.example/".into()), ..of("a.example") };
    assert_eq!(client.evidence(&plain).unwrap().into_result().unwrap_err().why, Why::Scheme);
}
