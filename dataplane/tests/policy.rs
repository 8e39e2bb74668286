//! The policy against texts: decisions, forms, and that deciding twice changes nothing.

#![allow(clippy::unwrap_used, reason = "a policy that does not compile fails the test")]

use dataplane::policy::{
    Action, Bound, Chains, Decision, Direction, Edit, ImsiRange, LinkFacts, Message, Pages, Policy, Preset, Protected, Room,
    Rule, Scratch, Spec, Unbounded, profiles, redirect::RedirectKey, words,
};
use dataplane::verdict::{Confidence, Reason, Verdict};
use proptest::prelude::*;

/// Characters that GSM 7-bit writes with one septet, and those of its extension, with two: a toy, with the tables of the tests' own words.
fn septets(text: &str) -> Result<usize, char> {
    text.chars().try_fold(0, |sum, c| match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Ok(sum + 2),
        ' '..='Z' | 'a'..='z' | '\n' | '_' => Ok(sum + 1),
        _ if "@£$¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§äöñüà".contains(c) => Ok(sum + 1),
        _ => Err(c),
    })
}

/// 160 septets, or 70 UCS2 characters for a text that GSM 7-bit cannot write.
struct Toy {
    ucs2: bool,
    same_length: Option<usize>,
}

impl Toy {
    fn of(text: &str, same_length: bool) -> Self {
        Self { ucs2: septets(text).is_err(), same_length: same_length.then(|| text.chars().count()) }
    }
}

impl Room for Toy {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        if self.same_length.is_some_and(|len| len != text.chars().count()) {
            return Err(Bound::SameLengthOnly);
        }
        let (need, room) = match septets(text) {
            Ok(need) => (need, 160),
            Err(c) if !self.ucs2 => return Err(Bound::Characters(c)),
            Err(_) => (text.encode_utf16().count(), 70),
        };
        if need > room { Err(Bound::UserData { need, room }) } else { Ok(()) }
    }
}

/// What a table would say: `good.*` is safe, `evil.*` is dangerous, the pages' host and the rest are unknown.
fn verdict_of(host: &str) -> Verdict {
    match host {
        _ if host.starts_with("good.") => Verdict::Safe,
        _ if host.starts_with("evil.") => Verdict::Dangerous,
        _ => Verdict::Unknown,
    }
}

/// A naive finder: words with a dot between letters and a known end, and their defanged forms.
fn links(text: &str) -> Vec<(usize, usize, String, Confidence)> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let word = word.trim_end().trim_end_matches(['.', ':', ',', ')']);
        let bare = word.split_once("://").map_or(word, |(_, rest)| rest);
        let bare_host = bare.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let low = bare_host.contains("(.)");
        let host = bare_host.replace("(.)", ".");
        let known = [".com", ".example", ".test", ".net"].iter().any(|end| host.ends_with(end) && host.len() > end.len());
        if known && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            found.push((start, start + word.len(), host, if low { Confidence::Low } else { Confidence::High }));
        } else if word.contains("://") && !bare_host.is_empty() {
            found.push((start, start + word.len(), host, Confidence::High));
        }
    }
    found
}

