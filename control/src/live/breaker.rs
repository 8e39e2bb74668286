//! The breaker: what share of the last 60 seconds' messages was rewritten, in all and for each domain. Beyond its limit a domain, or everything,
//! returns to observe and stays there until a person resets it: a list that went wrong must not repair itself into the next mistake.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::config::live::Breaker as Limits;

/// Seconds that are looked at.
const WINDOW: u64 = 60;
/// Domains counted in one second. One beyond the limit is among the first of nearly every second.
const DOMAINS: usize = 4096;

#[derive(Debug, Default)]
struct Second {
    at: u64,
    messages: u64,
    rewritten: u64,
    domains: HashMap<Box<str>, u64>,
}

/// What returned to observe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tripped {
    /// One registrable domain: its name, messages rewritten for it, messages in all.
    Domain(Box<str>, u64, u64),
    /// Everything: messages rewritten, messages in all.
    All(u64, u64),
}

/// Counts and judges.
#[derive(Debug)]
pub struct Breaker {
    limits: Limits,
    seconds: VecDeque<Second>,
    /// Domains that are held back.
    pub domains: BTreeSet<Box<str>>,
    /// Whether everything is.
    pub all: bool,
    /// How often it tripped since the start.
    pub trips: u64,
}

impl Breaker {
    /// With these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, seconds: VecDeque::new(), domains: BTreeSet::new(), all: false, trips: 0 }
    }

    /// One message in second `at` of a clock that never goes back; `domains` are those of the links that it was rewritten for.
    pub fn count<'a>(&mut self, at: u64, rewritten: bool, domains: impl Iterator<Item = &'a str>) {
        if self.seconds.back().is_none_or(|second| second.at < at) {
            self.seconds.push_back(Second { at, ..Second::default() });
            while self.seconds.front().is_some_and(|second| second.at + WINDOW <= at) {
                self.seconds.pop_front();
            }
        }
        let Some(second) = self.seconds.back_mut() else { return };
        second.messages += 1;
        if !rewritten {
            return;
        }
        second.rewritten += 1;
        for domain in domains {
            let room = second.domains.len() < DOMAINS;
            if let Some(count) = second.domains.get_mut(domain) {
                *count += 1;
            } else if room {
                second.domains.insert(domain.into(), 1);
            }
        }
    }

    /// Messages of the window: rewritten, in all.
    pub fn window(&self) -> (u64, u64) {
        self.seconds.iter().fold((0, 0), |(rewritten, all), second| (rewritten + second.rewritten, all + second.messages))
    }

    /// What goes beyond its limit now and did not before.
    pub fn judge(&mut self) -> Vec<Tripped> {
        let (rewritten, messages) = self.window();
        if messages < self.limits.minimum.max(1) {
            return Vec::new();
        }
        let beyond = |count: u64, share: f64| count as f64 > share * messages as f64;
        let mut by_domain: HashMap<&str, u64> = HashMap::new();
        for (domain, count) in self.seconds.iter().flat_map(|second| &second.domains) {
            *by_domain.entry(domain).or_default() += count;
        }
        let share = self.limits.domain_percent.fraction();
        let mut tripped: Vec<Tripped> = by_domain
            .into_iter()
            .filter(|&(domain, count)| beyond(count, share) && !self.domains.contains(domain))
            .map(|(domain, count)| Tripped::Domain(domain.into(), count, messages))
            .collect();
        // An entry first; everything only when it is not one entry's doing.
        if tripped.is_empty() && !self.all && beyond(rewritten, self.limits.rewritten_percent.fraction()) {
            tripped.push(Tripped::All(rewritten, messages));
        }
        for one in &tripped {
            self.trips += 1;
            match one {
                Tripped::Domain(domain, ..) => {
                    self.domains.insert(domain.clone());
                }
                Tripped::All(..) => self.all = true,
            }
        }
        if !tripped.is_empty() {
            // What a domain did that is held back now is not held against the others.
            for second in &mut self.seconds {
                let held: u64 = second.domains.iter().filter(|(name, _)| self.domains.contains(*name)).map(|(_, n)| n).sum();
                second.rewritten = second.rewritten.saturating_sub(held);
                second.domains.retain(|name, _| !self.domains.contains(name));
            }
        }
        tripped
    }

    /// Other limits from now on; what is held stays held.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Everything acts again, and counting begins anew.
    pub fn reset(&mut self) {
        *self = Self { trips: self.trips, ..Self::new(self.limits.clone()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::live::Percent;

    fn breaker() -> Breaker {
        let percent = |value: f64| Percent::try_from(value).unwrap();
        Breaker::new(Limits { rewritten_percent: percent(30.0), domain_percent: percent(10.0), minimum: 100 })
    }

    /// `n` messages a second from second `from` on for `seconds`; every `nth` rewritten for the domain that `name` gives.
    fn feed(breaker: &mut Breaker, from: u64, seconds: u64, nth: u64, name: impl Fn(u64) -> String) {
        for at in from..from + seconds {
            for n in 0..20 {
                let domain = name(at * 20 + n);
                breaker.count(at, n % nth == 0, std::iter::once(domain.as_str()));
            }
        }
    }

    #[test]
    fn one_domain_beyond_its_share_is_held_and_the_rest_goes_on() {
        let mut breaker = breaker();
        feed(&mut breaker, 1000, 30, 5, |_| "shop.example".to_owned());
        assert!(matches!(&breaker.judge()[..], [Tripped::Domain(name, 120, 600)] if &**name == "shop.example"));
        assert!(breaker.judge().is_empty() && !breaker.all, "raised once");
        feed(&mut breaker, 1030, 30, 10, |n| format!("d{}.example", n % 50));
        assert!(breaker.judge().is_empty() && !breaker.all);
        breaker.reset();
        assert!(breaker.domains.is_empty() && breaker.trips == 1);
    }

    #[test]
    fn many_domains_that_rewrite_too_much_together_return_everything_to_observe() {
        let mut breaker = breaker();
        feed(&mut breaker, 1000, 30, 2, |n| format!("d{n}.example"));
        assert_eq!(breaker.judge(), [Tripped::All(300, 600)]);
        assert!(breaker.all && breaker.domains.is_empty());
    }

    #[test]
    fn what_is_older_than_a_minute_and_what_is_too_little_is_not_judged() {
        let mut breaker = breaker();
        feed(&mut breaker, 1000, 4, 1, |_| "shop.example".to_owned());
        assert!(breaker.judge().is_empty(), "80 messages");
        breaker.count(1063, false, std::iter::empty());
        assert_eq!(breaker.window(), (0, 1));
    }
}
