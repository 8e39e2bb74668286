//! The crate `url` as oracle, and two suites of other hands.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The lines of a data file, or none with a word where the folder is absent.
fn lines(name: &str) -> Vec<Value> {
    let path = format!("{}/../../shared/data/links/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared/data is not here");
        return Vec::new();
    };
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What `url` says, user info and fragment removed; `None` where it fails or the scheme is not one of ours.
fn oracle(input: &str) -> Option<Result<url::Url, ()>> {
    match url::Url::parse(input) {
        Ok(mut url) => {
            if !WITH_HOST.iter().any(|(name, _)| *name == url.scheme() && *name != "rtsp") {
                return None;
            }
            url.set_fragment(None);
            url.set_username("").unwrap();
            url.set_password(None).unwrap();
            Some(Ok(url))
        }
        Err(_) => Some(Err(())),
    }
}

/// Agreement with the oracle, or a sentence that says where they part.
fn compare(input: &str, scratch: &mut Scratch) -> Result<(), String> {
    let ours = parse(input, scratch);
    match (oracle(input), ours) {
        (None, _) => Ok(()),
        (Some(Err(())), Err(_)) => Ok(()),
        // Without special treatment in `url`: opaque paths we take as they are, and hosts beyond IDNA's length.
        (Some(Err(())), Ok(ours)) if ours.kind == HostKind::None || ours.scheme == "rtsp" => Ok(()),
        (Some(Ok(_)), Err(Bad::TooLong)) => Ok(()),
        (Some(Ok(url)), Ok(ours)) => {
            let host = url.host_str().unwrap_or_default();
            let path = &url[url::Position::BeforePath..];
            let same = ours.url == url.as_str()
                && ours.scheme == url.scheme()
                && ours.port == url.port()
                && ours.path_and_query == path
                && ours.host == host.strip_suffix('.').filter(|host| !host.is_empty()).unwrap_or(host);
            if same { Ok(()) } else { Err(format!("{input:?}: ours {ours:?}, oracle {url}")) }
        }
        (theirs, ours) => Err(format!("{input:?}: ours {ours:?}, oracle {theirs:?}")),
    }
}

