use super::*;
use serde_json::json;

fn actor() -> Actor {
    Actor { name: "ada".to_owned(), via: "test".to_owned() }
}

fn temporary(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("ztsms-store-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn fact(store: &Store, value: &'static str, fails: bool) -> Result<()> {
    store.change(&actor(), "test", move |transaction| {
        crate::sources::set_fact(transaction, "a", value)?;
        if fails {
            Error::refused("no")
        } else {
            Ok(Changed { subject: "a".to_owned(), detail: json!({ "v": value }), value: () })
        }
    })
}

#[test]
fn a_change_and_its_audit_line_are_there_together_or_neither_is() {
    let dir = temporary("together");
    let store = Store::open(&dir.join("console.db")).unwrap();
    let heads = std::sync::Arc::new(Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&heads);
    store.add_sink(Box::new(move |head| {
        kept.lock().unwrap().push(head.to_string());
        Ok(())
    }));
    fact(&store, "one", false).unwrap();
    assert!(fact(&store, "two", true).is_err());
    let seen =
        |store: &Store| store.read(|state| Ok((crate::sources::fact(state, "a")?, audit::head(state)?.map(|h| h.seq)))).unwrap();
    assert_eq!(seen(&store), (Some("one".to_owned()), Some(1)));
    fact(&store, "three", false).unwrap();
    drop(store);
    let store = Store::open(&dir.join("console.db")).unwrap();
    assert_eq!(seen(&store), (Some("three".to_owned()), Some(2)));
    let heads = heads.lock().unwrap().clone();
    let head = store.read(|state| audit::verify(state, &heads)).unwrap().unwrap();
    assert_eq!(Some(&head.to_string()), heads.last());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_line_that_was_changed_cut_or_written_anew_is_found() {
    let dir = temporary("tampered");
    let path = dir.join("console.db");
    let store = Store::open(&path).unwrap();
    (0..5).for_each(|_| fact(&store, "x", false).unwrap());
    let heads: Vec<String> = store
        .read(|state| Ok(audit::lines(state, 1, 9)?.into_iter().map(|l| format!("{}:{}", l.seq, l.hash)).collect()))
        .unwrap();
    assert_eq!(heads.len(), 5);
    assert!(store.note(|t| Ok(t.execute("UPDATE audit SET author = 'eve' WHERE seq = 2", [])?)).is_err(), "the database refuses");
    assert!(store.note(|t| Ok(t.execute("DELETE FROM audit WHERE seq = 5", [])?)).is_err(), "the database refuses");
    let tamper = |sql: &'static str| {
        store
            .note(move |t| {
                Ok(t.execute_batch(&format!(
                    "DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_cut; {sql}"
                ))?)
            })
            .unwrap();
    };
    let check = |anchors: &[String]| store.read(|state| audit::verify(state, anchors)).map_err(|error| error.to_string());
    // Cut at the end: it holds together, and the anchor is not met.
    tamper("DELETE FROM audit WHERE seq = 5");
    assert!(check(&[]).is_ok());
    assert!(check(&heads[4..]).unwrap_err().contains("is not in it"));
    assert!(check(&heads[..4]).is_ok());
    tamper("UPDATE audit SET author = 'eve' WHERE seq = 2");
    assert!(check(&[]).unwrap_err().contains("line 2 is not as it was written"));
    tamper("DELETE FROM audit WHERE seq = 2");
    assert!(check(&[]).unwrap_err().contains("line 2 is missing"));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let dir = temporary("later");
    let path = dir.join("console.db");
    let store = Store::open(&path).unwrap();
    store.note(|t| Ok(t.execute("INSERT INTO migrations VALUES ('999-later')", [])?)).unwrap();
    drop(store);
    assert!(Store::open(&path).err().unwrap().to_string().contains("later version"));
    std::fs::remove_dir_all(&dir).unwrap();
}
