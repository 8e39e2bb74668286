//! What can be read and yet cannot be meant: refused while somebody still looks.

use super::chain::Chains;
use super::compiled::{Language, PLACES, is_phrase};
use super::decision::Action;
use super::imitation::Imitation;
use super::signs::{is_close, is_open};
use super::skeleton::Skeleton;
use super::spec::{Spec, SpecError};
use super::template::TemplateError;

/// The highest point code: 24 bits (ANSI T1.111.4), 14 elsewhere.
const POINT_CODE: u32 = 0xff_ffff;

/// Refuses chains of which nothing can be done, rules that no message meets, and protected senders without a name.
pub(super) fn can_work(spec: &Spec) -> Result<(), SpecError> {
    let never = |what: String, why| Err(SpecError::Never { what, why });
    let rules = spec.rules.iter().map(|rule| (format!("rule `{}`", rule.name), &rule.chains));
    for (name, chains) in [("policy".to_owned(), &spec.mt)].into_iter().chain(rules) {
        if let Some((verdict, why)) = falls_through(spec, chains) {
            return never(format!("{name}, {verdict}"), why);
        }
    }
    for rule in &spec.rules {
        for (key, codes) in [("opc", &rule.opc), ("dpc", &rule.dpc)] {
            if let Some(code) = codes.iter().find(|&&code| code > POINT_CODE) {
                return never(format!("rule `{}`, {key} {code}", rule.name), "no point code has more than 24 bits");
            }
        }
    }
    names_are_names(spec)?;
    if spec.protected.iter().any(|entry| entry.sender.is_empty()) {
        return never("protected.sender".to_owned(), "it is empty: whose domains are these?");
    }
    Ok(())
}

/// Refuses names and heads of names that are empty: such a head is that of every sender, and one empty string would switch the filter off.
fn names_are_names(spec: &Spec) -> Result<(), SpecError> {
    let blank = |name: &String| name.trim().is_empty();
    let unseen = |name: &String| Skeleton::of(name).chars().is_empty();
    let refuse = |whose: &str, key, value: Option<&String>| {
        value.map_or(Ok(()), |value| Err(SpecError::Empty { what: format!("{whose}{key}"), key, value: value.clone() }))
    };
    let never = &spec.never_touch;
    for (key, list) in [("senders", &never.senders), ("sender_prefixes", &never.sender_prefixes)] {
        refuse("never_touch.", key, list.iter().find(|name| blank(name)))?;
    }
    for rule in &spec.rules {
        let whose = format!("rule `{}`, ", rule.name);
        let lists = [
            ("sender", &rule.sender),
            ("sender_prefix", &rule.sender_prefix),
            ("calling_gt", &rule.calling_gt),
            ("called_gt", &rule.called_gt),
            ("category", &rule.category),
        ];
        for (key, list) in lists {
            refuse(&whose, key, list.iter().find(|name| blank(name)))?;
        }
        refuse(&whose, "sender_like", rule.sender_like.iter().find(|name| unseen(name)))?;
    }
    Ok(())
}

/// The verdict of whose chain nothing can be done, and why: its messages would pass, marked in no way, and nobody wrote so.
fn falls_through(spec: &Spec, chains: &Chains) -> Option<(&'static str, &'static str)> {
    let stopped = |verdict, action: &Action| match action {
        Action::Redirect if spec.pages.is_none() => Some("`redirect` needs [pages], and nothing else is in the chain"),
        Action::Silence if !spec.silence => Some("`silence` needs `silence = true`, and nothing else is in the chain"),
        Action::Replace | Action::Notify if verdict == "safe" => {
            Some("no notice says that a link is verified, and nothing else is in the chain")
        }
        _ => None,
    };
    [("safe", &chains.safe), ("unknown", &chains.unknown), ("dangerous", &chains.dangerous)].into_iter().find_map(
        |(verdict, chain)| {
            if chain.is_empty() && verdict != "safe" {
                return Some((verdict, "no action is in the chain: write [\"pass\"] to let such messages by, marked in no way"));
            }
            let nothing = chain.iter().all(|action| *action == Action::Pass || stopped(verdict, action).is_some());
            chain.iter().find_map(|action| stopped(verdict, action)).filter(|_| nothing).map(|why| (verdict, why))
        },
    )
}

/// Refuses an operator's name that is, or holds, words that are said of safe links, in any shipped language.
pub(super) fn brand_not_like_safe(brand: &str, of_safe: &Imitation) -> Result<(), SpecError> {
    // Brackets hold words, or a phrase with anything around it.
    let bracketed = format!("[{}]", brand.replace(is_bracket, " "));
    if of_safe.in_form(brand).is_some() || of_safe.possible(&bracketed) {
        return Err(SpecError::BrandLikeSafe(brand.to_owned()));
    }
    Ok(())
}

fn is_bracket(c: char) -> bool {
    is_open(c) || is_close(c)
}

/// Refuses forms for unknown and dangerous links that read as one for safe links does, or begin as it or with its verdict, with the
/// operator's name or without: a reader could not tell them apart. So are those that would be blanked in a message as an imitation of one.
pub(super) fn not_like_safe(language: &Language, brand: &str, of_safe: &Imitation) -> Result<(), SpecError> {
    let [safe_verdict, ..] = &language.verdicts;
    let forms_of_safe = [&language.labels, &language.notices].map(|[safe, ..]| safe.iter());
    let read = |words: String| (Skeleton::of(&words), words);
    let verdict = read(safe_verdict.clone());
    let safe: Vec<(Skeleton, String)> =
        forms_of_safe.into_iter().flatten().map(|form| read(form.words(safe_verdict, ""))).collect();
    let begins = |text: &str, of_text: &Skeleton, of_words: &Skeleton| {
        let behind = text.get(of_text.end_of(of_words.chars().len())..).and_then(|rest| rest.chars().next());
        !of_words.chars().is_empty()
            && of_text.chars().starts_with(of_words.chars())
            && !behind.is_some_and(char::is_alphanumeric)
    };
    let like = |text: &str| {
        let of_text = Skeleton::of(text);
        let alike = |(of_words, words): &&(Skeleton, String)| {
            text == words.as_str()
                || begins(text, &of_text, of_words) && (is_phrase(words) || of_text.chars() == of_words.chars())
        };
        let own = safe.iter().find(alike).or(Some(&verdict).filter(|(of_words, _)| begins(text, &of_text, of_words)));
        let own = own.map(|(_, words)| words.clone());
        own.or_else(|| of_safe.in_form(text).and_then(|range| text.get(range)).map(str::to_owned))
    };
    for (forms, places) in [&language.labels, &language.notices].into_iter().zip(PLACES) {
        for ((forms, verdict), place) in forms.iter().zip(&language.verdicts).zip(places).skip(1) {
            for (n, form) in forms.iter().enumerate() {
                if let Some(words) = like(&form.words(verdict, "")) {
                    let cause = TemplateError::LikeSafe(words);
                    return Err(SpecError::Template { language: language.code.clone(), place, form: n + 1, cause });
                }
                if let Some(words) = like(&form.words(verdict, brand)) {
                    return Err(SpecError::BrandLikeSafe(words));
                }
            }
        }
    }
    Ok(())
}
