//! What Android links and what a browser reads of the same text, where the two differ: both are told.

use super::{haste_is_as_good_as_care, septets};
use crate::scan::{Form, Scanner, Scratch};
use crate::verdict::Confidence;

/// The URLs that are found for sure, in order.
pub(super) fn found(scanner: &Scanner, text: &str) -> Vec<String> {
    let mut urls = Vec::new();
    scanner.find(text, &mut Scratch::new(), |link| {
        if link.confidence == Confidence::High {
            urls.push(link.url.url.to_owned());
        }
    });
    urls
}

/// Each text has these links, and no look of the sieve dismisses it.
pub(super) fn all_are_found(cases: &[(&str, &[&str])]) {
    let scanner = Scanner::default();
    for (text, wanted) in cases {
        let urls = found(&scanner, text);
        for url in *wanted {
            assert!(urls.iter().any(|found| found == url), "{text:?} misses {url}: {urls:?}");
        }
        haste_is_as_good_as_care(text).unwrap();
        assert!(scanner.may_link(text.as_bytes()), "{text:?}");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(scanner.may_link_ucs2(&wide), "UCS2 {text:?}");
        if let Some(septets) = septets(text) {
            assert!(scanner.may_link_septets(&septets), "septets {text:?}");
        }
    }
}

#[test]
fn the_host_before_a_sign_that_android_does_not_know_is_told_beside_the_browsers() {
    let long_name = format!("http://evil.com;{}@mybank.example/", "a".repeat(60));
    let long_password = format!("http://evil.com:{}@mybank.example/", "1".repeat(26));
    let both: &[&str] = &["http://evil.com/", "http://mybank.example/"];
    all_are_found(&[
        ("https://evil.com%2emybank.example/s", &["https://evil.com/", "https://evil.com.mybank.example/s"]),
        ("https://evil.com%2Dmybank.example/", &["https://evil.com/", "https://evil.com-mybank.example/"]),
        ("https://evil.com%61.mybank.example/", &["https://evil.com/", "https://evil.coma.mybank.example/"]),
        ("http://x@evil.com@mybank.example/", both),
        ("http://evil.com:80:x@mybank.example/", both),
        ("http://evil.com:@mybank.example/", both),
        ("http://evil.com:@@mybank.example/", both),
        ("http://evil.com%@mybank.example/", both),
        ("http://evil.com%zz@mybank.example/", both),
        (&long_name, both),
        (&long_password, both),
        ("http://evil.com-.mybank.com/", &["http://evil.com/", "http://evil.com-.mybank.com/", "http://mybank.com/"]),
        ("https://evil.com。../login", &["https://evil.com/"]),
        ("http://good.com-/evil.com/login", &["http://good.com/", "http://evil.com/login"]),
        ("http://good.com-:80/evil.com/login", &["http://good.com/", "http://evil.com/login"]),
        ("Pay.ftp://evil.com/mybank.com", &["ftp://evil.com/mybank.com"]),
        ("http://evil.com..mybank.com/", &["http://evil.com/", "http://mybank.com/"]),
        ("http://3405803783%2emybank.example/", &["http://203.0.113.7/"]),
        ("http://user%40x:p%40w@mybank.com/", &["http://mybank.com/"]),
    ]);
}