fn with_facts<T>(text: &str, then: impl FnOnce(&[LinkFacts<'_>]) -> T) -> T {
    let found = links(text);
    let facts: Vec<_> = found
        .iter()
        .map(|(start, end, host, confidence)| LinkFacts {
            start: *start,
            end: *end,
            host,
            registrable: host,
            verdict: verdict_of(host),
            reason: if verdict_of(host) == Verdict::Unknown { Reason::NoEntry } else { Reason::Exact },
            category: if host.starts_with("app.") { "app" } else { "" },
            confidence: *confidence,
            in_this_part: true,
            crosses_parts: false,
        })
        .collect();
    then(&facts)
}

/// The decision, and the text that a subscriber would see.
fn apply(policy: &Policy, text: &str, same_length: bool, sender: &str) -> (Decision, String) {
    with_facts(text, |facts| {
        let mut scratch = Scratch::default();
        let message = Message { sender, ..Message::new(text, facts) };
        let decision = policy.decide(&message, &mut scratch, &mut Toy::of(text, same_length));
        let after = match decision.edit {
            Edit::None => text.to_owned(),
            Edit::Text => scratch.text.clone(),
            Edit::Deaden => text.char_indices().map(|(at, c)| if scratch.spots.contains(&at) { ' ' } else { c }).collect(),
        };
        (decision, after)
    })
}

fn warn() -> Policy {
    Policy::default()
}

fn spec_with(unknown: &[Action], pages: bool) -> Spec {
    let mut spec = Spec::default();
    spec.mt.unknown = unknown.to_vec();
    spec.pages = pages.then(|| Pages { host: "go.carrier.example".into(), key: RedirectKey([9; 16]) });
    spec
}

#[test]
fn an_unknown_link_is_named_first_and_in_plain_words() {
    let (decision, after) = apply(&warn(), "Your parcel: http://new.example/x", false, "");
    assert_eq!(decision.action, Action::Label);
    assert_eq!(after, "UNVERIFIED LINK new(.)example. Do not log in or pay there.\nYour parcel: http://new.example/x");
    assert_eq!(warn().why(&decision).to_string(), "unknown/1");
}

#[test]
fn a_safe_link_is_labelled_or_passes_where_the_label_does_not_fit() {
    assert_eq!(apply(&warn(), "See http://good.example", false, "").1, "VERIFIED LINK good(.)example:\nSee http://good.example");
    let full = format!("{} http://good.example", "x".repeat(139));
    let (decision, after) = apply(&warn(), &full, false, "");
    assert_eq!((decision.action, after, decision.unwarned), (Action::Pass, full, false));
}

#[test]
fn a_dangerous_message_is_replaced_and_its_code_with_it() {
    let (decision, after) = apply(&warn(), "Win! http://evil.example\n@bank.example #123456", false, "");
    assert_eq!(decision.action, Action::Replace);
    assert_eq!(after, "A message with a dangerous link to evil(.)example was removed. Do not answer it.");
}

#[test]
fn a_message_padded_to_160_with_an_unknown_link_never_leaves_unmarked() {
    for len in 100..=160 {
        let link = " http://new.example/x";
        let text = format!("{}{link}", "x".repeat(len - link.len()));
        let (decision, after) = apply(&warn(), &text, false, "");
        assert!(matches!(decision.action, Action::Label | Action::Deaden), "{len}: {decision:?}");
        assert!(!decision.unwarned && after != text);
        if len > 156 {
            assert_eq!(decision.action, Action::Deaden);
            assert!(links(&after).is_empty(), "{after}");
            let why = warn().why(&decision).to_string();
            assert_eq!(why, "unknown/deaden: redirect has no pages host");
        }
    }
}

#[test]
fn why_names_the_form_taken_and_what_stopped_the_one_before() {
    let text = format!("{} http://new.example/x", "x".repeat(110));
    let (decision, _) = apply(&warn(), &text, false, "");
    assert_eq!(warn().why(&decision).to_string(), "unknown/3: form 2 needs 162 of 160 units of user data");
    assert_eq!(decision.bound, Some(Bound::UserData { need: 162, room: 160 }));
}

#[test]
fn unknown_passes_unmarked_only_where_the_operator_wrote_so_and_is_counted() {
    let policy = Policy::compile(spec_with(&[Action::Pass], false)).unwrap();
    let (decision, after) = apply(&policy, "http://new.example", false, "");
    assert_eq!((decision.action, decision.unwarned, after.as_str()), (Action::Pass, true, "http://new.example"));
    let only_label = Policy::compile(spec_with(&[Action::Label], false)).unwrap();
    let full = format!("{} http://new.example", "x".repeat(141));
    let (decision, after) = apply(&only_label, &full, false, "");
    assert_eq!((decision.action, decision.unwarned, after), (Action::Pass, true, full));
}

#[test]
fn messages_in_several_pieces_are_changed_in_place() {
    for (text, preset) in [
        ("http://new.example/x", Preset::Warn),
        ("a http://evil.example", Preset::Warn),
        ("x http://new.example", Preset::Strict),
    ] {
        let policy = Policy::compile(Spec::preset(preset)).unwrap();
        let (decision, after) = apply(&policy, text, true, "");
        assert_eq!(decision.action, Action::Deaden, "{text}");
        assert_eq!(after.chars().count(), text.chars().count());
        assert!(links(&after).is_empty());
    }
}

#[test]
fn a_notice_whose_last_words_link_with_the_next_part_is_written_once() {
    let policy = Policy::compile(Spec::preset(Preset::Strict)).unwrap();
    let decide = |text: &str| {
        let link = text.rfind(' ').map_or(0, |at| at + 1);
        let crossing = LinkFacts {
            start: link,
            end: text.len(),
            host: "link.com",
            registrable: "link.com",
            verdict: Verdict::Unknown,
            reason: Reason::NoEntry,
            category: "",
            confidence: Confidence::High,
            in_this_part: true,
            crosses_parts: true,
        };
        let mut scratch = Scratch::default();
        let decision = policy.decide(&Message::new(text, &[crossing]), &mut scratch, &mut Toy::of(text, false));
        (decision, scratch.text)
    };
    let (first, notice) = decide("Please go to link.");
    assert_eq!((first.action, first.edit), (Action::Replace, Edit::Text));
    let (again, _) = decide(&notice);
    assert_eq!((again.action, again.edit), (Action::Replace, Edit::None));
    assert!(policy.why(&again).to_string().starts_with("already ours: "));
}

#[test]
fn mo_is_observed_and_mt_is_not() {
    with_facts("http://new.example", |facts| {
        let mut scratch = Scratch::default();
        let mut decide = |direction| {
            warn().decide(&Message { direction, ..Message::new("http://new.example", facts) }, &mut scratch, &mut Unbounded)
        };
        assert!(decide(Direction::Mo).observe && !decide(Direction::Mt).observe);
        assert_eq!(decide(Direction::Mo).action, Action::Label);
    });
}

#[test]
fn a_redirect_puts_our_link_in_place_and_knows_it_again() {
    let policy = Policy::compile(spec_with(&[Action::Redirect, Action::Deaden], true)).unwrap();
    let text = "A http://new.example/x and good.example and b.net now";
    let (decision, after) = apply(&policy, text, false, "");
    assert_eq!(decision.action, Action::Redirect);
    assert!(
        after.starts_with("A https://go.carrier.example/") && after.contains(" and good.example and https://go.carrier.example/"),
        "{after}"
    );
    let (again, same) = apply(&policy, &after, false, "");
    assert_eq!((again.edit, &same), (Edit::None, &after));
    let forged = after.replace("/", "/x");
    assert_ne!(
        apply(&policy, &forged, false, "").0.edit,
        Edit::None,
        "a link to our host that our key did not make is a link like any"
    );
}

#[test]
fn an_imitated_label_is_neutralised_and_makes_the_message_unknown() {
    let (decision, after) = apply(&warn(), "[SAFE] http://good.example", false, "");
    assert_eq!(decision.verdict, Verdict::Unknown);
    assert!(decision.rule.spoof);
    assert_eq!(after, "UNVERIFIED LINK good(.)example. Do not log in or pay there.\n       http://good.example");
    let (decision, after) = apply(&warn(), "[VERIFIED LINK] call us", false, "");
    assert_eq!((decision.verdict, decision.edit), (Verdict::Unknown, Edit::Deaden));
    assert_eq!(after.trim_start(), "call us");
    // A label of ours before a link that it does not fit is an imitation.
    let (_, after) = apply(&warn(), "VERIFIED LINK good(.)example:\nSee http://new.example", false, "");
    assert!(after.starts_with("UNVERIFIED LINK new(.)example") && !after.contains("VERIFIED LINK good"), "{after}");
}

#[test]
fn a_mark_that_the_sender_wrote_does_not_spare_him_the_whole_label() {
    let (_, after) = apply(&warn(), "(?) http://new.example", false, "");
    assert_eq!(after, "UNVERIFIED LINK new(.)example. Do not log in or pay there.\n(?) http://new.example");
}

#[test]
fn rules_come_before_profiles_and_never_touch_before_both() {
    let mut spec = Spec::default();
    let mut rule = Rule::new("apps", Preset::Strict.chains());
    rule.category = vec!["app".into()];
    rule.treat_as = Some(Verdict::Dangerous);
    spec.rules.push(rule);
    spec.never_touch.imsi.push(ImsiRange::parse("20899*").unwrap());
    let policy = Policy::compile(spec).unwrap();
    with_facts("http://app.example", |facts| {
        let mut scratch = Scratch::default();
        let message = Message::new("http://app.example", facts);
        let decision = policy.decide(&message, &mut scratch, &mut Unbounded);
        assert_eq!((decision.action, decision.verdict), (Action::Replace, Verdict::Dangerous));
        assert_eq!(policy.why(&decision).to_string(), "apps: dangerous/1");
        let spared = policy.decide(&Message { imsi: Some("208991234567890"), ..message }, &mut scratch, &mut Unbounded);
        assert_eq!((spared.action, spared.edit, spared.unwarned), (Action::Pass, Edit::None, false));
        assert_eq!(policy.why(&spared).to_string(), "never-touch");
        let off = profiles::Profile { kind: profiles::Kind::Off, language: None };
        assert_eq!(policy.decide(&Message { profile: Some(off), ..message }, &mut scratch, &mut Unbounded).action, Action::Pass);
    });
    with_facts("http://new.example", |facts| {
        let mut scratch = Scratch::default();
        let german = profiles::Profile { kind: profiles::Kind::Warn, language: policy.language("de") };
        let message = Message { profile: Some(german), ..Message::new("http://new.example", facts) };
        policy.decide(&message, &mut scratch, &mut Unbounded);
        assert!(scratch.text.starts_with("UNGEPRÜFTER LINK new(.)example"), "{}", scratch.text);
        policy.decide(&Message { language: policy.language("fr"), ..message }, &mut scratch, &mut Unbounded);
        assert!(scratch.text.starts_with("LIEN NON VÉRIFIÉ new(.)example"), "who asks is heard first: {}", scratch.text);
    });
}

#[test]
fn a_protected_sender_is_known_by_its_looks() {
    let policy = Policy::compile(Spec {
        protected: vec![Protected { sender: "MyBank".into(), domains: vec!["mybank.example".into()] }],
        ..Spec::default()
    })
    .unwrap();
    assert!(policy.impersonation("MyB4nk", "evil.example") && policy.impersonation("MyBank", "new.example"));
    assert!(!policy.impersonation("MyBank", "login.mybank.example") && !policy.impersonation("Other", "evil.example"));
}

#[test]
fn languages_beyond_gsm_7_bit_give_way_to_english_and_never_change_the_alphabet() {
    let policy = Policy::compile(Spec { language: "ar".into(), ..Spec::default() }).unwrap();
    let (decision, after) = apply(&policy, "Hi http://new.example", false, "");
    assert!(after.starts_with("UNVERIFIED LINK") && septets(&after).is_ok(), "{after}");
    assert!(matches!(decision.bound, Some(Bound::Characters(_))));
    assert!(apply(&policy, "مرحبا http://new.example", false, "").1.starts_with("رابط غير موثوق"));
}

#[test]
fn a_policy_has_one_id_for_one_text_and_another_for_another() {
    assert_eq!(Policy::default().id(), Policy::default().id());
    let other = Policy::compile(Spec { brand: "Acme".into(), ..Spec::default() }).unwrap();
    assert_ne!(other.id(), Policy::default().id());
}

#[test]
fn an_empty_chain_changes_nothing_at_all() {
    let none = Chains { safe: vec![], unknown: vec![], dangerous: vec![], observe: false };
    let policy = Policy::compile(Spec { mt: none.clone(), mo: none, ..Spec::default() }).unwrap();
    for text in ["http://evil.example", "http://good.example x", "no link"] {
        assert_eq!(apply(&policy, text, false, "").1, text);
    }
}

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
        let Self([safe, unknown, dangerous], code, brand, pages) = self.clone();
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
    let chain = prop::collection::vec(action, 0..4);
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

/// Real messages, as others published them: a word in a sentence is not to be taken for a label.
#[test]
fn real_messages_hardly_ever_look_like_a_label() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/sms");
    let policy = warn();
    let mut read = 0;
    let mut caught = Vec::new();
    for file in ["uci.jsonl", "mendeley5971.jsonl"] {
        let Ok(lines) = std::fs::read_to_string(format!("{folder}/{file}")) else {
            println!("skipped: ../shared/data is not here");
            return;
        };
        for line in lines.lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = message["text"].as_str().unwrap();
            read += 1;
            let (decision, _) = apply(&policy, text, false, "");
            if decision.rule.spoof {
                caught.push(text.to_owned());
            }
        }
    }
    println!("{} of {read} real messages look like a label: {caught:#?}", caught.len());
    assert!(read > 10_000 && caught.len() * 2000 <= read, "{} of {read}", caught.len());
}

