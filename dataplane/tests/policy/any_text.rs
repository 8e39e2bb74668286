//! What holds for any text under any policy.

use super::*;
use proptest::prelude::*;

fn words_of_a_message() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "http://new.example/x",
        "good.example",
        "https://evil.example/a.b",
        "b.net",
        "http://app.example/x.apk",
        "evil(.)example",
        "hello",
        "Your",
        "parcel",
        "[SAFE]",
        "Verified link:",
        "(?) ",
        "(!) ",
        "UNVERIFIED LINK:\n",
        "DANGEROUS LINK evil(.)example:\n",
        "VERIFIED LINK:\n",
        "[SA",
        "FE]",
        "✔ checked",
        "€",
        "Привет",
        "\n",
        "رابط",
        "@bank.example #123456",
        "https://go.carrier.example/0123456789abcdef",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "Message removed: dangerous link to evil(.)example.",
        "FA+9qCX9VSu",
    ])
    .prop_map(str::to_owned)
}

/// What varies from policy to policy: three chains, a language, a brand, a pages host.
#[derive(Clone, Debug)]
struct Variant([Vec<Action>; 3], &'static str, bool, bool);

impl Variant {
    fn policy(&self) -> Policy {
        let Self([mut safe, unknown, dangerous], code, brand, pages) = self.clone();
        // So is one of notices alone for what is safe.
        safe.retain(|action| *action != Action::Replace);
        // A chain of redirects alone is refused where there are no pages.
        let alone = |chain: &Vec<Action>| {
            chain.contains(&Action::Redirect) && chain.iter().all(|action| matches!(action, Action::Redirect | Action::Pass))
        };
        let mut spec = spec_with(&unknown, pages || [&safe, &unknown, &dangerous].into_iter().any(alone));
        spec.mt.safe = safe;
        spec.mt.dangerous = dangerous;
        spec.language = code.to_owned();
        spec.brand = if brand { "Acme".to_owned() } else { String::new() };
        Policy::compile(spec).unwrap()
    }
}

fn a_policy() -> impl Strategy<Value = Variant> {
    let action = prop::sample::select(vec![Action::Label, Action::Replace, Action::Redirect, Action::Deaden, Action::Pass]);
    let chain = prop::collection::vec(action, 1..4);
    let codes: Vec<_> = words::codes().collect();
    (prop::array::uniform3(chain), prop::sample::select(codes), any::<bool>(), any::<bool>())
        .prop_map(|(chains, code, brand, pages)| Variant(chains, code, brand, pages))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deciding_twice_changes_nothing(policy in a_policy(), parts in prop::collection::vec(words_of_a_message(), 1..9), same_length in any::<bool>()) {
        let text: String = parts.join(" ").chars().take(160).collect();
        prop_assume!(Toy::of(&text, false).fits(&text).is_ok());
        let policy = policy.policy();
        let (first, once) = apply(&policy, &text, same_length, "Acme.com");
        let (second, twice) = apply(&policy, &once, same_length, "Acme.com");
        prop_assert_eq!(&once, &twice, "{:?} then {:?}", first, second);
    }

    #[test]
    fn under_warn_no_link_that_is_not_safe_goes_unmarked(parts in prop::collection::vec(words_of_a_message(), 1..9), same_length in any::<bool>()) {
        let text: String = parts.join(" ").chars().take(160).collect();
        prop_assume!(Toy::of(&text, false).fits(&text).is_ok());
        let bad = links(&text).iter().any(|(_, _, host, confidence)| *confidence == Confidence::High && verdict_of(host) > Verdict::Safe);
        let (decision, after) = apply(&warn(), &text, same_length, "");
        if bad && decision.edit == Edit::None {
            prop_assert!(after.starts_with("UNVERIFIED LINK") || after.starts_with("DANGEROUS LINK") || after.starts_with("(?)"), "{:?} {}", decision, after);
        }
        prop_assert!(!decision.unwarned);
    }

    #[test]
    fn nothing_is_put_behind_an_autofill_code(words in prop::collection::vec(words_of_a_message(), 1..4), unknown in prop::sample::select(vec![Action::Label, Action::Redirect, Action::Deaden])) {
        let text = format!("{} http://new.example\n@bank.example #123456", words.join(" "));
        prop_assume!(Toy::of(&text, false).fits(&text).is_ok() && !text.contains("evil"));
        let mut spec = spec_with(&[unknown], true);
        spec.mt.safe = vec![Action::Pass];
        let (_, after) = apply(&Policy::compile(spec).unwrap(), &text, false, "");
        prop_assert!(after.trim_end().ends_with("#123456"), "{}", after);
    }

    #[test]
    fn any_text_at_all_is_decided_without_a_panic(text in ".{0,80}", starts in prop::collection::vec((0usize..90, 0usize..90), 0..4)) {
        // Offsets that lie must do no harm.
        let facts: Vec<_> = starts.iter().map(|&(start, end)| LinkFacts {
            start, end, host: "new.example", registrable: "new.example", verdict: Verdict::Unknown, reason: Reason::NoEntry, category: "",
            confidence: Confidence::High, in_this_part: start % 2 == 0, crosses_parts: end % 3 == 0,
        }).collect();
        let policy = Policy::compile(spec_with(&[Action::Redirect, Action::Deaden], true)).unwrap();
        policy.decide(&Message::new(&text, &facts), &mut Scratch::default(), &mut Unbounded);
    }
}
