//! Texts that were changed once are left as they are: with the real scan, where a label changes what a handset links.

#![allow(clippy::unwrap_used, reason = "a world that cannot be made fails the test")]

#[expect(dead_code, reason = "others count")]
mod common;

use dataplane::policy::{Action, Policy, Preset, Spec};
use dataplane::texts::{Ends, Messages, Texts};
use dataplane::verdict::Verdict;
use dataplane::world::World;

/// What becomes of a text.
fn changed(world: &World, text: &str) -> (Verdict, String) {
    changed_within(3, world, text)
}

/// What becomes of a text that may take so many short messages.
fn changed_within(most: usize, world: &World, text: &str) -> (Verdict, String) {
    let (mut texts, ends) = (Texts::default(), Ends::default());
    let verdict = texts.judge(world, text, &ends);
    let decision = texts.decide(world, text, &ends, verdict, &mut Messages::new(1, most));
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
        ("½én½in4c.ne\n", Verdict::Unknown, " xn--n12in4c-9xa9533e(.)ne"),
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

#[test]
fn what_is_left_of_a_dead_link_reads_as_no_label() {
    let rules = [("bank.com", Verdict::Safe), ("safe.link", Verdict::Dangerous)];
    let [warn, mut dead] = [Preset::Warn, Preset::Quiet].map(|preset| common::world(preset, &rules));
    let mut spec = Spec::preset(Preset::Quiet);
    spec.mt.dangerous = vec![Action::Deaden];
    dead.policy = Policy::compile(spec).unwrap();
    for (world, links, left) in [
        (&warn, "UNVERIFIED.LINK", " ".repeat(15)),
        (&warn, "VERIFIED.LINK/x", format!("{}x", " ".repeat(14))),
        (&warn, "UNVERIFIED.LINKS.com", "UNVERIFIED LINKS com".into()),
        (&warn, "Unverified-shop.link", "Unverified-shop link".into()),
        // What a policy spares keeps its letters, and what is left beside it may not praise it.
        (&dead, "http://bank.com SAFE.LINK", format!("http://bank.com{}", " ".repeat(10))),
    ] {
        // No room for a label.
        let text = format!("{links}\n{}", "a".repeat(159 - links.len()));
        let once = changed_within(1, world, &text).1;
        assert_eq!(once.split('\n').next(), Some(left.as_str()), "{text:?}");
        assert_eq!(changed_within(1, world, &once).1, once, "{text:?}");
    }
}