#[test]
fn a_form_of_a_worse_verdict_that_reads_as_one_for_safe_links_is_refused() {
    let compiled = |change: &dyn Fn(&mut words::LanguageSpec)| {
        let mut spec = Spec::preset(Preset::Warn);
        change(spec.languages.iter_mut().find(|language| language.code == "en").unwrap());
        Policy::compile(spec).map(|_| ()).map_err(|error| error.to_string())
    };
    let forms = |forms: &[&str]| forms.iter().map(|&form| form.to_owned()).collect::<Vec<_>>();
    for unknown in ["VERIFIED LINK {host}\n", "Verified L1nk! {host}\n", "{brand} VERIFIED LINK: take care\n", "verified {host}"]
    {
        let error = compiled(&|english| english.labels[1] = forms(&["LOOK OUT {host}\n", unknown])).unwrap_err();
        assert!(error.starts_with("labels.unknown of language `en`, form 2: it reads as `"), "{error}");
        assert!(compiled(&|english| english.notices[2] = forms(&[unknown])).unwrap_err().starts_with("notices.dangerous"));
    }
    for form in ["OK {host}\n", "(*) ", "{verdict} {host}"] {
        let alike = |english: &mut words::LanguageSpec| {
            (english.labels[0], english.labels[1]) = (forms(&[form]), forms(&[form]));
            english.verdicts[1] = english.verdicts[0].clone();
        };
        assert!(compiled(&alike).is_err(), "{form}");
    }
    for imitation in
        ["[checked] {host}", "Link is safe?", "Link 0K {host}:", "LOOK OUT\nSicherer Link: {host}", "✔ geprüft {host}"]
    {
        let error = compiled(&|english| english.labels[1] = forms(&[imitation])).unwrap_err();
        assert!(error.starts_with("labels.unknown of language `en`, form 1: it reads as `"), "{imitation}: {error}");
    }
    let bracketed = ["[UNVERIFIED LINK] {host}", "[NIET GECONTROLEERDE LINK]", "*** Dangerous link ***", "(not verified) {host}"];
    for fine in bracketed {
        assert_eq!(compiled(&|english| english.labels[1] = forms(&[fine])), Ok(()), "{fine}");
    }
    for fine in ["UNVERIFIED LINK {host}\n", "NOT VERIFIED LINK\n", "(?) ", "{verdict} {host}", "LINK {host} is not verified"] {
        assert_eq!(compiled(&|english| english.labels[1] = forms(&[fine])), Ok(()), "{fine}");
    }
    let short = |english: &mut words::LanguageSpec| {
        english.labels[0] = forms(&["LINK {host}\n"]);
        english.labels[1] = forms(&["LINK NOT VERIFIED {host}\n"]);
    };
    assert_eq!(compiled(&short), Ok(()));
}

