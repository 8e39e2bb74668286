//! The socket: who asks, in what order, and what is answered.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::expand::Expander;
use crate::guard::Guard;
use crate::live::Providers;
use crate::protocol::{Answer, Ask, Failure, Feed, Fetched, Outcome, PIECE_OCTETS, REQUEST_OCTETS, Request, Status, Why};
use crate::{evidence, feed};

/// Time that a client has to take what it asked for, piece by piece.
const TAKE: Duration = Duration::from_secs(60);
/// Octets of an id that come back.
const ID_OCTETS: usize = 64;

/// What may be asked, how much at once.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of `expand`, `feed`, `evidence`, `live`.
    pub on: Vec<String>,
    /// Connections of clients.
    pub connections: usize,
    /// Requests that run at once, lists apart.
    pub at_once: usize,
    /// Lists that are fetched at once.
    pub lists_at_once: usize,
    /// Requests that wait, at most; more are answered `busy`.
    pub waiting: u64,
    /// Fetches from platforms a minute, in all.
    pub expand_per_minute: u32,
    /// Questions to providers a minute, in all.
    pub live_per_minute: u32,
    /// Each fetch from a platform waits a random time of up to this.
    pub jitter: Duration,
}

/// Everything that answers.
#[derive(Debug)]
pub struct Service {
    guard: Guard,
    options: Options,
    small: Semaphore,
    lists: Semaphore,
    expander: Expander,
    providers: Providers,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    running: AtomicU64,
    waiting: AtomicU64,
    answered: AtomicU64,
    remembered: AtomicU64,
    failed: Mutex<BTreeMap<Why, u64>>,
}

/// Counted as long as it lives.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicU64) -> (Self, u64) {
        let before = count.fetch_add(1, Ordering::Relaxed);
        (Self(count), before)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts for ever, no more connections at once than the service takes.
pub async fn serve(listener: UnixListener, service: Arc<Service>) {
    let connections = Arc::new(Semaphore::new(service.options.connections));
    loop {
        // Nobody closes the semaphore.
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, as a rule: they come back when others are done.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            // A client that went away is no error of ours.
            let _ = service.converse(stream).await;
            drop(permit);
        });
    }
}

impl Service {
    /// Ready to answer.
    pub fn new(guard: Guard, options: Options) -> Self {
        let (small, lists) = (Semaphore::new(options.at_once), Semaphore::new(options.lists_at_once));
        let expander = Expander::new(options.expand_per_minute, options.jitter);
        let providers = Providers::new(options.live_per_minute);
        Self { guard, options, small, lists, expander, providers, counts: Counts::default() }
    }

    async fn converse(&self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        loop {
            let mut line = Vec::new();
            let octets = (&mut read).take(REQUEST_OCTETS as u64).read_until(b'\n', &mut line).await?;
            if octets == 0 {
                return Ok(());
            }
            let request: Request = match serde_json::from_slice(&line) {
                Ok(request) if line.ends_with(b"\n") => request,
                Ok(_) => return self.misread(&mut write, "a line without an end, or too long").await,
                Err(error) => return self.misread(&mut write, &error.to_string()).await,
            };
            let mut id = request.id;
            id.truncate((0..=ID_OCTETS).rev().find(|at| id.is_char_boundary(*at)).unwrap_or_default());
            tokio::select! {
                done = self.answer(id, request.ask, &mut write) => done?,
                () = gone(&mut read) => return Ok(()),
            }
        }
    }

    /// What cannot be read ends the conversation: where the next request begins is not known.
    async fn misread(&self, write: &mut OwnedWriteHalf, detail: &str) -> io::Result<()> {
        let failure = Failure::new(Why::Request, format_args!("not a request: {detail}"));
        self.say(write, "", Err::<(), _>(failure)).await
    }

