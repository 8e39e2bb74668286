//! The file system that program, maps and links are pinned in.

use std::ffi::OsStr;
use std::fs;

use super::error::Error;
use super::program::{Program, pins};

/// Begins the names of pinned links; the interface's follows.
const LINK: &str = "link-";

const BPFFS: &core::ffi::CStr = c"/sys/fs/bpf";

/// An interface's name as part of what is pinned. bpffs keeps dots for itself, a hyphen stands between two names and `@` before the
/// namespace; an interface may hold all three, and no two may be written alike.
pub fn pinned_as(interface: &str) -> String {
    let mut written = String::new();
    for octet in interface.bytes() {
        if octet.is_ascii_alphanumeric() || octet == b'_' {
            written.push(char::from(octet));
        } else {
            written += &format!("%{octet:02x}");
        }
    }
    written
}

/// Where the link of an interface is pinned.
pub(super) fn link_pin(interface: &str) -> String {
    format!("{LINK}{}", pinned_as(interface))
}

/// The interface whose link is pinned so; nothing where it is no link.
pub(super) fn interface_of_link(file: &OsStr) -> Option<String> {
    file.to_string_lossy().strip_prefix(LINK).map(interface_of)
}

/// The interface that [`pinned_as`] has written so.
fn interface_of(written: &str) -> String {
    let mut parts = written.split('%');
    let mut octets = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        octets.extend(u8::from_str_radix(digits, 16).ok());
        octets.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&octets).into_owned()
}

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
            let mut links: Vec<String> = files.filter_map(|file| interface_of_link(&file.file_name())).collect();
            if links.iter().any(|link| interfaces.contains(&link.as_str())) {
                links.sort_unstable();
                found.push((name, links));
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_interfaces_are_pinned_alike_and_each_is_read_again() {
        for (interface, written) in
            [("eth0", "eth0"), ("v.1", "v%2e1"), ("v_1", "v_1"), ("p-q", "p%2dq"), ("a%2e", "a%252e"), ("ü@1", "%c3%bc%401")]
        {
            assert_eq!((pinned_as(interface).as_str(), interface_of(written).as_str()), (written, interface));
        }
        // What another hand has put there is no reason to break down.
        assert_eq!(["%", "%2", "%zz-", "%é"].map(interface_of), ["", "\u{2}", "-", ""]);
    }
}
