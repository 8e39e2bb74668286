//! Short links, from a message to the verdict of their target: the real console and the real fetcher, with real name servers and platforms
//! in a small Internet of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use control::spool::{ConsoleKey, Kind, Limits, Plain, Segments, new_secret_key};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::asks::Asks;
use super::room::{Room, finds};
use super::world::World;

/// Long enough for a machine that is busy elsewhere.
const SOON: Duration = Duration::from_secs(30);

const RECIPES: &str = r#"
[[platform]]
host = "fix.example"
how = "location"
editable = false
source = "https://fix.example/links-cannot-be-changed"

[[platform]]
host = "edit.example"
how = "location"
source = "https://edit.example/help"

[[platform]]
host = "busy.example"
how = "location"
per_minute = 600
source = "https://busy.example/help"

[[platform]]
host = "brief.example"
how = "location"
editable = false
ttl = "8s"
source = "https://brief.example/help"
"#;

/// A desk, the Internet, and a filter's `work` stream.
struct Place {
    room: Room,
    world: World,
    segments: Segments,
    public: ConsoleKey,
    number: u64,
    fetch: String,
    /// SHA-256 of `bad.example`, in hexadecimal.
    hash: String,
}

fn place(name: &str) -> Option<Place> {
    let mut world = World::new()?;
    for name in ["fix", "edit", "busy", "brief"] {
        world.zone(&format!("{name}.example."), "@ A 11.0.0.2");
    }
    world.zone("bank.example.", "@ A 11.0.0.4");
    world.zone("provider.example.", "@ A 11.0.0.5");
    world.knot();
    let (certificate, log) = (world.certificate(&["provider.example"]), world.dir().join("ask.log").display().to_string());
    let hash = control::record_json::hex(&Sha256::digest("bad.example"));
    let says = format!(r#"{{"matches":[{{"hash":"{hash}","verdict":"dangerous","category":"phishing"}}],"ttl_s":600}}"#);
    let leads = |host: &str, ways: &[(&str, &str)]| {
        let ways: String = ways.iter().map(|(path, to)| format!("location = /{path} {{ return 301 \"{to}\"; }}\n")).collect();
        format!("server {{ listen 11.0.0.2:80; server_name {host}; {ways} }}\n")
    };
    let (bank, evil) = ("https://bank.example/pay", "https://evil.example/x");
    world.nginx(&format!(
        "log_format ask '$request_body';\n\
         server {{ listen 11.0.0.5:443 ssl; {certificate} access_log {log} ask; location /v1/ask {{ client_body_buffer_size 4k; proxy_pass http://11.0.0.5:8080; }} }}\n\
         server {{ listen 11.0.0.5:8080; default_type application/json; location / {{ return 200 '{says}'; }} }}\n\
         {}{}{}server {{ listen 11.0.0.2:80; server_name busy.example; location /ok {{ return 302 {bank}; }} location / {{ add_header Retry-After 120 always; return 429; }} }}\n\
         server {{ listen 11.0.0.4:80; location / {{ return 200; }} }}",
        leads(
            "fix.example",
            &[
                ("good", bank),
                ("bad", evil),
                ("hop", "http://edit.example/good"),
                ("open", "https://bank.example/go?url=https%3A%2F%2Fevil.example%2F"),
                ("dark", "https://nobody.example/secret-path"),
                ("api", evil),
                ("live", "https://bad.example/x"),
            ]
        ),
        leads("edit.example", &[("good", bank), ("bad", evil)]),
        leads("brief.example", &[("x", bank)]),
    ));
    let room = Room::new(name);
    for (pattern, verdict) in [("=bank.example", "safe"), ("evil.example", "dangerous")] {
        room.well(&["decide", pattern, verdict, "--reason", "a test", "--yes"]);
    }
    let fetch = fetcher(&mut world);
    let key = new_secret_key();
    let hex: String = key.to_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    room.list("console.key", hex);
    room.list("recipes.toml", RECIPES);
    let segments = Segments::new(&room.path("work"), Kind::Work, Limits::default()).unwrap();
    Some(Place { room, world, segments, public: ConsoleKey::of(&key), number: 0, fetch, hash })
}

/// The program itself, inside; `cargo test --workspace` builds it.
fn fetcher(world: &mut World) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_ztsms-console")).with_file_name("ztsms-fetch");
    assert!(program.exists(), "{}: build the workspace", program.display());
    let (socket, ca) = (world.fresh("fetch.sock"), world.dir().join("ca.pem"));
    let [socket, ca] = [socket, ca].map(|path| path.display().to_string());
    let args = ["--socket", &socket, "--resolver", "11.0.0.53", "--roots", &ca, "--on", "expand,live", "--jitter-ms", "10"];
    world.start("box", program.to_str().unwrap(), &args);
    soon("the fetcher listens", || Path::new(&socket).exists());
    socket
}

