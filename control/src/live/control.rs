//! The control thread: what the lanes say goes out, what the directory and people say goes in.

mod lanes;
mod learned;
mod orders;
mod report;
mod sinks;
mod split;
mod told;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam::channel::{Receiver, Sender, bounded, unbounded};
use dataplane::live::{ControlSide, Kind, Stage, Worlds};
use dataplane::policy::Protected;
use dataplane::world::{Network, World};
use serde_json::Value;

use super::admin::{Command, Latest, Order, Socket};
use super::alarms::Alarms;
use super::breaker::{Breaker, Tripped};
use super::follow::{self, Follow, News, Terms};
use super::records::Makes;
use super::status::Status;
use super::unscanned::Samples;
use super::{admin, keys, metrics, stage};
use crate::build::signed::Verifier;
use crate::build::suspended::Suspended;
use crate::config::Config;
use crate::plan::Plan;
use crate::record::Redactor;
use crate::record_json::push_line;
use crate::spool::Sink;
use lanes::{Lane, Trouble};
use sinks::{samples, sinks};
use split::Split;
use told::Rising;
pub use told::Told;

/// Between two looks at the rings when they were empty.
const PAUSE: Duration = Duration::from_millis(2);
/// Notes of one worker before the others have their turn.
const TURN: usize = 256;
/// How often the status is made, and the breaker asked.
const STATUS: Duration = Duration::from_millis(100);

