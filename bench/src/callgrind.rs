//! Instructions of each step, counted by callgrind: the same on every run, where nanoseconds on a shared machine are not.
//!
//! One process runs under valgrind. Callgrind counts only inside [`counted`] and writes one part of its output each time before it is
//! entered, and one at the end, so that behind an empty part the steps stand in their order. What the loop and the call cost is the first step, and taken off the others.

use core::hint::black_box;
use std::path::Path;
use std::process::Command;

use crate::steps::{Bench, STEPS, Size};
use crate::tables;

/// How often each step runs while it is counted.
const TIMES: u32 = 256;
/// And before: buffers have grown, lazily made things are made.
const WARM: u32 = 64;
/// Small, since all of it is made under valgrind: each frame is used once.
pub const SIZE: Size = Size { frames: TIMES + WARM + 64, links: TIMES + WARM, hosts: 1_000_000 };

/// What callgrind counts: its name is told to it.
#[inline(never)]
pub fn counted(step: fn(&mut Bench), bench: &mut Bench, times: u32) {
    for _ in 0..times {
        black_box(step)(black_box(bench));
    }
}

/// What runs under valgrind: every step, with the table at `table`.
pub fn child(table: &Path) {
    let mut bench = Bench::new(SIZE, |suffixes| tables::load(table, suffixes));
    for (_, _, step) in STEPS {
        (0..WARM).for_each(|_| black_box(step)(&mut bench));
        counted(step, &mut bench, TIMES);
    }
}

/// Runs `program` with `arguments` under callgrind and gives the instructions of each step.
///
/// # Errors
/// Says what did not run, or what its output lacks.
pub fn count(program: &Path, arguments: &[&str]) -> Result<Vec<(&'static str, f64)>, String> {
    let out = std::env::temp_dir().join(format!("ztsms-counts-{}.out", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet", "--combine-dumps=yes", "--compress-strings=yes", "--compress-pos=yes"])
        .args(["--toggle-collect=ztsms_bench::callgrind::counted", "--dump-before=ztsms_bench::callgrind::counted"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(arguments);
    // The environment lies on the stack, and with it every buffer there: it is part of the input.
    let path = std::env::var_os("PATH").unwrap_or_default();
    valgrind.env_clear().env("PATH", path);
    let run = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8_lossy(&run.stderr);
    let parts = std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}\n{log}", out.display()))?;
    let _ = std::fs::remove_file(&out);
    if !run.status.success() {
        return Err(format!("valgrind: {}\n{log}", run.status));
    }
    per_step(&parts).ok_or_else(|| format!("callgrind's output does not have a part for each of {} steps\n{log}", STEPS.len()))
}

/// The totals of the parts, a step each, the first taken off.
fn per_step(parts: &str) -> Option<Vec<(&'static str, f64)>> {
    let totals: Vec<f64> = parts.lines().filter_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok()).collect();
    let (_, [call, steps @ ..]) = totals.split_first()? else { return None };
    let each = |total: &f64| ((total - call) / f64::from(TIMES) * 10.0).round() / 10.0;
    let named = STEPS.iter().skip(1).zip(steps).map(|((name, ..), total)| (*name, each(total)));
    (*call > 0.0 && steps.len() + 1 == STEPS.len()).then(|| named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_with_too_few_parts_is_refused() {
        assert_eq!(per_step("totals: 12\ntotals: 14\n"), None);
        let part = |n| format!("part: {n}\ntotals: {}\n", if n == 0 { 0 } else { 1000 + (n - 1) * 256 });
        let parts: String = (0..=STEPS.len()).map(part).collect();
        assert_eq!(per_step(&parts).expect("all there")[1], ("link_ip", 2.0));
    }
}
