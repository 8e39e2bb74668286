//! What holds for any text: the sieve never dismisses what the scan finds, spans lie in the text, time is linear.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

mod handsets;
mod words;

const PIECES: [&str; 63] = [
    "evil",
    "a",
    "com",
    "Com",
    "COM",
    "in",
    "to",
    "рф",
    "みんな",
    "ｃｏｍ",
    ".",
    ".",
    ".",
    "..",
    "。",
    "．",
    "｡",
    "\u{2024}",
    " ",
    " ",
    "\n",
    ",",
    ":",
    "/",
    "//",
    "://",
    "\\",
    "/?",
    "http",
    "hxxps",
    "tel",
    "market",
    "@",
    "[.]",
    "(dot)",
    " dot ",
    "?u=",
    "%3A%2F%2F",
    "%2e",
    "1",
    "23",
    "0x7f",
    "-",
    "_",
    "é",
    "日本",
    "\u{200b}",
    "\u{202e}",
    "＠",
    "／",
    "#12",
    "\n@",
    " #1",
    "(",
    ")",
    "😀",
    "²",
    "①",
    "\u{345}",
    "foo://",
    "xhttp://",
    ":80",
    "good.to",
];

/// Septets of the default alphabet, where the text has no others.
fn septets(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &str = "@£$¥èéùìòÇ";
    let mut out = Vec::new();
    for c in text.chars() {
        match c {
            '[' => out.extend([0x1b, 0x3c]),
            ']' => out.extend([0x1b, 0x3e]),
            '_' => out.push(0x11),
            c if LETTERS.contains(c) => out.push(LETTERS.chars().position(|l| l == c).unwrap() as u8),
            '\\' => out.extend([0x1b, 0x2f]),
            c if c.is_ascii_graphic() || c == ' ' || c == '\n' => out.push(c as u8),
            _ => return None,
        }
    }
    Some(out)
}

fn urls(scanner: &Scanner, text: &str) -> Vec<(String, Form)> {
    let mut urls = Vec::new();
    scanner.find_with_care(text, &mut Scratch::new(), |link| urls.push((link.url.url.to_owned(), link.form)));
    urls
}

