//! Backups, going back, audit, disks without room.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::room::{Room, finds};

pub(crate) fn get(address: &str, path: &str) -> String {
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks the API, and is answered well.
pub(crate) fn post(address: &str, path: &str, key: &str, body: &Value) -> Value {
    let (host, body) = (address.trim_start_matches("http://"), body.to_string());
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n");
    write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

#[test]
fn a_running_console_is_asked_through_its_socket_and_says_how_it_is() {
    let room = Room::empty("asked");
    assert!(room.refused(&["status"]).contains("no data directory yet"));
    let serve = room.serve();
    room.well(&["decide", "evil.example", "dangerous", "--reason", "a test", "--yes"]);
    assert_eq!(room.says("www.evil.example"), "dangerous");
    assert!(room.refused(&["decide", "other.example", "safe", "--reason", "x"]).contains("nothing was changed: add --yes"));
    assert_eq!(room.says("other.example"), "unknown");
    let line = &room.json(&["audit", "list"])[0];
    assert_eq!((&line["verb"], &line["via"]), (&"decide".into(), &"admin socket".into()));
    assert!(get(&serve.address, "/healthz").contains("200 OK") && get(&serve.address, "/readyz").contains("\"ready\":true"));
    assert!(get(&serve.address, "/metrics").contains("\nztsms_console_decisions 1\n"));
    // Two at once would be two truths.
    assert!(room.refused(&["serve", "--listen", "127.0.0.1:0"]).contains("another ztsms-console holds this directory"));
    assert!(room.refused(&["serve", "--listen", "0.0.0.0:0"]).contains("--behind-proxy"));
    drop(serve);
    room.well(&["undo", "1", "--reason", "a test", "--yes"]);
    assert_eq!(room.says("www.evil.example"), "unknown");
    assert_eq!(room.json(&["audit", "list"])[1]["via"], "command line");
}

#[test]
fn who_comes_while_another_holds_the_directory_waits_for_a_moment_and_nothing_is_lost() {
    let room = Room::new("at-once");
    let names: Vec<String> = (0..6).map(|n| format!("n{n}.example")).collect();
    let decide = |name: &String| {
        let mut command = room.command(&["decide", name, "dangerous", "--reason", "a test", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let before: Vec<_> = names[..3].iter().map(decide).collect();
    let serve = room.serve();
    let behind: Vec<_> = names[3..].iter().map(decide).collect();
    for child in before.into_iter().chain(behind) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(names.iter().all(|name| room.says(name) == "dangerous"));
    // A list that is cut says so, and beside the result.
    let (some, all) = (room.run(&["decisions", "--most", "5"]), room.run(&["decisions", "--most", "6"]));
    let lines = |output: &Output| output.stdout.iter().filter(|c| **c == b'\n').count();
    assert_eq!((lines(&some), lines(&all)), (5, 6));
    assert!(String::from_utf8_lossy(&some.stderr).contains("and more than these 5: --most"));
    assert_eq!(all.stderr, b"");
    drop(serve);
}

#[test]
fn a_backup_of_a_running_console_is_put_back_elsewhere_and_says_the_same() {
    let room = Room::empty("backup");
    // Two keys of the same kind: one opens the stream of work, one the keys of backups.
    let work = [room.path("work"), room.path("work.key")].map(|path| path.display().to_string());
    room.well(&["backup-key", &work[1]]);
    let serve = room.serve_with(&["--work", &work[0], "--work-key", &work[1]]);
    let list = room.list("list.txt", "a.list.example\nb.list.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    room.well(&["import", "list"]);
    room.well(&["decide", "bank.example", "safe", "--reason", "a test", "--yes"]);
    let public = room.well(&["backup-key", &room.path("backup.key").display().to_string()]);
    room.list("backup.pub", &public);
    let [plain, sealed] = ["plain.tar.gz", "sealed.tar.gz"].map(|name| room.path(name).display().to_string());
    room.well(&["backup", &plain]);
    room.well(&["backup", &sealed, "--keys-for", &room.path("backup.pub").display().to_string()]);
    assert!(room.refused(&["backup", &plain]).contains("exists already"));
    // No secret lies open in either.
    let files = [room.data().join("keys/verdicts.key"), room.data().join("verdicts/key"), room.path("work.key")];
    let secrets = files.map(|file| fs::read_to_string(file).unwrap());
    for backup in [&plain, &sealed] {
        let mut octets = Vec::new();
        flate2::read::GzDecoder::new(fs::File::open(backup).unwrap()).read_to_end(&mut octets).unwrap();
        let holds = |secret: &str| octets.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!secrets.iter().any(|secret| holds(secret.trim())), "{backup}");
    }
    let before: Vec<_> = ["a.list.example", "bank.example", "c.example"].map(|link| room.finds(link)).into();
    let decisions = room.json(&["decisions"]);
    drop(serve);
    for (name, backup, key) in [("plain", &plain, None), ("sealed", &sealed, Some(room.path("backup.key").display().to_string()))]
    {
        let other = Room::empty(&format!("restored-{name}"));
        let mut args = vec!["restore", backup.as_str()];
        args.extend(key.iter().flat_map(|key| ["--key", key]));
        other.well(&args);
        let after: Vec<_> = ["a.list.example", "bank.example", "c.example"].map(|link| other.finds(link)).into();
        assert_eq!(after, before, "{name}");
        assert_eq!(other.json(&["decisions"]), decisions);
        let same = |file: &str| fs::read(other.data().join(file)).unwrap() == fs::read(room.data().join(file)).unwrap();
        assert_eq!((same("keys/verdicts.key"), same("verdicts/key")), (key.is_some(), key.is_some()), "{name}");
        let mode = |of: &Room, name: &str| fs::metadata(of.data().join(name)).unwrap().permissions().mode() & 0o777;
        for folder in ["keys", "verdicts", "lists"] {
            assert_eq!(mode(&other, folder), mode(&room, folder), "{folder} of {name}");
        }
        let work_key = fs::read_to_string(other.data().join("keys/work.key")).ok();
        assert_eq!(work_key.as_deref(), key.as_ref().map(|_| secrets[2].as_str()), "{name}");
        if work_key.is_some() {
            // It opens what the first one was sent.
            drop(other.serve_with(&[
                "--work",
                &work[0],
                "--work-key",
                &other.data().join("keys/work.key").display().to_string(),
            ]));
        }
        assert!(other.refused(&args).contains("holds a console already"));
    }
    // One octet that is not as it was.
    let other = Room::empty("restored-damaged");
    let mut octets = fs::read(&plain).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    let damaged = other.list("damaged.tar.gz", octets);
    other.refused(&["restore", &damaged]);
    assert!(!other.data().join("console.db").exists());
}

#[test]
fn a_source_goes_back_one_step_and_what_was_left_does_not_return_by_itself() {
    let room = Room::new("back");
    let list = room.list("list.txt", "a.example\nb.example\nc.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    room.well(&["import", "list"]);
    room.list("list.txt", "a.example\nb.example\nbank.example\n");
    let shown = room.well(&["import", "list"]);
    assert!(shown.contains("+1 -1") && shown.contains("- c.example") && shown.contains("+ bank.example"), "{shown}");
    assert_eq!(room.says("bank.example"), "dangerous");
    room.well(&["feed", "back", "list"]);
    assert_eq!(["bank.example", "c.example"].map(|link| room.says(link)), ["unknown", "dangerous"]);
    // The next look finds the same list, which a person left.
    assert!(room.refused(&["import", "list"]).contains("gone back from"));
    assert_eq!(room.says("bank.example"), "unknown");
    room.well(&["feed", "accept", "list"]);
    assert_eq!(room.says("bank.example"), "dangerous");
    room.well(&["feed", "suspend", "list", "--reason", "a test"]);
    assert_eq!(room.says("bank.example"), "unknown");
    room.well(&["feed", "resume", "list"]);
    room.well(&["protect", "host", "bank.example", "--why", "our own"]);
    assert_eq!(["bank.example", "a.example"].map(|link| room.says(link)), ["unknown", "dangerous"]);
    assert!(room.well(&["feed", "conflicts"]).contains("bank.example is dangerous to list"));
    room.well(&["feed", "remove", "list"]);
    assert_eq!(room.says("a.example"), "unknown");
    room.well(&["audit", "verify"]);
}

/// A file system of its own under the data directory; root alone can make one.
fn small(room: &Room, size: &str) -> Option<Unmount> {
    fs::create_dir_all(room.data()).unwrap();
    let data = room.data().display().to_string();
    let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "none", &data]).output();
    if !mount.is_ok_and(|done| done.status.success()) {
        println!("skipped: no file system of one's own can be made here");
        return None;
    }
    Some(Unmount(data))
}

struct Unmount(String);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

/// Takes every octet that there is.
fn fill(room: &Room) {
    let mut rest = fs::File::create(room.data().join("filler")).unwrap();
    while rest.write_all(&[0; 4096]).is_ok() {}
    while rest.write_all(&[0; 1]).is_ok() {}
}

#[test]
fn what_a_full_disk_kept_from_filters_is_in_force_when_there_is_room_and_the_brake_needs_none() {
    let room = Room::empty("full-later");
    let Some(unmount) = small(&room, "32m") else { return };
    let serve = room.serve();
    assert_eq!(room.json(&["status"])["alarms"], json!([]));
    // The database's log is begun anew when it is long enough: from then on a decision finds room there, and its overlay finds none.
    let reason = "a long reason ".repeat(2_000);
    for n in 0..90 {
        room.well(&["decide", &format!("d{n}.example"), "dangerous", "--reason", &reason, "--yes"]);
    }
    fill(&room);
    let said = room.refused(&["decide", "late.example", "dangerous", "--reason", "a test", "--yes"]);
    assert!(said.contains("written down and not in force yet") && said.contains("No space left"), "{said}");
    assert_eq!((room.says("late.example"), room.says("d1.example")), ("unknown", "dangerous"));
    let alarms = room.json(&["status"])["alarms"].to_string();
    assert!(alarms.contains("\"disk\"") && !get(&serve.address, "/readyz").contains("\"alarms\":0"), "{alarms}");
    // A new desk holds its filters; that a person stopped them is another word, and on a full disk none.
    let stopped = || !fs::read_to_string(room.data().join("verdicts/observe")).unwrap().contains("nobody has let filters act");
    assert!(!stopped());
    assert!(room.well(&["observe", "all", "is", "wrong"]).contains("ALL FILTERS OBSERVE") && stopped());
    let filler = room.data().join("filler");
    fs::remove_file(&filler).unwrap();
    let begun = Instant::now();
    while room.says("late.example") != "dangerous" {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is tried again by itself");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(room.json(&["status"])["alarms"], json!([]));
    room.well(&["observe", "--off"]);
    room.well(&["audit", "verify"]);
    // Without a running console the brake needs no database either.
    drop(serve);
    fill(&room);
    assert!(room.well(&["observe", "all", "is", "wrong"]).contains("ALL FILTERS OBSERVE") && stopped());
    drop(unmount);
}

#[test]
fn an_anchor_is_a_head_or_a_file_of_heads_and_no_head_is_no_anchor() {
    let room = Room::new("anchors");
    let said = |args: &[&str]| String::from_utf8(room.run(args).stderr).unwrap();
    // Without a running console the head goes to whoever typed it.
    let told = said(&["decide", "a.example", "dangerous", "--reason", "a test", "--yes"]);
    let head = room.well(&["audit", "head"]).trim().to_owned();
    assert!(told.contains(&format!("audit {head}")), "{told}");
    let log = room.path("2026-11-26T10:00.log").display().to_string();
    let serve = room.serve_with(&["--audit-log", &log]);
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains(&head), "what was done without it, too: {text}");
    assert!(room.well(&["audit", "verify", "--anchor", &log, "--anchor", &head]).contains("2 anchors are in it"));
    // Whoever moves the file away finds a new one in its place.
    fs::rename(&log, room.path("old.log")).unwrap();
    for n in 0..3 {
        room.well(&["decide", &format!("b{n}.example"), "dangerous", "--reason", "a test", "--yes"]);
    }
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), 3);
    assert!(said(&["audit", "list", "--most", "2"]).contains("and 2 more, from --from 3"));
    let empty = room.list("empty.txt", "nothing 1:2\n");
    for (wrong, why) in [(&*empty, "there is no SEQ:HASH"), ("1:2", "neither SEQ:HASH")] {
        let refused = room.refused(&["audit", "verify", "--anchor", wrong]);
        assert!(refused.contains(why), "{refused}");
    }
    // Many: a question has a bound, and a file of years is longer.
    let many = room.list("many.txt", (0..150_000).map(|_| format!("audit {head}\n")).collect::<String>());
    assert!(room.well(&["audit", "verify", "--anchor", &many]).contains("150000 anchors"));
    let cut = room.list("cut.txt", (0..150_000).map(|n| format!("audit {n}:{n:064x}\n")).collect::<String>());
    assert!(room.refused(&["audit", "verify", "--anchor", &cut]).contains("anchor 0:0000"));
    drop(serve);
    // A sink that fails is an alarm, until it does not.
    let serve = room.serve_with(&["--audit-log", "/dev/full"]);
    let alarms = room.json(&["status"])["alarms"].to_string();
    assert!(alarms.contains("audit-log") && alarms.contains("/dev/full"), "{alarms}");
    drop(serve);
    let serve = room.serve_with(&["--audit-log", &log]);
    assert_eq!(room.json(&["status"])["alarms"], json!([]));
    drop(serve);
}

#[test]
fn a_backup_goes_where_nothing_is_and_says_for_whom_its_keys_are_sealed() {
    let room = Room::empty("backup-care");
    let serve = room.serve();
    let path = |name: &str| room.path(name).display().to_string();
    room.well(&["decide", "a.example", "dangerous", "--reason", "a test", "--yes"]);
    room.well(&["observe", "all", "is", "wrong"]);
    let public = room.well(&["backup-key", &path("backup.key")]);
    room.list("backup.pub", &public);
    let said = room.refused(&["backup", &path("x.tar.gz"), "--keys-for", &path("backup.key")]);
    assert!(said.contains("secret half"), "{said}");
    room.list("x.new", "precious");
    let said = room.well(&["backup", &path("x.tar"), "--keys-for", &path("backup.pub")]);
    assert!(said.contains(&format!("sealed for {}", public.trim())) && said.contains("ALL FILTERS OBSERVE"), "{said}");
    assert_eq!(fs::read_to_string(room.path("x.new")).unwrap(), "precious");
    drop(serve);
    // What another database left would be replayed into this one.
    let other = Room::empty("backup-care-left");
    for left in ["console.db-wal", "verdicts", "keys", "lists"] {
        fs::create_dir_all(other.data()).unwrap();
        fs::write(other.data().join(left), "of another").unwrap();
        let said = other.refused(&["restore", &path("x.tar")]);
        assert!(said.contains(left), "{said}");
        assert_eq!(fs::read_to_string(other.data().join(left)).unwrap(), "of another");
        fs::remove_file(other.data().join(left)).unwrap();
    }
    // One that was broken off, and one that was refused, are begun anew.
    fs::create_dir_all(other.data().join("lists/aa")).unwrap();
    fs::write(other.data().join("restored.db"), "half").unwrap();
    let wrong = other.path("wrong.key").display().to_string();
    room.well(&["backup-key", &wrong]);
    assert!(other.refused(&["restore", &path("x.tar"), "--key", &wrong]).contains("sealed for another key"));
    assert!(!other.data().join("lists").exists());
    other.well(&["restore", &path("x.tar"), "--key", &path("backup.key")]);
    assert_eq!(other.says("a.example"), "dangerous");
    // Who was told to observe goes on to.
    assert!(other.well(&["status"]).contains("ALL FILTERS OBSERVE"));
    assert_eq!(
        fs::read_to_string(other.data().join("verdicts/observe")).unwrap(),
        fs::read_to_string(room.data().join("verdicts/observe")).unwrap()
    );
}

#[test]
fn a_disk_without_room_refuses_and_what_was_in_force_stays() {
    let room = Room::empty("full");
    let Some(unmount) = small(&room, "3m") else { return };
    let serve = room.serve();
    let list = room.list("list.txt", "a.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    room.well(&["import", "list"]);
    room.list("list.txt", (0..100_000).map(|n| format!("{n}.a.example\n")).collect::<String>() + "a.example\n");
    let said = room.refused(&["import", "list", "--force"]);
    assert!(said.contains("No space left") || said.contains("full"), "{said}");
    assert_eq!(finds(&room.data().join("verdicts"), "a.example").verdict, "dangerous");
    assert!(
        !fs::read_dir(room.data().join("lists")).unwrap().any(|entry| entry.unwrap().path().is_file()),
        "nothing half is left"
    );
    fill(&room);
    let said = room.refused(&["decide", "evil.example", "dangerous", "--reason", "a test", "--yes"]);
    assert!(said.contains("No space left") || said.contains("full"), "{said}");
    assert_eq!(room.says("a.example"), "dangerous");
    fs::remove_file(room.data().join("filler")).unwrap();
    // There is room again: deciding works, and what was refused is not there.
    room.well(&["decide", "evil2.example", "dangerous", "--reason", "a test", "--yes"]);
    assert_eq!(["evil.example", "evil2.example"].map(|link| room.says(link)), ["unknown", "dangerous"]);
    room.well(&["audit", "verify"]);
    drop((serve, unmount));
}