#[test]
fn every_case_of_the_web_platform_tests_agrees() {
    let mut scratch = Scratch::new();
    let mut wrong = Vec::new();
    for case in lines("wpt_http.jsonl") {
        let input = case["input"].as_str().unwrap();
        // A relative input is joined by the oracle: what it says of the result must be what we say of it.
        let joined = case["base"].as_str().and_then(|base| url::Url::parse(base).ok()?.join(input).ok());
        for input in joined.as_ref().map(url::Url::as_str).into_iter().chain([input]) {
            wrong.extend(compare(input, &mut scratch).err());
        }
        if case["base"].is_null() && case["failure"] == false {
            let mut href = url::Url::parse(case["href"].as_str().unwrap()).unwrap();
            href.set_fragment(None);
            let _ = href.set_username("");
            let _ = href.set_password(None);
            let ours = parse(input, &mut scratch).map(|ours| ours.url.to_owned());
            if ours.as_deref() != Ok(href.as_str()) {
                wrong.push(format!("{input:?}: ours {ours:?}, expected {href}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the folding of a canonical form cannot be what Safe Browsing's own parser gives, with the reason.
const DEPARTURES: [(&str, &str); 7] = [
    ("http:// leadingspace.com/", "WHATWG refuses the host: no handset opens it"),
    ("http://%20leadingspace.com/", "as above"),
    ("http://some%1bhost.com/%1b", "as above"),
    ("http://host%23.com/%257Ea%2521b%2540c%2523d%2524e%25f%255E00%252611%252A22%252833%252944_55%252B", "as above"),
    ("http://W!eird<>Ho$^.com/", "as above"),
    ("http://[::192.9.5.5]/ipng", "WHATWG writes the address as [::c009:505]"),
    ("http:///blah", "WHATWG skips the third slash: a browser opens the host `blah`"),
];

#[test]
fn folding_gives_safe_browsings_canonical_forms() {
    let (mut scratch, mut folder) = (Scratch::new(), Folder::new());
    let mut wrong = Vec::new();
    for case in lines("safebrowsing.jsonl") {
        let (kind, url) = (case["kind"].as_str().unwrap(), case["url"].as_str().unwrap_or_default());
        if DEPARTURES.iter().any(|(departs, _)| url.starts_with(departs)) {
            continue;
        }
        let ours = parse(url, &mut scratch).ok().filter(|url| url.kind != HostKind::None);
        let folded = ours.map(|ours| (ours.scheme.to_owned(), fold(&ours, &mut folder)));
        let ours = match (kind, &folded) {
            ("canonical", Some((scheme, folded))) => format!("{scheme}://{}{}", folded.host, folded.path),
            ("host", Some((_, folded))) => folded.host.to_owned(),
            ("path", Some((_, folded))) => folded.path.to_owned(),
            ("canonical" | "host" | "path", None) => String::new(),
            _ => continue,
        };
        // No scheme: the scan puts one in front, the parser does not guess. A lone surrogate is no text.
        let guessed = !url.contains("://") && case["fail"] == false || url.contains('\u{1}');
        let expect = case["expect"].as_str().unwrap().split('?').next().unwrap();
        if ours != expect && !guessed {
            wrong.push(format!("{kind} {url:?}: ours {ours:?}, expected {expect:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_addresses_as_safe_browsing_reads_them() {
    let mut scratch = Scratch::new();
    for case in lines("safebrowsing.jsonl").iter().filter(|case| case["kind"] == "ip") {
        let (host, expect) = (case["url"].as_str().unwrap(), case["expect"].as_str().unwrap());
        // The standard refuses a first part above 255 and a blank, and takes `00x0` for a name, not for nothing.
        if matches!(host, "276.2.3" | "10.192.95.89 xy" | "1.2.3.00x0") {
            continue;
        }
        let url = format!("http://{host}/");
        let ours = parse(&url, &mut scratch).map(|url| (url.kind, url.host)).ok();
        assert_eq!(ours.map_or("", |(_, host)| host), expect, "{host}");
        assert!(ours.is_none_or(|(kind, _)| kind == HostKind::Ipv4));
    }
}

#[test]
fn user_info_and_fragment_go_and_the_final_dot_stays_out_of_the_host() {
    let mut scratch = Scratch::new();
    let url = parse("HTTPS://www.mybank.com@Evil.example.:8443/a?b#c", &mut scratch).unwrap();
    assert_eq!((url.url, url.host, url.port), ("https://evil.example.:8443/a?b", "evil.example", Some(8443)));
}

#[test]
fn no_host_is_empty() {
    let mut scratch = Scratch::new();
    for (text, host) in
        [("https://./", "."), ("http://../a", "."), ("ftp://。", "."), ("http://%2e:8080/", "."), ("https://a../", "a.")]
    {
        assert_eq!(parse(text, &mut scratch).map(|url| url.host), Ok(host), "{text}");
    }
}

#[test]
fn drive_letter_is_no_matter_outside_of_files() {
    let mut scratch = Scratch::new();
    // The standard, "shorten a url's path". The crate `url` keeps the letter under every scheme.
    assert_eq!(parse("https://a.example/c:/../x", &mut scratch).unwrap().url, "https://a.example/x");
}

#[test]
fn a_scheme_that_is_not_special_is_taken_as_it_is() {
    let mut scratch = Scratch::new();
    let url = parse("Market://details?id=com.é#x", &mut scratch).unwrap();
    assert_eq!((url.url, url.kind), ("market://details?id=com.%C3%A9", HostKind::None));
    assert_eq!(url.path_and_query, "//details?id=com.%C3%A9");
    assert_eq!(parse("RTSP://Host.example/s", &mut scratch).unwrap().url, "rtsp://host.example/s");
}

#[test]
fn escapes_within_escapes_fold_in_one_pass() {
    let mut bytes = Vec::new();
    fold::unescape(b"%2%35252525", &mut bytes);
    assert_eq!(bytes, b"%");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_text_agrees_with_the_oracle(text in "(http|HTTPS|ftp|ws|wss|h ttp|tel)?:?[/\\\\]{0,3}(\\PC{0,4}@)?[a-zA-Z0-9.%:_ \\[\\]üß．。۰x-]{0,20}(:[0-9]{0,6})?([/\\\\?#](\\PC|%2[eE]|\\.|/|\t){0,12}){0,3}") {
        compare(&text, &mut Scratch::new()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn plain_links_agree_with_the_oracle(text in "https?://[a-zA-Z0-9_-]{1,8}(\\.[a-zA-Z0-9-]{1,6}){0,3}\\.?(/[!-~]{0,8}){0,4}(\\?[!-~]{0,12})?") {
        compare(&text, &mut Scratch::new()).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn the_canonical_form_is_canonical(text in "(https?|ftp)://\\PC{1,20}") {
        let (mut first, mut second) = (Scratch::new(), Scratch::new());
        if let Ok(url) = parse(&text, &mut first) {
            prop_assert_eq!(parse(url.url, &mut second).map(|again| again.url), Ok(url.url));
        }
    }
}