fn soon(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < SOON, "not within {SOON:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Arguments of a console that expands links.
fn args(own: &[String; 4]) -> Vec<&str> {
    let [work, key, recipes, fetch] = own.each_ref().map(String::as_str);
    vec!["--work", work, "--work-key", key, "--expand", "--recipes", recipes, "--fetch", fetch]
}

impl Place {
    fn paths(&self) -> [String; 4] {
        let path = |name: &str| self.room.path(name).display().to_string();
        [path("work"), path("console.key"), path("recipes.toml"), self.fetch.clone()]
    }

    /// Messages with these links, as the filter writes them.
    fn arrive(&mut self, links: &[&str]) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut plain = Plain::default();
        for link in links {
            self.number += 1;
            let record = json!({ "schema": "ztsms.work.v1", "time": jiff::Timestamp::from_second(now.try_into().unwrap()).unwrap().to_string(),
                "content_key": format!("{:032x}", self.number), "sender": "15550100", "recipient": null, "verdict": "unknown",
                "action": "label", "sketch": "See @", "simhash": null,
                "urls": [{ "text": link, "url": format!("http://{link}"), "verdict": "unknown", "reason": "no-entry", "id": null }] });
            plain.push(record.to_string().as_bytes());
        }
        self.segments.append(&plain.finish(self.number, Some(&self.public))).unwrap();
    }

    fn says(&self, link: &str) -> (&'static str, &'static str) {
        let found = finds(&self.room.data().join("verdicts"), link);
        (found.verdict, found.reason)
    }

    fn becomes(&self, link: &str, verdict: &'static str) {
        soon(&format!("{link} is {verdict}"), || self.says(link).0 == verdict);
    }

    fn waits(&self) -> Value {
        self.room.json(&["status"])["short_links"].clone()
    }
}

#[test]
fn a_short_link_has_its_targets_verdict_as_long_as_that_holds_and_each_is_asked_about_once() {
    let Some(mut at) = place("links") else { return };
    let own = at.paths();
    let serve = at.room.serve_with(&args(&own));
    let all = ["good", "bad", "hop", "open", "dark"].map(|path| format!("fix.example/{path}"));
    let mut links: Vec<&str> = all.iter().map(String::as_str).collect();
    links.extend(["edit.example/good", "edit.example/bad", "busy.example/x", "busy.example/y", "other.example/x"]);
    at.arrive(&links);
    at.arrive(&links);
    soon("all but two are known", || at.waits() == json!({ "platforms": 4, "waiting": 2, "known": 7, "without_target": 0 }));
    at.becomes("https://fix.example/good", "safe");
    at.becomes("https://fix.example/bad", "dangerous");
    for (link, says) in [
        ("https://fix.example/good", ("safe", "expansion")),
        ("https://fix.example/bad", ("dangerous", "expansion")),
        ("https://fix.example/open", ("dangerous", "expansion")),
        ("https://edit.example/bad", ("dangerous", "expansion")),
        // Its owner can change it, at the first platform or at a later one.
        ("https://edit.example/good", ("unknown", "no-entry")),
        ("https://fix.example/hop", ("unknown", "no-entry")),
        ("https://fix.example/dark", ("unknown", "no-entry")),
        ("https://busy.example/x", ("unknown", "no-entry")),
        // Another link of the platform.
        ("https://fix.example/good/more", ("unknown", "no-entry")),
        ("https://fix.example/good?to=elsewhere", ("unknown", "no-entry")),
    ] {
        soon(&format!("{link} is {says:?}"), || at.says(link) == says);
    }
    let log = at.world.access_log();
    for path in ["good", "bad", "hop", "open", "dark"] {
        assert_eq!(log.matches(&format!("GET /{path} ")).count(), if matches!(path, "good" | "bad") { 2 } else { 1 }, "{log}");
    }
    // Both may be on their way before the platform asks for a rest; a short while later the other is asked about.
    assert!((1..=2).contains(&log.matches(" 429 ").count()), "{log}");
    at.arrive(&["busy.example/z"]);
    soon("the third waits too", || at.waits()["waiting"] == 3);
    assert!(!log.contains("/pay"), "nobody went to a target: {log}");

    // Triage shows where a link leads that stays unknown.
    let shown = at.room.json(&["triage", "show", "fix.example"]);
    assert!(shown["group"]["leads"].to_string().contains("nobody.example"), "{shown}");
    assert!(at.room.well(&["triage", "list"]).contains("leads to"), "for people too");

    // A decision about the target is the link's within the second, and so is its end.
    let decide = |pattern: &str, verdict: &str| {
        let begun = Instant::now();
        at.room.well(&["decide", pattern, verdict, "--reason", "a test", "--yes"]);
        begun.elapsed()
    };
    let took = decide("=bank.example", "dangerous");
    assert_eq!(at.says("https://fix.example/good"), ("dangerous", "expansion"), "published with the decision");
    assert!(took < Duration::from_secs(5), "{took:?}");
    decide("=bank.example", "safe");
    assert_eq!(at.says("https://fix.example/good").0, "safe");
    // What a person says of the link itself stands.
    decide("fix.example/bad", "unknown");
    assert_eq!(at.says("https://fix.example/bad"), ("unknown", "path"));
    // A list's word too, after its build.
    let list = at.room.list("feed.txt", "http://edit.example/good\nnobody.example\n");
    at.room.well(&["feed", "set", "phish", &list, "--dangerous"]);
    at.room.well(&["import", "phish"]);
    at.becomes("https://edit.example/good", "dangerous");
    assert_eq!(at.says("https://edit.example/good").1, "path", "the list's own entry");
    assert_eq!(at.says("https://fix.example/dark"), ("dangerous", "expansion"), "a feed named its target");
    at.room.well(&["feed", "suspend", "phish", "--reason", "a test"]);
    at.becomes("https://fix.example/dark", "unknown");

    // An answer ends, and is asked for anew when the link comes again.
    at.arrive(&["brief.example/x"]);
    at.becomes("https://brief.example/x", "safe");
    at.becomes("https://brief.example/x", "unknown");
    // The desk's second and this machine's need not begin together: what comes within the old answer's time is known.
    soon("asked about anew", || {
        at.arrive(&["brief.example/x"]);
        thread::sleep(Duration::from_secs(1));
        at.says("https://brief.example/x").0 == "safe"
    });
    let log = at.world.access_log();
    for link in ["GET /x ", "GET /y ", "GET /z "] {
        assert!(
            log.lines().filter(|line| line.contains(link) && line.contains(" 429 ")).count() <= 1,
            "it has the rest asked for: {log}"
        );
    }
    drop(serve);
}

