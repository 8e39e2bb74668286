//! A directory with everything that live operation uses, and a worker whose frames are generated.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use control::build::{Source as List, What};
use control::config;
use control::live::admin::{Command, ask};
use control::live::{Control, Error, Source, Start};
use control::spool::{ConsoleKey, Kind, Read, SecretKey, new_secret_key, read, segments};
use control::verdicts_cmd;
use dataplane::counters::Counters;
use dataplane::lane::{self, Frame, Lane};
use dataplane::live::{LaneSide, Setup, Stage, Worlds};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::build::Builder;
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::{Network, World};
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::LinkType;
use serde_json::Value;

/// Waits for what must come, and not for ever.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_micros(500));
    }
}

pub(crate) struct Room {
    dir: PathBuf,
    key: SecretKey,
}

impl Room {
    pub(crate) fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ztsms-live-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let key = new_secret_key();
        fs::write(dir.join("console.pub"), ConsoleKey::of(&key).to_hex()).unwrap();
        Self { dir, key }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A snapshot in the verdict directory.
    pub(crate) fn build(&self, entries: &[&str]) {
        let own = self.path("own.csv");
        fs::write(&own, format!("pattern,verdict\n{}\n", entries.join("\n"))).unwrap();
        let list = [List { path: own, what: What::Own }];
        verdicts_cmd::build(&list, &self.path("verdicts"), 1, None).unwrap();
    }

    /// Begins, with so many messages of traffic; 0 goes on until the end.
    pub(crate) fn start(&self, live: &str, messages: u64) -> Running {
        self.try_start(live, messages).unwrap()
    }

    pub(crate) fn try_start(&self, live: &str, messages: u64) -> Result<Running, Error> {
        let at = |name: &str| self.path(name).display().to_string();
        let (admin, rest) = live.split_once("[admin]\n").map_or(("", live), |(before, admin)| (admin, before));
        let text = format!(
            "[live]\nstate_dir = {:?}\n{rest}\n[admin]\nsocket = {:?}\n{admin}\n[spool]\ndir = {:?}\nflush_ms = 20\n\
             [work]\ndir = {:?}\nconsole_key_file = \"console.pub\"\n",
            at("state"),
            at("sock"),
            at("spool"),
            at("work")
        );
        fs::write(self.path("ztsms.toml"), text).unwrap();
        let config = config::load_with(Some(&self.path("ztsms.toml")), []).unwrap_or_else(|error| panic!("{error}"));
        let file = self.path("ztsms.toml");
        let again = move || Ok((config::load_with(Some(&file), []).map_err(|error| error.to_string())?, Network::default()));
        let start = Start {
            verdicts: Some(self.path("verdicts")),
            config,
            reload: Some(Box::new(again)),
            reloaded: None,
            patience: Duration::ZERO,
            hangup: Default::default(),
            freed: Vec::new(),
        };
        let worlds = start.worlds(world(&start.config))?;
        let (lane, side) = worlds.channel(&Setup::default());
        let control = Control::start(start, worlds, vec![Source { name: "generated".to_owned(), core: None, side }])?;
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        let worker = std::thread::spawn(move || work(lane, messages, &theirs));
        Ok(Running { control: Some(control), seen, worker: Some(worker) })
    }

    pub(crate) fn status(&self) -> Value {
        ask(&self.path("sock"), Command::Status).unwrap()
    }

    /// All records of the spool or of `work`.
    pub(crate) fn records(&self, name: &str) -> Vec<Value> {
        let kind = if name == "work" { Kind::Work } else { Kind::Spool };
        let mut records = Vec::new();
        for path in segments(&self.path(name), kind).unwrap() {
            let (_, report) = read(&fs::read(path).unwrap(), Some(&self.key), |item| match item {
                Read::Record(_, record) => records.push(serde_json::from_slice(record).unwrap()),
                Read::Cut(cut) => panic!("{cut:?}"),
            });
            assert!(report.records > 0);
        }
        records
    }

    /// Each is as its schema says.
    pub(crate) fn holds<'v>(&self, schema: &str, values: impl Iterator<Item = &'v Value>) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema").join(schema);
        let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut checked = 0;
        for value in values {
            let errors: Vec<String> =
                validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:?}\n{value}");
            checked += 1;
        }
        assert!(checked > 0, "nothing to check");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A world that knows nothing: what counts until the directory has been read.
fn world(config: &config::Config) -> World {
    let (suffixes, key) = (Suffixes::built_in(), Key::new(&[7; 16]));
    let snapshot = Snapshot::from_bytes(&Builder::new().build(0, &key, &suffixes).unwrap().bytes).unwrap();
    let table = Table::new(snapshot, None, key, &suffixes).unwrap();
    World { scanner: Scanner::default(), suffixes, table, policy: config.policy.clone(), network: Network::default() }
}

/// What the worker saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    done: AtomicBool,
    world: AtomicU64,
    pass: AtomicBool,
    changed: Mutex<Option<Instant>>,
    counters: Mutex<Counters>,
}

pub(crate) struct Running {
    control: Option<Control>,
    seen: Arc<Seen>,
    worker: Option<JoinHandle<()>>,
}

impl Running {
    pub(crate) fn finish_traffic(&self) {
        until("the traffic ends", || self.seen.done.load(SeqCst));
    }

    pub(crate) fn counters(&self) -> Counters {
        self.seen.counters.lock().unwrap().clone()
    }

