//! Whom a name looks like: protected names and senders. It orders what people look at, and asks for a second pair of eyes; it decides nothing.

use std::collections::BTreeSet;

use dataplane::policy::looks_like;
use dataplane::suffix::Suffixes;
use idna::domain_to_unicode;
use rusqlite::Connection;
use unicode_security::skeleton;

use crate::decide::is_at_or_below;
use crate::{Result, sources};

/// Names that a name looks like, as many as are told.
const LIKES: usize = 10;
/// Letters of a name that is looked for as a piece between hyphens, and anywhere, one letter off too.
const PIECE: usize = 4;
const ANYWHERE: usize = 5;

/// A name that others may want to look like.
#[derive(Debug)]
struct Brand {
    /// As people call it.
    name: String,
    /// As it looks.
    label: String,
    /// What belongs to it.
    hosts: Vec<String>,
}

/// Those of the desk.
#[derive(Debug)]
pub(super) struct Brands(Vec<Brand>);

impl Brands {
    /// Protected names, names that are safe, and protected senders with their hosts.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn read(state: &Connection) -> Result<Self> {
        let mut senders = state.prepare_cached("SELECT sender, hosts FROM senders ORDER BY sender")?;
        let senders =
            senders.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(String, String)>, _>>()?;
        Ok(Self::of(&sources::protected(state)?, &senders))
    }

    fn of(protected: &[String], senders: &[(String, String)]) -> Self {
        let suffixes = Suffixes::built_in();
        let names: BTreeSet<&str> = protected.iter().map(|name| name.trim_start_matches('=')).collect();
        let hosts = names.into_iter().map(|name| {
            let domain = suffixes.registrable(name).unwrap_or(name);
            let label = shape(domain.split('.').next().unwrap_or(domain));
            Brand { name: name.to_owned(), label, hosts: vec![domain.to_owned()] }
        });
        let senders = senders.iter().map(|(sender, hosts)| Brand {
            name: sender.clone(),
            label: shape(&sender.replace(' ', "")),
            hosts: hosts.split(' ').map(str::to_owned).collect(),
        });
        Self(hosts.chain(senders).filter(|brand| !brand.label.is_empty()).collect())
    }

    /// Those that a host looks like and does not belong to, each with how. Every label above its suffix is looked at.
    pub(super) fn likes(&self, host: &str) -> Vec<String> {
        let suffixes = Suffixes::built_in();
        let suffix = suffixes.suffix(host).map_or(0, str::len);
        let above = host.get(..host.len() - suffix).unwrap_or(host);
        let labels: Vec<String> = above.split('.').filter(|label| !label.is_empty() && *label != "www").map(shape).collect();
        let (shown, _) = domain_to_unicode(host);
        let mut found = Vec::new();
        for brand in
            self.0.iter().filter(|brand| !brand.hosts.iter().any(|own| is_at_or_below(host, own) || is_at_or_below(own, host)))
        {
            if let Some(how) = labels.iter().find_map(|label| how(label, &brand.label)) {
                found.push(format!("{shown} {how} {}", brand.name));
            }
        }
        let more = found.len().saturating_sub(LIKES);
        found.truncate(LIKES);
        if more > 0 {
            found.push(format!("{shown} looks like {more} names more"));
        }
        found
    }
}

fn how(label: &str, brand: &str) -> Option<&'static str> {
    let letters = brand.chars().count();
    // To UTS 39 digits are no letters; to a reader some are.
    if label == brand || looks_like(label) == looks_like(brand) {
        Some("reads like")
    } else if letters >= PIECE && label.split(['-', '_']).any(|piece| piece == brand)
        || letters >= ANYWHERE && label.contains(brand)
    {
        Some("carries the name of")
    } else {
        (letters >= ANYWHERE && one_apart(label, brand)).then_some("is one letter away from")
    }
}

/// A label as it looks (UTS 39), case folded.
fn shape(label: &str) -> String {
    let shown = domain_to_unicode(label).0.to_lowercase();
    skeleton(&shown).collect::<String>().to_lowercase()
}

/// One character put in, left out or changed, or two neighbours in each other's place.
fn one_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let rest = |of: &[char], at: usize| of.get(at..).unwrap_or_default().to_vec();
    match long.len() - short.len() {
        0 => {
            let swapped = short.get(same) == long.get(same + 1) && short.get(same + 1) == long.get(same);
            same < short.len()
                && (rest(short, same + 1) == rest(long, same + 1) || swapped && rest(short, same + 2) == rest(long, same + 2))
        }
        1 => rest(short, same) == rest(long, same + 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_protected_one_is_told() {
        let protected = ["paypal.com", "=bank.example", "=www.sparkasse.de"].map(str::to_owned);
        let brands = Brands::of(&protected, &[("Global Pay".to_owned(), "gp.example pay.test".to_owned())]);
        for (host, how) in [
            ("paypa1.com", "reads like paypal.com"),
            ("xn--pypal-4ve.com", "reads like paypal.com"),
            ("paypal.top", "reads like paypal.com"),
            ("paypal.bank.example", "reads like paypal.com"),
            ("paypal.com.bank.example", "reads like paypal.com"),
            ("loginpaypal.example", "carries the name of paypal.com"),
            ("b4nk.example", "reads like bank.example"),
            ("bank-login.example", "carries the name of bank.example"),
            ("sparkase.de", "is one letter away from www.sparkasse.de"),
            ("sparkases.de", "is one letter away from www.sparkasse.de"),
            ("sparrkasse.de", "is one letter away from www.sparkasse.de"),
            ("globalpay-login.example", "carries the name of Global Pay"),
        ] {
            assert!(brands.likes(host).iter().any(|like| like.ends_with(how)), "{host}: {:?}", brands.likes(host));
        }
        let own = [
            "paypal.com",
            "www.paypal.com",
            "bakery.example",
            "www.bakery.example",
            "embankment.example",
            "sparen.de",
            "gp.example",
        ];
        for host in own {
            assert_eq!(brands.likes(host), Vec::<String>::new(), "{host}");
        }
    }
}
