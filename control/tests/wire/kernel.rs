//! The same between a kernel's own SCTP and an STP: an ASP comes up and becomes active through the filter, and mt-forwardSM arrive labelled.

use std::time::Instant;

use super::guests::Guests;
use super::lab;
use super::trouble::{
    Case, a_bad_line, garbage_beside_it, hangs_for_two_seconds, killed_ten_times, taken_over, the_console_is_absent,
    the_disk_of_the_spool_is_full, the_interface_goes_down_and_up, undisturbed, worlds_swap_each_second,
};

/// The first ones in `make test`, all of them in `make prove`.
const CASES: [(&str, Case); 10] = [
    ("undisturbed", undisturbed),
    ("killed ten times", killed_ten_times),
    ("taken over", taken_over),
    ("hangs for two seconds", hangs_for_two_seconds),
    ("a bad line", a_bad_line),
    ("worlds swap each second", worlds_swap_each_second),
    ("the console is absent", the_console_is_absent),
    ("the disk of the spool is full", the_disk_of_the_spool_is_full),
    ("the interface goes down and up", the_interface_goes_down_and_up),
    ("garbage beside it", garbage_beside_it),
];
const IN_MAKE_TEST: usize = 4;

#[test]
fn an_asp_comes_up_through_the_filter_and_what_it_sends_arrives_as_it_should_whatever_happens() {
    let Some(lab) = lab("kernel") else { return };
    let Some(guests) = Guests::start(&lab) else { return };
    let all = std::env::var_os("ZTSMS_WIRE_MESSAGES").is_some();
    // One of them alone, by a part of its name.
    let only = std::env::var("ZTSMS_WIRE_CASE").unwrap_or_default();
    let cases = CASES.iter().take(if all { CASES.len() } else { IN_MAKE_TEST });
    for (name, case) in cases.filter(|(name, _)| name.contains(&only)) {
        let begun = Instant::now();
        println!("{name}");
        // What a case told the filter does not hold for the next, nor do the snapshots that it kept.
        let _ = std::fs::remove_dir_all(lab.config.with_extension("state"));
        lab.configure(super::ENFORCE);
        case(&lab, &guests);
        lab.remove();
        println!("{name}: {} s", begun.elapsed().as_secs());
    }
}
