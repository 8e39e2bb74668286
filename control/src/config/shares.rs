//! Which worker takes which lines (pairs of ports, or links of a tap), and on which core. A line belongs to one worker whole: what is joined is
//! joined in one lane, and the paths of an association and the two directions of a dialogue fall on any of its queues.

use super::Wire;

/// One worker's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Places of its lines in the plan, at least one.
    pub lines: Vec<usize>,
    /// Its core; none where the system does not say which there are.
    pub core: Option<usize>,
}

fn some(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Deals `lines` out to the workers that are asked for, or says what to change. `allowed` are the cores that the system lists for this
/// process, `may` says whether one may be used, listed or not.
pub fn deal(wire: &Wire, lines: usize, what: &str, allowed: &[usize], may: impl Fn(usize) -> bool) -> Result<Vec<Share>, String> {
    let workers = wire.workers.0 as usize;
    if workers > lines {
        return Err(format!(
            "{} and {}: each {what} belongs to one worker whole, so that parts of a text meet. `workers` in [wire]: {lines} at the most",
            some(workers, "worker"),
            some(lines, what)
        ));
    }
    let mut shares: Vec<Share> = cores(wire, allowed, may)?.into_iter().map(|core| Share { lines: Vec::new(), core }).collect();
    let given = &wire.worker_of;
    if !given.is_empty() && given.len() != lines {
        return Err(format!("`worker_of` in [wire] is for {}, and there are {lines}", some(given.len(), what)));
    }
    for line in 0..lines {
        // Neighbours stay together: they are likely to be of one link set.
        let worker = given.get(line).map_or(line * workers / lines + 1, |&number| number as usize);
        let Some(share) = worker.checked_sub(1).and_then(|at| shares.get_mut(at)) else {
            return Err(format!(
                "`worker_of` in [wire] names worker {worker}: they are numbered from 1 to {workers} (`workers`)"
            ));
        };
        share.lines.push(line);
    }
    match shares.iter().position(|share| share.lines.is_empty()) {
        Some(at) => Err(format!("worker {} has no {what}: `worker_of` in [wire] names it nowhere", at + 1)),
        None => Ok(shares),
    }
}

/// The core of each worker.
fn cores(wire: &Wire, allowed: &[usize], may: impl Fn(usize) -> bool) -> Result<Vec<Option<usize>>, String> {
    let workers = wire.workers.0 as usize;
    let (cores, key) = match (wire.core, wire.cores.0.as_slice()) {
        (None, []) if allowed.is_empty() && workers == 1 => return Ok(vec![None]),
        (None, []) if allowed.len() < workers => {
            return Err(format!("{workers} workers and {} for them: `workers` in [wire]", some(allowed.len(), "core")));
        }
        (None, []) => return Ok(allowed.iter().skip(allowed.len() - workers).copied().map(Some).collect()),
        (Some(core), []) if workers == 1 => (vec![core], "core"),
        (Some(_), []) => {
            return Err(format!("`core` in [wire] is for one worker and there are {workers}: `cores` has one for each"));
        }
        (None, cores) => (cores.to_vec(), "cores"),
        (Some(_), _) => return Err("`core` and `cores` in [wire] say the same: leave one away".to_owned()),
    };
    if cores.len() != workers {
        return Err(format!("`cores` in [wire] names {} for {}", some(cores.len(), "core"), some(workers, "worker")));
    }
    match cores.iter().find(|&&core| !may(core)) {
        Some(core) => Err(format!(
            "core {core} (`{key}` in [wire]) is not there, is offline or is not for this process; those that are: {allowed:?}"
        )),
        None => Ok(cores.into_iter().map(Some).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With these lines in `[wire]`, on a machine whose cores 0 to 3 are listed and whose core 5 is set apart.
    fn dealt(text: &str, lines: usize) -> Result<Vec<(Vec<usize>, usize)>, String> {
        let wire: Wire = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let shares = deal(&wire, lines, "pair", &[0, 1, 2, 3], |core| core < 4 || core == 5)?;
        Ok(shares.into_iter().map(|share| (share.lines, share.core.unwrap())).collect())
    }

    #[test]
    fn one_worker_takes_everything_and_more_have_neighbouring_pairs_each_on_a_core_of_its_own() {
        assert_eq!(dealt("", 3), Ok(vec![(vec![0, 1, 2], 3)]));
        assert_eq!(dealt("core = 5", 1), Ok(vec![(vec![0], 5)]));
        assert_eq!(dealt("cores = [1]", 1), Ok(vec![(vec![0], 1)]));
        assert_eq!(dealt("workers = 2", 4), Ok(vec![(vec![0, 1], 2), (vec![2, 3], 3)]));
        assert_eq!(dealt("workers = 2", 3), Ok(vec![(vec![0, 1], 2), (vec![2], 3)]));
        assert_eq!(dealt("workers = 2\ncores = [5, 0]", 2), Ok(vec![(vec![0], 5), (vec![1], 0)]));
        assert_eq!(dealt("workers = 2\nworker_of = [2, 1, 2]", 3), Ok(vec![(vec![1], 2), (vec![0, 2], 3)]));
        // Every number of pairs and workers: each pair once, no worker without.
        for lines in 1..=8 {
            for workers in 1..=lines.min(4) {
                let shares = dealt(&format!("workers = {workers}"), lines).unwrap();
                assert_eq!(
                    shares.iter().flat_map(|(lines, _)| lines.clone()).collect::<Vec<_>>(),
                    (0..lines).collect::<Vec<_>>()
                );
                assert!(shares.len() == workers && shares.iter().all(|(lines, _)| !lines.is_empty()), "{shares:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_change() {
        for (text, lines, says) in [
            (
                "workers = 2",
                1,
                "2 workers and 1 pair: each pair belongs to one worker whole, so that parts of a text meet. `workers` in [wire]: 1",
            ),
            ("workers = 0", 1, "0 workers: from 1 to 8"),
            ("workers = 9", 8, "9 workers: from 1 to 8"),
            ("workers = 5", 8, "5 workers and 4 cores for them: `workers` in [wire]"),
            ("workers = 2\ncores = [2, 2]", 2, "core 2 is named twice"),
            ("workers = 2\ncores = [2]", 2, "`cores` in [wire] names 1 core for 2 workers"),
            ("cores = [2, 3]", 2, "`cores` in [wire] names 2 cores for 1 worker"),
            (
                "workers = 2\ncores = [2, 4]",
                2,
                "core 4 (`cores` in [wire]) is not there, is offline or is not for this process; those that are: [0, 1, 2, 3]",
            ),
            ("core = 4", 2, "core 4 (`core` in [wire]) is not there"),
            ("workers = 2\ncore = 2", 2, "`core` in [wire] is for one worker and there are 2: `cores` has one for each"),
            ("core = 2\ncores = [2]", 2, "leave one away"),
            ("workers = 2\nworker_of = [1]", 2, "`worker_of` in [wire] is for 1 pair, and there are 2"),
            ("workers = 2\nworker_of = [1, 3]", 2, "names worker 3: they are numbered from 1 to 2"),
            ("workers = 2\nworker_of = [0, 1]", 2, "names worker 0: they are numbered from 1 to 2"),
            ("workers = 2\nworker_of = [2, 2]", 2, "worker 1 has no pair: `worker_of` in [wire] names it nowhere"),
        ] {
            let said = dealt(text, lines).unwrap_err();
            assert!(said.contains(says), "{text:?}: {said}");
        }
    }
}
