//! `/api/v1/scan` and `/api/v1/verdicts`: what is answered, and what is said of a request that is wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::asks::Asks;
use super::room::{Room, Serve};

fn asks<'s>(room: &Room, serve: &'s Serve) -> Asks<'s> {
    Asks::new(room, serve, &["--scope", "scan", "--scope", "verdicts"])
}

#[test]
fn a_decision_is_in_force_here_within_a_second_and_so_is_observing() {
    let room = Room::empty("api-force");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    let verdict = || asks.well("/api/v1/scan", json!({ "text": "see http://evil.example/x" }));
    assert_eq!((verdict()["verdict"].as_str(), verdict()["action"].as_str()), (Some("unknown"), Some("label")));
    let until = |wanted: [&str; 2]| {
        let begun = Instant::now();
        loop {
            let answer = verdict();
            if [&answer["verdict"], &answer["action"]] == wanted {
                break answer;
            }
            assert!(begun.elapsed() < Duration::from_secs(1), "{answer}");
        }
    };
    room.well(&["decide", "evil.example", "dangerous", "--reason", "a test", "--yes"]);
    let answer = until(["dangerous", "replace"]);
    assert!(!answer["deliver"].as_str().unwrap().contains("evil.example"), "{answer}");
    room.well(&["observe", "a test"]);
    let answer = until(["dangerous", "observe:replace"]);
    assert_eq!(answer["deliver"], "see http://evil.example/x");
    room.well(&["observe", "--off"]);
    until(["dangerous", "replace"]);
    room.well(&["protect", "sender", "BANK", "bank.example"]);
    let begun = Instant::now();
    let impersonated = |sender: &str| {
        let answer = asks.well("/api/v1/verdicts", json!({ "url": "other.example", "sender": sender }));
        answer["reason"] == "impersonation" && answer["verdict"] == "dangerous"
    };
    while !impersonated("B4NK") {
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
    assert!(!impersonated("SHOP"));
    room.well(&["undo", "1", "--reason", "a test", "--yes"]);
    until(["unknown", "label"]);
}

#[test]
fn safe_for_one_sender_profiles_and_segments_are_honoured() {
    let room = Room::empty("api-honours");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    room.well(&["decide", "bank.example", "safe", "--sender", "BANK", "--reason", "a test", "--yes"]);
    std::thread::sleep(Duration::from_millis(500));
    let text = "Log in: https://bank.example/ now";
    let ask = |more: Value| {
        let mut body = json!({ "text": text });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asks.well("/api/v1/scan", body)
    };
    assert_eq!(ask(json!({ "sender": "BANK" }))["verdict"], "safe");
    let other = ask(json!({ "sender": "SHOP" }));
    assert_eq!((&other["verdict"], &other["urls"][0]["reason"]), (&"unknown".into(), &"sender".into()));
    assert_eq!(ask(json!({ "profile": "off" }))["action"], "pass");
    assert_eq!(ask(json!({ "profile": "observe" }))["action"], "observe:label");
    assert_eq!(ask(json!({ "profile": "strict" }))["action"], "replace");
    // A text that fills its message: only the mark fits into one, and a long label takes two.
    let full = format!("{}http://a.example/", "x".repeat(160 - 22) + " ");
    let ask = |max: u8| asks.well("/api/v1/scan", json!({ "text": full, "max_segments": max }));
    let (one, two) = (ask(1), ask(2));
    assert_eq!([&one["segments_before"], &one["segments_after"]], [1, 1], "{one}");
    assert_eq!([&two["segments_before"], &two["segments_after"]], [1, 2], "{two}");
    assert!(one["why"].as_str().unwrap().contains("takes 2 short messages of 1"), "{one}");
    assert!(one["deliver"].as_str().unwrap().len() < two["deliver"].as_str().unwrap().len());
}

#[test]
fn reject_and_notify_are_the_callers_to_do() {
    let room = Room::empty("api-reject");
    let policy = |chain: &str| room.list("ztsms.toml", format!("[policy]\nunknown = [{chain}]\n"));
    let file = policy("\"reject\"");
    let serve = room.serve_with(&["--policy", &file]);
    let asks = asks(&room, &serve);
    let ask = || asks.well("/api/v1/scan", json!({ "text": "see http://a.example" }));
    let answer = ask();
    assert_eq!((&answer["action"], &answer["deliver"], &answer["segments_after"]), (&"reject".into(), &Value::Null, &0.into()));
    policy("\"notify\", \"pass\"");
    serve.hang_up();
    let begun = Instant::now();
    let answer = loop {
        let answer = ask();
        if answer["action"] == "notify" {
            break answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{answer}");
    };
    assert!(answer["deliver"].is_null() && answer["notice"].as_str().unwrap().len() > 10, "{answer}");
    // What cannot be read leaves the policy in force.
    policy("\"lable\"");
    serve.hang_up();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ask()["action"], "notify");
}

#[test]
fn an_array_is_answered_alike_and_an_id_hears_the_same_again() {
    let room = Room::empty("api-array");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    let texts: Vec<Value> =
        (0..1000).map(|n| json!({ "text": format!("number {n}: http://{n}.example/"), "id": n.to_string() })).collect();
    let answer = asks.well("/api/v1/scan", Value::from(texts.clone()));
    let rows = answer.as_array().unwrap();
    assert_eq!(rows.len(), 1000);
    for (n, row) in rows.iter().enumerate() {
        assert_eq!((&row["id"], &row["urls"][0]["host"]), (&n.to_string().into(), &format!("{n}.example").into()));
    }
    room.well(&["decide", "7.example", "dangerous", "--reason", "a test", "--yes"]);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(asks.well("/api/v1/scan", &texts[7])["verdict"], "unknown", "the answer of before");
    let other = Asks::new(&room, &serve, &["--scope", "scan"]);
    assert_eq!(other.well("/api/v1/scan", &texts[7])["verdict"], "dangerous", "another key's id is another");
    let conflict = json!([{ "text": "other" }, { "text": "other", "id": "7" }]);
    asks.post("/api/v1/scan", conflict).is_problem(409, "conflict", Some("/1/id"));
    // Refused whole: no answer of it is kept under its name.
    let twice = json!([{ "text": "first", "id": "q" }, { "text": "second", "id": "q" }]);
    asks.post("/api/v1/scan", twice).is_problem(409, "conflict", Some("/1/id"));
    assert_eq!(asks.well("/api/v1/scan", json!({ "text": "second", "id": "q" }))["deliver"], "second");
    let twice = json!([{ "url": "a.example", "id": "q" }, { "url": "b.example", "id": "q" }]);
    asks.post("/api/v1/verdicts", twice).is_problem(409, "conflict", Some("/1/id"));
    assert_eq!(asks.well("/api/v1/verdicts", json!({ "url": "b.example", "id": "q" }))["host"], "b.example");
    assert_eq!(asks.well("/api/v1/scan", "[]"), json!([]));
    let metrics = asks.ask("GET", "/metrics", "", b"");
    assert!(metrics.body.as_str().unwrap().contains("ztsms_api_repeats_total{route=\"scan\"} 1\n"), "{}", metrics.body);
}

#[test]
fn what_is_wrong_is_named() {
    let room = Room::empty("api-wrong");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    let long = json!({ "text": "x".repeat(39_016) });
    for (body, status, kind, field) in [
        ("{".to_owned(), 400, "syntax", None),
        (r#"{"text":1}"#.to_owned(), 422, "field", Some("/text")),
        (r#"[{"text":"a"},{"text":"a","max_segments":0}]"#.to_owned(), 422, "field", Some("/1/max_segments")),
        (r#"{"text":"a","recipient":"x"}"#.to_owned(), 422, "field", Some("/recipient")),
        (r#"{"text":"a","max_segment":1}"#.to_owned(), 422, "field", Some("/max_segment")),
        (r#"{"text":"a","profile":"loose"}"#.to_owned(), 422, "field", Some("/profile")),
        (long.to_string(), 422, "field", Some("/text")),
        (format!("[{}]", vec![r#"{"text":"a"}"#; 1001].join(",")), 413, "too-large", None),
        (" ".repeat(4 << 20) + "{}", 413, "too-large", None),
        (
            format!("[{}]", vec![json!({ "text": "a.co ".repeat(7_000) }).to_string(); 4].join(",")),
            413,
            "too-large",
            Some("/2/text"),
        ),
    ] {
        asks.post("/api/v1/scan", body).is_problem(status, kind, field);
    }
    asks.ask("POST", "/api/v1/scan", "", b"{}").is_problem(415, "media-type", None);
    let packed = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    asks.ask("POST", "/api/v1/scan", packed, b"\x1f\x8b").is_problem(415, "media-type", None);
    for (body, said) in [("5", "an object or an array of them"), (r#"{"text":"a","max_segments":256}"#, "from 1 to 255")] {
        let answer = asks.post("/api/v1/scan", body);
        assert!(answer.body["detail"].as_str().unwrap().ends_with(said), "{}", answer.body);
    }
    asks.ask("POST", "/api/v1/scam", "", b"{}").is_problem(404, "not-found", None);
    let answer = asks.ask("DELETE", "/api/v1/scan", "", b"");
    answer.is_problem(405, "method", None);
    assert!(answer.head.contains("allow: post"), "{}", answer.head);
}

#[test]
fn labels_speak_the_language_that_is_asked_for_before_the_recipients_own() {
    let room = Room::empty("api-language");
    let policy = room.list("ztsms.toml", "[labels]\nlanguage = \"de\"\n");
    let serve = room.serve_with(&["--policy", &policy]);
    let asks = asks(&room, &serve);
    let label = |language: Value, profile: Value| {
        let body = json!({ "text": "see http://new.example/x", "language": language, "profile": profile });
        asks.well("/api/v1/scan", body)["deliver"].as_str().unwrap().split(" new(").next().unwrap().to_owned()
    };
    let german = label(Value::Null, Value::Null);
    assert_eq!(german, "UNGEPRÜFTER LINK");
    for (language, said) in
        [("fr", "LIEN NON VÉRIFIÉ"), ("fr-CA", "LIEN NON VÉRIFIÉ"), ("en", "UNVERIFIED LINK"), ("xx", &german)]
    {
        assert_eq!(label(json!(language), Value::Null), said, "{language}");
        assert_eq!(label(json!(language), json!("quiet")), said, "{language}, with a profile");
    }
    asks.post("/api/v1/scan", json!({ "text": "a", "language": "" })).is_problem(422, "field", Some("/language"));
}

#[test]
fn a_string_that_is_no_url_is_answered_and_is_no_fault_of_the_others() {
    let room = Room::empty("api-no-urls");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    let urls = ["", "http://", "two words", "http://a b/", "a.example"];
    let asked: Vec<Value> = urls.iter().map(|url| json!({ "url": url })).collect();
    let answers = asks.well("/api/v1/verdicts", Value::from(asked));
    for (url, answer) in urls.iter().zip(answers.as_array().unwrap()).take(4) {
        assert_eq!((&answer["text"], &answer["url"], &answer["verdict"]), (&json!(url), &Value::Null, &json!("none")));
        assert!(!answer["why"].as_str().unwrap().is_empty(), "{answer}");
    }
    assert_eq!((&answers[4]["url"], &answers[4]["verdict"]), (&json!("http://a.example/"), &json!("unknown")));
}

#[test]
fn a_url_is_judged_as_a_handset_would_open_it() {
    let room = Room::empty("api-urls");
    let serve = room.serve();
    let asks = asks(&room, &serve);
    room.well(&["decide", "evil.example", "dangerous", "--reason", "a test", "--yes"]);
    std::thread::sleep(Duration::from_millis(500));
    for (url, canonical, verdict) in [
        ("http://evil.example/x", "http://evil.example/x", "dangerous"),
        ("EVIL.example:8080/x", "http://evil.example:8080/x", "dangerous"),
        ("https://a.example/?url=http://evil.example/", "http://evil.example/", "dangerous"),
        ("https://a.example/.", "https://a.example/", "unknown"),
        (" b.example ", "http://b.example/", "unknown"),
    ] {
        let answer = asks.well("/api/v1/verdicts", json!({ "url": url }));
        assert_eq!((&answer["url"], &answer["verdict"]), (&canonical.into(), &verdict.into()), "{url}: {answer}");
    }
}
