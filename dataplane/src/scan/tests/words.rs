//! Where a word, a TLD or a host ends to Android by Unicode's properties: what stands before it and behind it is told.

use super::handsets::all_are_found;

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
