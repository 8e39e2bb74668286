//! The way out. Nothing in this crate reaches the network but through here.
//!
//! For each request, redirect and evidence alike: the URL is read once ([`Target`]); its name is resolved once, and addresses that nobody
//! may be sent to are taken out ([`address`]); the connection goes to exactly one of those that are left, through a proxy too; time,
//! octets and unpacking are bounded ([`Bounds`]). No cookie is kept, no referrer sent, no script run, no redirect followed by itself.

pub mod address;
pub mod bounds;
mod dial;
pub mod http;
pub mod names;
mod target;
mod unpack;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::HeaderValue;
pub use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::protocol::{Failure, Why};
pub use address::Rules;
pub use bounds::{Bounds, Clock};
pub use dial::Wire;
pub use http::{Body, Call, Reply};
pub use names::Names;
pub use target::{Target, ascii, name, parse};
pub(crate) use unpack::Unpack;

/// How the way out is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name servers. None: those of the system.
    pub resolvers: Vec<SocketAddr>,
    /// Which addresses may be reached.
    pub rules: Rules,
    /// Ports that may be connected to.
    pub ports: Vec<u16>,
    /// A proxy that connects on our behalf (`CONNECT`), to addresses that were resolved and judged here.
    pub proxy: Option<SocketAddr>,
    /// Roots that are trusted besides those of the Mozilla programme.
    pub roots: Vec<CertificateDer<'static>>,
    /// `User-Agent`: who asks, and how to reach them.
    pub agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            rules: Rules::default(),
            ports: vec![80, 443],
            proxy: None,
            roots: Vec::new(),
            agent: concat!("ztsms-fetch/", env!("CARGO_PKG_VERSION"), " (checks links in text messages)").to_owned(),
        }
    }
}

/// The way out.
#[derive(Debug)]
pub struct Guard {
    names: Names,
    rules: Rules,
    ports: Vec<u16>,
    proxy: Option<SocketAddr>,
    roots: Arc<RootCertStore>,
    tls: Arc<ClientConfig>,
    agent: HeaderValue,
    connections: AtomicU64,
}

impl Guard {
    /// Reads the system's name servers where none is given; inside a tokio runtime only.
    pub fn new(options: Options) -> Result<Self, Failure> {
        let agent = HeaderValue::from_str(&options.agent)
            .map_err(|_| Failure::new(Why::Request, format_args!("not a user agent: {:?}", options.agent)))?;
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in options.roots {
            roots.add(root).map_err(|error| Failure::new(Why::Tls, format_args!("a root that is none: {error}")))?;
        }
        let roots = Arc::new(roots);
        let mut tls = dial::tls()?.with_root_certificates(roots.clone()).with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            names: Names::new(&options.resolvers)?,
            rules: options.rules,
            ports: options.ports,
            proxy: options.proxy,
            roots,
            tls: Arc::new(tls),
            agent,
            connections: AtomicU64::new(0),
        })
    }

    /// Reads a URL that is to be asked.
    pub fn target(&self, url: &str) -> Result<Target, Failure> {
        Target::read(url, &self.ports)
    }

    /// As [`Guard::target`], of a URL that was read already.
    pub fn target_of(&self, url: url::Url) -> Result<Target, Failure> {
        Target::of(url, &self.ports)
    }

    /// What names lead to.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Which addresses may be reached.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Roots that are trusted.
    pub fn roots(&self) -> Arc<RootCertStore> {
        self.roots.clone()
    }

    /// Connections made so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}