/// All that a link says, owned.
fn readings(text: &str, find: impl Fn(&str, &mut Scratch, &mut dyn FnMut(&Link<'_>))) -> Vec<String> {
    let mut readings = Vec::new();
    find(text, &mut Scratch::new(), &mut |link| readings.push(format!("{link:?}")));
    readings
}

fn haste_is_as_good_as_care(text: &str) -> Result<(), TestCaseError> {
    thread_local!(static SCANNER: Scanner = Scanner::default());
    SCANNER.with(|scanner| {
        let hasty = readings(text, |text, scratch, visit| scanner.find(text, scratch, visit));
        let careful = readings(text, |text, scratch, visit| scanner.find_with_care(text, scratch, visit));
        prop_assert_eq!(hasty, careful, "{:?}", text);
        Ok(())
    })
}

/// Pieces of messages with links of the usual form, and what may stand round them.
const USUAL: [&str; 50] = [
    "https://",
    "http://",
    "HTTPS://",
    "Http://",
    "xhttp://",
    "_https://a.com/x",
    "www.",
    "evil.com",
    "a-b.co.uk",
    "Evil.Com",
    "x.org",
    "1.2.3.4",
    "a.zz",
    "foo.com.zz",
    "zz.foo.com",
    "host.translate.goog",
    "cdn.ampproject.org",
    "google.com",
    "/",
    "/path",
    "/amp/s/x.com",
    "/a/b-c_d.html",
    "/x.apk",
    "/.a",
    "/a/../b",
    "//",
    "?id=1",
    "?u=x.com",
    "&v=a.b",
    "=",
    ".",
    ",",
    "!",
    ":",
    ";",
    ")",
    "(",
    " ",
    " ",
    " ",
    "\n",
    "@",
    "é",
    "日本",
    "Привет",
    "no. 4",
    "12.30",
    "ok. To see",
    "tel:",
    "'",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_sieve_dismisses_nothing_that_the_scan_finds(pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..14)) {
        thread_local!(static SCANNER: Scanner = Scanner::default());
        SCANNER.with(|scanner| {
            let text = pieces.concat();
            let found = urls(scanner, &text);
            if found.is_empty() {
                return Ok(());
            }
            prop_assert!(scanner.may_link(text.as_bytes()), "{:?}: {:?}", text, found);
            let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            prop_assert!(scanner.may_link_ucs2(&wide), "UCS2 {:?}: {:?}", text, found);
            if let Some(septets) = septets(&text) {
                prop_assert!(scanner.may_link_septets(&septets), "septets {:?}: {:?}", text, found);
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_hangs_over_the_parts_of_a_text_is_seen_by_the_part_that_completes_it(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..14), cuts in prop::array::uniform2(any::<prop::sample::Index>())
    ) {
        thread_local!(static SCANNER: Scanner = Scanner::default());
        SCANNER.with(|scanner| {
            let text = pieces.concat();
            let [first, second] = cuts.map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)));
            let (first, second) = (first.min(second), first.max(second));
            // In order, and the middle one last.
            let [a, b, c] = [&text[..first], &text[first..second], &text[second..]].map(|part| scanner.may_link(part.as_bytes()));
            let both = &text[..second];
            let in_order = a || scanner.may_link_from(both, first) || scanner.may_link_from(&text, second);
            let middle_last = a || c || scanner.may_link_from(&text, first);
            let last_first = c || b || scanner.may_link_from(&text[first..], 0) || scanner.may_link_from(&text, 0);
            if !in_order || !middle_last || !last_first {
                prop_assert_eq!(urls(scanner, &text), [], "{:?} {} {}", text, first, second);
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_is_found_in_haste_is_what_care_finds(pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..14)) {
        haste_is_as_good_as_care(&pieces.concat())?;
    }

    #[test]
    fn usual_links_are_found_in_haste_as_care_finds_them(pieces in prop::collection::vec(prop::sample::select(USUAL.as_slice()), 0..12)) {
        haste_is_as_good_as_care(&pieces.concat())?;
    }

    #[test]
    fn usual_links_between_blanks_are_found_in_haste_as_care_finds_them(
        before in "[a-z,.!]{0,6}[ \n]", link in "(https?://)?[a-zA-Z0-9-]{1,5}(\\.[a-z0-9]{1,3}){0,2}\\.(com|to|org|zz|Com)(/[a-z0-9./_=?&-]{0,9})?",
        behind in "([ \n.,!][ \n]?[a-z.]{0,4}){0,2}"
    ) {
        haste_is_as_good_as_care(&format!("{before}{link}{behind}"))?;
    }

    #[test]
    fn spans_lie_in_any_text(text in "\\PC{0,60}") {
        thread_local!(static SCANNER: Scanner = Scanner::default());
        SCANNER.with(|scanner| scanner.find(&text, &mut Scratch::new(), |link| {
            assert_eq!(text.get(link.start..link.end), Some(link.as_written));
        }));
    }
}

#[test]
fn forty_thousand_octets_made_to_be_slow_are_not() {
    let scanner = Scanner::default();
    let mut scratch = Scratch::new();
    let units = [
        "http://a.co/)",
        "a.com,",
        "a@",
        "http://a@",
        "a.",
        "。",
        ".com ",
        " dot a",
        "a[.]",
        "http://x.co/?u=",
        "u=http://",
        "http:",
        "http:/a",
        "//a.co@",
        "http:a.co\\",
        "日.com",
        "http://日.com日/",
        "a.com日",
        "tel:",
        "a://",
        "%3A%2F%2F",
        "http:/\u{ff0f}",
        "\u{202e}http://",
        "http://\u{202e}a.,b",
        "²。",
        "²。℡.to.",
        "a.co:80\u{2060}",
        "%25",
        "xn--a.",
        "@a.b ",
        "ex.com/(",
        "1.2.3.4.",
        "-a.com",
        "intent:x",
        "a.com#",
        "a.com/%z",
        "http://a%/",
        "http://a%2f/",
        "http://a.co%2e/",
        "http://a.co:x@",
        "http://a.co@@/",
        "http://-a.co/",
        "http://.a.co..b.co/",
        "1.2.3.4-",
        "\u{200b}1.",
        "xn--.xn--.co/",
        "a.co-.",
        "@a.co--.",
        "a.co@b_.",
        "x_.a.co.",
        "a.co._",
        "a.co。",
        "1.2.3.4。",
        "①a.co",
        "a://b-c.co.",
        "xhttp://a.co/",
        "xhttp://a.co日/",
        "日http://a.co/",
        "hxxp://a-b.co/",
        "hxxp://a.co,",
        "http:/a.co,x@",
        "http:/a.co./",
        "xhttp://1.2.3.4/",
        "foo://1.2.3.4/",
        "foo://a.co/",
        "x_.co/",
        "\u{200b}http://a.co/",
        "a.co@b.co,",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.co.",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa。co。",
        "a.co:1²",
        "a.co:1²é",
    ];
    for unit in units {
        let text = unit.repeat(40_000 / unit.len());
        let half = &text[..unit.len() * (20_000 / unit.len())];
        let mut time = |text: &str| {
            let start = Instant::now();
            scanner.find(text, &mut scratch, |_| {});
            start.elapsed()
        };
        let (_, half, whole) = (time(half), time(half), time(&text));
        // Four times would be quadratic, and took a second and more before it was made linear; small times are noise.
        let quadratic = whole > half * 3 && whole.as_millis() > 400;
        println!("{unit:?}: {half:?} for half, {whole:?} for all");
        assert!(!quadratic && whole.as_millis() < 2000, "{unit:?}: {half:?} for half, {whole:?} for all");
    }
}

#[test]
fn what_stands_behind_the_end_of_a_link_is_a_link_of_its_own() {
    let found = urls(&Scanner::default(), "http://a.com/x|evil.com/y");
    assert!(found.contains(&("http://evil.com/y".to_owned(), Form::Bare)), "{found:?}");
}

#[test]
fn what_deadening_leaves_is_no_link() {
    let scanner = Scanner::default();
    for text in ["https:  evil com path", "evil com", "see www evil com login now", "1 2 3 4"] {
        assert!(urls(&scanner, text).is_empty(), "{text}: {:?}", urls(&scanner, text));
        assert!(!scanner.may_link(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_target_inside_a_link_is_read_as_a_browser_follows_it() {
    let scanner = Scanner::default();
    let nested = |tail: &str| {
        let found = urls(&scanner, &format!("See https://a.com/{tail} now"));
        found.into_iter().filter(|(_, form)| *form == Form::Nested).map(|(url, _)| url).collect::<Vec<_>>()
    };
    for tail in [
        "?url=//evil.com.",
        "?url=//x@evil.com",
        "?url=@evil.com",
        "?url=%20//evil.com",
        "?url=+//evil.com",
        "?url=/%09/evil.com",
        "?url=ht%0Atps://evil.com",
        "?url=https:evil.com",
        "?url=https%3A%5C%5Cevil.com",
        "?c=%68%74%74%70%73:evil.com",
        "?view=%2F%2Fevil.com",
        "?//evil.com",
        "#//evil.com",
        "r//evil.com",
        "/evil.com",
        "?j=%7B%22u%22%3A%22https%3A%5C%2F%5C%2Fevil.com%5C%2Fx%22%7D",
    ] {
        let found = nested(tail);
        assert!(
            found.iter().any(|url| url.split('/').nth(2).is_some_and(|host| host.trim_end_matches('.') == "evil.com")),
            "{tail}: {found:?}"
        );
    }
    // Whatever stands in front of it: a sign that ends the link to some readers, or many targets.
    for sign in ['€', '£', '¤', '§', '¡', 'Δ', '…', '»', '“', '👉', '中', '。', ')', '[', '{', '|', '^', '\\'] {
        for target in ["u=%2F%2Fevil.com", "next=evil.com", "next=https%3A%2F%2Fevil.com", "next=https://evil.com/x"] {
            let found = nested(&format!("?a=5{sign}&{target}"));
            assert!(found.iter().any(|url| url.contains("//evil.com")), "{sign} {target}: {found:?}");
        }
    }
    let many = format!("?a={}https:evil.com", "https://safe.com/".repeat(20));
    assert!(nested(&many).iter().any(|url| url.contains("//evil.com")), "{:?}", nested(&many));
    for tail in ["?next=https://[2606:4700::1111]/", "?next=//[2606:4700::1111]/", "?next=https://%5B2606:4700::1111%5D/"] {
        assert!(nested(tail).iter().any(|url| url.contains("[2606:4700::1111]")), "{tail}: {:?}", nested(tail));
    }
    for tail in ["?url=//3405803783/login", "?u=%20//x@0xcb007107", "?to=\\\\203.0.28935:80/", "?next=http:3405803783"] {
        assert!(nested(tail).iter().any(|url| url.starts_with("http://203.0.113.7")), "{tail}: {:?}", nested(tail));
    }
    for tail in
        ["?to=ann@evil.com", "?title=http:error&at=12:30", "b//index.html", "?a=b:c/d", "b//2024/5", "?a=//2024", "?q=2024"]
    {
        assert_eq!(nested(tail), Vec::<String>::new(), "{tail}");
    }
}

#[test]
fn ordinary_text_holds_no_link() {
    let scanner = Scanner::default();
    for text in [
        "e.g. this",
        "at 12.30 or 7.15pm",
        "Mr.Smith came",
        "v1.2.3 and 2.0",
        "Rs.500.00",
        "£1,500.00",
        "ann@mail.example.com",
        "a/c no.12",
    ] {
        assert!(urls(&scanner, text).is_empty(), "{text}: {:?}", urls(&scanner, text));
    }
}

#[test]
fn an_origin_bound_code_is_a_binding_and_no_link() {
    let scanner = Scanner::default();
    assert_eq!(
        urls(&scanner, "Your code is 123456\n@shop.example.com #123456"),
        [("https://shop.example.com/".to_owned(), Form::Binding)]
    );
    assert_eq!(urls(&scanner, "Go evil.com\n@shop.com #1 @pay.net").first().unwrap().1, Form::Binding);
    assert!(urls(&scanner, "Go evil.com\n@shop.com #1 @pay.net").contains(&("http://evil.com/".to_owned(), Form::Bare)));
}

#[test]
fn a_line_like_a_binding_hides_no_link() {
    let scanner = Scanner::default();
    for text in ["Pay\n@x #evil.com/login", "Pay\n@shop.com #1 evil.com/login", "@:80? #evil.com/login\n"] {
        let found = urls(&scanner, text);
        assert!(found.contains(&("http://evil.com/login".to_owned(), Form::Bare)), "{text:?}: {found:?}");
        assert!(scanner.may_link(text.as_bytes()), "{text:?}");
        haste_is_as_good_as_care(text).unwrap();
    }
}

#[test]
fn a_binding_of_an_unknown_tld_alone_passes_the_sieve() {
    let scanner = Scanner::default();
    for text in ["@app.internal #123456", "Your code is 1\n@app.internal #1", "@a.b #1\n"] {
        assert!(scanner.may_link(text.as_bytes()), "{text}");
        assert!(scanner.may_link_septets(&septets(text).unwrap()), "{text}");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(scanner.may_link_ucs2(&wide), "{text}");
    }
    assert!(!scanner.may_link(b"@ann see you #friday"));
}

#[test]
fn packages_and_profiles_are_marked() {
    let mut apps = Vec::new();
    let text = "a.com/x.APK b.com/p.mobileconfig?v=1 c.com/apk d.com/?f=a.ipa";
    Scanner::default().find(text, &mut Scratch::new(), |link| apps.push((link.url.host.to_owned(), link.app)));
    apps.dedup();
    assert_eq!(
        apps,
        [("a.com", true), ("b.com", true), ("c.com", false), ("d.com", true)].map(|(host, app)| (host.to_owned(), app))
    );
}
