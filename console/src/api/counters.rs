//! What the API counts. Labels are of fixed sets: nothing that a caller writes becomes one.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use dataplane::policy::Action;
use dataplane::verdict::Verdict;

use super::problem::Kind;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Scan,
    Verdicts,
    Reports,
    Reported,
}

impl Route {
    const ALL: [Self; 4] = [Self::Scan, Self::Verdicts, Self::Reports, Self::Reported];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Verdicts => "verdicts",
            Self::Reports => "reports",
            Self::Reported => "reported",
        }
    }
}

const VERDICTS: [Verdict; 4] = [Verdict::None, Verdict::Safe, Verdict::Unknown, Verdict::Dangerous];
/// Upper bounds of the histogram of times, in microseconds.
const BOUNDS_US: [u64; 9] = [50, 100, 250, 500, 1_000, 5_000, 25_000, 100_000, 1_000_000];

#[derive(Default)]
struct OfRoute {
    well: AtomicU64,
    objects: AtomicU64,
    repeats: AtomicU64,
    verdicts: [AtomicU64; VERDICTS.len()],
    took_us: AtomicU64,
    /// The last one counts what is beyond all bounds.
    took: [AtomicU64; BOUNDS_US.len() + 1],
}

/// All counters.
#[derive(Default)]
pub(super) struct Counters {
    routes: [OfRoute; Route::ALL.len()],
    problems: [AtomicU64; Kind::ALL.len()],
    actions: [AtomicU64; Action::ALL.len()],
    observed: AtomicU64,
}

impl Counters {
    fn of(&self, route: Route) -> Option<&OfRoute> {
        self.routes.get(route as usize)
    }

    /// A request that was answered: objects, and of them those that had been answered before.
    pub(super) fn answered(&self, route: Route, (objects, repeats): (u64, u64), took: Duration) {
        let Some(of) = self.of(route) else { return };
        of.well.fetch_add(1, Relaxed);
        of.objects.fetch_add(objects, Relaxed);
        of.repeats.fetch_add(repeats, Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        of.took_us.fetch_add(took, Relaxed);
        let bound = BOUNDS_US.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS_US.len());
        add(&of.took, bound, 1);
    }

    pub(super) fn problem(&self, kind: Kind) {
        add(&self.problems, kind as usize, 1);
    }

    /// What the objects of one request came to.
    pub(super) fn tally(&self, route: Route, tally: &Tally) {
        let Some(of) = self.of(route) else { return };
        let pairs = tally.verdicts.iter().enumerate().map(|(at, count)| (&of.verdicts[..], at, *count));
        let actions = tally.actions.iter().enumerate().map(|(at, count)| (&self.actions[..], at, *count));
        pairs.chain(actions).filter(|(.., count)| *count > 0).for_each(|(counts, at, count)| add(counts, at, count));
        if tally.observed > 0 {
            self.observed.fetch_add(tally.observed, Relaxed);
        }
    }