/// Why live operation could not begin: each names what to change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] Box<crate::config::ConfigError>),
    /// The table that stands until the directory has been read.
    #[error("no empty table: {0}")]
    Empty(String),
    /// The socket cannot be bound.
    #[error("{0}: {1} ([admin] socket)")]
    Socket(PathBuf, #[source] io::Error),
    /// Prometheus' address cannot be bound.
    #[error("{0} ([admin] metrics)")]
    Metrics(#[source] io::Error),
    /// A directory of records cannot be written.
    #[error("{0}: {1} ({2})")]
    Directory(PathBuf, #[source] io::Error, &'static str),
    /// A key cannot be read or made.
    #[error("{0} ({1})")]
    Key(#[source] io::Error, &'static str),
    /// What is to be followed is no directory.
    #[error("{0} (--verdicts, or [live] verdicts)")]
    NoDirectory(String),
    /// `[work]` without a key would be readable.
    #[error("[work] has a directory and no console_key_file: nothing is kept that is not sealed")]
    NoConsoleKey,
    /// The console's key is none.
    #[error("{0} ([live] verdicts_key_file)")]
    ConsoleKey(#[source] crate::build::Error),
    /// No thread could be made.
    #[error("no thread: {0}")]
    Thread(#[source] io::Error),
}

/// One worker.
pub struct Source {
    /// Its interfaces, as records name them.
    pub name: String,
    /// The core that it is pinned to.
    pub core: Option<usize>,
    /// The control side of its channel.
    pub side: ControlSide,
}

/// What live operation begins with.
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The verdict directory that is followed; none: the table stays as it is.
    pub verdicts: Option<PathBuf>,
    /// Reads the configuration again.
    pub reload: Option<Reload>,
    /// Is told of each configuration that was read again and is in force: whoever holds the wire.
    pub reloaded: Option<std::sync::mpsc::Sender<Config>>,
    /// How long a filter that leaves may still answer at the socket.
    pub patience: Duration,
    /// Set when the configuration is to be read again: by SIGHUP.
    pub hangup: Arc<AtomicBool>,
    /// Addresses of metrics that it has until then.
    pub freed: Vec<SocketAddr>,
}

/// The configuration, and the network that it describes.
pub type Reload = Box<dyn FnMut() -> Result<(Config, Network), String> + Send>;

impl Start {
    /// The worlds that lanes are made from. `world` holds the table that counts until the directory has been read.
    ///
    /// # Errors
    /// The stage's key cannot be read or made.
    pub fn worlds(&self, world: World) -> Result<Worlds, Error> {
        let stage = stage::of(&self.config.live).map_err(|error| Error::Key(error, "stage.key in [live] state_dir"))?;
        Ok(Worlds::new(world, stage))
    }
}

/// Live operation's control side, running. Dropped, it ends: what is in the rings is written first.
pub struct Control {
    stop: Arc<AtomicBool>,
    leaving: Arc<AtomicBool>,
    orders: Sender<Order>,
    latest: Arc<Latest>,
    told: Arc<Mutex<Told>>,
    threads: Vec<JoinHandle<()>>,
}

/// Live operation's control side, ready to begin: keys are read, directories are there, the metrics have their address. What is left to take is
/// what the filter that it replaces has: the socket, and the address if it is the same.
pub struct Prepared {
    running: Running,
    verdicts: Option<PathBuf>,
    follow: Option<Follow>,
    every: Duration,
    news_in: Sender<News>,
    back_out: Receiver<Sender<Result<u64, String>>>,
    patience: Duration,
    metrics: Option<metrics::Place>,
}

impl Prepared {
    /// Opens and makes keys, binds what nobody has. Nothing that a running filter has is touched.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn new(start: Start, worlds: Worlds, sources: Vec<Source>) -> Result<Self, Error> {
        let Start { config, verdicts, reload, reloaded, hangup, patience, freed } = start;
        let socket = &config.admin.socket;
        admin::may_be_bound(socket).map_err(|error| Error::Socket(socket.clone(), error))?;
        let metrics = config.admin.metrics.map(|address| metrics::Place::find(address.0, &freed));
        let metrics = metrics.transpose().map_err(Error::Metrics)?;
        let (news_in, news) = bounded(16);
        let (back, back_out) = bounded::<Sender<Result<u64, String>>>(1);
        let suffixes = worlds.current().suffixes.clone();
        let follow = verdicts.as_deref().map(|dir| Ok::<_, Error>(Follow::new(dir, suffixes, terms(&config)?))).transpose()?;
        let every = Duration::from_millis(config.live.follow_ms.max(1));
        let mut running = Running::new(config, worlds, sources, news, back, verdicts.is_some())?;
        (running.reload, running.reloaded, running.hangup) = (reload, reloaded, hangup);
        Ok(Self { running, verdicts, follow, every, news_in, back_out, patience, metrics })
    }
}

impl Control {
    /// Prepares and begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(start: Start, worlds: Worlds, sources: Vec<Source>) -> Result<Self, Error> {
        Self::begin(Prepared::new(start, worlds, sources)?)
    }

    /// Binds and begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn begin(prepared: Prepared) -> Result<Self, Error> {
        let Prepared { mut running, verdicts, follow, every, news_in, back_out, patience, metrics } = prepared;
        let stop = Arc::new(AtomicBool::new(false));
        let latest = Arc::new(Latest::default());
        let (orders, orders_out) = unbounded();
        let socket = running.config.admin.socket.clone();
        let socket = Socket::bind(&socket, patience).map_err(|error| Error::Socket(socket, error))?;
        let mut threads = Vec::new();
        if let Some(place) = metrics {
            let serving = metrics::serve(place, patience, Arc::clone(&latest), Arc::clone(&stop));
            threads.push(serving.map_err(Error::Metrics)?);
        }
        running.publish(&latest);
        threads.push(socket.serve(orders.clone(), Arc::clone(&latest), Arc::clone(&stop)).map_err(Error::Thread)?);
        if let Some(dir) = &verdicts {
            let news = news_in.clone();
            let thread = follow::follow_observe(dir, every, move |what| drop(news.send(what)), Arc::clone(&stop));
            threads.push(thread.map_err(Error::Thread)?);
        }
        if let Some(follow) = follow {
            let stop = Arc::clone(&stop);
            let thread = Builder::new().name("follow".to_owned());
            threads.push(thread.spawn(move || following(follow, every, &news_in, &back_out, &stop)).map_err(Error::Thread)?);
        }
        let (leaving, told) = (Arc::clone(&running.leaving), Arc::clone(&running.told));
        let (stopped, shown) = (Arc::clone(&stop), Arc::clone(&latest));
        let thread = Builder::new().name("control".to_owned());
        threads.push(thread.spawn(move || running.run(&orders_out, &shown, &stopped)).map_err(Error::Thread)?);
        Ok(Self { stop, leaving, orders, latest, told, threads })
    }

    /// The last status.
    pub fn status(&self) -> Arc<Status> {
        self.latest.status()
    }

    /// Tells the service manager that set-up is done. Without one nothing happens.
    pub fn ready(&self) {
        use sd_notify::NotifyState::{MainPid, Ready, Status as Says};
        // Nobody is there to be told.
        let _ = sd_notify::notify(&[Ready, MainPid(std::process::id()), Says(mode(self.status().mode.enforce))]);
    }

    /// What whoever holds the wire says of it now.
    pub fn tell(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Whether every thread of the control side runs: one that ended by itself has broken down.
    pub fn is_alive(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// The lanes are about to end, as they should.
    pub fn leaving(&self) {
        self.leaving.store(true, Relaxed);
    }

    /// Gives a command, as the socket would.
    ///
    /// # Errors
    /// What the control thread says.
    pub fn command(&self, command: Command) -> Result<Value, String> {
        let (answer, receive) = bounded(1);
        self.orders.send(Order { command, answer }).map_err(|_| "stopping".to_owned())?;
        receive.recv_timeout(Duration::from_secs(30)).map_err(|_| "no answer in time".to_owned())?
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// As the service manager is told.
const fn mode(enforces: bool) -> &'static str {
    if enforces { "enforces" } else { "observes" }
}

fn terms(config: &Config) -> Result<Terms, Error> {
    let live = &config.live;
    let verifier = live.verdicts_key_file.as_deref().map(Verifier::from_file).transpose().map_err(Error::ConsoleKey)?;
    Ok(Terms { limits: live.limits.clone(), verifier, state_dir: Some(live.state_dir.clone()) })
}

fn following(
    mut follow: Follow,
    every: Duration,
    news: &Sender<News>,
    back: &Receiver<Sender<Result<u64, String>>>,
    stop: &AtomicBool,
) {
    while !stop.load(Relaxed) {
        follow.look(|what| drop(news.send(what)));
        if let Ok(answer) = back.recv_timeout(every) {
            let result = follow.go_back(|what| drop(news.send(what)));
            drop(answer.send(result));
        }
    }
}

struct Running {
    config: Config,
    plan: Option<Plan>,
    worlds: Worlds,
    /// The stage that the configuration asks for, before the breaker.
    stage: Stage,
    lanes: Vec<Lane>,
    split: Split,
    /// Set once the lanes are about to end, as they should.
    leaving: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
    news: Receiver<News>,
    back: Sender<Sender<Result<u64, String>>>,
    follows: bool,
    /// Why the console put everything into observe.
    observed: Option<String>,
    /// Protected senders of the verdict directory.
    senders: Vec<Protected>,
    /// Its sources and rules that are out of force.
    suspended: Suspended,
    makes: Makes,
    spool: Option<Sink>,
    work: Option<Sink>,
    samples: Option<Samples>,
    breaker: Breaker,
    begun: Instant,
    /// Frames that were not looked at, and frames that rings dropped.
    rising: (Rising<3>, Rising<2>),
    alarms: Alarms,
    started: u64,
    line: Vec<u8>,
    reload: Option<Reload>,
    reloaded: Option<std::sync::mpsc::Sender<Config>>,
    hangup: Arc<AtomicBool>,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Running {
    fn new(
        config: Config,
        worlds: Worlds,
        sources: Vec<Source>,
        news: Receiver<News>,
        back: Sender<Sender<Result<u64, String>>>,
        follows: bool,
    ) -> Result<Self, Error> {
        let (spool, work) = sinks(&config)?;
        let makes = if spool.is_some() || work.is_some() {
            let key = keys::read_or_make(config.spool.key_file.as_deref(), &config.live.state_dir, "pseudonyms.key");
            let said = |error| Error::Key(error, "[spool] key_file, or pseudonyms.key in [live] state_dir");
            let path = key.map_err(said)?;
            let said = |error| said(keys::of(&path, &error));
            let redactor = Redactor::from_file(&path).map_err(said)?;
            // Content keys are made with a key of their own, derived from the same file.
            let octets = std::fs::read(&path).map_err(said)?;
            Makes { redactor, key: xxhash_rust::xxh3::xxh3_128(&octets) }
        } else {
            Makes { redactor: Redactor::new(), key: 0 }
        };
        let told = Arc::new(Mutex::new(Told { mtu: Some(worlds.current().network.mtu), ..Told::default() }));
        let samples = samples(&config)?;
        Ok(Self {
            plan: config.plan.loaded.clone(),
            stage: worlds.current().stage.clone(),
            breaker: Breaker::new(config.live.breaker.clone()),
            begun: Instant::now(),
            lanes: sources.into_iter().map(Lane::new).collect(),
            split: Split::default(),
            leaving: Arc::default(),
            told,
            started: now(),
            alarms: Alarms::default(),
            rising: Default::default(),
            line: Vec::new(),
            reload: None,
            reloaded: None,
            hangup: Arc::default(),
            config,
            worlds,
            news,
            back,
            follows,
            observed: None,
            senders: Vec::new(),
            suspended: Suspended::default(),
            makes,
            spool,
            work,
            samples,
        })
    }

    fn run(mut self, orders: &Receiver<Order>, latest: &Latest, stop: &AtomicBool) {
        let mut shown = Instant::now();
        let mut told = Instant::now();
        let watchdog = sd_notify::watchdog_enabled().map(|period| period / 3);
        loop {
            let stopping = stop.load(Relaxed);
            let taken = self.drain();
            orders.try_iter().for_each(|order| self.obey(order));
            if self.hangup.swap(false, Relaxed) {
                // What is wrong is an alarm.
                let _ = self.reload();
            }
            while let Ok(news) = self.news.try_recv() {
                self.learn(news);
            }
            for sink in [&mut self.spool, &mut self.work].into_iter().flatten() {
                sink.tick();
            }
            if shown.elapsed() >= STATUS || stopping {
                shown = Instant::now();
                self.judge();
                self.worlds.let_go();
                self.publish(latest);
            }
            let hangs = |lane: &mut Lane| lane.trouble() == Some(Trouble::Hangs);
            if watchdog.is_some_and(|period| told.elapsed() >= period) && !self.lanes.iter_mut().any(hangs) {
                told = Instant::now();
                // Without a manager there is nobody to tell.
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
            }
            if taken == 0 {
                if stopping {
                    break;
                }
                std::thread::sleep(PAUSE);
            }
        }
    }

    fn drain(&mut self) -> usize {
        let Self { lanes, split, worlds, makes, spool, work, samples, breaker, begun, line, .. } = self;
        // By a clock that nobody sets: a minute is one.
        let second = begun.elapsed().as_secs();
        let mut taken = 0;
        let several = lanes.len() > 1;
        for Lane { name, side, .. } in lanes {
            taken += side.drain(TURN, worlds, |noted| match &noted.note.kind {
                Kind::Sms(sms) => {
                    let domains = noted.links.iter().map(|link| link.registrable.text(noted.octets));
                    breaker.count(second, sms.rewritten, domains.filter(|domain| !domain.is_empty()));
                    if let Some(label) = noted.note.place.label.filter(|_| several) {
                        split.note(name, label);
                    }
                    if let Some(spool) = spool {
                        put(spool, line, &makes.sms(noted, sms, name));
                    }
                    if let Some((work, record)) = work.as_mut().zip(makes.work(noted, sms)) {
                        put(work, line, &record);
                    }
                }
                Kind::Unscanned { why, link_type, original_len, frame } => {
                    let Some(samples) = samples else { return };
                    let number = u16::try_from(link_type.to_pcap()).unwrap_or(u16::MAX);
                    samples.put(noted.note.place.time_ns, number, frame.of(noted.octets), *original_len, *why);
                }
                _ => {
                    if let Some((spool, record)) = spool.as_mut().zip(makes.event(noted, name)) {
                        put(spool, line, &record);
                    }
                }
            });
        }
        taken
    }

    fn judge(&mut self) {
        let tripped = self.breaker.judge();
        if !tripped.is_empty() {
            self.worlds.set_stage(self.held());
            let what: Vec<String> = tripped
                .iter()
                .map(|one| match one {
                    Tripped::Domain(domain, n, all) => format!("{domain} returned to observe: {n} of {all} messages in 60 s"),
                    Tripped::All(n, all) => format!("everything returned to observe: {n} of {all} messages in 60 s"),
                })
                .collect();
            self.alarms.raise("breaker", what.join("; "), now());
        }
        self.hear_disks();
        self.alarms.set("split", self.split.found().cloned(), now());
        self.hear();
        if !self.leaving.load(Relaxed) {
            let troubles: Vec<String> = self.lanes.iter_mut().filter_map(Lane::said).collect();
            self.alarms.set("lane", (!troubles.is_empty()).then(|| troubles.join("; ")), now());
        }
    }
}

fn put(sink: &mut Sink, line: &mut Vec<u8>, record: &impl serde::Serialize) {
    line.clear();
    push_line(line, record);
    // The line break is the reader's.
    sink.put(line.strip_suffix(b"\n").unwrap_or(line));
}
