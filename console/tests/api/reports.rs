//! Reports by subscribers: kept without texts and numbers, and never deciding.

use serde_json::json;

use super::asks::Asks;
use super::room::Room;

#[test]
fn reports_weigh_in_and_decide_nothing_and_keep_neither_text_nor_number() {
    let room = Room::empty("api-reports");
    let serve = room.serve();
    let asks = Asks::new(&room, &serve, &["--scope", "reports", "--scope", "read", "--scope", "verdicts"]);
    let report = |n: u64| {
        json!({ "text": format!("Dear sir {n}, log in at http://evil.example/account?me={n} soonest"),
        "sender": "+33698765432", "reporter": format!("+336112233{n:02}"), "id": format!("r{n}") })
    };
    let first = asks.well("/api/v1/reports", report(0));
    assert_eq!((&first["repeat"], &first["verdict"]), (&false.into(), &"unknown".into()));
    let batch: Vec<_> = (0..40).map(report).collect();
    let answers = asks.well("/api/v1/reports", json!(batch));
    assert_eq!((&answers[0]["report"], &answers[0]["repeat"]), (&first["report"], &true.into()));
    let mut other = report(1);
    other["text"] = "another".into();
    asks.post("/api/v1/reports", json!([report(50), other])).is_problem(409, "conflict", Some("/1/id"));
    let again = json!({ "text": "bit.ly/abc?x=1 and http://evil.example", "reporter": "+33611223300", "sender": "PARCEL" });
    asks.well("/api/v1/reports", again);
    let listed = asks.ask("GET", "/api/v1/reports?most=5", "", b"").body;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["reports"], &listed[0]["reporters"]),
        (&"evil.example".into(), &41.into(), &40.into())
    );
    assert_eq!(asks.well("/api/v1/verdicts", json!({ "url": "evil.example" }))["verdict"], "unknown");
    assert_eq!(room.json(&["decisions"]), json!([]));
    // As many links as the other routes answer about, and no more.
    let many: Vec<_> = (0..3).map(|n| json!({ "text": "a.de ".repeat(7_000), "id": format!("many{n}") })).collect();
    asks.post("/api/v1/reports", json!(many)).is_problem(413, "too-large", Some("/2/text"));
    assert_eq!(asks.well("/api/v1/reports", json!({ "text": "a.de", "id": "many0" }))["repeat"], false, "nothing of it is kept");
    // The last times of RFC 3339 are times too.
    assert_eq!(asks.ask("GET", "/api/v1/reports?since=9999-12-31T23:59:59Z", "", b"").body, json!([]));
    asks.ask("GET", "/api/v1/reports?since=9999-12-31", "", b"").is_problem(422, "field", Some("since"));
    asks.ask("GET", "/api/v1/reports?most=0", "", b"").is_problem(422, "field", Some("most"));
    drop(serve);
    let mut all = std::fs::read(room.data().join("console.db")).unwrap();
    all.extend(std::fs::read(room.data().join("console.db-wal")).unwrap_or_default());
    let holds = |what: &str| all.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(holds("evil.example") && holds("PARCEL"));
    for secret in ["Dear sir", "soonest", "3369876", "3361122", "me=", "x=1", "account"] {
        assert!(!holds(secret), "{secret}");
    }
}
