//! One request and its answer, HTTP/1.1.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, TRANSFER_ENCODING,
    USER_AGENT,
};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::unpack::Unpack;
use super::{Clock, Guard, Target};
use crate::protocol::{Failure, Why};

/// The longest head of an answer, in octets, and the most fields in it.
const HEAD_OCTETS: usize = 32 << 10;
const HEAD_FIELDS: usize = 128;

/// What is asked, besides where.
#[derive(Debug, Default)]
pub struct Call {
    /// GET where it is none.
    pub method: Method,
    /// `Accept`.
    pub accept: &'static str,
    /// Whether the body may come packed.
    pub gzip: bool,
    /// Fields besides. Never a cookie, never a referrer.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// JSON to be sent.
    pub json: Option<Vec<u8>>,
}

impl Call {
    /// GET, for something of this kind.
    pub fn get(accept: &'static str) -> Self {
        Self { accept, ..Self::default() }
    }

    /// With one more field. What cannot stand in one is left out.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: Option<&str>) -> Self {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            self.fields.push((name, value));
        }
        self
    }

    /// With a bearer's token, which no log shows.
    #[must_use]
    pub fn bearer(mut self, token: Option<&str>) -> Self {
        if let Some(mut value) = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok()) {
            value.set_sensitive(true);
            self.fields.push((AUTHORIZATION, value));
        }
        self
    }
}

/// The head of an answer, and its body to come.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Reply {
    /// A field as text, where it is text.
    pub fn field(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the head says where the body ends (RFC 9112, clause 6.3): else it ends where the connection does, whole or not.
    pub fn has_end(&self) -> bool {
        self.body.promised().is_some() || self.headers.contains_key(TRANSFER_ENCODING)
    }

    /// `Location` of a redirect. Octets beyond ASCII are read as UTF-8, as browsers do.
    pub fn location(&self) -> Option<String> {
        if !matches!(self.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        Some(String::from_utf8_lossy(self.headers.get(LOCATION)?.as_bytes()).into_owned())
    }
}

/// A body as it comes, unpacked, within its bounds.
#[derive(Debug)]
pub struct Body {
    incoming: Incoming,
    clock: Clock,
    came: u64,
    unpack: Option<Unpack>,
    done: bool,
    _connection: Connection,
}

/// The task that drives a connection, ended with it.
#[derive(Debug)]
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Guard {
    /// Sends one request on a connection of its own. Redirects are the caller's: each is another target, judged anew.
    pub async fn call(&self, target: &Target, call: Call, clock: &Clock) -> Result<Reply, Failure> {
        let wire = self.open(target, clock).await?;
        let failed = |error: hyper::Error| failure(&error).at(target.host());
        let mut builder = http1::Builder::new();
        builder.max_header_size(HEAD_OCTETS).max_headers(HEAD_FIELDS).max_buf_size(4 * HEAD_OCTETS);
        let (mut sender, connection) = builder.handshake(TokioIo::new(wire)).await.map_err(failed)?;
        let task = tokio::spawn(async move {
            // How it ended is told to the one who waits for the answer.
            let _ = connection.await;
        });
        let connection = Connection(task.abort_handle());
        let request = self.request(target, call)?;
        let answer = clock.wait("waiting for an answer", sender.send_request(request)).await.map_err(|f| f.at(target.host()))?;
        let (head, incoming) = answer.map_err(failed)?.into_parts();
        let unpack = match head.headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity" | b"") => None,
            Some(b"gzip" | b"x-gzip") => Some(Unpack::new(clock.bounds())),
            Some(other) => {
                let other = String::from_utf8_lossy(other);
                return Err(
                    Failure::new(Why::Encoding, format_args!("packed as {other:?}, which was not asked for")).at(target.host())
                );
            }
        };
        let body = Body { incoming, clock: *clock, came: 0, unpack, done: false, _connection: connection };
        Ok(Reply { status: head.status, headers: head.headers, body })
    }

    fn request(&self, target: &Target, call: Call) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(target.path_and_query())
            .header(HOST, target.authority())
            .header(USER_AGENT, self.agent.clone())
            .header(ACCEPT, call.accept)
            .header(ACCEPT_ENCODING, if call.gzip { "gzip" } else { "identity" })
            .header(CONNECTION, "close");
        for (name, value) in call.fields {
            request = request.header(name, value);
        }
        if call.json.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(call.json.unwrap_or_default()));
        request.body(body).map_err(|error| Failure::new(Why::Url, format_args!("{}: {error}", target.host())))
    }
}

impl Body {
    /// The length that the server promised, as it travels.
    pub fn promised(&self) -> Option<u64> {
        use hyper::body::Body as _;
        self.incoming.size_hint().exact()
    }

    /// Whether it came packed.
    pub fn is_packed(&self) -> bool {
        self.unpack.is_some()
    }

    /// The next octets, never empty; `None` at the end of a whole body.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while !self.done {
            let bounds = self.clock.bounds();
            let Some(frame) = self.clock.wait("reading the body", self.incoming.frame()).await? else {
                self.done = true;
                let rest = self.unpack.take().map(Unpack::finish).transpose()?.unwrap_or_default();
                return Ok((!rest.is_empty()).then_some(rest));
            };
            let Ok(octets) = frame.map_err(|error| failure(&error))?.into_data() else { continue };
            self.came += octets.len() as u64;
            if self.came > bounds.body_octets {
                return Err(Failure::new(Why::Size, format_args!("more than {} octets", bounds.body_octets)));
            }
            let octets = match &mut self.unpack {
                Some(unpack) => unpack.push(&octets)?,
                None => octets,
            };
            if !octets.is_empty() {
                return Ok(Some(octets));
            }
        }
        Ok(None)
    }

    /// The whole body, which has to be small.
    pub async fn all(mut self) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(octets) = self.next().await? {
            all.extend_from_slice(&octets);
        }
        Ok(all)
    }

    /// Its first octets, whatever follows.
    pub async fn head(mut self, octets: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while all.len() < octets {
            let Some(more) = self.next().await? else { break };
            all.extend_from_slice(&more);
        }
        all.truncate(octets);
        Ok(all)
    }
}

fn failure(error: &hyper::Error) -> Failure {
    use std::error::Error as _;
    let source = error.source();
    let cut =
        source.and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(|e| e.kind() == io::ErrorKind::UnexpectedEof);
    let why = if error.is_parse() && error.to_string().contains("too large") {
        // `is_parse_too_large` would bring hyper's server along.
        Why::Head
    } else if error.is_parse() || error.is_incomplete_message() || cut {
        Why::Http
    } else {
        Why::Connect
    };
    match source {
        Some(source) => Failure::new(why, format_args!("{error}: {source}")),
        None => Failure::new(why, error),
    }
}
