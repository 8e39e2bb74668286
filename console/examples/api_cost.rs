//! What an answer of the API costs: `ztsms-console serve` over loopback TCP beside an axum handler that does nothing, asked by the same callers
//! in the same run. What `docs/performance.md` says of the API is measured by this:
//! `cargo run --release -p ztsms-console --example api_cost [SECONDS A ROUND]`.
//!
//! Both servers are processes of their own: CPU is theirs alone, user and system time, as the kernel counts it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement may end early"
)]

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pcaps::generate::{Mix, generate_with};
use serde_json::{Value, json};

/// Callers that ask one message at a time, each on a connection of its own.
const CALLERS: usize = 16;
const BATCH: usize = 1_000;
/// The two servers take turns, so that whatever else the machine does meets both.
const ROUNDS: usize = 7;

/// Ticks a second of `/proc`: a promise of the kernel to programs, whatever its own clock does.
const USER_HZ: f64 = 100.0;

/// A server, and the key that it is asked with.
struct Server {
    child: Child,
    address: String,
    key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(args: &[&str]) -> Self {
        let mut child = this(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().trim_start_matches("http://").to_owned(), key: String::new() }
    }

    fn request(&self, body: &Value) -> Vec<u8> {
        let (Self { address, key, .. }, body) = (self, body.to_string());
        format!(
            "POST /api/v1/scan HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// Seconds of CPU that the process has used.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // proc_pid_stat(5): user and system time are the 14th and 15th fields; the second is in brackets and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        ticks as f64 / USER_HZ
    }
}

/// A connection that is kept.
struct Caller {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Caller {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: vec![0; 4 << 20] }
    }

    /// Asks, and reads the whole answer: its octets.
    fn ask(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).unwrap();
        let (mut read, mut whole) = (0, usize::MAX);
        while read < whole {
            let more = self.stream.read(&mut self.answer[read..]).unwrap();
            assert!(more > 0, "the connection was closed");
            read += more;
            if whole == usize::MAX {
                whole = whole_length(&self.answer[..read]).unwrap_or(usize::MAX);
            }
        }
        assert!(self.answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&self.answer[..read]));
        read
    }
}

/// Octets of an answer with its head, as far as the head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = core::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    Some(end + length.parse::<usize>().unwrap())
}

/// Asks one at a time on every connection: requests a second by the clock, and microseconds of the server's CPU a request.
fn singly(server: &Server, bodies: &[Value], time: Duration) -> (f64, f64) {
    let requests: Vec<Vec<u8>> = bodies.iter().map(|body| server.request(body)).collect();
    let (cpu, begun) = (server.cpu(), Instant::now());
    let count: usize = std::thread::scope(|scope| {
        let each = |first: usize| {
            let (mut caller, requests) = (Caller::new(server), &requests);
            scope.spawn(move || {
                let turns = requests.iter().cycle().skip(first * requests.len() / CALLERS);
                turns.take_while(|_| begun.elapsed() < time).map(|request| caller.ask(request)).count()
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(each).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    let took = begun.elapsed().as_secs_f64();
    (count as f64 / took, (server.cpu() - cpu) * 1e6 / count as f64)
}

/// Asks in batches on one connection: messages for each second of the server's CPU, and messages a second by the clock.
fn in_batches(server: &Server, bodies: &[Vec<u8>], time: Duration) -> (f64, f64) {
    let mut caller = Caller::new(server);
    let (cpu, begun) = (server.cpu(), Instant::now());
    let asked = bodies.iter().cycle().take_while(|_| begun.elapsed() < time).map(|body| caller.ask(body)).count();
    let messages = (asked * BATCH) as f64;
    (messages / (server.cpu() - cpu), messages / begun.elapsed().as_secs_f64())
}

/// Messages as a firewall has them: texts in ten languages, a quarter of them with a link, with sender and recipient.
fn messages(count: u64) -> Vec<Value> {
    let mut all = Vec::new();
    generate_with(count, 4711, &Mix { mt: 1.0, ..Mix::default() }, io::sink(), |truth| {
        let recipient = format!("+336{:08}", truth.number);
        all.push(json!({ "text": truth.text, "sender": truth.address, "recipient": recipient }));
    })
    .unwrap();
    all
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn shown(all: &[f64]) -> String {
    let (least, most) = all.iter().fold((f64::MAX, 0.0f64), |(least, most), one| (least.min(*one), most.max(*one)));
    format!("median {:.2} (least {least:.2}, most {most:.2})", median(all.to_vec()))
}

fn empty() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/api/v1/scan", axum::routing::post(|| async {}));
        axum::serve(listener, router).await.unwrap();
    });
}

fn console(args: &[&str]) {
    console::cli::main([&["ztsms-console"], args].concat().into_iter().map(Into::into));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("empty") => empty(),
        Some("--data") => console(&args.iter().map(String::as_str).collect::<Vec<_>>()),
        seconds => measure(Duration::from_secs_f64(seconds.map_or(3.0, |n| n.parse().expect("seconds a round")))),
    }
}

fn measure(round: Duration) {
    let dir = std::env::temp_dir().join(format!("ztsms-api-cost-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let data = dir.join("data").display().to_string();
    let (api, empty) = (api(&data), Server::start(&["empty"]));
    let all = messages(16 * BATCH as u64);
    let (mut rates, mut costs, mut batches) = (Vec::new(), Vec::new(), Vec::new());
    let bodies: Vec<Vec<u8>> = all.chunks(BATCH).map(|chunk| api.request(&Value::from(chunk))).collect();
    let octets = bodies.iter().map(Vec::len).sum::<usize>() / bodies.len();
    println!("{} messages, batches of {BATCH} of {octets} octets, {CALLERS} callers, {ROUNDS} rounds of {round:?}", all.len());
    for _ in 0..ROUNDS {
        let ((nothing, nothing_cpu), (answered, answered_cpu)) = (singly(&empty, &all, round), singly(&api, &all, round));
        println!(
            "singly: nothing {nothing:.0}/s, {nothing_cpu:.1} µs of CPU; the API {answered:.0}/s, {answered_cpu:.1} µs of CPU"
        );
        rates.push(answered / nothing);
        costs.push(nothing_cpu / answered_cpu);
        let (a_core, a_second) = in_batches(&api, &bodies, round);
        println!("in batches: {a_core:.0} messages a second of CPU, {a_second:.0} a second by the clock");
        batches.push(a_core / 1_000.0);
    }
    println!("one at a time, of the rate of a handler that does nothing: {}", shown(&rates));
    println!("the same by the servers' CPU: {}", shown(&costs));
    println!("in batches, thousand messages a second of CPU: {}", shown(&batches));
    drop((api, empty));
    std::fs::remove_dir_all(&dir).unwrap();
}

/// A running console in which a few names are decided about, so that every verdict is met.
fn api(data: &str) -> Server {
    let mut server = Server::start(&["--data", data, "serve", "--listen", "127.0.0.1:0"]);
    let done = |args: &[&str]| {
        let output = this(&[&["--data", data], args].concat()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    for (pattern, verdict) in [("=bank.example", "safe"), ("post.example", "safe"), ("parcel-fee.test", "dangerous")] {
        done(&["decide", pattern, verdict, "--reason", "measured", "--yes"]);
    }
    server.key = done(&["key", "create", "--scope", "scan"]).trim().to_owned();
    server
}

/// This program, as one of the servers or as a command of the console.
fn this(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(args);
    command
}
