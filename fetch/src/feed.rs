//! Fetching a list: conditional, redirected within the guard only, and refused where it is no list.

use bytes::{Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use ring::digest;

use crate::guard::{Body, Bounds, Call, Clock, Guard, Reply, Target, Unpack};
use crate::protocol::{Failure, Feed, Fetched, Why};

/// Redirects that are followed, at most.
const REDIRECTS: usize = 5;
/// Octets that are looked at before anything is passed on.
const LOOK_OCTETS: usize = 1024;

/// A list that is on its way.
pub struct Incoming {
    /// What is known before the body.
    pub head: Fetched,
    body: Option<Rest>,
}

struct Rest {
    body: Body,
    /// Unpacks a file that is packed, other than one that was packed for the way.
    unpack: Option<Unpack>,
    unpacked: bool,
    /// It ends where the connection does: nothing tells a whole one from one that was cut on its way.
    ends_anywhere: bool,
    /// What was looked at and not yet passed on.
    looked: Bytes,
    sum: digest::Context,
    octets: u64,
    most: u64,
}

/// Asks for the list and looks at its beginning.
pub async fn open(guard: &Guard, feed: &Feed) -> Result<Incoming, Failure> {
    let clock = Bounds::LIST.at_most(feed.limits).start();
    let mut head = Fetched::default();
    let mut target = guard.target(&feed.url)?;
    let reply = loop {
        let reply = ask(guard, &target, feed, &clock).await?;
        let Some(location) = reply.location() else { break reply };
        let next = guard
            .target_of(target.url().join(&location).map_err(|error| nowhere(&target, &error))?)
            .map_err(|f| f.at("redirect"))?;
        head.redirects.push(target.url().to_string());
        if target.is_secure() && !next.is_secure() {
            return Err(Failure::new(Why::Redirect, format_args!("from https to http, at {}", target.host())));
        }
        if head.redirects.iter().any(|been| been == next.url().as_str()) {
            return Err(Failure::new(Why::Loop, format_args!("redirected in a circle, at {}", target.host())));
        }
        if head.redirects.len() > REDIRECTS {
            return Err(Failure::new(Why::Hops, format_args!("more than {REDIRECTS} redirects")));
        }
        target = next;
    };
    head.url = target.url().to_string();
    let text = |name| reply.field(&name).map(str::to_owned);
    (head.etag, head.last_modified, head.content_type) = (text(ETAG), text(LAST_MODIFIED), text(CONTENT_TYPE));
    match reply.status.as_u16() {
        304 if feed.etag.is_some() || feed.last_modified.is_some() => {
            head.unchanged = true;
            return Ok(Incoming { head, body: None });
        }
        200 => {}
        status => return Err(Failure::new(Why::Status, format_args!("{} answers {status}", target.host()))),
    }
    // With TLS a connection that is cut does not look like one that was closed.
    let ends_anywhere = !target.is_secure() && !reply.has_end();
    let rest =
        Rest::look(reply.body, ends_anywhere, &clock, head.content_type.as_deref()).await.map_err(|f| f.at(target.host()))?;
    head.body = true;
    head.unpacked = rest.unpacked;
    Ok(Incoming { head, body: Some(rest) })
}

async fn ask(guard: &Guard, target: &Target, feed: &Feed, clock: &Clock) -> Result<Reply, Failure> {
    let call = Call::get("text/plain, text/csv, application/json, */*;q=0.5");
    let call = call.with(IF_NONE_MATCH, feed.etag.as_deref()).with(IF_MODIFIED_SINCE, feed.last_modified.as_deref());
    guard.call(target, Call { gzip: true, ..call }, clock).await
}

fn nowhere(target: &Target, error: &url::ParseError) -> Failure {
    Failure::new(Why::Redirect, format_args!("{} redirects to what is not a URL: {error}", target.host()))
}

impl Incoming {
    /// The next octets, never empty; `None` at the end of a whole body or where there is none.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some(rest) = &mut self.body else { return Ok(None) };
        let octets = if rest.looked.is_empty() { rest.more().await? } else { Some(std::mem::take(&mut rest.looked)) };
        // What is packed ends with its own sum and length.
        if octets.is_none() && rest.ends_anywhere && !rest.unpacked {
            return Err(Failure::new(
                Why::Http,
                "the connection was closed and nothing had said how long the list is, so it may be cut: take it by https, or have the server send a length, chunks or gzip",
            ));
        }
        if let Some(octets) = &octets {
            rest.sum.update(octets);
            rest.octets += octets.len() as u64;
            if rest.octets > rest.most {
                return Err(Failure::new(Why::Size, format_args!("more than {} octets", rest.most)));
            }
        }
        Ok(octets)
    }

    /// What is known behind the body: its length and digest.
    pub fn finish(mut self) -> Fetched {
        self.head.body = false;
        if let Some(rest) = self.body {
            self.head.octets = rest.octets;
            self.head.sha256 = hex(rest.sum.finish().as_ref());
        }
        self.head
    }
}

