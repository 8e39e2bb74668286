//! A bare AF_XDP forwarder as a process of its own: program, sockets, rings, worker and carrier are the filter's, and nobody looks at a frame.
//! What is killed, stopped or replaced in a filter is killed, stopped or replaced in it, and as long.

use std::path::Path;
use std::process::{Command, Stdio};

use control::config;
use control::live::{Plan, Wire};
use dataplane::xdp::Nothing;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::{Filter, Lab};

const CONFIG: &str = "ZTSMS_TEST_BARE";
const TAKE_OVER: &str = "ZTSMS_TEST_TAKE_OVER";

#[test]
#[ignore = "the forwarder itself, which other tests start"]
fn stands_between_two_ports_and_looks_at_nothing() {
    let Some(path) = std::env::var_os(CONFIG) else { return };
    let config = config::load(Some(Path::new(&path))).unwrap();
    let plan = Plan::inline(&["a1".to_owned(), "b1".to_owned()], &config).unwrap();
    let mut signals = Signals::new([SIGTERM]).unwrap();
    let mut wire = Wire::with(&plan, vec![Nothing], std::env::var_os(TAKE_OVER).is_some()).unwrap();
    wire.stands();
    eprintln!("standing between");
    signals.forever().next();
    assert!(wire.close().iter().all(|(_, counts)| counts.is_ok_and(|counts| counts.rewritten == 0)));
}

/// Starts one and waits until it stands.
pub(super) fn stand(lab: &Lab, take_over: bool) -> Filter {
    let me = std::env::current_exe().unwrap();
    let mut command: Command = lab.nets.command('f', &me.to_string_lossy());
    command.args(["--exact", "bare::stands_between_two_ports_and_looks_at_nothing", "--ignored", "--nocapture"]);
    command.env(CONFIG, &lab.config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    if take_over {
        command.env(TAKE_OVER, "1");
    }
    lab.standing(command)
}
