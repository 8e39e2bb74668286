//! Lists at an address: `ztsms-fetch` goes there, this keeps what it brings. Nothing here goes out.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use ztsms_fetch::client::Client;
use ztsms_fetch::guard::{self, Options, Target};
use ztsms_fetch::protocol::{Failure, Feed, Fetched, Limits, Outcome};

use super::Source;
use crate::{Error, Result};

/// What came of asking.
pub(crate) enum Came {
    /// Nothing is new since the last time.
    Unchanged,
    /// A list stands in the file; this is to be kept for the next time.
    List(Fetched),
}

/// Looks at an address as a person types it, by the rules that the fetcher holds it to. Which ports may be gone to is the fetcher's own.
///
/// # Errors
/// It is one that nobody is sent to.
pub(crate) fn typed(address: &str) -> Result<()> {
    let refused = |failure: Failure| Error::Refused(format!("{address}: {failure}"));
    let url = guard::parse(address).map_err(refused)?;
    let port = url.port_or_known_default().unwrap_or_default();
    Target::of(url, &[port]).map(drop).map_err(refused)
}

/// What to know of an address at a port that the fetcher goes to in a laboratory only.
pub(crate) fn odd_port(address: &str) -> Option<String> {
    let port = guard::parse(address).ok()?.port_or_known_default()?;
    let says = || format!("port {port}: `ztsms-fetch` goes to 80 and 443 and to no other, but in a laboratory");
    (!Options::default().ports.contains(&port)).then(says)
}

/// Asks for the list of a source. What it brings is written to `to`, which is removed when it is not whole.
///
/// # Errors
/// The fetcher is not there, or says why not; the file cannot be written.
pub(crate) fn fetch(socket: &Path, source: &Source, address: &str, to: &Path) -> Result<Came> {
    let done = ask(socket, source, address, to);
    if done.is_err() {
        let _ = fs::remove_file(to);
    }
    done
}

fn ask(socket: &Path, source: &Source, address: &str, to: &Path) -> Result<Came> {
    let said = |error: ztsms_fetch::client::Error| match error {
        ztsms_fetch::client::Error::Sink(error) => Error::File(to.to_owned(), "write", error),
        other => Error::Refused(format!("{}: {other}", socket.display())),
    };
    let mut client = Client::connect(socket).map_err(said)?;
    // Without a version that counts, "nothing is new" would be nothing at all.
    let known = source.version.is_some();
    let feed = Feed {
        etag: source.etag.clone().filter(|_| known),
        last_modified: source.modified.clone().filter(|_| known),
        limits: Limits { body_octets: u64::try_from(source.settings.most_octets).ok(), ..Limits::default() },
        ..Feed::new(address)
    };
    let mut file = BufWriter::with_capacity(1 << 20, File::create(to).map_err(Error::file(to, "make"))?);
    let outcome = client.feed(&feed, &mut file).map_err(said)?;
    file.flush().map_err(Error::file(to, "write"))?;
    match outcome {
        Outcome::Failed(failure) => Error::refused(format!("{address}: {failure}")),
        Outcome::Ok(fetched) if fetched.unchanged => Ok(Came::Unchanged),
        Outcome::Ok(fetched) => Ok(Came::List(fetched)),
    }
}
