//! Policies that are not taken.

use super::*;

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
    for fine in [vec![Action::Pass], vec![Action::Redirect, Action::Deaden], vec![Action::Reject]] {
        assert_eq!(refused(&|spec| spec.mt.unknown = fine.clone()), Ok(()), "{fine:?}");
    }
    let why = "policy, unknown: no action is in the chain: write [\"pass\"] to let such messages by, marked in no way";
    assert_eq!(refused(&|spec| spec.mt.unknown = vec![]).unwrap_err(), why);
    assert!(refused(&|spec| spec.mt.dangerous = vec![]).unwrap_err().starts_with("policy, dangerous: no action"));
    assert_eq!(refused(&|spec| spec.mt.safe = vec![]), Ok(()), "what is verified passes, as with `pass`");
    for never in [vec![Action::Replace], vec![Action::Notify, Action::Pass]] {
        let why = "policy, safe: no notice says that a link is verified, and nothing else is in the chain";
        assert_eq!(refused(&|spec| spec.mt.safe = never.clone()).unwrap_err(), why);
    }
    assert_eq!(refused(&|spec| spec.mt.safe = vec![Action::Replace, Action::Label]), Ok(()));
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
    assert!(rule(&|rule| rule.chains.dangerous = vec![]).unwrap_err().starts_with("rule `x`, dangerous: no action"));
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
