//! The door: who asks badly, who goes away, who comes when it is full; a proxy; a socket from systemd.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Feed, Outcome, Status, Why};

use crate::world::{World, head};

const LIST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na.example\n";

fn status(client: &mut Client) -> Status {
    client.status().unwrap().into_result().unwrap()
}

fn say(socket: &Path, line: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_no_request_is_answered_and_ends_the_conversation() {
    let Some(mut world) = World::new() else { return };
    let socket = world.fetcher_at(&[]);
    for line in [
        "hello\n",
        "{}\n",
        "{\"id\":\"1\",\"ask\":{\"do\":\"shell\"}}\n",
        "{\"ask\":{\"do\":\"feed\",\"url\":\"x\",\"cookie\":\"y\"}}\n",
        "[]\n",
        "\u{0}\n",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(r#""failed":{"why":"request""#) && answer.ends_with('\n'), "{line}: {answer}");
    }
    let answer = say(&socket, "{\"id\":\"überlang\",\"ask\":{\"do\":\"status\"}}\n");
    assert!(answer.starts_with(r#"{"id":"überlang","answer":{"ok":{"version":"#), "{answer}");
    let answer = say(&socket, &format!("{{\"id\":\"{}\",\"ask\":{{\"do\":\"status\"}}}}\n", "é".repeat(100)));
    assert!(answer.starts_with(&format!("{{\"id\":\"{}\",", "é".repeat(32))), "{answer}");
}

#[test]
fn who_goes_away_ends_his_request_and_who_comes_when_it_is_full_is_told() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "slow A 11.0.0.2");
    world.knot();
    world.raw("net", "11.0.0.2:80", |mut stream| {
        head(&mut stream);
        thread::sleep(Duration::from_secs(20));
    });
    let socket = world.fetcher_at(&["--lists-at-once", "1", "--waiting", "1"]);
    let ask = "{\"ask\":{\"do\":\"feed\",\"url\":\"http://slow.example/\"}}\n";
    let open = || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(ask.as_bytes()).unwrap();
        stream
    };
    let client = &mut Client::connect(&socket).unwrap();
    let mut until = |what: &str, is: &dyn Fn(&Status) -> bool| {
        let end = Instant::now() + Duration::from_secs(5);
        while !is(&status(client)) {
            assert!(Instant::now() < end, "{what}");
            thread::sleep(Duration::from_millis(10));
        }
    };
    let first = open();
    until("one runs", &|status| status.running == 1);
    let second = open();
    until("one waits", &|status| status.waiting == 1);
    let mut third = BufReader::new(open());
    let mut answer = String::new();
    third.read_line(&mut answer).unwrap();
    assert!(answer.contains("\"busy\"") && answer.contains("retry_after_s"), "{answer}");
    drop(first);
    until("the second has its turn", &|status| status.waiting == 0 && status.running == 1);
    drop(second);
    until("nobody is left", &|status| status.running == 0);
}

#[test]
fn a_proxy_is_given_the_address_that_was_judged_and_never_a_name() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "lists A 11.0.0.2\ninside A 10.0.0.1");
    world.knot();
    let certificate = world.certificate(&["lists.example"]);
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl; listen 11.0.0.2:80; {certificate} location / {{ return 200 a.example; }} }}"
    ));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = asked.clone();
    world.raw("net", "11.0.0.8:3128", move |mut stream| {
        let line = head(&mut stream).lines().next().unwrap_or_default().to_owned();
        heard.lock().unwrap().push(line.clone());
        let Ok(mut there) = TcpStream::connect(line.split(' ').nth(1).unwrap_or_default()) else { return };
        stream.write_all(b"HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n").unwrap();
        let (mut from, mut to) = (stream.try_clone().unwrap(), there.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let _ = std::io::copy(&mut there, &mut stream);
    });
    let client = &mut world.fetcher(&["--proxy", "11.0.0.8:3128"]);
    for url in ["https://lists.example/", "http://lists.example/"] {
        let mut body = Vec::new();
        assert!(client.feed(&Feed::new(url), &mut body).unwrap().ok().is_some(), "{url}");
        assert_eq!(body, b"a.example");
    }
    let inside = client.feed(&Feed::new("http://inside.example/"), &mut Vec::new()).unwrap();
    assert!(matches!(inside, Outcome::Failed(failure) if failure.why == Why::Forbidden));
    assert_eq!(*asked.lock().unwrap(), ["CONNECT 11.0.0.2:443 HTTP/1.1", "CONNECT 11.0.0.2:80 HTTP/1.1"]);
}

#[test]
fn a_laboratory_says_that_it_is_one() {
    let Some(mut world) = World::new() else { return };
    world.zone("example.", "inside A 10.0.0.1\nother A 192.168.0.1");
    world.knot();
    world.says("10.0.0.1:8080", LIST);
    let client = &mut world.fetcher(&["--dangerously-allow", "10.0.0.0/8", "--dangerously-allow-port", "8080"]);
    assert!(client.feed(&Feed::new("http://inside.example:8080/"), &mut Vec::new()).unwrap().ok().is_some());
    let other = client.feed(&Feed::new("http://other.example:8080/"), &mut Vec::new()).unwrap();
    assert!(matches!(other, Outcome::Failed(failure) if failure.why == Why::Forbidden));
    let logs = std::fs::read_dir(world.dir()).unwrap().map(|entry| entry.unwrap().path());
    let log: String = logs
        .filter(|path| path.to_string_lossy().contains("ztsms-fetch"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(log.contains("DANGEROUS: 10.0.0.0/8") && log.contains("DANGEROUS: port 8080") && log.contains("expand off"), "{log}");
}

#[test]
fn a_socket_that_systemd_passes_is_taken() {
    let socket = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("passed-{}.sock", std::process::id()));
    // As systemd does it: descriptor 3 listens, the environment says so, and the program takes this one's place.
    let pass = "import os,socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen()\nos.dup2(s.fileno(),3)\nos.set_inheritable(3,True)\n\
                os.environ.update(LISTEN_FDS='1',LISTEN_PID=str(os.getpid()))\nos.execv(sys.argv[2],sys.argv[2:])";
    let mut child = Command::new("python3")
        .args(["-c", pass, socket.to_str().unwrap(), env!("CARGO_BIN_EXE_ztsms-fetch"), "--resolver", "192.0.2.1"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let mut client = loop {
        match Client::connect(&socket) {
            Ok(client) => break client,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status(&mut client).on, ["feed", "evidence"]);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(socket.exists(), "it is systemd's, not ours to remove");
    std::fs::remove_file(&socket).unwrap();
}
