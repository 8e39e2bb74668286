//! The precedence rules read straight from their definition.

use super::*;
use crate::verdicts::pattern::{Kind, Pattern};
use proptest::prelude::*;

/// Precedence read straight from its definition: every rule is tried on the link, nothing is looked up.
fn naive(rules: &[Rule<'_>], host: &str, path: &str) -> (Verdict, Option<String>) {
    let suffixes = Suffixes::built_in();
    let above = |x: &str, y: &str| x != y && y.ends_with(x) && y[..y.len() - x.len()].ends_with('.');
    let at_or_above = |x: &str, y: &str| x == y || above(x, y);
    let name = |r: &Rule<'_>| r.pattern.trim_start_matches(['=', '@']).split('/').next().unwrap().to_owned();
    let kind = |r: &Rule<'_>| Pattern::kind_of(r.pattern);
    let own = |r: &&Rule<'_>| kind(r) == Kind::Platform && r.layer == Local;
    let platform = |y: &Rule<'_>| {
        let forbidden = |l: &Rule<'_>| {
            // What lies below a platform of the operator's stands for itself, whatever a wider line says.
            if rules.iter().filter(own).any(|p| at_or_above(&name(l), &name(p)) && above(&name(p), &name(y))) {
                return false;
            }
            let covers = match kind(l) {
                Kind::Host => at_or_above(&name(l), &name(y)),
                Kind::Exact => name(l) == name(y),
                _ => false,
            };
            l.layer == Local && l.verdict != Safe && covers
        };
        kind(y) == Kind::Platform && (y.layer == Local || !rules.iter().any(forbidden))
    };
    let platforms: Vec<String> = rules.iter().filter(|r| platform(r)).map(name).filter(|y| at_or_above(y, host)).collect();
    let applies = |r: &&Rule<'_>| {
        let x = name(r);
        let reach = match kind(r) {
            Kind::Host => at_or_above(&x, host),
            Kind::Exact => x == host,
            Kind::Path => {
                let prefix = &r.pattern[x.len()..];
                return x == host && (path == prefix || path.starts_with(&format!("{prefix}/")));
            }
            _ => false,
        };
        let blocked = platforms.iter().any(|y| above(&x, y) || (x == *y && !(host == y && path == "/")));
        let suffix = suffixes.is_suffix(&x) && x != host && !(r.layer == Local && r.verdict != Safe);
        reach && !blocked && !suffix
    };
    let found: Vec<&Rule<'_>> = rules.iter().filter(applies).collect();
    let local = found.iter().any(|r| r.layer == Local);
    let specificity = |r: &&&Rule<'_>| (kind(r) == Kind::Path, kind(r) == Kind::Exact, r.pattern.len(), r.verdict);
    let best = found.iter().filter(|r| !local || r.layer == Local).max_by_key(specificity);
    best.map_or((Unknown, None), |r| (r.verdict, Some(r.pattern.to_owned())))
}

fn hosts() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["x.com", "y.com", "github.io", "u.github.io", "com", "co.uk", "z.co.uk"]);
    (prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..3), root)
        .prop_map(|(labels, root)| labels.iter().rev().fold(root.to_owned(), |host, label| format!("{label}.{host}")))
}

fn patterns() -> impl Strategy<Value = String> {
    let path = prop::collection::vec(prop::sample::select(vec!["p", "q"]), 1..3);
    (hosts(), path, 0..4).prop_map(|(host, path, kind)| match kind {
        0 => host,
        1 => format!("={host}"),
        2 => format!("@{host}"),
        _ => format!("{host}/{}", path.join("/")),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn table_says_what_the_precedence_rules_say(
        lines in prop::collection::vec((patterns(), 1..4u8, any::<bool>()), 0..14),
        links in prop::collection::vec((hosts(), prop::collection::vec(prop::sample::select(vec!["p", "q"]), 0..3)), 1..8),
    ) {
        let verdicts = [Verdict::None, Safe, Unknown, Dangerous];
        let rules: Vec<Rule<'_>> = lines.iter().map(|(pattern, verdict, local)| {
            let verdict = if pattern.starts_with('@') { Verdict::None } else { verdicts[usize::from(*verdict)] };
            rule(pattern, verdict, if *local { Local } else { Feed })
        }).collect();
        let table = table(&rules);
        for (host, path) in links {
            let path = format!("/{}", path.join("/"));
            let (verdict, reason, entry) = judge(&table, &format!("https://{host}{path}"));
            let (want, by) = naive(&rules, &host, &path);
            prop_assert_eq!(verdict, want, "{}{} by {:?}, table {} {:?}", host, path, by, entry, reason);
            if let Some(by) = by {
                prop_assert_eq!(entry, by);
            }
        }
    }

    #[test]
    fn order_of_rules_does_not_change_the_file(lines in prop::collection::vec((patterns(), 1..4u8, any::<bool>(), "[a-c]{0,2}"), 0..20)) {
        let verdicts = [Verdict::None, Safe, Unknown, Dangerous];
        let rules: Vec<Rule<'_>> = lines.iter().map(|(pattern, verdict, local, note)| {
            Rule { note, ..rule(pattern, verdicts[usize::from(*verdict)], if *local { Local } else { Feed }) }
        }).collect();
        let mut turned = rules.clone();
        turned.reverse();
        prop_assert_eq!(built(&rules).bytes, built(&turned).bytes);
    }
}