    /// As Prometheus reads them.
    pub(super) fn write(&self, out: &mut String) {
        let mut family = |name: &str, help: &str, rows: &mut dyn Iterator<Item = (String, u64)>| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} counter");
            rows.for_each(|(labels, count)| *out += &format!("{name}{labels} {count}\n"));
        };
        let of = |of: fn(&OfRoute) -> &AtomicU64| {
            self.routes
                .iter()
                .zip(Route::ALL)
                .map(move |(counts, route)| (label("route", route.name()), of(counts).load(Relaxed)))
        };
        family("ztsms_api_requests_total", "Requests that were answered.", &mut of(|of| &of.well));
        family("ztsms_api_objects_total", "Objects in them.", &mut of(|of| &of.objects));
        family("ztsms_api_repeats_total", "Objects answered before under the same id.", &mut of(|of| &of.repeats));
        let problems =
            Kind::ALL.iter().zip(&self.problems).map(|(kind, count)| (label("problem", kind.name()), count.load(Relaxed)));
        family("ztsms_api_problems_total", "Requests that were not.", &mut { problems });
        let verdicts = self.routes.iter().zip(Route::ALL).flat_map(|(of, route)| {
            let row = move |(verdict, count): (Verdict, &AtomicU64)| {
                (format!("{{route=\"{}\",verdict=\"{verdict}\"}}", route.name()), count.load(Relaxed))
            };
            VERDICTS.into_iter().zip(&of.verdicts).map(row)
        });
        family("ztsms_api_verdicts_total", "Verdicts given.", &mut { verdicts });
        let actions =
            Action::ALL.iter().zip(&self.actions).map(|(action, count)| (label("action", action.name()), count.load(Relaxed)));
        family("ztsms_api_actions_total", "Actions that callers were told to take.", &mut { actions });
        let observed = [(String::new(), self.observed.load(Relaxed))];
        family("ztsms_api_observed_total", "Actions that callers were told would have been taken.", &mut observed.into_iter());
        self.write_times(out);
    }

    fn write_times(&self, out: &mut String) {
        let name = "ztsms_api_seconds";
        let _ = writeln!(out, "# HELP {name} From the last octet of a request to its answer.\n# TYPE {name} histogram");
        for (of, route) in self.routes.iter().zip(Route::ALL) {
            let (mut sum, route) = (0, route.name());
            let bounds = BOUNDS_US.iter().map(|bound| seconds(*bound)).chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(&of.took) {
                sum += count.load(Relaxed);
                let _ = writeln!(out, "{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} {sum}");
            }
            let _ = writeln!(out, "{name}_sum{{route=\"{route}\"}} {}", seconds(of.took_us.load(Relaxed)));
            let _ = writeln!(out, "{name}_count{{route=\"{route}\"}} {sum}");
        }
    }
}

/// What the objects of one request came to, before it is added to what all count.
#[derive(Default)]
pub(super) struct Tally {
    verdicts: [u64; VERDICTS.len()],
    actions: [u64; Action::ALL.len()],
    observed: u64,
    pub(super) repeats: u64,
}

impl Tally {
    pub(super) fn verdict(&mut self, verdict: Verdict) {
        if let Some(count) = self.verdicts.get_mut(verdict as usize) {
            *count += 1;
        }
    }

    pub(super) fn action(&mut self, action: Action, observed: bool) {
        if observed {
            self.observed += 1;
        } else if let Some(count) = self.actions.get_mut(action as usize) {
            *count += 1;
        }
    }
}

fn add(counts: &[AtomicU64], at: usize, count: u64) {
    if let Some(counter) = counts.get(at) {
        counter.fetch_add(count, Relaxed);
    }
}

fn label(name: &str, value: &str) -> String {
    format!("{{{name}=\"{value}\"}}")
}

/// Microseconds as seconds, exactly.
fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_stands_where_its_counter_is() {
        for (at, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(action as usize, at);
        }
        assert!(Kind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
        assert!(VERDICTS.iter().enumerate().all(|(at, verdict)| *verdict as usize == at));
        let counters = Counters::default();
        counters.answered(Route::Verdicts, (3, 1), Duration::from_micros(70));
        counters.problem(Kind::Rate);
        let mut out = String::new();
        counters.write(&mut out);
        for line in [
            "ztsms_api_objects_total{route=\"verdicts\"} 3",
            "ztsms_api_problems_total{problem=\"rate\"} 1",
            "ztsms_api_seconds_bucket{route=\"verdicts\",le=\"0.000050\"} 0",
            "ztsms_api_seconds_bucket{route=\"verdicts\",le=\"0.000100\"} 1",
            "ztsms_api_seconds_sum{route=\"verdicts\"} 0.000070",
        ] {
            assert!(out.lines().any(|have| have == line), "{line}\n{out}");
        }
    }
}
