use super::*;
use crate::desk::Desk;
use control::verdicts_cmd::lookup;
use std::path::PathBuf;
use std::sync::Arc;

struct Place {
    dir: PathBuf,
    desk: Arc<Desk>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn actor() -> Actor {
    Actor { name: "ada".to_owned(), via: "test".to_owned() }
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("ztsms-decide-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir).unwrap();
    Place { dir, desk }
}

impl Place {
    fn decide(&self, pattern: &str, verdict: &str) -> Result<Decision> {
        let draft =
            Draft { pattern: pattern.to_owned(), verdict: verdict.to_owned(), reason: "a test".to_owned(), ..Draft::default() };
        let command = crate::command::Command::Decide(crate::command::Decide::Set(draft));
        self.desk.obey(&actor(), command).map(|value| serde_json::from_value(value).unwrap())
    }

    fn undo(&self, id: i64) -> Result<()> {
        let reason = "a test".to_owned();
        self.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Undo { id, reason })).map(drop)
    }

    fn says(&self, link: &str) -> &'static str {
        // As the filter reads it: from the files.
        let table = control::build::open(self.desk.publisher().dir(), self.desk.publisher().suffixes()).unwrap();
        lookup(&table, link, "", self.desk.publisher().suffixes()).verdict
    }
}

#[test]
fn a_decision_is_in_the_files_and_undone_gives_back_what_stood_there() {
    let at = place("undo");
    assert_eq!(at.says("evil.example"), "unknown");
    let first = at.decide("Evil.example", "dangerous").unwrap();
    assert_eq!((first.pattern.as_str(), at.says("www.evil.example/x")), ("evil.example", "dangerous"));
    let second = at.decide("evil.example", "unknown").unwrap();
    assert_eq!((second.replaces, at.says("evil.example")), (Some(first.id), "unknown"));
    assert!(at.undo(first.id).unwrap_err().to_string().contains("not in force"));
    at.undo(second.id).unwrap();
    assert_eq!(at.says("evil.example"), "dangerous");
    at.undo(first.id).unwrap();
    assert_eq!(at.says("evil.example"), "unknown");
    assert!(matches!(at.undo(99), Err(Error::NotFound(_))));
}

#[test]
fn what_no_list_may_say_is_refused_with_the_reason() {
    let at = place("refused");
    for (pattern, verdict, why) in [
        ("co.uk", "safe", "public suffix"),
        ("=github.io", "safe", "public suffix"),
        ("bit.ly", "safe", "is a platform"),
        ("a b", "safe", "not a host"),
        ("a.example", "fine", "safe, dangerous or unknown"),
        ("@a.example", "safe", "no verdict of its own"),
    ] {
        let said = at.decide(pattern, verdict).unwrap_err().to_string();
        assert!(said.contains(why), "{pattern}: {said}");
    }
    assert!(at.decide("=bit.ly", "safe").is_ok());
    assert!(at.decide("duckdns.org", "dangerous").is_ok(), "the operator may forbid what is below a suffix");
    assert_eq!(at.says("x.duckdns.org"), "dangerous");
}

#[test]
fn a_decision_that_has_ended_is_taken_out() {
    let at = place("ended");
    let draft =
        Draft { pattern: "evil.example".into(), verdict: "dangerous".into(), reason: "for now".into(), ..Draft::default() };
    let now = time::now();
    let draft = Draft { expires: Some(now + 3600), ..draft };
    at.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Set(draft))).unwrap();
    assert_eq!(at.says("evil.example"), "dangerous");
    assert_eq!(expire(at.desk.store(), now + 3599).unwrap(), 0);
    assert_eq!(expire(at.desk.store(), now + 3600).unwrap(), 1);
    at.desk.publisher().decisions(at.desk.store()).unwrap();
    assert_eq!(at.says("evil.example"), "unknown");
}
