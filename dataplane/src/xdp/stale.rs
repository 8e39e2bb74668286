//! What filters of network namespaces that are no more left pinned. Nobody adopts it, since what is pinned is named by its namespace's cookie,
//! which no other namespace gets before the machine starts anew; but it holds the kernel's memory until somebody takes it away.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::bpffs::interface_of_link;
use super::error::Error;
use super::program::{Program, pins};

const SO_NETNS_COOKIE: i32 = 71;
const BPF_OBJ_GET: i32 = 7;

/// The cookie of the calling thread's network namespace. Its inode number would be given out again.
pub fn namespace() -> Result<u64, Error> {
    let failed = || Error::last("ask which network namespace this is");
    // SAFETY: no memory is handed over.
    let fd = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(failed());
    }
    // SAFETY: just opened, nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let (mut cookie, mut len) = (0_u64, 8);
    let (level, to) = (libc::SOL_SOCKET, (&raw mut cookie).cast());
    // SAFETY: the option is 8 octets, as is `cookie`; both live through the call.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), level, SO_NETNS_COOKIE, to, &raw mut len) };
    if done == 0 { Ok(cookie) } else { Err(failed()) }
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET` takes.
#[repr(C)]
struct Get {
    path: u64,
    fd: u32,
    flags: u32,
}

fn open(path: &Path) -> io::Result<File> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let get = Get { path: path.as_ptr() as u64, fd: 0, flags: 0 };
    // SAFETY: the kernel reads as many octets of `get` as it is told, and the path, which has its end; both live through the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_OBJ_GET, &raw const get, size_of::<Get>()) };
    match i32::try_from(fd) {
        // SAFETY: just opened, nobody else's.
        Ok(fd) if fd >= 0 => Ok(unsafe { File::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The index of the interface that a pinned link is on, 0 where that is gone; nothing where it cannot be told.
pub(super) fn leads_to(link: &Path) -> Option<u32> {
    let link = open(link).ok()?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", link.as_raw_fd())).ok()?;
    info.lines().find_map(|line| line.strip_prefix("ifindex:"))?.trim().parse().ok()
}

impl Program {
    /// Takes away what others than the filter `own` have pinned where every interface of it is gone, and none of them is held by a filter that
    /// runs (the interface, and `@` with its namespace). Their names.
    pub fn sweep(own: &str, is_held: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let mut swept = Vec::new();
        for entry in fs::read_dir(pins("")).into_iter().flatten().filter_map(Result::ok) {
            let (dir, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let links = fs::read_dir(&dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
            let links: Vec<_> = links.filter_map(|path| Some((interface_of_link(path.file_name()?)?, path))).collect();
            let namespace = name.rfind('@').and_then(|at| name.get(at..)).unwrap_or_default();
            // One without links is about to begin.
            if name != own
                && !links.is_empty()
                && links.iter().all(|(interface, link)| leads_to(link) == Some(0) && !is_held(interface, namespace))
                && fs::remove_dir_all(&dir).is_ok()
            {
                swept.push(name);
            }
        }
        swept
    }
}