#[test]
fn a_host_that_only_a_browser_refuses_is_found_as_android_cuts_it() {
    all_are_found(&[
        ("Pay http://evil.com%20now", &["http://evil.com/"]),
        ("http://evil.com%2fx", &["http://evil.com/"]),
        ("http://evil.com%", &["http://evil.com/"]),
        ("https://evil.com%40mybank.example/", &["https://evil.com/"]),
        ("Save 5% http://evil.com%20now", &["http://evil.com/"]),
        ("http://evil.com%20x/www.bad.com/y", &["http://evil.com/", "http://www.bad.com/y"]),
        ("http://evil.com:8x", &["http://evil.com/"]),
        ("evil.com:8x", &["http://evil.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "http://evil.com:8x"), ["http://evil.com/"]);
}

#[test]
fn a_fragment_without_a_path_ends_the_link_and_another_may_begin() {
    all_are_found(&[
        ("http://mybank.example#evil.com/login", &["http://mybank.example/", "http://evil.com/login"]),
        ("http://mybank.example##evil.com", &["http://mybank.example/", "http://evil.com/"]),
        ("http://mybank.example#203.0.113.7", &["http://mybank.example/", "http://203.0.113.7/"]),
        ("mybank.com#evil.com/x", &["http://mybank.com/", "http://evil.com/x"]),
        ("http://mybank.com#u=http://evil.com", &["http://mybank.com/", "http://evil.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "http://mybank.com/a#evil.com"), ["http://mybank.com/a"]);
}

#[test]
fn a_percent_sign_of_no_escape_ends_the_path() {
    all_are_found(&[
        ("https://mybank.example/a%evil.com/x", &["https://mybank.example/a", "http://evil.com/x"]),
        ("https://mybank.example/?%zz/www.evil.com", &["https://mybank.example/", "http://www.evil.com/"]),
        ("https://mybank.example/?a%4;www.evil.com", &["https://mybank.example/?a", "http://www.evil.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "https://mybank.com/a%20evil.com"), ["https://mybank.com/a%20evil.com"]);
}

#[test]
fn a_one_dot_leader_beside_a_real_dot_hides_nothing() {
    all_are_found(&[
        ("Pay at www\u{2024}evil.com/x", &["http://www.evil.com/x"]),
        ("login\u{2024}evil.com/x", &["http://login.evil.com/x"]),
    ]);
    assert!(found(&Scanner::default(), "evil\u{2024}com").is_empty());
}

#[test]
fn a_dotted_address_is_found_at_any_boundary_of_a_word() {
    let url: &[&str] = &["http://203.0.113.7/"];
    all_are_found(&[
        ("Verify.203.0.113.7/login", &["http://203.0.113.7/login"]),
        ("x.1.2.3.4", &["http://1.2.3.4/"]),
        ("www.1.2.3.4", &["http://1.2.3.4/"]),
        ("v1.203.0.113.7", url),
        ("a-203.0.113.7", url),
        ("Go to 203.0.113.7-today", url),
        ("Pay 203.0.113.7-", url),
        ("evil.com.203.0.113.7", &["http://evil.com/", "http://203.0.113.7/"]),
        ("198.51.100.1-203.0.113.7", &["http://198.51.100.1/", "http://203.0.113.7/"]),
        ("Pay at \u{200e}203.0.113.7/pay", &["http://203.0.113.7/pay"]),
        ("Pay at \u{200b}203.0.113.7/pay", &["http://203.0.113.7/pay"]),
        ("Pay\u{200b}203.0.113.7/pay", &["http://203.0.113.7/pay"]),
        ("http://.👉203.0.113.7,.b", &["http://203.0.113.7/"]),
        ("Pay at \u{ad}203.0.113.7/pay", &["http://203.0.113.7/pay"]),
        ("Pay at \u{200d}203.0.113.7/pay", &["http://203.0.113.7/pay"]),
        // Three digits may begin with 0 to Android; a browser reads them as octal.
        ("Pay at 010.1.2.3/x", &["http://8.1.2.3/x"]),
        ("10.0.0.1.com", &["http://10.0.0.1.com/"]),
    ]);
    for text in ["x1.2.3.4", "1.2.3.4x", "1.2.3.256", "1.2.3.4567", "1.2.3", "0.1.2.3", "01.2.3.4", "a_1.2.3.4", "1.2.3.4_"] {
        assert!(found(&Scanner::default(), text).is_empty(), "{text}");
    }
}

#[test]
fn what_no_name_begins_with_is_no_part_of_a_host() {
    all_are_found(&[
        ("http://.evil.com/x", &["http://evil.com/x"]),
        ("Pay http://-evil.com/x", &["http://evil.com/x"]),
        ("Pay \u{200d}.evil.com/x", &["http://evil.com/x"]),
        ("\u{200b}-evil.com", &["http://evil.com/"]),
    ]);
    for text in ["http://.evil.com/x", "Pay http://-evil.com/x", "Pay \u{200d}.evil.com/x"] {
        assert_eq!(found(&Scanner::default(), text).first().map(String::as_str), Some("http://evil.com/x"), "{text}");
    }
}

#[test]
fn a_host_is_of_mail_only_beside_what_mail_can_go_to() {
    let url: &[&str] = &["http://evil.com/"];
    let both: &[&str] = &["http://evil.com/", "http://b.com/"];
    all_are_found(&[
        ("Go evil.com-. Thanks", url),
        ("*evil.com--.", url),
        ("evil.com@.com", url),
        ("evil.com@_b.com", url),
        ("evil.com@b_.com", url),
        ("evil.com@b..com", url),
        ("evil.com@b-.com now", url),
        ("evil.com.@b.com", url),
        ("x!evil.com@.b.com", both),
        ("evil.com@-b.com", both),
        ("\"@.evil.com", url),
        ("x@\u{2019}evil.com", url),
        ("ann@b..evil.com", url),
        ("ann@mail.203.0.113.7", &["http://203.0.113.7/"]),
    ]);
    for text in
        ["ann@b.com", "ann.evil.com@b.com", "ann.evil.com@mail.b.co.uk", "\"ann\"@evil.com", "ann@1.2.3.4", "a-@evil.com."]
    {
        assert!(found(&Scanner::default(), text).is_empty(), "{text}");
    }
}

#[test]
fn of_a_host_that_a_browser_refuses_the_registered_part_is_told() {
    all_are_found(&[
        ("http://xn--.evil.com/x", &["http://evil.com/x"]),
        ("https://xn--bank-.evil.com/", &["https://evil.com/", "http://evil.com/"]),
        ("xn--a.evil.com/login", &["http://evil.com/login"]),
        ("http://xn--a.evil.com/login", &["http://evil.com/login"]),
        ("http://evil.com:99999/", &["http://evil.com/"]),
        ("evil.com:99999/x", &["http://evil.com/x"]),
        ("http://\u{5d0}1b.evil.com/x", &["http://evil.com/x"]),
    ]);
    // Less of what is no address would be another one.
    assert!(found(&Scanner::default(), "http://b203.0.113.7/").is_empty());
}

#[test]
fn a_host_behind_signs_at_the_head_of_a_text_is_read_with_and_without_them() {
    all_are_found(&[
        ("👉bit.ly/x", &["http://xn--bit-k113b.ly/x", "http://bit.ly/x"]),
        ("£evil.net/x", &["http://xn--evil-9ea.net/x", "http://evil.net/x"]),
        ("€bit.ly/x", &["http://xn--bit-j50a.ly/x", "http://bit.ly/x"]),
        ("¿bit.ly/x", &["http://xn--bit-hha.ly/x", "http://bit.ly/x"]),
        ("¡evil.net", &["http://xn--evil-zea.net/", "http://evil.net/"]),
        ("“bit.ly/x”", &["http://xn--bit-2o0a.ly/x", "http://bit.ly/x"]),
        ("“.evil.com", &["http://xn--hvg.evil.com/", "http://evil.com/"]),
        ("➡.ws/a", &["http://xn--hgi.ws/a"]),
        ("Go\n➡.ws/a", &["http://xn--hgi.ws/a"]),
        ("²。℡good.to", &["http://2.telgood.to/", "http://good.to/"]),
        ("™。™good.to/x", &["http://tm.tmgood.to/x", "http://good.to/x"]),
        ("²。℡.™。good.to", &["http://2.tel.tm.good.to/"]),
        ("²。℡.to", &["http://2.tel.to/"]),
        ("²..❤good.to", &["http://good.to/"]),
        ("¤ztphish.com @", &["http://xn--ztphish-iia.com/", "http://ztphish.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "See 👉bit.ly/x"), ["http://bit.ly/x"]);
    assert_eq!(found(&Scanner::default(), "See ².👉bit.ly/x"), ["http://bit.ly/x"]);
    assert_eq!(found(&Scanner::default(), "。²bit.ly/x"), ["http://bit.ly/x"]);
}

#[test]
fn where_another_dot_follows_an_ascii_one_the_host_that_android_ends_there_is_told() {
    let name: &[&str] = &["http://evil.com/"];
    let number: &[&str] = &["http://203.0.113.7/"];
    all_are_found(&[
        ("Pay at evil.com．mybank．com/login", &["http://evil.com/", "http://evil.com.mybank.com/login"]),
        ("evil.com。mybank。com", name),
        ("evil.com｡mybank｡com", name),
        ("evil.com\u{2024}mybank\u{2024}com", name),
        ("evil.com-x.mybank。com", name),
        ("evil.com。com", name),
        ("a。b.com。mybank。com", &["http://a.b.com/"]),
        ("evil.com.x。com.mybank。com", name),
        ("203.0.113.7。mybank。com", number),
        ("203.0.113.7．com", number),
    ]);
    // All of it is one host to Android too.
    assert_eq!(found(&Scanner::default(), "evil.com．mybank.com/a"), ["http://evil.com.mybank.com/a"]);
}

#[test]
fn a_dot_that_is_none_to_android_alone_before_a_tld_is_no_sure_link() {
    for text in [
        "会议在3点。am or pm",
        "谢谢你。so much",
        "好。my friend",
        "我在上海。me too",
        "今日は休み。is it ok",
        "明天10.30。in上海",
        "evil。com",
        "www.evil\u{2024}com",
        "➡。ws/a",
    ] {
        assert!(found(&Scanner::default(), text).is_empty(), "{text}: {:?}", found(&Scanner::default(), text));
    }
    let mut low = Vec::new();
    Scanner::default().find("evil。com", &mut Scratch::new(), |link| low.push(link.url.url.to_owned()));
    assert_eq!(low, ["http://evil.com/"], "an entry of it still acts");
    all_are_found(&[("login。evil.com", &["http://login.evil.com/"]), ("http://evil。com/a", &["http://evil.com/a"])]);
}

#[test]
fn a_number_that_is_no_decimal_digit_ends_a_word_as_any_sign_does() {
    all_are_found(&[
        ("Pay ²203.0.113.7/a", &["http://203.0.113.7/a"]),
        ("①203.0.113.7", &["http://203.0.113.7/"]),
        ("½203.0.113.7 now", &["http://203.0.113.7/"]),
        ("Pay at ⒈evil.com/a", &["http://evil.com/a"]),
        ("Pay ①evil.com/a", &["http://evil.com/a"]),
        ("①evil.com/a", &["http://1evil.com/a", "http://evil.com/a"]),
        ("⑴evil.com", &["http://evil.com/"]),
        ("Go evil.com½", &["http://evil.com/"]),
        ("Go evil.com①x", &["http://evil.com/"]),
        ("Pay \u{345}evil.com", &["http://evil.com/"]),
        ("Pay \u{64b}203.0.113.7/", &["http://203.0.113.7/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "Pay ①evil.com/a"), ["http://evil.com/a"]);
}

#[test]
fn digits_of_another_kind_before_an_escape_are_a_number() {
    let url: &[&str] = &["http://203.0.113.7/"];
    let secure: &[&str] = &["https://203.0.113.7/"];
    all_are_found(&[
        ("https://３４０５８０３７８３%20x", secure),
        ("https://０xcb007107%20x", secure),
        ("http://𝟑405803783%20x", url),
        ("http://\u{ad}3405803783%20x", url),
    ]);
    assert!(found(&Scanner::default(), "http://日本%20x").is_empty());
}

#[test]
fn a_label_that_a_line_begins_or_ends_is_none_to_android() {
    all_are_found(&[
        ("x_.exact.com/a", &["http://x_.exact.com/a", "http://exact.com/a"]),
        ("_.exact.com", &["http://exact.com/"]),
        ("_x.exact.com/a", &["http://exact.com/a"]),
        ("evil.com._x.mybank.com/a", &["http://evil.com/", "http://mybank.com/a"]),
        ("_x。exact.com", &["http://exact.com/"]),
        ("_xn--exact.com/a", &["http://exact.com/a"]),
        ("_“₤exact.com/a", &["http://xn--exact-hw3bq3b.com/a", "http://exact.com/a"]),
        ("1.2.3.4.x_.mybank.com", &["http://1.2.3.4/", "http://mybank.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "a_b.exact.com/a"), ["http://a_b.exact.com/a"]);
    assert_eq!(found(&Scanner::default(), "x_.com"), ["http://x_.com/"]);
}

#[test]
fn behind_the_slashes_of_a_scheme_that_android_does_not_know_the_first_label_is_none() {
    all_are_found(&[
        ("foo://a.exact.com", &["http://a.exact.com/", "http://exact.com/"]),
        ("foo://a.exact.com/x", &["http://exact.com/x"]),
        ("foo://é👉.to", &["http://xn--up8h.to/"]),
        ("foo://a-b.exact.com", &["http://b.exact.com/"]),
    ]);
    assert!(!found(&Scanner::default(), "foo://exact.com").iter().any(|url| url == "http://com/"));
}

#[test]
fn in_the_path_of_a_host_that_android_does_not_read_a_link_may_begin() {
    all_are_found(&[
        ("x_.com/evil.com/login", &["http://evil.com/login"]),
        ("x。com/evil.com/login", &["http://evil.com/login"]),
        ("好。my/203.0.113.7", &["http://203.0.113.7/"]),
        ("a.com。com/evil.com/x", &["http://a.com/", "http://evil.com/x"]),
        ("http://a.com._/evil.com/x", &["http://a.com/", "http://evil.com/x"]),
    ]);
    assert_eq!(found(&Scanner::default(), "x_.a.com/evil.com/x"), ["http://x_.a.com/evil.com/x", "http://a.com/evil.com/x"]);
}

#[test]
fn behind_a_scheme_that_is_glued_to_a_word_a_host_is_read_without_it() {
    all_are_found(&[
        ("Payhttp://²evil.com/x", &["http://2evil.com/x", "http://evil.com/x"]),
        ("Payhttp://★evil.com", &["http://evil.com/"]),
        ("Payhttp://\u{202e}evil.com/x", &["http://evil.com/x"]),
        ("Payhttp://²203.0.113.7", &["http://203.0.113.7/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "Payhttp://evil.com/x"), ["http://evil.com/x"]);
}

#[test]
fn where_android_ends_a_host_at_a_tld_before_the_last_that_host_is_told() {
    let both: &[&str] = &["http://evil.com/", "http://evil.com.mybank.com/"];
    all_are_found(&[
        ("Pay evil.com.mybank.com\u{200d}", both),
        ("evil.com.mybank.com\u{ad} now", both),
        ("evil.com.mybank.com\u{200b}", both),
        ("evil.com.mybank.c\u{ad}om", both),
        ("evil.com.mybank.\u{ff43}\u{ff4f}\u{ff4d} now", both),
        ("Pay evil.com.mybank.COM now", both),
        ("Pay evil.com.MyBank.Com/x", &["http://evil.com/", "http://evil.com.mybank.com/x"]),
        ("Go to SHOP.COM/evil.com/x", &["http://shop.com/evil.com/x", "http://evil.com/x"]),
    ]);
    assert_eq!(found(&Scanner::default(), "See SHOP.COM or www.Shop.com/x"), ["http://shop.com/", "http://www.shop.com/x"]);
}

#[test]
fn mail_does_not_hide_the_host_before_what_is_no_local_part() {
    all_are_found(&[
        ("Pay at evil.com\u{ff0e}a@b.com", &["http://evil.com/"]),
        ("evil.com\u{3002}x@mybank.com", &["http://evil.com/"]),
        ("evil.com\u{2605}x@mybank.com", &["http://evil.com/"]),
        ("evil.com@b\u{e4}nk.com", &["http://evil.com/"]),
        ("203.0.113.7@bank\u{ff0e}com", &["http://203.0.113.7/"]),
    ]);
    for text in ["Write to jo.doe@mybank.com", "evil.com@mybank.com", "j\u{f6}rg.m@mybank.com"] {
        assert_eq!(found(&Scanner::default(), text), [""; 0], "{text}");
    }
}

#[test]
fn a_scheme_that_is_glued_to_a_word_is_none_to_android() {
    let path: &[&str] = &["http://good.com/evil.com", "http://evil.com/"];
    let login: &[&str] = &["http://evil.com/login"];
    all_are_found(&[
        ("Payhttp://good.com/evil.com", path),
        ("Payhttps://good.com/evil.com/login", &["https://good.com/evil.com/login", "http://evil.com/login"]),
        ("Payhttps://good.com/evil.com/login now", login),
        ("see1http://good.com/evil.com/login", login),
        ("_http://good.com/evil.com", path),
        ("éhttp://good.com/evil.com", path),
        ("e\u{301}http://good.com/evil.com", path),
        ("x\u{200d}http://good.com/evil.com", path),
        ("1\u{fe0f}\u{20e3}http://good.com/evil.com", path),
        ("xrtsp://good.com/evil.com/login", login),
        ("éftp://good.com/evil.com/login", login),
        ("请点击http://good.com/evil.com/login", login),
        ("xhttp://good.com?evil.com", &["http://evil.com/"]),
        ("xhttp://good.com:80/evil.com", path),
        ("xhttp://203.0.113.8/evil.com/login", login),
        ("xhttp://1.2.3.4.com/evil.com/login", &["http://2.3.4.com/evil.com/login"]),
        ("Payhttps://login.fine.com/x", &["https://login.fine.com/x", "http://fine.com/x"]),
        ("Payhttps://a-b.com/x now", &["https://a-b.com/x", "http://b.com/x"]),
        ("http://http://good.com/evil.com/login", login),
        ("Payhttp://203.0.113.71.2.3.4", &["http://113.71.2.3/"]),
        ("Payhttp:///good.com/evil.com", &["http://good.com/evil.com"]),
    ]);
    for (text, url) in [
        ("Payhttps://good.com/x now", "https://good.com/x"),
        ("请点击http://good.com/x", "http://good.com/x"),
        ("xhttp://203.0.113.8/x", "http://203.0.113.8/x"),
        ("See http://good.com/evil.com now", "http://good.com/evil.com"),
    ] {
        assert_eq!(found(&Scanner::default(), text), [url], "{text}");
    }
}

#[test]
fn a_scheme_that_android_does_not_know_is_none_to_it() {
    let path: &[&str] = &["http://evil.com/"];
    all_are_found(&[
        ("wss://good.com/evil.com", path),
        ("ws://good.com/evil.com", path),
        ("hxxp://good.com/evil.com", path),
        ("hxxps://good.com/evil.com/login", &["https://good.com/evil.com/login", "http://evil.com/login"]),
        ("h**p://good.com/evil.com", path),
        ("h__ps://good.com/evil.com", path),
        ("fxp://good.com/evil.com", path),
        ("htt\u{440}s://good.com/evil.com", path),
        ("http\u{ff1a}//good.com/evil.com/x", &["http://good.com/evil.com/x"]),
        ("http\u{ff1a}//evil.com&x@good.com", &["http://evil.com/", "http://good.com/"]),
        ("wss://www.evil.com&x@good.com", path),
        ("hxxps://www.evil.com&x@good.com", path),
        ("foo://203.0.113.8/evil.com", path),
    ]);
    assert_eq!(found(&Scanner::default(), "hxxps://good.com/x"), ["https://good.com/x"]);
}

#[test]
fn without_its_two_slashes_no_scheme_is_one_to_android() {
    let both: &[&str] = &["http://evil.com/", "http://good.com/"];
    all_are_found(&[
        ("http:/evil.com&x@good.com", both),
        ("http:/evil.com,@good.com", both),
        ("http:/evil.com:80@good.com", both),
        ("http:/evil.com;x@good.com/y", &["http://evil.com/", "http://good.com/y"]),
        ("https:/evil.com,x@good.com/login", &["http://evil.com/", "https://good.com/login"]),
        ("http:\\evil.com&x@good.com", both),
        ("http://\\evil.com,x@good.com", both),
        ("http:/evil.com@good.com_", &["http://evil.com/"]),
        ("http:/good.com/x", &["http://good.com/x"]),
        ("https:/good.com/x", &["https://good.com/x", "http://good.com/x"]),
    ]);
}

#[test]
fn without_a_scheme_the_dot_behind_a_host_ends_it_to_android() {
    all_are_found(&[
        ("https:/good.com./evil.com/login", &["http://good.com/", "http://evil.com/login"]),
        ("http:/good.com.?evil.com:80", &["http://good.com/", "http://evil.com/"]),
        ("Payhttp://good.com./evil.com/login", &["http://evil.com/login"]),
    ]);
}

#[test]
fn a_label_of_more_than_63_characters_is_none_to_android() {
    let a = |n| "a".repeat(n);
    let long = a(64);
    let both: &[&str] = &["http://evil.com/", "http://good.com/x"];
    let texts = [
        format!("see evil.com.{long}.good.com/x now"),
        format!("evil.com.zzz-.b{}.good.com/x", a(63)),
        format!("evil.com.é{}.good.com/x", a(63)),
        format!("evil.com-{long}.good.com/x"),
        "evil.com-zzz_.good.com/x".to_owned(),
    ];
    for text in &texts {
        all_are_found(&[(text, both)]);
    }
    all_are_found(&[
        (&format!("evil.com.{}。{}.good.com/x", a(31), a(32)), &["http://evil.com/"]),
        (&format!("{long}.good.com/x"), &["http://good.com/x"]),
        (&format!("evil.com.{}-{}.com/x", a(30), a(40)), &["http://evil.com/", &format!("http://{}.com/x", a(40))]),
        (&format!("evil.com.{}.good.com/x", a(63)), &[&format!("http://evil.com.{}.good.com/x", a(63))]),
    ]);
    assert_eq!(found(&Scanner::default(), &format!("evil.com.{}.good.com/x", a(63))).len(), 1);
}

#[test]
fn what_is_too_long_for_mail_is_no_mail_to_android() {
    let (long, most) = ("a".repeat(64), "a".repeat(63));
    let evil: &[&str] = &["http://evil.com/"];
    all_are_found(&[
        (&format!("evil.com@{long}.com"), evil),
        (&format!("pay at evil.com@x.{long}.com"), evil),
        (&format!("evil.com@good.com,{}", "b".repeat(300)), evil),
        (&format!("evil.com@good.com,{}\u{85}x", "b".repeat(9)), evil),
        (&format!("evil.com@good.com{}", ",é".repeat(124)), evil),
    ]);
    for text in [
        format!("evil.com@{most}.com"),
        format!("evil.com@good.com{} now", ",é".repeat(123)),
        format!("evil.com@good.com{}", ",é".repeat(123)),
        format!("evil.com@good.com\n{}", "b".repeat(300)),
    ] {
        assert_eq!(found(&Scanner::default(), &text), [""; 0], "{text}");
    }
}

#[test]
fn a_sign_behind_a_port_begins_another_host() {
    all_are_found(&[
        ("good.com:80²good.to", &["http://good.com/", "http://2good.to/", "http://good.to/"]),
        ("https://good.com:443²good.to", &["https://good.com/", "http://2good.to/", "http://good.to/"]),
        ("Go good.com:80❤good.to/x now", &["http://good.com/", "http://xn--good-kw4b.to/x", "http://good.to/x"]),
        ("good.com:80❤.to/x", &["http://good.com/", "http://xn--qei.to/x"]),
        ("Pay http://good.com:80\u{2060}good.com now", &["http://good.com/", "http://80good.com/"]),
        ("good.com:80\u{ad}good.to/x", &["http://good.com/", "http://80good.to/x"]),
        ("good.com:80\u{300}good.to", &["http://good.com/", "http://xn--80good-cxd.to/"]),
        ("good.com:80\u{483}/x", &["http://good.com/"]),
    ]);
    assert_eq!(found(&Scanner::default(), "good.com:80 ❤good.to"), ["http://good.com/", "http://good.to/"]);
}

#[test]
fn a_name_that_is_turned_round_hides_no_link_behind_androids() {
    all_are_found(&[
        ("Pay http://\u{202e}moc.doog,evil.com/login", &["http://evil.com/login"]),
        ("Pay http://\u{202e}moc.doog.,evil.com/login", &["http://evil.com/login"]),
        ("http://\u{202e}moc.doog:80:evil.com/login", &["http://evil.com/login"]),
        ("http://\u{202e}moc.doog", &["http://good.com/"]),
    ]);
}

#[test]
fn without_slashes_no_handset_links_the_scheme_of_an_app() {
    let scanner = Scanner::default();
    for text in
        ["WhatsApp:+447700900123 after 6pm", "FB:John", "Gold market:up 3%", "Bitcoin:up", "intent:x;u=https%3A%2F%2Fa.com"]
    {
        assert_eq!(found(&scanner, text), [""; 0], "{text}");
        assert!(scanner.may_link(text.as_bytes()), "{text}");
        let mut told = false;
        scanner.find(text, &mut Scratch::new(), |link| told |= link.form == Form::NoHost);
        assert!(told, "{text}");
    }
    all_are_found(&[
        ("whatsapp://send?phone=1", &["whatsapp://send?phone=1"]),
        ("intent:x;u=https://a.com/b", &["https://a.com/b"]),
        ("bitcoin:evil.com", &["http://evil.com/"]),
    ]);
}
