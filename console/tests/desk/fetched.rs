//! Lists at an address: through `ztsms-fetch` as it runs, from a server that knows entity tags.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use console::audit::Actor;
use console::command::{Command, Source};
use console::desk::Desk;
use console::sources::{Lends, Settings};
use serde_json::Value;
use ztsms_fetch::guard::{Guard, Options, Rules};
use ztsms_fetch::serve::{self, Service};

use super::room::{Room, finds};

/// What the server has now: entity tag, body; and what it was asked and answered.
#[derive(Default)]
struct Site {
    now: Mutex<(String, Vec<u8>)>,
    answered: Mutex<Vec<u16>>,
}

impl Site {
    fn start(self: &Arc<Self>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, site) = (listener.local_addr().unwrap().port(), Arc::clone(self));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines: Vec<String> =
                    BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let (tag, body) = site.now.lock().unwrap().clone();
                let asked =
                    lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("if-none-match: ").map(str::to_owned));
                let same = asked.as_deref() == Some(&format!("\"{tag}\""));
                site.answered.lock().unwrap().push(if same { 304 } else { 200 });
                let head = if same {
                    format!("HTTP/1.1 304 Not Modified\r\nETag: \"{tag}\"\r\nConnection: close\r\n\r\n")
                } else {
                    format!(
                        "HTTP/1.1 200 OK\r\nETag: \"{tag}\"\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    )
                };
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(if same { b"" } else { &body });
            }
        });
        port
    }

    fn has(&self, tag: &str, body: &str) {
        *self.now.lock().unwrap() = (tag.to_owned(), body.as_bytes().to_vec());
    }
}

/// A name server that knows every name: it is this machine.
fn names() -> std::net::SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut asked = [0; 512];
        while let Ok((len, from)) = socket.recv_from(&mut asked) {
            // The question ends with the root, its type and class (RFC 1035 §4.1.2).
            let end = 12 + asked[12..len].iter().position(|octet| *octet == 0).unwrap() + 5;
            let is_a = asked[end - 4..end - 2] == [0, 1];
            let mut answer = [&asked[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0], &asked[12..end]].concat();
            if is_a {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, from).unwrap();
        }
    });
    address
}

/// `ztsms-fetch`, allowed to reach this machine.
fn fetcher(socket: &Path, port: u16) -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = Options {
            rules: Rules {
                forbidden: Vec::new(),
                dangerously_allowed: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            },
            resolvers: vec![names()],
            ..Options::default()
        };
        options.ports.push(port);
        let service = Service::new(
            Guard::new(options).unwrap(),
            serve::Options {
                on: vec!["feed".to_owned()],
                connections: 16,
                at_once: 4,
                lists_at_once: 4,
                waiting: 16,
                expand_per_minute: 1,
                live_per_minute: 1,
                jitter: Duration::ZERO,
            },
        );
        let listener = tokio::net::UnixListener::bind(socket).unwrap();
        tokio::spawn(serve::serve(listener, Arc::new(service)));
    });
    runtime
}

#[test]
fn a_list_at_an_address_is_fetched_once_and_again_only_when_it_changed() {
    let room = Room::empty("fetched");
    let site = Arc::new(Site::default());
    let port = site.start();
    let socket = room.path("fetch.sock");
    let _runtime = fetcher(&socket, port);
    let desk = Desk::open_with(&room.data(), &socket).unwrap();
    let actor = Actor { name: "ada".to_owned(), via: "test".to_owned() };
    let settings = Settings {
        name: "remote".to_owned(),
        place: format!("http://lists.noc-example.net:{port}/list.txt"),
        lends: Lends::Dangerous,
        category: "phishing".to_owned(),
        priority: 0,
        every: 0,
        ttl: None,
        least_share: 0.5,
        most_growth: 10.0,
        most_octets: 1_000_000,
        licence: String::new(),
    };
    desk.obey(&actor, Command::Source(Source::Set(settings))).unwrap();
    let import = || desk.obey(&actor, Command::Source(Source::Import { name: "remote".to_owned(), force: false }));
    let says = |link: &str| finds(&room.data().join("verdicts"), link).verdict;
    site.has("1", "a.example\nb.example\n");
    assert_eq!(import().unwrap()["changed"], true);
    assert_eq!(says("a.example"), "dangerous");
    let again = import().unwrap();
    assert_eq!((&again["changed"], &again["format"]), (&false.into(), &"not modified".into()));
    site.has("2", "b.example\nc.example\n");
    assert_eq!(import().unwrap()["diff"]["added"], 1);
    assert_eq!(["a.example", "c.example"].map(says), ["unknown", "dangerous"]);
    site.has("3", "<html><body>moved</body></html>");
    assert!(import().unwrap_err().to_string().contains("noc-example.net"), "a page is refused on the way");
    site.has("4", &"x".repeat(2_000_000));
    assert!(import().is_err(), "larger than its limit");
    assert_eq!(["a.example", "c.example"].map(says), ["unknown", "dangerous"]);
    assert_eq!(*site.answered.lock().unwrap(), [200, 304, 200, 200, 200]);
    let left = std::fs::read_dir(room.data())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("fetched."));
    assert_eq!(left.count(), 0);
    let alarms = desk.obey(&actor, Command::Status).unwrap()["alarms"].clone();
    assert!(alarms.as_array().is_some_and(|alarms: &Vec<Value>| alarms.len() == 1), "{alarms}");
}
