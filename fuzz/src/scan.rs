//! The scan: spans lie on characters, the sieve never says no where something is found, and what is found parses.

use std::cell::RefCell;

use dataplane::canonical::{self, HostKind};
use dataplane::scan::{Form, Scanner, Scratch};
use dataplane::verdict::Confidence;

struct Kit {
    scanner: Scanner,
    scratch: Scratch,
    canonical: canonical::Scratch,
}

thread_local!(static KIT: RefCell<Kit> = RefCell::new(Kit {
    scanner: Scanner::default(),
    scratch: Scratch::new(),
    canonical: canonical::Scratch::new(),
}));

/// More readings than one character of a text can ask for on average, by far: the scan is linear.
const READINGS: usize = 64;

/// The target: a text, or, where the first octet is odd, the octets of a UCS2 text.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text: String = if kind & 1 == 0 {
        String::from_utf8_lossy(rest).into_owned()
    } else {
        let units = rest.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    KIT.with_borrow_mut(|kit| text_holds(&text, kit));
}

fn text_holds(text: &str, kit: &mut Kit) {
    let Kit { scanner, scratch, canonical } = kit;
    let (mut count, mut asks, mut found) = (0, false, Vec::new());
    scanner.find(text, scratch, |link| {
        count += 1;
        assert!(link.start < link.end, "{link:?} of {text:?}");
        assert_eq!(text.get(link.start..link.end), Some(link.as_written), "{link:?} of {text:?}");
        asks |= link.confidence != Confidence::Binding;
        assert_eq!(link.confidence == Confidence::Binding, link.form == Form::Binding, "{link:?}");
        assert!(link.url.kind != HostKind::None || link.form == Form::NoHost, "{link:?}");
        let again = canonical::parse(link.url.url, canonical).map(|again| (again.url.to_owned(), again.host.to_owned()));
        assert_eq!(again, Ok((link.url.url.to_owned(), link.url.host.to_owned())), "{link:?} of {text:?}");
        found.push((link.start, link.end, link.url.url.to_owned(), link.confidence));
    });
    assert!(count <= READINGS * (text.len() + 1), "{count} readings of {} octets", text.len());
    if asks {
        assert!(scanner.may_link(text.as_bytes()), "the sieve dismisses {text:?} with {found:?}");
        let be16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(scanner.may_link_ucs2(&be16), "the sieve of UCS2 dismisses {text:?} with {found:?}");
        if text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b" .:/,;!?&%()*+-='\"<>#\n".contains(&octet)) {
            // Octets that are the same septets.
            assert!(scanner.may_link_septets(text.as_bytes()), "the sieve of septets dismisses {text:?} with {found:?}");
        }
    }
    // The same again: nothing is left over in the buffers.
    let mut at = 0;
    scanner.find(text, scratch, |link| {
        assert_eq!(
            found.get(at).map(|(start, end, url, _)| (*start, *end, url.as_str())),
            Some((link.start, link.end, link.url.url))
        );
        at += 1;
    });
    assert_eq!(at, found.len());
}
