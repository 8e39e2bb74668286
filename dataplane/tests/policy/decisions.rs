//! What is decided about a text, and what it becomes.

use super::*;

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
fn a_chain_of_pass_changes_nothing_at_all() {
    let none = Chains { safe: vec![], unknown: vec![Action::Pass], dangerous: vec![Action::Pass], observe: false };
    let policy = Policy::compile(Spec { mt: none.clone(), mo: none, ..Spec::default() }).unwrap();
    for text in ["http://evil.example", "http://good.example x", "no link"] {
        assert_eq!(apply(&policy, text, false, "").1, text);
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
