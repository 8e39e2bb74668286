//! Privileges are given up when everything that needs them has been done. Capabilities belong to a thread: each gives up its own, and
//! a thread that is made later begins with what its maker has left.

/// Gives up every capability of this thread but those in `keep` (`CAP_NET_RAW` and so on), for good.
///
/// # Errors
/// The kernel refused, or a name is none.
#[cfg(target_os = "linux")]
pub fn drop_capabilities(keep: &[&str]) -> Result<(), String> {
    use caps::{CapSet, Capability, CapsHashSet};
    let kept: CapsHashSet = keep
        .iter()
        .map(|name| name.parse::<Capability>().map_err(|_| format!("{name} is no capability")))
        .collect::<Result<_, _>>()?;
    // The bounding set needs CAP_SETPCAP, which a service need not have: without it there is nothing to gain by an exec either.
    for capability in caps::all() {
        if !kept.contains(&capability) && caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false) {
            let _ = caps::drop(None, CapSet::Bounding, capability);
        }
    }
    let _ = caps::clear(None, CapSet::Ambient);
    let set = |which, to: &CapsHashSet| caps::set(None, which, to).map_err(|error| error.to_string());
    set(CapSet::Inheritable, &CapsHashSet::new())?;
    set(CapSet::Effective, &kept)?;
    set(CapSet::Permitted, &kept)
}

/// What the live modes need to begin: they load a program that looks into packets, open sockets for whole frames, and set up interfaces.
pub const NEEDED: [&str; 4] = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_NET_RAW"];

/// Whether this thread has what it needs, or what is missing.
///
/// # Errors
/// What is missing, and who has it.
#[cfg(target_os = "linux")]
pub fn suffice() -> Result<(), String> {
    let have = capabilities();
    let missing: Vec<&str> = NEEDED.into_iter().filter(|name| !have.iter().any(|have| have == name)).collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("{} missing: root has them, and packaging/ztsms.service gives them", missing.join(", ")))
    }
}

/// This thread gives up everything but `keep`, and says so where it cannot.
#[cfg(all(feature = "live", target_os = "linux"))]
pub(crate) fn keep_only(keep: &[&str]) {
    if let Err(why) = drop_capabilities(keep) {
        crate::cli::complain(&format_args!("privileges are kept: {why}"));
    }
}

/// The capabilities that this thread has.
#[cfg(target_os = "linux")]
pub fn capabilities() -> Vec<String> {
    let mut names: Vec<String> =
        caps::read(None, caps::CapSet::Effective).map(|set| set.iter().map(ToString::to_string).collect()).unwrap_or_default();
    names.sort();
    names
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone_for_this_thread_and_those_it_makes() {
        std::thread::spawn(|| {
            drop_capabilities(&[]).unwrap();
            assert_eq!(capabilities(), Vec::<String>::new());
            assert_eq!(std::thread::spawn(capabilities).join().unwrap(), Vec::<String>::new());
            assert!(drop_capabilities(&["CAP_NET_RAW"]).is_err(), "not to be had again");
        })
        .join()
        .unwrap();
        assert!(drop_capabilities(&["CAP_NONSENSE"]).unwrap_err().contains("no capability"));
    }
}
