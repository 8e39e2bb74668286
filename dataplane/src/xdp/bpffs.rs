//! The file system that program, maps and links are pinned in.

use std::fs;

use super::error::Error;
use super::program::{LINK, Program, pins};

const BPFFS: &core::ffi::CStr = c"/sys/fs/bpf";

/// Whether bpffs is mounted; an error where it is not and may not be: in a mount namespace that is not the system's what is pinned would end
/// with the process.
pub fn bpffs_is_mounted() -> Result<bool, Error> {
    const MAGIC: u64 = 0xcafe_4a11;
    // SAFETY: all zeroes is a valid `statfs`, which the call fills; the path has its end.
    let is_mounted = unsafe {
        let mut of: libc::statfs = core::mem::zeroed();
        libc::statfs(BPFFS.as_ptr(), &raw mut of) == 0 && u64::try_from(of.f_type).is_ok_and(|kind| kind == MAGIC)
    };
    if !is_mounted && is_private() {
        return Err(Error::new(
            "bpffs is not mounted at /sys/fs/bpf, and in a mount namespace of its own (`ip netns exec` makes one) what is pinned there would \
             end with this process: nothing would carry the frames then. Enter a network namespace by `nsenter --net=/run/netns/NAME`, \
             or in a unit by NetworkNamespacePath=",
        ));
    }
    Ok(is_mounted)
}

/// Whether a process that this one descends from sees other mounts: whoever runs this is not where the system's are.
fn is_private() -> bool {
    let mounts = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    let parent = |process: &str| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        Some(status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().to_owned())
    };
    let Some(own) = mounts("self") else { return false };
    let ancestors = std::iter::successors(parent("self"), |process| parent(process)).take_while(|process| process != "0");
    // One that may not be looked at says nothing. Bounded against ids that are given out again meanwhile.
    ancestors.take(64).filter_map(|process| mounts(&process)).any(|theirs| theirs != own)
}

/// Mounts bpffs where the system has not.
pub(super) fn bpffs() -> Result<(), Error> {
    // SAFETY: strings with their ends; this type of file system takes no data.
    if bpffs_is_mounted()? || unsafe { libc::mount(c"bpf".as_ptr(), BPFFS.as_ptr(), c"bpf".as_ptr(), 0, core::ptr::null()) } == 0
    {
        return Ok(());
    }
    Err(Error::last("mount bpffs at /sys/fs/bpf, where program and maps are kept"))
}

impl Program {
    /// Filters of this network namespace that are pinned with a link on one of these interfaces, and all the interfaces of each.
    pub fn pinned(interfaces: &[&str]) -> Result<Vec<(String, Vec<String>)>, Error> {
        let here = format!("@{}", super::namespace()?);
        let mut found = Vec::new();
        for entry in fs::read_dir(pins("")).into_iter().flatten().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with(&here) {
                continue;
            }
            let files = fs::read_dir(entry.path()).into_iter().flatten().filter_map(Result::ok);
            let link = |file: fs::DirEntry| file.file_name().to_string_lossy().strip_prefix(LINK).map(str::to_owned);
            let mut links: Vec<String> = files.filter_map(link).collect();
            if links.iter().any(|link| interfaces.contains(&link.as_str())) {
                links.sort_unstable();
                found.push((name, links));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}
