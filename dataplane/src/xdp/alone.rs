//! For tests: a network namespace of their own, with a cable in it.

use std::process::Command;
use std::thread;

use super::program::Program;
use super::stale::namespace;

/// Runs it where there are `v0` and `v1`, with a name that it may pin things under. Needs root; in CI that is an error, elsewhere a line.
pub(super) fn between(label: &str, run: impl FnOnce(&str) + Send) {
    if !crate::pin::is_root() {
        assert!(std::env::var_os("CI").is_none(), "tests of the wire need root, and CI has to run them");
        println!("{label}: not root: not run");
        return;
    }
    // A thread of its own, since the namespace is the thread's and ends with it.
    let within = || {
        // SAFETY: no memory is handed over.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
        for args in ["link add v0 type veth peer name v1", "link set v0 up", "link set v1 up"] {
            assert!(Command::new("ip").args(args.split(' ')).status().unwrap().success());
        }
        let name = format!("{label}@{}", namespace().unwrap());
        run(&name);
        Program::remove(&name).unwrap();
    };
    thread::scope(|scope| scope.spawn(within).join().unwrap());
}