    pub(crate) fn worlds_seen(&self) -> u64 {
        self.seen.world.load(SeqCst)
    }

    pub(crate) fn passes(&self) -> bool {
        self.seen.pass.load(SeqCst)
    }

    /// When the worker last saw another world or flag.
    pub(crate) fn last_change(&self) -> Instant {
        self.seen.changed.lock().unwrap().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.seen.stop.store(true, SeqCst);
        self.worker.take().unwrap().join().unwrap();
        drop(self.control.take());
    }
}

/// As a worker of the wire: a batch, one look at the world, one look at the clock.
fn work(mut side: LaneSide, messages: u64, seen: &Seen) {
    let mut lane = Lane::new(&lane::Setup::default());
    let mix = Mix { links: 0.5, garbage: 0.02, ..Mix::default() };
    let mut world = side.world();
    let mut published = Instant::now();
    for seed in 1.. {
        let mut file = Vec::new();
        generate(if messages == 0 { 500 } else { messages }, seed, &mix, &mut file).unwrap();
        let mut capture = Capture::new(Box::new(Cursor::new(file)), "generated");
        while let Ok(Some(frame)) = capture.next() {
            if frame.number % 32 == 0 {
                std::thread::sleep(Duration::from_millis(1));
                world = side.world();
                let (number, pass) = (world.number, side.pass());
                if seen.world.load(SeqCst) != number || seen.pass.load(SeqCst) != pass {
                    *seen.changed.lock().unwrap() = Some(Instant::now());
                    seen.world.store(number, SeqCst);
                    seen.pass.store(pass, SeqCst);
                }
                if published.elapsed() > Duration::from_millis(20) {
                    published = Instant::now();
                    side.publish(&mut lane, 0, |_| {});
                }
            }
            if seen.stop.load(SeqCst) {
                return;
            }
            let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
            let frame = Frame {
                number: frame.number,
                time_ns: frame.time_ns.unwrap_or(0),
                link_type,
                bytes: frame.bytes,
                original_len: frame.original_len as usize,
            };
            let begun = Instant::now();
            side.frame(&mut lane, &frame, &world);
            side.took(u64::try_from(begun.elapsed().as_nanos()).unwrap(), 1);
        }
        if messages > 0 {
            break;
        }
    }
    side.publish(&mut lane, 0, |_| {});
    *seen.counters.lock().unwrap() = lane.counters().clone();
    seen.done.store(true, SeqCst);
    // A worker of the wire goes on publishing, traffic or none.
    while !seen.stop.load(SeqCst) {
        std::thread::sleep(Duration::from_millis(5));
        world = side.world();
        seen.world.store(world.number, SeqCst);
        side.publish(&mut lane, 0, |_| {});
    }
}

/// What a lane's frames took.
pub(crate) struct Took {
    pub(crate) p50: Duration,
    pub(crate) p99_9: Duration,
    pub(crate) longest: Duration,
    pub(crate) frames: usize,
    pub(crate) swaps: u64,
}

/// Worlds that are put in force at the least, however long one takes to make.
const SWAPS: u64 = 4;

/// A lane for so long, while worlds of so many entries are put in force, each as soon as it is made.
pub(crate) fn swaps(time: Duration, entries: Option<u64>) -> Took {
    let mut worlds = Worlds::new(world(&config::Config::default()), Stage::all());
    let (mut side, _control) = worlds.channel(&Setup::default());
    let stop = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&stop);
    let lane = std::thread::spawn(move || {
        let mut times: Vec<u64> = Vec::with_capacity(1 << 24);
        let mut seen = 0;
        for seed in 1.. {
            let (mut lane, mut file) = (Lane::new(&lane::Setup::default()), Vec::new());
            generate(20_000, seed, &Mix { links: 0.5, ..Mix::default() }, &mut file).unwrap();
            let mut capture = Capture::new(Box::new(Cursor::new(file)), "generated");
            while let Ok(Some(frame)) = capture.next() {
                if theirs.load(SeqCst) {
                    return (times, seen);
                }
                let link_type = LinkType::from_pcap(frame.link_type).unwrap();
                let len = frame.original_len as usize;
                let frame = Frame { number: frame.number, time_ns: 1, link_type, bytes: frame.bytes, original_len: len };
                let begun = Instant::now();
                let world = side.world();
                side.frame(&mut lane, &frame, &world);
                drop(world);
                times.push(u64::try_from(begun.elapsed().as_nanos()).unwrap());
                seen = seen.max(side.world().number);
            }
        }
        (times, seen)
    });
    let begun = Instant::now();
    let mut made = 0;
    while begun.elapsed() < time || (entries.is_some() && made < SWAPS) {
        std::thread::sleep(Duration::from_millis(500));
        let Some(entries) = entries else { continue };
        made += 1;
        let suffixes = Suffixes::built_in();
        let table = dataplane::verdicts::synthetic::table(entries, Key::new(&[9; 16]), &suffixes).unwrap();
        let policy = config::Config::default().policy;
        worlds.set(World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() }, Stage::all());
    }
    stop.store(true, SeqCst);
    let (mut times, seen) = lane.join().unwrap();
    times.sort_unstable();
    let at = |share: f64| Duration::from_nanos(times[(times.len() as f64 * share) as usize]);
    let longest = Duration::from_nanos(*times.last().unwrap());
    Took { p50: at(0.5), p99_9: at(0.999), longest, frames: times.len(), swaps: seen - 1 }
}
