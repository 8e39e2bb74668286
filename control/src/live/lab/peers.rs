//! The two SCTP peers, each a process of its own.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dataplane::xdp::Error;
use serde::Deserialize;

use super::nets::Nets;

/// What M3UA listens on.
const PORT: &str = "2905";
const HELPER: &str = "ztsms-lab-peer";

/// What a peer counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Messages sent or received.
    pub messages: u64,
    /// DATA chunks sent again.
    pub retransmitted: u64,
    /// Of those, because others overtook them.
    pub fast_retransmitted: u64,
    /// Timers that ran out on data.
    pub timeouts: u64,
    /// Packets with a wrong checksum.
    pub bad_checksums: u64,
    /// DATA chunks received again.
    pub duplicates: u64,
}

/// Where the helper is: beside this program, where `make lab` puts it, or where `ZTSMS_LAB_PEER` says.
pub fn helper() -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os("ZTSMS_LAB_PEER").map(PathBuf::from) {
        return Ok(path);
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(HELPER)));
    beside.filter(|path| path.exists()).ok_or_else(|| {
        Error::new(format_args!("{HELPER} is not beside this program: `make lab` builds it (it needs libusrsctp-dev)"))
    })
}

fn start(nets: &Nets, which: char, args: &[&str]) -> Result<(Child, BufReader<ChildStderr>), Error> {
    let helper = helper()?;
    let mut command = nets.command(which, &helper.to_string_lossy());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: io::Error| Error::new(format_args!("{}: {error}", helper.display()));
    let mut child = command.spawn().map_err(failed)?;
    let stderr = child.stderr.take().ok_or_else(|| Error::new("a peer without a standard error"))?;
    let mut stderr = BufReader::new(stderr);
    let mut line = String::new();
    stderr.read_line(&mut line).map_err(failed)?;
    if line.trim() == "ready" {
        return Ok((child, stderr));
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(Error::new(format_args!("the SCTP peer did not start: {}", line.trim())))
}

/// The last line that a peer writes.
fn counted(stderr: &mut BufReader<ChildStderr>) -> Counted {
    let mut text = String::new();
    let _ = stderr.read_to_string(&mut text);
    text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default()
}

/// Sends over one association.
pub struct Sender {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: BufReader<ChildStderr>,
}

impl Sender {
    /// Connects; a receiver must be there.
    pub fn connect(nets: &Nets) -> Result<Self, Error> {
        Self::connect_from(nets, 'a')
    }

    /// The same from another namespace, which has an other end of its own.
    pub fn connect_from(nets: &Nets, which: char) -> Result<Self, Error> {
        let (mut child, stderr) = start(nets, which, &["send", "192.0.2.2", PORT])?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, stderr })
    }

    /// Sends one message.
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let len = u32::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut all = Vec::with_capacity(4 + message.len());
        all.extend_from_slice(&len.to_le_bytes());
        all.extend_from_slice(message);
        stdin.write_all(&all)
    }

    /// Waits until everything was acknowledged, `most` at the most.
    pub fn finish(mut self, most: Duration) -> Counted {
        drop(self.stdin.take());
        let end = Instant::now() + most;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        counted(&mut self.stderr)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Receives what one association brings.
pub struct Receiver {
    child: Child,
    stderr: BufReader<ChildStderr>,
    thread: Option<JoinHandle<()>>,
    messages: mpsc::Receiver<(Instant, Vec<u8>)>,
}

impl Receiver {
    /// Listens.
    pub fn listen(nets: &Nets) -> Result<Self, Error> {
        Self::listen_in(nets, 'b')
    }

    /// The same in another namespace.
    pub fn listen_in(nets: &Nets, which: char) -> Result<Self, Error> {
        let (mut child, stderr) = start(nets, which, &["recv", PORT])?;
        let stdout = child.stdout.take().ok_or_else(|| Error::new("a peer without a standard output"))?;
        let (send, messages) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut head = [0; 4];
            while stdout.read_exact(&mut head).is_ok() {
                let mut message = vec![0; u32::from_le_bytes(head) as usize];
                if stdout.read_exact(&mut message).is_err() || send.send((Instant::now(), message)).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, stderr, thread: Some(thread), messages })
    }

    /// The next message, if one comes in time.
    pub fn next(&self, timeout: Duration) -> Option<(Instant, Vec<u8>)> {
        self.messages.recv_timeout(timeout).ok()
    }

    /// Ends, and tells what was counted.
    pub fn finish(mut self, most: Duration) -> Counted {
        let end = Instant::now() + most;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        counted(&mut self.stderr)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
