//! A small Internet: a namespace with name servers and sites at ordinary addresses, a cable, and a box that `ztsms-fetch` runs in.
//!
//! Everything that the guard refuses is there too, and listens: a guard that failed would be seen by who answers.

#![allow(dead_code, reason = "the tests of the console live in this world too, and use other parts of it")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Ordinary addresses of the small Internet; `.53` is where names are asked, `.1` is where all routes lead.
const ORDINARY: &str = "11.0.0.";
/// What no link may lead to: all of it is reachable from the box and answers.
const SPECIAL: [&str; 12] = [
    "10.0.0.1/32",
    "100.64.0.1/32",
    "169.254.169.254/32",
    "172.16.0.1/32",
    "192.168.0.1/32",
    "198.18.0.1/32",
    "203.0.113.1/32",
    "192.88.99.1/32",
    "fd00::1/128",
    "64:ff9b::b00:1/128",
    "2002:b00:1::1/128",
    "2001:0:1::1/128",
];

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Made for one test, gone with it.
pub(crate) struct World {
    name: String,
    dir: PathBuf,
    children: Vec<Child>,
    ca: CertifiedIssuer<'static, KeyPair>,
    zones: Vec<(String, String)>,
}

fn run(program: &str, args: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect(program);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A zone whose serial number grows with each that is written; a record `@ NS …` of its own takes the place of the usual two.
fn zone_file(origin: &str, records: &str) -> String {
    let serial = 7 + COUNT.fetch_add(1, Ordering::Relaxed);
    let usual = if records.contains("@ NS ") { String::new() } else { format!("@ NS ns1.{origin}\n@ NS ns2.{origin}\n") };
    format!("$TTL 1\n@ SOA ns1.{origin} hostmaster.{origin} {serial} 60 60 60 1\n{usual}{records}\n")
}

/// Certificate and key of an authority, or of a site.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl World {
    /// A world, or none where the test may not make one: then it says so, and in CI it fails.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            assert!(std::env::var_os("CI").is_none(), "network namespaces need root, and CI has it");
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let name = format!("ztf-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        fs::create_dir_all(&dir).unwrap();
        let ca = authority("Small Internet CA");
        fs::write(dir.join("ca.pem"), ca.pem()).unwrap();
        let world = Self { name, dir, children: Vec::new(), ca, zones: Vec::new() };
        let (net, inside) = (world.space("net"), world.space("box"));
        for space in [&net, &inside] {
            run("ip", &["netns", "add", space], "");
            run("ip", &["-n", space, "link", "set", "lo", "up"], "");
        }
        run("ip", &["link", "add", "net0", "netns", &net, "type", "veth", "peer", "name", "box0", "netns", &inside], "");
        let mut there = "link set net0 up\n".to_owned();
        for last in (1..20).chain([53]) {
            there += &format!("addr add {ORDINARY}{last}/8 dev net0\n");
        }
        there += "addr add 2600:11::1/32 dev net0 nodad\n";
        for special in SPECIAL {
            there += &format!("addr add {special} dev net0{}\n", if special.contains(':') { " nodad" } else { "" });
        }
        run("ip", &["-n", &net, "-batch", "-"], &there);
        let here = "link set box0 up\naddr add 11.255.0.1/8 dev box0\naddr add 2600:11:ff::1/32 dev box0 nodad\n\
                    route add default via 11.0.0.1\nroute add ::/0 via 2600:11::1\n";
        run("ip", &["-n", &inside, "-batch", "-"], here);
        Some(world)
    }

    fn space(&self, which: &str) -> String {
        format!("{}-{which}", self.name)
    }

    /// Where this test may write.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs something in one of the two: `net` or `box`.
    pub(crate) fn within<T: Send>(&self, which: &str, task: impl FnOnce() -> T + Send) -> T {
        let space = File::open(Path::new("/run/netns").join(self.space(which))).unwrap();
        let enter = || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            task()
        };
        thread::scope(|scope| scope.spawn(enter).join().unwrap())
    }

    /// Starts a program in one of the two; it ends with this world.
    pub(crate) fn start(&mut self, which: &str, program: &str, args: &[&str]) {
        let log = File::create(self.dir.join(format!(
            "{}-{}.log",
            Path::new(program).file_name().unwrap().to_str().unwrap(),
            self.children.len()
        )))
        .unwrap();
        let child = Command::new("nsenter")
            .arg(format!("--net=/run/netns/{}", self.space(which)))
            .arg("--")
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.children.push(child);
    }

    /// Records of a zone, in the form of zone files. SOA and NS are added.
    pub(crate) fn zone(&mut self, origin: &str, records: &str) {
        self.zones.push((origin.to_owned(), zone_file(origin, records)));
    }

    /// Starts Knot DNS with the zones so far.
    pub(crate) fn knot(&mut self) {
        let dir = self.dir.display().to_string();
        let mut conf = format!(
            "control:\n    listen: {dir}/knot.sock\nserver:\n    listen: 11.0.0.53@53\n    rundir: {dir}\ndatabase:\n    storage: {dir}/db\nzone:\n"
        );
        for (at, (origin, records)) in self.zones.iter().enumerate() {
            fs::write(self.dir.join(format!("{at}.zone")), records).unwrap();
            conf += &format!(
                "  - domain: {origin}\n    file: {dir}/{at}.zone\n    journal-content: none\n    zonefile-load: whole\n"
            );
        }
        let path = self.dir.join("knot.conf");
        fs::write(&path, conf).unwrap();
        self.start("net", "knotd", &["-c", path.to_str().unwrap()]);
        self.up("11.0.0.53:53");
    }

    /// Changes a zone that Knot DNS serves.
    pub(crate) fn rezone(&mut self, origin: &str, records: &str) {
        let at = self.zones.iter().position(|(zone, _)| zone == origin).unwrap();
        fs::write(self.dir.join(format!("{at}.zone")), zone_file(origin, records)).unwrap();
        let conf = self.dir.join("knot.conf");
        run("knotc", &["-b", "-c", conf.to_str().unwrap(), "zone-reload", origin], "");
    }

    /// Starts a name server of one's own, which is told the name and how often A was asked before, and has A records only. Gives the
    /// names that were asked for, in order.
    pub(crate) fn names(&self, answer: impl Fn(&str, usize) -> Option<[u8; 4]> + Send + 'static) -> Arc<Mutex<Vec<String>>> {
        let socket = self.within("net", || UdpSocket::bind("11.0.0.53:53").unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        thread::spawn(move || {
            let (mut query, mut count) = ([0; 512], 0);
            while let Ok((length, from)) = socket.recv_from(&mut query) {
                let (mut at, mut name) = (12, String::new());
                while query[at] != 0 {
                    let label = &query[at + 1..=at + usize::from(query[at])];
                    name += &(String::from_utf8_lossy(label) + ".");
                    at += 1 + label.len();
                }
                // Header, one question: name, type, class. What follows (EDNS) is not answered.
                let end = at + 5;
                let is_a = query[end - 4..end.min(length)] == [0, 1, 0, 1];
                let address = if is_a { answer(&name, count) } else { None };
                count += usize::from(is_a);
                heard.lock().unwrap().push(name);
                let mut reply = query[..end].to_vec();
                reply[2..12].copy_from_slice(&[0x84, 0, 0, 1, 0, u8::from(address.is_some()), 0, 0, 0, 0]);
                if let Some(address) = address {
                    reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                    reply.extend(address);
                }
                let _ = socket.send_to(&reply, from);
            }
        });
        asked
    }

    /// Certificate and key for these names, from the CA that the fetcher trusts, as directives for nginx.
    pub(crate) fn certificate(&self, names: &[&str]) -> String {
        self.certificate_by(&self.ca, names, |_| {})
    }

    /// As [`World::certificate`], of an authority that nobody trusts.
    pub(crate) fn untrusted(&self, names: &[&str]) -> String {
        self.certificate_by(&authority("Nobody's CA"), names, |_| {})
    }

    /// As [`World::certificate`], out of date.
    pub(crate) fn expired(&self, names: &[&str]) -> String {
        self.certificate_by(&self.ca, names, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1))
    }

    fn certificate_by(
        &self,
        ca: &CertifiedIssuer<'static, KeyPair>,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> String {
        let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        params.distinguished_name.push(DnType::OrganizationName, "Example Bank");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let path = self.dir.join(format!("cert-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&path, params.signed_by(&key, ca).unwrap().pem() + &key.serialize_pem()).unwrap();
        format!("ssl_certificate {0}; ssl_certificate_key {0};", path.display())
    }

    /// Starts nginx with these `server` blocks.
    pub(crate) fn nginx(&mut self, servers: &str) {
        let dir = self.dir.display().to_string();
        let conf = format!(
            "user root; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.err; daemon off;\n\
             events {{ worker_connections 256; }}\n\
             http {{ access_log {dir}/access.log; default_type text/plain; ssl_protocols TLSv1.2 TLSv1.3; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;\n\
             fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s; root {dir}/www; server_names_hash_bucket_size 128;\n\
             {servers}\n}}\n"
        );
        fs::create_dir_all(self.dir.join("www")).unwrap();
        let path = self.dir.join("nginx.conf");
        fs::write(&path, conf).unwrap();
        self.start("net", "nginx", &["-p", &dir, "-c", path.to_str().unwrap(), "-e", &format!("{dir}/nginx.err")]);
        let end = Instant::now() + Duration::from_secs(10);
        while !self.dir.join("nginx.pid").exists() {
            assert!(Instant::now() < end, "nginx: {}", fs::read_to_string(self.dir.join("nginx.err")).unwrap_or_default());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Requests that nginx has answered, a line each.
    pub(crate) fn access_log(&self) -> String {
        fs::read_to_string(self.dir.join("access.log")).unwrap_or_default()
    }

    /// A server of one's own in the small Internet (`net`) or inside (`box`): gives the number of connections it had.
    pub(crate) fn raw(&self, which: &str, address: &str, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Arc<AtomicUsize> {
        let space = File::open(Path::new("/run/netns").join(self.space(which))).unwrap();
        let (count, serve) = (Arc::new(AtomicUsize::new(0)), Arc::new(serve));
        let (counted, address) = (count.clone(), address.to_owned());
        let (ready, listens) = mpsc::channel();
        thread::spawn(move || {
            // Threads that are started from here stay in this namespace too.
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let listener = TcpListener::bind(address).unwrap();
            ready.send(()).unwrap();
            for stream in listener.incoming().map_while(Result::ok) {
                counted.fetch_add(1, Ordering::Relaxed);
                let serve = serve.clone();
                thread::spawn(move || serve(stream));
            }
        });
        listens.recv().unwrap();
        count
    }

    /// As [`World::raw`] on port 80: reads a head, answers with these octets, closes.
    pub(crate) fn says(&self, address: &str, answer: impl Into<Vec<u8>>) -> Arc<AtomicUsize> {
        let answer = answer.into();
        self.raw("net", address, move |mut stream| {
            head(&mut stream);
            let _ = stream.write_all(&answer);
        })
    }

    fn up(&self, address: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.within("net", || TcpStream::connect(address)).is_err() {
            assert!(Instant::now() < end, "nobody listens on {address}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The authority that signs for the small Internet.
    pub(crate) fn authority(&self) -> ztsms_fetch::guard::CertificateDer<'static> {
        self.ca.der().clone()
    }

    /// A path of this test's own that nothing stands at.
    pub(crate) fn fresh(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}-{name}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Reads the head of a request.
pub(crate) fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|read| read == 1) {
        head.push(octet[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            let pid = rustix::process::Pid::from_child(child);
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
        for which in ["net", "box"] {
            let _ = Command::new("ip").args(["netns", "del", &self.space(which)]).status();
        }
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}
