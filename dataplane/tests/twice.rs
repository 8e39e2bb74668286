//! Texts that were changed once are left as they are: with the real scan, where a label changes what a handset links.

#![allow(clippy::unwrap_used, reason = "a world that cannot be made fails the test")]

#[expect(dead_code, reason = "others count")]
mod common;

use dataplane::policy::Preset;
use dataplane::texts::{Ends, Messages, Texts};
use dataplane::verdict::Verdict;
use dataplane::world::World;

/// What becomes of a text.
fn changed(world: &World, text: &str) -> (Verdict, String) {
    let (mut texts, ends) = (Texts::default(), Ends::default());
    let verdict = texts.judge(world, text, &ends);
    let decision = texts.decide(world, text, &ends, verdict, &mut Messages::new(1, 3));
    (verdict, texts.changed(text, &decision).map_or_else(|| text.to_owned(), std::borrow::Cow::into_owned))
}

#[test]
fn what_is_put_in_place_of_a_sign_names_the_host_behind_it_and_stays() {
    let world = common::world(
        Preset::Warn,
        &[
            ("bank.com", Verdict::Safe),
            ("evil.com", Verdict::Dangerous),
            ("xn--evil-9ea.net", Verdict::Dangerous),
            ("xn--bank-k113b.org", Verdict::Dangerous),
            ("bank.org", Verdict::Safe),
        ],
    );
    for (text, verdict, named) in [
        ("👉bit.ly/x", Verdict::Unknown, "bit(.)ly"),
        ("£evil.net/x", Verdict::Dangerous, " evil(.)net"),
        ("€bit.ly/x", Verdict::Unknown, "bit(.)ly"),
        ("¿bit.ly/x", Verdict::Unknown, "bit(.)ly"),
        ("¡evil.net", Verdict::Unknown, " evil(.)net"),
        ("“bit.ly/x”", Verdict::Unknown, "bit(.)ly"),
        ("¤ztphish.com @", Verdict::Unknown, " ztphish(.)com"),
        ("👉bank.com", Verdict::Unknown, " bank(.)com"),
        ("👉www.evil.com/x, call", Verdict::Dangerous, " www(.)evil(.)com"),
        ("“.evil.com", Verdict::Dangerous, " evil(.)com"),
        ("\u{200b}-evil.com", Verdict::Dangerous, " evil(.)com"),
        ("http://-shop.net/x", Verdict::Unknown, " shop(.)net"),
        ("http://.shop.net/x", Verdict::Unknown, " shop(.)net"),
        ("Pay \u{200d}.shop.net/x", Verdict::Unknown, " shop(.)net"),
        ("➡.ws/a", Verdict::Unknown, ""),
        ("https://evil.com%2ebank.com/", Verdict::Dangerous, " evil(.)com"),
        ("http://shop.net@@bank.com/", Verdict::Unknown, " shop(.)net"),
        ("http://bank.com#evil.com/x", Verdict::Dangerous, " evil(.)com"),
    ] {
        let (worth, once) = changed(&world, text);
        assert_eq!(worth, verdict, "{text:?} became {once:?}");
        let told = once.strip_suffix(text).unwrap_or(&once);
        assert!(!told.is_empty() && told.contains(named), "{text:?} became {once:?}");
        assert_eq!(changed(&world, &once).1, once, "{text:?}");
    }
    assert_eq!(changed(&world, "See 👉bank.com").0, Verdict::Safe);
}