#[test]
fn a_link_that_its_platform_wants_later_is_in_no_others_way() {
    let Some(mut at) = place("links-busy") else { return };
    let own = at.paths();
    let _serve = at.room.serve_with(&args(&own));
    at.arrive(&["busy.example/x"]);
    soon("the platform says later", || at.world.access_log().contains(" 429 "));
    let others: Vec<String> = (0..8).map(|n| format!("busy.example/ok{n}")).collect();
    at.arrive(&others.iter().map(String::as_str).collect::<Vec<_>>());
    soon("the others are known", || at.waits() == json!({ "platforms": 4, "waiting": 1, "known": 8, "without_target": 0 }));
    assert_eq!(at.world.access_log().matches(" 429 ").count(), 1);
}

#[test]
fn links_of_callers_are_asked_about_aside_and_off_is_off() {
    let Some(at) = place("links-api") else { return };
    let own = at.paths();
    let on = args(&own);
    let off: Vec<&str> = on.iter().copied().filter(|arg| !arg.starts_with("--expand") && !arg.contains("recipes")).collect();
    let said = |args: &[&str]| {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut child = at.room.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_secs(1));
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap();
        std::io::read_to_string(child.stderr.take().unwrap()).unwrap()
    };
    assert!(said(&off).contains("short links are not expanded (--expand)"));
    assert!(said(&on).contains("short links of 4 platforms are expanded by"));
    {
        let serve = at.room.serve_with(&off);
        let asks = Asks::new(&at.room, &serve, &["--scope", "scan", "--scope", "verdicts"]);
        asks.well("/api/v1/verdicts", json!({ "url": "http://fix.example/api" }));
        asks.well("/api/v1/scan", json!({ "text": "See fix.example/bad" }));
        thread::sleep(Duration::from_secs(1));
        assert_eq!(at.waits(), json!({ "platforms": null, "waiting": 0, "known": 0, "without_target": 0 }));
        assert!(at.room.well(&["status"]).contains("short links are not expanded (`serve --expand`)"));
    }
    assert_eq!(at.world.access_log(), "");
    let serve = at.room.serve_with(&on);
    let asks = Asks::new(&at.room, &serve, &["--scope", "scan", "--scope", "verdicts"]);
    let verdict = |url: &str| asks.well("/api/v1/verdicts", json!({ "url": url }));
    assert_eq!(verdict("http://fix.example/api")["verdict"], "unknown", "nobody waits for the network");
    asks.well("/api/v1/scan", json!({ "text": "See fix.example/bad or bank.example" }));
    soon("the API says so", || verdict("http://fix.example/api")["verdict"] == "dangerous");
    let known = verdict("http://fix.example/api");
    assert_eq!((&known["reason"], &known["source"]), (&json!("expansion"), &json!("expansion")), "{known}");
    soon("the other too", || verdict("http://fix.example/bad")["verdict"] == "dangerous");
    let metrics = asks.ask("GET", "/metrics", "", b"").body.as_str().unwrap().to_owned();
    for line in [
        "ztsms_console_expanding 1",
        "ztsms_console_short_links{state=\"known\"} 2",
        "ztsms_console_expansions_total{result=\"expanded\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("fix.example") && !at.room.well(&["audit", "list", "--json"]).contains("fix.example"));
    drop(serve);

    // A fetcher that is not there is said, and what waits is not lost.
    let other: Vec<&str> = on.iter().map(|arg| if *arg == own[3] { "/nowhere/fetch.sock" } else { *arg }).collect();
    let serve = at.room.serve_with(&other);
    let asks = Asks::new(&at.room, &serve, &["--scope", "verdicts"]);
    asks.well("/api/v1/verdicts", json!({ "url": "http://fix.example/good" }));
    soon("an alarm", || at.room.json(&["status"])["alarms"].to_string().contains("does ztsms-fetch run?"));
    assert_eq!(at.waits()["waiting"], 1);
    drop(serve);
    fs::write(at.room.path("recipes.toml"), RECIPES.replace("\"location\"", "\"script\"")).unwrap();
    let why = at.room.refused(&[&["serve", "--listen", "127.0.0.1:0"], &on[..]].concat());
    assert!(why.contains("recipes.toml") && why.contains("line 4") && why.contains("meta-refresh"), "{why}");
}

