//! Guests of QEMU on both sides: a kernel's own SCTP, and `osmo-stp` behind the filter.
//!
//! ```text
//! NAME-a   guest 192.0.2.1 ══ tap0, br0, a0 ══ a1  filter  b1 ══ b0, br0, tap0 ══ guest 192.0.2.2   NAME-b
//!          ASP of point code 1 ───────────▶ M3UA ───────────▶ osmo-stp ───▶ ASP of point code 2
//! ```
//!
//! `tools/lab/guest` makes them. What the ASPs send and receive goes over TCP to the bridge beside each guest, and so past the filter.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use control::live::lab::{Counted, Message};
use protocols::m3ua;

use super::Lab;
use super::flow::{Ends, Receives, Sends, flow, some};
use super::relay::{Faults, Relay};

/// How long a guest may take to come up, on a machine that is busy elsewhere.
const BOOT: Duration = Duration::from_secs(120);
const PATIENCE: Duration = Duration::from_secs(30);
const SCCP: u8 = 3;

struct Guest {
    qemu: Child,
    console: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Guest {
    fn start(lab: &Lab, image: &Path, which: char, n: u8, stp: &str) -> Self {
        let nets = &lab.nets;
        let far = format!("{which}0");
        nets.ip(which, &["addr", "flush", "dev", &far]).unwrap();
        nets.ip(which, &["link", "add", "br0", "type", "bridge"]).unwrap();
        nets.ip(which, &["addr", "add", &format!("192.0.2.1{n}/24"), "dev", "br0"]).unwrap();
        nets.ip(which, &["link", "set", &far, "master", "br0"]).unwrap();
        nets.ip(which, &["link", "set", "br0", "up"]).unwrap();
        nets.ip(which, &["tuntap", "add", "tap0", "mode", "tap"]).unwrap();
        nets.ip(which, &["link", "set", "tap0", "master", "br0", "up"]).unwrap();
        let mut command = nets.command(which, "qemu-system-x86_64");
        command.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-m", "192", "-nodefaults", "-no-reboot"]);
        command.arg("-kernel").arg(image.join("vmlinuz")).arg("-initrd").arg(image.join("initrd"));
        // A timer that an emulation on a busy machine serves late is no broken one: the test for it would end in a panic.
        command
            .arg("-append")
            .arg(format!("console=ttyS0 quiet panic=-1 no_timer_check ztsms.address=192.0.2.{n}/24 ztsms.stp={stp}"));
        command.args(["-display", "none", "-monitor", "none", "-serial", "stdio"]);
        command.args(["-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no"]);
        command.arg("-device").arg(format!("virtio-net-pci,netdev=n,romfile=,mac=02:aa:5a:54:01:{n:02}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut qemu = command.spawn().unwrap();
        let stdout = BufReader::new(qemu.stdout.take().unwrap());
        let (tell, console) = mpsc::channel();
        let lines = stdout.split(b'\n').map_while(Result::ok).map(|line| String::from_utf8_lossy(&line).into_owned());
        std::thread::spawn(move || lines.into_iter().try_for_each(|line| tell.send(line)));
        Self { qemu, console, said: Vec::new() }
    }

    fn is_up(&mut self) {
        let end = Instant::now() + BOOT;
        while !self.said.last().is_some_and(|line| line.contains("guest ready")) {
            match self.console.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(_) => panic!("a guest does not come up: {:#?}", self.said),
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// A guest on each side.
pub(super) struct Guests {
    _both: [Guest; 2],
}

/// Where `make test` puts kernel and initramfs; nothing where it does not: a line, and an error in CI.
fn image() -> Option<PathBuf> {
    let image = std::env::var_os("ZTSMS_GUEST").map(PathBuf::from).filter(|dir| dir.join("initrd").exists());
    if image.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no guest: `make test` makes it (tools/lab/guest), and CI has to run it"
        );
        println!("no guest ($ZTSMS_GUEST, made by `make target/guest/initrd`): not run");
    }
    image
}

impl Guests {
    /// Starts both and waits until they are up.
    pub(super) fn start(lab: &Lab) -> Option<Self> {
        let image = image()?;
        let mut both = [Guest::start(lab, &image, 'a', 1, "no"), Guest::start(lab, &image, 'b', 2, "yes")];
        let begun = Instant::now();
        both.iter_mut().for_each(Guest::is_up);
        println!("both guests are up after {:.1} s", begun.elapsed().as_secs_f64());
        let guests = Self { _both: both };
        // What emulation runs for the first time it translates, and it takes its time.
        let _relay = Relay::start(lab, 'f', "a1", "b1", Faults::default());
        flow(lab, &guests, &guests.carry(some(500, 99)), guests.rate(), |_| ());
        Some(guests)
    }
}

/// Speaks with an ASP: it connects to the STP, registers its point code and becomes active; then it says "ready".
fn asp(lab: &Lab, which: char, address: &str) -> BufReader<TcpStream> {
    let connect = || {
        lab.nets.enter(which).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            match TcpStream::connect_timeout(&address.parse().unwrap(), Duration::from_secs(1)) {
                Ok(stream) => return stream,
                Err(error) => assert!(Instant::now() < end, "{address}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let stream = std::thread::scope(|scope| scope.spawn(connect).join().unwrap());
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "the ASP at {address} is not active");
    stream
}

struct Sender(BufReader<TcpStream>);

impl Sends for Sender {
    /// The user part, in a DATA from one point code to the other.
    fn send(&mut self, user_data: &[u8]) {
        let data = m3ua::Data {
            opc: 1,
            dpc: 2,
            si: SCCP,
            ni: 2,
            mp: 0,
            sls: 0,
            network_appearance: None,
            routing_context: None,
            correlation_id: None,
            user_data,
            message: &[],
        };
        let mut message = vec![0; 4];
        data.push(&mut message);
        let len = u32::try_from(message.len() - 4).unwrap();
        message[..4].copy_from_slice(&len.to_le_bytes());
        self.0.get_mut().write_all(&message).unwrap();
    }

    fn finish(mut self: Box<Self>) -> Counted {
        self.0.get_ref().shutdown(Shutdown::Write).unwrap();
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }
}

struct Receiver {
    stream: TcpStream,
    messages: mpsc::Receiver<Vec<u8>>,
    thread: std::thread::JoinHandle<()>,
}

impl Receives for Receiver {
    fn next(&self, timeout: Duration) -> Option<Vec<u8>> {
        self.messages.recv_timeout(timeout).ok()
    }

    /// The ASP goes down, and the STP knows, before this returns.
    fn finish(self: Box<Self>) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self.thread.join().unwrap();
    }
}

impl Ends for Guests {
    fn listen(&self, lab: &Lab) -> Box<dyn Receives> {
        let mut from = asp(lab, 'b', "192.0.2.2:7001");
        let stream = from.get_ref().try_clone().unwrap();
        stream.set_read_timeout(None).unwrap();
        let (tell, messages) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut head = [0; 4];
            while from.read_exact(&mut head).is_ok() {
                let mut message = vec![0; u32::from_le_bytes(head) as usize];
                from.read_exact(&mut message).unwrap();
                let data = m3ua::Data::parse(&message).unwrap();
                assert_eq!((data.opc, data.dpc, data.si), (1, 2, SCCP));
                if tell.send(data.user_data.to_vec()).is_err() {
                    return;
                }
            }
        });
        Box::new(Receiver { stream, messages, thread })
    }

    fn connect(&self, lab: &Lab) -> Box<dyn Sends> {
        Box::new(Sender(asp(lab, 'a', "192.0.2.1:7000")))
    }

    /// The STP writes the M3UA message anew: what tells one from another is the user part.
    fn carry(&self, mut all: Vec<Message>) -> Vec<Message> {
        for message in &mut all {
            for octets in [&mut message.sent, &mut message.rewritten] {
                *octets = m3ua::Data::parse(octets).unwrap().user_data.to_vec();
            }
        }
        all
    }

    /// Emulated, on the same cores as everything else.
    fn rate(&self) -> u64 {
        500
    }
}
