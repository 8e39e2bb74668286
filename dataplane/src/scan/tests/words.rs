//! Where a word, a TLD or a host ends to Android by Unicode's properties: what stands before it and behind it is told.

use super::handsets::{all_are_found, found};
use crate::scan::Scanner;

#[test]
fn a_punycode_tld_of_more_than_63_characters_is_none_to_android() {
    let (long, hyphens) = ("a".repeat(60), "-".repeat(70));
    all_are_found(&[
        (&format!("Pay evil.com.xn--{long}.good.com/x"), &["http://evil.com/", "http://good.com/x"]),
        (&format!("Pay evil.com.xn--{hyphens}.good.com/x"), &["http://evil.com/"]),
        (&format!("Pay evil.com.xn--p1ai-{long}.good.com/x"), &["http://evil.com.xn--p1ai/", "http://good.com/x"]),
    ]);
    let whole = "http://evil.com.xn--p1ai.good.com/x";
    assert_eq!(found(&Scanner::default(), &format!("Pay {whole}")), [whole]);
    assert_eq!(found(&Scanner::default(), whole.trim_start_matches("http://")), [whole]);
}

#[test]
fn a_punycode_tld_ends_in_a_character_of_a_word() {
    let evil: &[&str] = &["http://evil.xn--p1ai/"];
    all_are_found(&[
        ("Pay at evil.xn--p1ai- now", evil),
        ("Pay at evil.xn--p1ai--", evil),
        ("Pay evil.xn--p1ai-.good.com", evil),
        ("Pay at evil.xn--p1ai①", evil),
        ("Pay at evil.xn--p1ai× now", evil),
    ]);
}

#[test]
fn no_word_ends_before_what_hangs_on_it_or_is_of_it() {
    for behind in
        ['\u{483}', '\u{488}', '\u{20dd}', '\u{ff3f}', '\u{203f}', '\u{200b}', '\u{2060}', '\u{600}', '\u{1d165}', '\u{e0100}']
    {
        all_are_found(&[(&format!("Pay evil.com.good.com{behind} now"), &["http://evil.com/"])]);
    }
    let login: &[&str] = &["http://evil.com/login"];
    all_are_found(&[
        ("x\u{483}http://good.com/evil.com/login", login),
        ("x\u{600}http://good.com/evil.com/login", login),
        ("＿http://good.com/evil.com/login", login),
        ("\u{203f}http://good.com/evil.com/login", login),
    ]);
}

#[test]
fn tags_and_private_planes_are_of_no_host_and_no_path() {
    for c in ['\u{e0001}', '\u{e0fff}', '\u{f0000}', '\u{10fffd}', '\u{1fffe}', '\u{efffe}'] {
        all_are_found(&[
            (&format!("Pay evil.com.a{c}.good.com now"), &["http://evil.com/"]),
            (&format!("Pay http://good.com/{c}evil.com/login"), &["http://good.com/", "http://evil.com/login"]),
            (&format!("Pay http://good.com{c}evil.com/login now"), &["http://good.com/", "http://evil.com/login"]),
        ]);
    }
    // A browser drops the tag.
    all_are_found(&[("evil.co\u{e0001}m", &["http://evil.com/"]), ("http://evil\u{e0001}.com/x", &["http://evil.com/x"])]);
}

#[test]
fn a_sign_among_the_letters_of_a_block_ends_a_word() {
    for c in ['×', '÷', '\u{1d6c1}', '\u{1d6db}', '⒜'] {
        all_are_found(&[
            (&format!("Pay evil.com{c} now"), &["http://evil.com/"]),
            (&format!("Pay (evil.com{c}).good.com"), &["http://evil.com/"]),
        ]);
    }
}