#[test]
fn a_provider_is_evidence_and_counts_where_the_operator_says_so() {
    let Some(mut at) = place("links-live") else { return };
    let own = at.paths();
    let provider = |more: &str| at.room.list("live.toml", format!("url = \"https://provider.example/v1/ask\"\n{more}"));
    let file = provider("");
    let on = [&args(&own)[..], &["--live", &file]].concat();
    {
        let _serve = at.room.serve_with(&on);
        at.arrive(&["bad.example/login", "fix.example/live"]);
        soon("the provider was asked", || {
            at.room.json(&["status"])["live"] == json!({ "asked": true, "waiting": 0, "known": 1 })
        });
        let list = at.room.well(&["triage", "list"]);
        assert!(list.contains("the provider calls bad.example dangerous phishing"), "{list}");
        soon("the link is known", || at.waits()["known"] == 1);
        assert_eq!(
            (at.says("https://bad.example/").0, at.says("https://fix.example/live").0),
            ("unknown", "unknown"),
            "evidence"
        );
    }
    at.room.list("live.toml", "url = \"https://provider.example/v1/ask\"\ndangerous = true\n");
    let forget = "DELETE FROM live_hosts";
    {
        let desk = console::desk::Desk::open(&at.room.data()).unwrap();
        desk.store().note(move |transaction| Ok(transaction.execute(forget, [])?)).unwrap();
    }
    let _serve = at.room.serve_with(&on);
    at.arrive(&["bad.example/login"]);
    at.becomes("https://bad.example/login", "dangerous");
    let found = finds(&at.room.data().join("verdicts"), "https://bad.example/");
    assert_eq!((found.reason, found.source.as_deref(), found.category.as_deref()), ("exact", Some("live"), Some("phishing")));
    assert_eq!(at.says("https://login.bad.example/").0, "unknown", "it was asked about the very host");
    assert_eq!(at.says("https://fix.example/live"), ("dangerous", "expansion"), "a link follows");
    at.room.well(&["protect", "host", "bad.example", "--why", "a test"]);
    assert_eq!(at.says("https://bad.example/").0, "unknown", "as with a feed, no provider calls a protected name dangerous");
    let asked = fs::read_to_string(at.world.dir().join("ask.log")).unwrap();
    assert!(
        asked.lines().all(|line| line == format!("{{\\x22prefix\\x22:\\x22{}\\x22}}", &at.hash[..8])),
        "four octets of a hash: {asked}"
    );
    assert_eq!(asked.lines().count(), 1, "what the fetcher remembers it does not ask twice: {asked}");
}