impl Rest {
    async fn look(body: Body, ends_anywhere: bool, clock: &Clock, content_type: Option<&str>) -> Result<Self, Failure> {
        let most = clock.bounds().body_octets;
        if let Some(promised) = body.promised().filter(|promised| *promised > most) {
            return Err(Failure::new(Why::Size, format_args!("{promised} octets announced, at most {most}")));
        }
        let sum = digest::Context::new(&digest::SHA256);
        let unpacked = body.is_packed();
        let mut rest = Self { body, unpack: None, unpacked, ends_anywhere, looked: Bytes::new(), sum, octets: 0, most };
        let mut looked = BytesMut::new();
        while looked.len() < LOOK_OCTETS {
            let Some(more) = rest.more().await? else { break };
            looked.extend_from_slice(&more);
            if rest.unpack.is_none() && looked.starts_with(&[0x1f, 0x8b]) {
                let mut unpack = Unpack::new(clock.bounds());
                looked = BytesMut::from(unpack.push(&looked)?.as_ref());
                rest.unpack = Some(unpack);
                rest.unpacked = true;
            }
        }
        refuse(&looked, content_type)?;
        rest.looked = looked.freeze();
        Ok(rest)
    }

    async fn more(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let Some(octets) = self.body.next().await? else {
                return match self.unpack.take() {
                    Some(unpack) => Ok(Some(unpack.finish()?).filter(|octets| !octets.is_empty())),
                    None => Ok(None),
                };
            };
            let octets = match &mut self.unpack {
                Some(unpack) => unpack.push(&octets)?,
                None => octets,
            };
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
    }
}

/// Pages for people and archives are no lists, whatever the server calls them.
fn refuse(looked: &[u8], content_type: Option<&str>) -> Result<(), Failure> {
    let archives: [(&[u8], &str); 5] = [
        (b"PK\x03\x04", "zip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh", "bzip2"),
        (b"\x1f\x8b", "gzip in gzip"),
    ];
    if let Some((_, name)) = archives.iter().find(|(magic, _)| looked.starts_with(magic)) {
        return Err(Failure::new(Why::Archive, format_args!("an archive ({name}) where a list was expected")));
    }
    let text = looked.strip_prefix(b"\xef\xbb\xbf").unwrap_or(looked).trim_ascii_start();
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()));
    let tags = ["<!doctype html", "<html", "<head", "<body", "<script", "<title", "<meta"];
    let called = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if tags.iter().any(|tag| begins(tag)) || called && text.starts_with(b"<") {
        return Err(Failure::new(Why::Html, "a page for people (HTML) where a list was expected"));
    }
    Ok(())
}

/// Octets in lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_archives_are_told_from_lists_by_what_they_begin_with() {
        let why = |octets: &[u8], kind| refuse(octets, kind).err().map(|failure| failure.why);
        assert_eq!(why(b"\xef\xbb\xbf\n <!DOCTYPE HTML><p>", None), Some(Why::Html));
        assert_eq!(why(b"<HTML lang=en>", Some("text/plain")), Some(Why::Html));
        assert_eq!(why(b"<div>Access denied</div>", Some("text/html; charset=utf-8")), Some(Why::Html));
        assert_eq!(why(b"PK\x03\x04\x14", Some("text/csv")), Some(Why::Archive));
        for list in [&b"# <html>\na.example\n"[..], b"||a.example^\n", b"{\"a\":1}", b"", b"a.example,<b>\n"] {
            assert_eq!(why(list, Some("text/html")), None);
        }
        assert_eq!(why(b"<?xml version=\"1.0\"?>", Some("application/xml")), None);
    }
}
