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
        // What a browser makes of a `Location` that is such a value: a final dot, user information, blanks in front, any slashes or none.
        ("https://bank.example/?url=//evil.example.com.", "dangerous"),
        ("https://bank.example/?url=//x@evil.example.com", "dangerous"),
        ("https://bank.example/?url=@evil.example.com", "dangerous"),
        ("https://bank.example/?url=%20//evil.example.com", "dangerous"),
        ("https://bank.example/?url=+//evil.example.com", "dangerous"),
        ("https://bank.example/?url=%09//evil.example.com", "dangerous"),
        ("https://bank.example/?url=/%09/evil.example.com", "dangerous"),
        ("https://bank.example/?url=ht%0Atps://evil.example.com", "dangerous"),
        ("https://bank.example/?url=https:evil.example.com", "dangerous"),
        ("https://bank.example/?url=https%3A%5C%5Cevil.example.com", "dangerous"),
        ("https://bank.example/?url=https:%5C/evil.example.com", "dangerous"),
        ("https://bank.example/?continue=%68%74%74%70%73:evil.example.com", "dangerous"),
        // Two slashes lead away whatever the parameter is called, and without one.
        ("https://bank.example/?redirect_to=//evil.example.com", "dangerous"),
        ("https://bank.example/?view=%2F%2Fevil.example.com%2Fx", "dangerous"),
        ("https://bank.example/?//evil.example.com", "dangerous"),
        ("https://bank.example/#//evil.example.com", "dangerous"),
        ("https://bank.example/r//evil.example.com/x", "dangerous"),
        ("https://bank.example//evil.example.com", "dangerous"),
        // The quote behind it is read as a part of the host: not the listed one, and never safe.
        ("https://bank.example/?json=%7B%22u%22%3A%22https%3A%5C%2F%5C%2Fevil.example.com%22%7D", "unknown"),
        ("https://bank.example/?json=%7B%22u%22%3A%22https%3A%5C%2F%5C%2Fevil.example.com%5C%2Fx%22%7D", "dangerous"),
        ("https://bank.example/?view=//192.0.2.1/x", "unknown"),
        // Values that lead nowhere: a mail address, a time, a name of a file, a doubled slash.
        ("https://bank.example/?to=ann@evil.example.com", "safe"),
        ("https://bank.example/?title=http:error&at=12:30", "safe"),
        ("https://bank.example:8080/a//b/index.html", "safe"),
    ] {
        assert_eq!(asks.well("/api/v1/verdicts", json!({ "url": url }))["verdict"], verdict, "{url}");
        let scanned = asks.well("/api/v1/scan", json!({ "text": format!("Log in: {url}") }));
        assert_eq!(scanned["verdict"], verdict, "{url}: {scanned}");
        if verdict != "safe" {
            let hosts: Vec<&str> = scanned["urls"].as_array().unwrap().iter().filter_map(|url| url["host"].as_str()).collect();
            let (first, last) = (hosts.first().copied(), hosts.last().copied());
            assert!(hosts.len() > 1 && first == Some("bank.example") && last != first, "{url}: two readings: {hosts:?}");
        }
    }
}
