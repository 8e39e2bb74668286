//! A target inside a link is a second reading, and the worst counts.

use serde_json::json;

use super::asks::Asks;
use super::room::Room;

#[test]
fn a_target_in_a_parameter_of_a_safe_page_is_judged_too_and_the_worst_counts() {
    let room = Room::new("nested");
    for (pattern, verdict) in [("bank.example", "safe"), ("evil.example", "dangerous"), ("evil.example.com", "dangerous")] {
        room.well(&["decide", pattern, verdict, "--reason", "a test", "--yes"]);
    }
    let serve = room.serve();
    let asks = Asks::new(&room, &serve, &["--scope", "scan", "--scope", "verdicts"]);
    for (url, verdict) in [
        ("https://bank.example/go?url=https%3A%2F%2Fevil.example%2Fx", "dangerous"),
        ("https://bank.example/go?next=evil.example.com/x", "dangerous"),
        ("https://bank.example/go?a=1&redirect_uri=https://nobody.example/", "unknown"),
        ("https://bank.example/r/https://evil.example/", "dangerous"),
        ("https://bank.example/go?url=https%3A%2F%2Fbank.example%2Fhome", "safe"),
        ("https://bank.example/go?page=2", "safe"),
    ] {
        assert_eq!(asks.well("/api/v1/verdicts", json!({ "url": url }))["verdict"], verdict, "{url}");
        let scanned = asks.well("/api/v1/scan", json!({ "text": format!("Log in: {url}") }));
        assert_eq!(scanned["verdict"], verdict, "{url}: {scanned}");
        if verdict != "safe" {
            let hosts: Vec<&str> = scanned["urls"].as_array().unwrap().iter().filter_map(|url| url["host"].as_str()).collect();
            assert!(hosts.len() == 2 && hosts[0] == "bank.example", "two readings: {hosts:?}");
        }
    }
}