#[test]
fn a_brand_that_says_what_the_label_for_safe_links_says_is_refused() {
    let compiled = |brand: &str, safe: &str| {
        let mut spec = Spec::preset(Preset::Warn);
        spec.brand = brand.to_owned();
        spec.languages.iter_mut().find(|language| language.code == "en").unwrap().labels[0] = vec![safe.to_owned()];
        Policy::compile(spec).map(|_| ()).map_err(|error| error.to_string())
    };
    let brands =
        ["VERIFIED LINK", "[SAFE]", "Verified link:", "Safe", "V3rified Iink!", "Verified", "Acme VERIFIED LINK", "Acme\nSafe:"];
    for brand in brands.into_iter().chain(["✔ Trusted", "Acme (sicher)", "Link is safe", "Vérifié"]) {
        let error = compiled(brand, "VERIFIED LINK:").unwrap_err();
        assert!(error.starts_with("labels.brand: with it a label reads as `"), "{brand}: {error}");
    }
    assert!(compiled("Good to go", "GOOD TO GO {host}").unwrap_err().starts_with("labels.brand: "));
    let ordinary = [
        "",
        "Operator",
        "Vodafone",
        "Orange",
        "T-Mobile",
        "Acme Secure Net",
        "SafeTel",
        "Verizon",
        "O2",
        "Säker Mobil",
        "Telia [SE]",
    ];
    for brand in ordinary {
        assert_eq!(compiled(brand, "VERIFIED LINK:"), Ok(()), "{brand}");
    }
}

