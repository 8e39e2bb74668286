//! Asking the fetcher: one connection, one request at a time, blocking.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::protocol::{
    ANSWER_OCTETS, Answer, Ask, Evidence, EvidenceOf, Expand, Expanded, Feed, Fetched, Live, LiveAnswer, Outcome, PIECE_OCTETS,
    Platforms, PlatformsSet, Request, Status,
};

/// The fetcher was not there, or what it said is not in the protocol. The connection is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The socket.
    #[error("ztsms-fetch: {0}")]
    Io(#[from] io::Error),
    /// Where the body of a feed was to go.
    #[error("keeping the body: {0}")]
    Sink(io::Error),
    /// An answer that cannot be read.
    #[error("ztsms-fetch said what is not understood: {0}")]
    Answer(String),
}

/// A connection to the fetcher.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    next: u64,
}

impl Client {
    /// Connects to the socket. Without an answer for ten minutes and a half a call fails; [`Client::patience`] changes that.
    pub fn connect(socket: &Path) -> Result<Self, Error> {
        let stream = UnixStream::connect(socket)?;
        let client = Self { stream: BufReader::new(stream), next: 1 };
        client.patience(Duration::from_secs(630))?;
        Ok(client)
    }

    /// How long a call waits for the next octet of an answer.
    pub fn patience(&self, time: Duration) -> Result<(), Error> {
        self.stream.get_ref().set_read_timeout(Some(time))?;
        Ok(self.stream.get_ref().set_write_timeout(Some(time))?)
    }

    /// What the fetcher is and has done.
    pub fn status(&mut self) -> Result<Outcome<Status>, Error> {
        self.call(Ask::Status)
    }

    /// Replaces the set of platforms. A fetcher that was started again has none.
    pub fn platforms(&mut self, platforms: &Platforms) -> Result<Outcome<PlatformsSet>, Error> {
        self.call(Ask::Platforms(platforms.clone()))
    }

    /// Follows a short link.
    pub fn expand(&mut self, expand: &Expand) -> Result<Outcome<Expanded>, Error> {
        self.call(Ask::Expand(expand.clone()))
    }

    /// Collects evidence about a name.
    pub fn evidence(&mut self, of: &EvidenceOf) -> Result<Outcome<Evidence>, Error> {
        self.call(Ask::Evidence(of.clone()))
    }

    /// Asks a provider.
    pub fn live(&mut self, live: &Live) -> Result<Outcome<LiveAnswer>, Error> {
        self.call(Ask::Live(live.clone()))
    }

    /// Fetches a list into `body`. What was written there is valid only if this gives `Ok(Outcome::Ok(…))` with a digest.
    pub fn feed(&mut self, feed: &Feed, body: &mut impl Write) -> Result<Outcome<Fetched>, Error> {
        let head: Outcome<Fetched> = self.call(Ask::Feed(feed.clone()))?;
        if !head.ok().is_some_and(|head| head.body) {
            return Ok(head);
        }
        let mut piece = Vec::new();
        loop {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            if length == 0 {
                return self.answer();
            }
            if length > PIECE_OCTETS {
                return Err(Error::Answer(format!("a piece of {length} octets")));
            }
            piece.resize(length, 0);
            self.stream.read_exact(&mut piece)?;
            body.write_all(&piece).map_err(Error::Sink)?;
        }
    }

    fn call<T: DeserializeOwned>(&mut self, ask: Ask) -> Result<Outcome<T>, Error> {
        self.next += 1;
        let mut line = serde_json::to_vec(&Request { id: self.next.to_string(), ask }).map_err(io::Error::other)?;
        line.push(b'\n');
        self.stream.get_mut().write_all(&line)?;
        self.answer()
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<Outcome<T>, Error> {
        let mut line = Vec::new();
        (&mut self.stream).take(ANSWER_OCTETS as u64).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        let answer: Answer<T> = serde_json::from_slice(&line).map_err(|error| Error::Answer(error.to_string()))?;
        if answer.id != self.next.to_string() {
            return Err(Error::Answer(format!("an answer to {:?} where {} was asked", answer.id, self.next)));
        }
        Ok(answer.answer)
    }
}
