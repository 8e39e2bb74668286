//! Three network namespaces and two cables.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use dataplane::xdp::{self, Error};
use rustix::process::{Pid, test_kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

const PREFIX: &str = "ztsms-";

/// Made by [`Nets::new`], gone when dropped.
#[derive(Debug)]
pub struct Nets {
    name: String,
    suffix: String,
}

/// A program that is there on every system with network namespaces, and must succeed.
fn run(program: &str, args: &[&str]) -> Result<(), Error> {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output();
    let what = || format!("{program} {}", args.join(" "));
    match out {
        Ok(out) if out.status.success() => Ok(()),
        Ok(out) => Err(Error::new(format_args!("{}: {}", what(), String::from_utf8_lossy(&out.stderr).trim()))),
        Err(error) => Err(Error::new(format_args!("{}: {error} (`make lab` installs what the laboratory needs)", what()))),
    }
}

impl Nets {
    /// Makes namespaces and cables. What a laboratory left behind whose process is gone is removed first.
    pub fn new(label: &str) -> Result<Self, Error> {
        sweep();
        let mut nets = Self { name: format!("{PREFIX}{}-{label}", std::process::id()), suffix: String::new() };
        ['a', 'f', 'b'].into_iter().try_for_each(|which| nets.add(which))?;
        nets.suffix = nets.suffix_in('f')?;
        nets.ends([('a', "a0", "a1"), ('b', "b0", "b1")])?;
        Ok(nets)
    }

    /// Makes another pair of ends, in `c` and `d`, which know nothing of the first: `c1` and `d1` are between them.
    pub fn second(&self) -> Result<(), Error> {
        ['c', 'd'].into_iter().try_for_each(|which| self.add(which))?;
        self.ends([('c', "c0", "c1"), ('d', "d0", "d1")])
    }

    fn ends(&self, ends: [(char, &str, &str); 2]) -> Result<(), Error> {
        for ((which, far, near), address) in ends.into_iter().zip(["192.0.2.1/24", "192.0.2.2/24"]) {
            self.cable((which, far), ('f', near))?;
            self.ip(which, &["addr", "add", address, "dev", far])?;
        }
        Ok(())
    }

    /// Makes one more namespace, `r`: for what a test puts between.
    pub fn add(&self, which: char) -> Result<(), Error> {
        run("ip", &["netns", "add", &self.of(which)])?;
        self.ip(which, &["link", "set", "lo", "up"])
    }

    /// Takes one away, and what is in it; nothing where there is none.
    pub fn remove(&self, which: char) {
        let _ = run("ip", &["netns", "del", &self.of(which)]);
    }

    /// A cable between two of them: what is redirected to the near end arrives at the far one.
    pub fn cable(&self, (far_space, far): (char, &str), (near_space, near): (char, &str)) -> Result<(), Error> {
        let (far_space, near_space) = (self.of(far_space), self.of(near_space));
        run("ip", &["link", "add", far, "netns", &far_space, "type", "veth", "peer", "name", near, "netns", &near_space])?;
        // A frame that an XDP program redirects to a veth is taken by the far end only where that has GRO or XDP; and one whose
        // checksum was left to the card arrives without.
        run("ip", &["netns", "exec", &far_space, "ethtool", "-K", far, "gro", "on", "tx", "off"])?;
        run("ip", &["-n", &far_space, "link", "set", far, "up"])?;
        run("ip", &["-n", &near_space, "link", "set", near, "up"])
    }

    /// The name of one of them: `a`, `f`, `b`, `c`, `d` or `r`.
    pub fn of(&self, which: char) -> String {
        format!("{}-{which}", self.name)
    }

    fn path(&self, which: char) -> PathBuf {
        PathBuf::from("/run/netns").join(self.of(which))
    }

    /// Runs a program in one of them. Unlike `ip netns exec` it sees the same mounts, and what it pins stays.
    pub fn command(&self, which: char, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path(which).display())).arg("--").arg(program);
        command
    }

    /// The calling thread goes to one of them, and with it what it opens and starts.
    pub fn enter(&self, which: char) -> io::Result<()> {
        let file = File::open(self.path(which))?;
        Ok(move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(LinkNameSpaceType::Network))?)
    }

    /// `ip` in one of them.
    pub fn ip(&self, which: char, args: &[&str]) -> Result<(), Error> {
        let space = self.of(which);
        let all: Vec<&str> = ["-n", &space].into_iter().chain(args.iter().copied()).collect();
        run("ip", &all)
    }

    /// What the filters of this laboratory are pinned under ends like this.
    pub fn suffix(&self) -> &str {
        &self.suffix
    }

    /// The same for filters in another of them.
    pub fn suffix_in(&self, which: char) -> Result<String, Error> {
        let asked = std::thread::scope(|scope| {
            let ask = || self.enter(which).map_err(Error::new).and_then(|()| xdp::namespace());
            scope.spawn(ask).join()
        });
        let cookie = asked.unwrap_or_else(|_| Err(Error::new("a thread that asks for its namespace broke down")))?;
        Ok(format!("@{cookie}"))
    }
}

impl Drop for Nets {
    fn drop(&mut self) {
        // Without one nothing was pinned.
        let suffix = Some(&*self.suffix).filter(|suffix| !suffix.is_empty());
        for dir in [dataplane::xdp::pins(""), PathBuf::from("/run/ztsms")] {
            for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if suffix.is_some_and(|suffix| name.trim_end_matches(".lock").ends_with(suffix)) {
                    let path = entry.path();
                    // Gone already is what is wanted.
                    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                }
            }
        }
        ['a', 'f', 'b', 'c', 'd', 'r'].into_iter().for_each(|which| self.remove(which));
    }
}

/// Namespaces of laboratories whose process is gone.
fn sweep() {
    for entry in fs::read_dir("/run/netns").into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).and_then(|id| id.parse().ok());
        if id.and_then(Pid::from_raw).is_some_and(|id| test_kill_process(id).is_err()) {
            let _ = run("ip", &["netns", "del", &name]);
        }
    }
}
