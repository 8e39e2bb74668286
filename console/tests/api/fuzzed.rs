//! The API against its own document, by another hand: Schemathesis asks what the document allows and what it does not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::asks::Asks;
use super::room::Room;

/// Schemathesis, beside the Python that `make test` sets up.
fn schemathesis() -> Option<PathBuf> {
    let program = std::env::var_os("ZTSMS_PYTHON").map(|python| Path::new(&python).with_file_name("schemathesis"));
    let program = program.filter(|program| program.exists());
    assert!(program.is_some() || std::env::var_os("CI").is_none(), "ZTSMS_PYTHON names no Python with schemathesis beside it");
    program
}

#[test]
fn a_fuzzer_that_reads_the_document_finds_nothing() {
    let Some(schemathesis) = schemathesis() else {
        println!("skipped: ZTSMS_PYTHON names no Python with schemathesis (make test sets it up)");
        return;
    };
    let room = Room::empty("api-fuzzed");
    let serve = room.serve();
    let scopes = ["scan", "verdicts", "reports", "read"].map(|scope| ["--scope", scope]);
    let key = Asks::new(&room, &serve, scopes.as_flattened()).key;
    // A body that is too large is refused before it is read, whatever else is wrong with it: 413 stands in the document.
    let refused = r#"expected-statuses = ["400", "401", "403", "404", "405", "413", "415", "422", "429"]"#;
    room.list("schemathesis.toml", format!("[checks.negative_data_rejection]\n{refused}\n"));
    let seed = std::env::var("ZTSMS_FUZZ_SEED").unwrap_or_else(|_| "4711".to_owned());
    let output = Command::new(schemathesis)
        .args(["--no-color", "run", &format!("{}/api/openapi.json", serve.address), "--checks", "all", "--continue-on-failure"])
        .args(["-H", &format!("Authorization: Bearer {key}"), "--max-examples", "50", "--seed", &seed])
        .current_dir(&room.dir)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // Each route was asked, and not just looked at.
    let cases = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default().trim();
    let count: u32 = cases.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(said.contains("Tested: 4") && count > 400, "{said}");
    println!("{cases}");
}