#[test]
fn what_can_never_act_is_refused() {
    let refused = |change: &dyn Fn(&mut Spec)| {
        let mut spec = Spec::preset(Preset::Warn);
        change(&mut spec);
        Policy::compile(spec).map(|_| ()).map_err(|error| error.to_string())
    };
    let why = "policy, unknown: `redirect` needs [pages], and nothing else is in the chain";
    assert_eq!(refused(&|spec| spec.mt.unknown = vec![Action::Redirect]).unwrap_err(), why);
    assert_eq!(refused(&|spec| spec.mt.unknown = vec![Action::Redirect, Action::Pass]).unwrap_err(), why);
    assert!(refused(&|spec| spec.mt.dangerous = vec![Action::Silence]).unwrap_err().starts_with("policy, dangerous: `silence`"));
    for fine in [vec![], vec![Action::Pass], vec![Action::Redirect, Action::Deaden], vec![Action::Reject]] {
        assert_eq!(refused(&|spec| spec.mt.unknown = fine.clone()), Ok(()), "{fine:?}");
    }
    assert_eq!(refused(&|spec| (spec.silence, spec.mt.dangerous) = (true, vec![Action::Silence])), Ok(()));
    let rule = |change: &dyn Fn(&mut Rule)| {
        let mut rule = Rule::new("x", Preset::Warn.chains());
        change(&mut rule);
        refused(&|spec| spec.rules = vec![rule.clone()])
    };
    let code = "rule `x`, opc 99999999: no point code has more than 24 bits";
    assert_eq!(rule(&|rule| rule.opc = vec![1, 99_999_999]).unwrap_err(), code);
    assert_eq!(rule(&|rule| rule.dpc = vec![0xff_ffff]), Ok(()));
    assert!(rule(&|rule| rule.chains.unknown = vec![Action::Redirect]).unwrap_err().starts_with("rule `x`, unknown: "));
    let empty = |change: &dyn Fn(&mut Rule, Vec<String>), key: &str| {
        for value in ["", " "] {
            let said = rule(&|rule| change(rule, vec!["Acme".into(), value.into()])).unwrap_err();
            assert!(said.starts_with(&format!("rule `x`, {key}: `{value}` is empty")), "{said}");
        }
        assert_eq!(rule(&|rule| change(rule, vec!["Acme".into()])), Ok(()), "{key}");
    };
    empty(&|rule, all| rule.sender = all, "sender");
    empty(&|rule, all| rule.sender_prefix = all, "sender_prefix");
    empty(&|rule, all| rule.sender_like = all, "sender_like");
    empty(&|rule, all| rule.calling_gt = all, "calling_gt");
    empty(&|rule, all| rule.called_gt = all, "called_gt");
    empty(&|rule, all| rule.category = all, "category");
    let everyone = vec![String::new()];
    assert!(refused(&|spec| spec.never_touch.senders = everyone.clone()).unwrap_err().starts_with("never_touch.senders: `` is"));
    assert!(refused(&|spec| spec.never_touch.sender_prefixes = everyone.clone()).is_err());
    let nameless = Protected { sender: String::new(), domains: vec!["a.b".into()] };
    assert!(refused(&|spec| spec.protected = vec![nameless.clone()]).unwrap_err().starts_with("protected.sender: "));
}