    async fn answer(&self, id: String, ask: Ask, write: &mut OwnedWriteHalf) -> io::Result<()> {
        match ask {
            Ask::Status => self.say(write, &id, Ok(self.status())).await,
            Ask::Feed(feed) => match self.turn("feed", &self.lists).await {
                Ok(_turn) => self.list(&id, &feed, write).await,
                Err(failure) => self.say(write, &id, Err::<Fetched, _>(failure)).await,
            },
            Ask::Platforms(platforms) => self.say(write, &id, self.expander.set(platforms)).await,
            Ask::Expand(ask) => {
                let answer = match self.turn("expand", &self.small).await {
                    Ok(_turn) => self.expander.expand(&self.guard, &ask).await,
                    Err(failure) => Err(failure),
                };
                if let Ok(way) = &answer {
                    let remembered = way.hops.iter().filter(|hop| hop.remembered).count() as u64;
                    self.counts.remembered.fetch_add(remembered, Ordering::Relaxed);
                }
                self.say(write, &id, answer).await
            }
            Ask::Evidence(of) => {
                let answer = match self.turn("evidence", &self.small).await {
                    Ok(_turn) => evidence::collect(&self.guard, &of).await,
                    Err(failure) => Err(failure),
                };
                self.say(write, &id, answer).await
            }
            Ask::Live(live) => {
                let answer = match self.turn("live", &self.small).await {
                    Ok(_turn) => self.providers.ask(&self.guard, &live).await,
                    Err(failure) => Err(failure),
                };
                self.counts.remembered.fetch_add(answer.as_ref().is_ok_and(|answer| answer.remembered).into(), Ordering::Relaxed);
                self.say(write, &id, answer).await
            }
        }
    }

    /// Waits for a turn, in a queue that does not grow beyond its bound.
    async fn turn<'a>(&'a self, what: &str, lane: &'a Semaphore) -> Result<(SemaphorePermit<'a>, Counted<'a>), Failure> {
        if !self.options.on.iter().any(|on| on == what) {
            return Err(Failure::new(Why::Off, format_args!("{what} is not switched on: ztsms-fetch --on {what}")));
        }
        let permit = match lane.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let (_waits, before) = Counted::new(&self.counts.waiting);
                if before >= self.options.waiting {
                    return Err(Failure::new(Why::Busy, format_args!("{before} requests wait already")).after(1));
                }
                lane.acquire().await.map_err(|error| Failure::new(Why::Busy, error))?
            }
        };
        Ok((permit, Counted::new(&self.counts.running).0))
    }

    async fn list(&self, id: &str, feed: &Feed, write: &mut OwnedWriteHalf) -> io::Result<()> {
        let mut incoming = match feed::open(&self.guard, feed).await {
            Ok(incoming) => incoming,
            Err(failure) => return self.say(write, id, Err::<Fetched, _>(failure)).await,
        };
        if !incoming.head.body {
            return self.say(write, id, Ok(incoming.finish())).await;
        }
        self.put(write, &line(id, Ok(&incoming.head))?).await?;
        let end = loop {
            match incoming.next().await {
                Ok(Some(octets)) => {
                    for piece in octets.chunks(PIECE_OCTETS) {
                        self.put(write, &u32::try_from(piece.len()).unwrap_or_default().to_be_bytes()).await?;
                        self.put(write, piece).await?;
                    }
                }
                Ok(None) => break Ok(incoming.finish()),
                Err(failure) => break Err(failure),
            }
        };
        self.put(write, &[0; 4]).await?;
        self.say(write, id, end).await
    }

    async fn say<T: Serialize>(&self, write: &mut OwnedWriteHalf, id: &str, result: Result<T, Failure>) -> io::Result<()> {
        match &result {
            Ok(_) => {
                self.counts.answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(failure) => {
                let mut failed = self.counts.failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed.entry(failure.why).or_default() += 1;
            }
        }
        self.put(write, &line(id, result)?).await
    }

    async fn put(&self, write: &mut OwnedWriteHalf, octets: &[u8]) -> io::Result<()> {
        timeout(TAKE, write.write_all(octets)).await.map_err(io::Error::from)?
    }

    fn status(&self) -> Status {
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            on: self.options.on.clone(),
            running: self.counts.running.load(Ordering::Relaxed),
            waiting: self.counts.waiting.load(Ordering::Relaxed),
            answered: self.counts.answered.load(Ordering::Relaxed),
            failed: self.counts.failed.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            connections: self.guard.connections(),
            platforms: self.expander.version(),
            remembered: self.counts.remembered.load(Ordering::Relaxed),
        }
    }
}

fn line<T: Serialize>(id: &str, result: Result<T, Failure>) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Answer { id: id.to_owned(), answer: Outcome::from(result) }).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Waits until the client has closed its side. What it sends ahead stays where it is, for the next turn.
async fn gone(read: &mut BufReader<OwnedReadHalf>) {
    match read.fill_buf().await {
        Ok(ahead) if !ahead.is_empty() => std::future::pending().await,
        _ => {}
    }
}
