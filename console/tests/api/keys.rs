//! Who may ask.

use super::asks::Asks;
use super::room::Room;

const TEXT: &str = r#"{"text":"hello","sender":"BANK-1"}"#;

#[test]
fn a_key_opens_what_it_was_made_for_until_it_is_revoked() {
    let room = Room::empty("api-keys");
    let serve = room.serve();
    let nobody = Asks { serve: &serve, key: String::new() };
    let answer = nobody.post("/api/v1/scan", TEXT);
    answer.is_problem(401, "unauthenticated", None);
    assert!(answer.head.contains("www-authenticate: bearer"));
    let scan = Asks::new(&room, &serve, &["--scope", "scan"]);
    scan.well("/api/v1/scan", TEXT);
    scan.post("/api/v1/verdicts", r#"{"url":"a.example"}"#).is_problem(403, "forbidden", None);
    let other = format!("{}{}", &scan.key[..scan.key.len() - 1], if scan.key.ends_with('0') { '1' } else { '0' });
    for key in [other, scan.key.replace("ztsms_1_", "ztsms_2_"), "x".to_owned(), scan.key.to_uppercase()] {
        Asks { serve: &serve, key }.post("/api/v1/scan", TEXT).is_problem(401, "unauthenticated", None);
    }
    let listed = room.json(&["key", "list"]);
    assert!(listed[0]["used"].is_i64() && !listed.to_string().contains(&scan.key[10..]), "{listed}");
    room.well(&["key", "revoke", "1", "--reason", "a test"]);
    scan.post("/api/v1/scan", TEXT).is_problem(401, "unauthenticated", None);
    // Neither the file nor the log has the key.
    let key = scan.key;
    drop(serve);
    let digits = key.rsplit('_').next().unwrap();
    for file in std::fs::read_dir(room.data()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let octets = std::fs::read(&file).unwrap();
        assert!(!octets.windows(digits.len()).any(|window| window == digits.as_bytes()), "{}", file.display());
    }
    let log = room.json(&["audit", "list"]);
    assert_eq!([&log[0]["verb"], &log[1]["verb"]], ["create-key", "revoke-key"]);
    room.well(&["audit", "verify"]);
}

#[test]
fn networks_senders_rates_and_ends_are_limits() {
    let room = Room::empty("api-limits");
    let serve = room.serve();
    let elsewhere = Asks::new(&room, &serve, &["--scope", "scan", "--network", "192.0.2.0/24", "--network", "2001:db8::/32"]);
    elsewhere.post("/api/v1/scan", TEXT).is_problem(403, "forbidden", None);
    // Without --behind-proxy nobody can say where he is.
    let forwarded = "Content-Type: application/json\r\nX-Forwarded-For: 192.0.2.1\r\n";
    elsewhere.ask("POST", "/api/v1/scan", forwarded, TEXT.as_bytes()).is_problem(403, "forbidden", None);
    let here = Asks::new(&room, &serve, &["--scope", "scan", "--network", "127.0.0.0/8", "--sender", "BANK*"]);
    here.well("/api/v1/scan", TEXT);
    let batch = format!(r#"[{TEXT},{{"text":"hello","sender":"SHOP"}}]"#);
    here.post("/api/v1/scan", batch).is_problem(403, "forbidden", Some("/1/sender"));
    here.post("/api/v1/scan", r#"{"text":"hello"}"#).is_problem(403, "forbidden", Some("/sender"));
    let slow = Asks::new(&room, &serve, &["--scope", "scan", "--rate", "1"]);
    slow.well("/api/v1/scan", format!("[{}]", vec![TEXT; 1000].join(",")));
    let answer = slow.post("/api/v1/scan", TEXT);
    answer.is_problem(429, "rate", None);
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    let short = Asks::new(&room, &serve, &["--scope", "scan", "--expires", "2s"]);
    short.well("/api/v1/scan", TEXT);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    short.post("/api/v1/scan", TEXT).is_problem(401, "unauthenticated", None);
    assert!(room.refused(&["key", "create", "--scope", "root"]).contains("no scope"));
    assert!(room.refused(&["key", "create", "--scope", "scan", "--network", "x"]).contains("is no network"));
}

#[test]
fn a_rotated_key_holds_beside_the_new_one_for_a_while() {
    let room = Room::empty("api-rotate");
    let serve = room.serve();
    let old = Asks::new(&room, &serve, &["--scope", "scan"]);
    let rotated = room.json(&["key", "rotate", "1", "--overlap", "2s"]);
    let new = Asks { serve: &serve, key: rotated["key"].as_str().unwrap().to_owned() };
    [&old, &new].iter().for_each(|key| drop(key.well("/api/v1/scan", TEXT)));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    new.well("/api/v1/scan", TEXT);
    old.post("/api/v1/scan", TEXT).is_problem(401, "unauthenticated", None);
    assert!(room.refused(&["key", "rotate", "1"]).contains("has ended"));
    assert_eq!(room.json(&["audit", "list"])[1]["detail"]["replaces"], 1);
    // The second, made for two years on end, is followed by one that ends too; told so, by one that ends then.
    let year = 365 * 86_400;
    room.well(&["key", "create", "--scope", "scan", "--expires", "730d"]);
    let ends = |args: &[&str]| room.json(&[&["key", "rotate"], args].concat())["ends"].as_i64();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    assert!((ends(&["3"]).unwrap() - now - 2 * year).abs() < 60);
    assert!((ends(&["4", "--expires", "365d"]).unwrap() - now - year).abs() < 60);
    assert_eq!(ends(&["2"]), None, "that of one without an end has none");
    assert!(room.well(&["key", "rotate", "6"]).contains("this one does not end"));
    assert!(room.refused(&["key", "create", "--scope", "scan", "--expires", "99999999999d"]).contains("is no time"));
    assert!(room.refused(&["key", "create", "--scope", "scan", "--name", "a\u{1b}[31m"]).contains("control characters"));
}
