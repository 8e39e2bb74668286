//! The document of the API: what is committed is what is answered.

use std::fs;
use std::path::Path;

use super::asks::Asks;
use super::room::Room;

#[test]
fn the_committed_document_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema/openapi.json");
    let made = serde_json::to_string_pretty(&console::api::document()).unwrap() + "\n";
    if std::env::var_os("ZTSMS_WRITE_OPENAPI").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/schema/openapi.json differs: ZTSMS_WRITE_OPENAPI=1 cargo test -p ztsms-console --test api committed"
    );
    let room = Room::empty("api-document");
    let serve = room.serve();
    let answered = Asks { serve: &serve, key: String::new() }.ask("GET", "/api/openapi.json", "", b"").body;
    assert_eq!(answered, serde_json::from_str::<serde_json::Value>(&made).unwrap());
    assert!(answered["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(answered["components"]["schemas"]["Link"]["properties"]["url"]["type"], "string", "the shape of a link is in it");
}
