//! The canonical form: a fixed point of itself, what the crate `url` says, and folded without harm.

use std::cell::RefCell;

use dataplane::canonical::{self, Bad, Canonical, Folder, HostKind, Scratch};

/// The target: a text.
pub fn run(bytes: &[u8]) {
    thread_local!(static BUFFERS: RefCell<(Scratch, Scratch, Folder)> = RefCell::new((Scratch::new(), Scratch::new(), Folder::new())));
    let text = String::from_utf8_lossy(bytes.get(..2048).unwrap_or(bytes));
    BUFFERS.with_borrow_mut(|(first, second, folder)| {
        let ours = canonical::parse(&text, first);
        if let Ok(ours) = &ours {
            parts(ours);
            let again = canonical::parse(ours.url, second);
            // A host longer than any name, which no table has: in ASCII it may be longer than what is given to IDNA.
            if again == Err(Bad::TooLong) && ours.host.len() > 253 {
                return;
            }
            assert_eq!(again.as_ref().map(|again| again.url), Ok(ours.url), "the canonical form of {text:?} is its own");
            let again = again.unwrap();
            assert_eq!(
                (again.host, again.kind, again.port, again.path_and_query),
                (ours.host, ours.kind, ours.port, ours.path_and_query)
            );
            if ours.kind != HostKind::None {
                let folded = canonical::fold(ours, folder);
                assert!(folded.path.starts_with('/') || folded.path.is_empty(), "{folded:?}");
            }
        }
        agrees(&text, &ours);
    });
}

/// The pieces lie in the whole.
fn parts(ours: &Canonical<'_>) {
    assert!(ours.url.starts_with(ours.scheme) && ours.url[ours.scheme.len()..].starts_with(':'));
    assert!(ours.url.ends_with(ours.path_and_query));
    assert_eq!(ours.kind == HostKind::None, ours.host.is_empty(), "{ours:?}");
    if ours.kind == HostKind::Domain {
        assert!(ours.host.is_ascii() && !ours.host.bytes().any(|octet| octet.is_ascii_uppercase()), "{ours:?}");
    }
    assert!(!ours.url.contains('#') || ours.kind == HostKind::None, "{ours:?}");
}

/// The special schemes of WHATWG that both know.
const SCHEMES: [&str; 5] = ["http", "https", "ftp", "ws", "wss"];

/// The crate lets no `..` take a drive letter away, whatever the scheme; the standard spares it under `file` alone ("shorten a url's path").
fn has_drive(path: &str) -> bool {
    path.split('/').any(|segment| matches!(segment.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic()))
}

fn agrees(text: &str, ours: &Result<Canonical<'_>, Bad>) {
    let theirs = url::Url::parse(text);
    match (theirs, ours) {
        (Ok(mut theirs), Ok(ours)) if SCHEMES.contains(&ours.scheme) => {
            theirs.set_fragment(None);
            let _ = theirs.set_username("");
            let _ = theirs.set_password(None);
            if !has_drive(theirs.path()) {
                assert_eq!(ours.url, theirs.as_str(), "{text:?}");
            }
            assert_eq!(&ours.url[..ours.url.len() - ours.path_and_query.len()], &theirs[..url::Position::BeforePath], "{text:?}");
            assert_eq!(ours.port, theirs.port(), "{text:?}");
        }
        (Err(error), Ok(ours)) => assert!(!SCHEMES.contains(&ours.scheme), "{text:?}: we read {ours:?}, they say {error}"),
        (Ok(theirs), Err(bad)) => {
            // A host beyond what any name can be is refused here before IDNA sees it, and one of nothing but dots leads nowhere.
            let dots = || theirs.host_str().is_some_and(|host| host.bytes().all(|octet| octet == b'.'));
            assert!(
                *bad == Bad::TooLong || *bad == Bad::NoHost && dots() || !SCHEMES.contains(&theirs.scheme()),
                "{text:?}: we say {bad}, they read {theirs}"
            );
        }
        _ => {}
    }
}
