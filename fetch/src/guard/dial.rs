//! A connection to exactly what was resolved.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::client::WantsClientCert;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Clock, Guard, Target};
use crate::protocol::{Failure, Why};

/// Time for one address, before the next one is tried.
const CONNECT: Duration = Duration::from_secs(4);
/// The longest answer of a proxy, in octets.
const PROXY_OCTETS: usize = 4096;

/// Octets in and out.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// One provider of cryptography, named here and nowhere else.
pub(super) fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Failure> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Why::Tls, error))
}

impl Guard {
    /// A builder of TLS configurations, for who looks at certificates by itself.
    pub fn tls_with(
        &self,
        verifier: Arc<dyn rustls::client::danger::ServerCertVerifier>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Failure> {
        Ok(tls()?.dangerous().with_custom_certificate_verifier(verifier))
    }

    /// Resolves once, takes out what may not be reached, and connects to one of those that are left.
    pub async fn connect(&self, target: &Target, clock: &Clock) -> Result<TcpStream, Failure> {
        let addresses = clock.wait("resolving", self.names.addresses(target.host(), &self.rules)).await??;
        let mut last = None;
        for address in addresses {
            self.connections.fetch_add(1, Ordering::Relaxed);
            match clock.wait("connecting", timeout(CONNECT, self.reach(address, target.port()))).await? {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Some(error.to_string()),
                Err(_) => last = Some(format!("no answer for {} s", CONNECT.as_secs())),
            }
        }
        let reason = last.unwrap_or_default();
        Err(Failure::new(Why::Connect, format_args!("{} port {}: {reason}", target.host(), target.port())))
    }

    /// Connects and, for `https`, makes it secure: chain, time and name are verified.
    pub async fn open(&self, target: &Target, clock: &Clock) -> Result<Box<dyn Wire>, Failure> {
        let stream = self.connect(target, clock).await?;
        if !target.is_secure() {
            return Ok(Box::new(stream));
        }
        Ok(Box::new(self.secure(stream, target, clock, self.tls.clone()).await?))
    }

    /// Makes a connection secure as this configuration says.
    pub async fn secure(
        &self,
        stream: TcpStream,
        target: &Target,
        clock: &Clock,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(Why::Tls, format_args!("{}: {error}", target.host()));
        let name = ServerName::try_from(target.host().to_owned()).map_err(|error| failed(&error))?;
        clock.wait("TLS", TlsConnector::from(config).connect(name, stream)).await?.map_err(|error| failed(&error))
    }

    async fn reach(&self, address: IpAddr, port: u16) -> io::Result<TcpStream> {
        let there = SocketAddr::new(address, port);
        let Some(proxy) = self.proxy else { return TcpStream::connect(there).await };
        let mut stream = TcpStream::connect(proxy).await?;
        // The proxy is given the address: it resolves nothing.
        stream.write_all(format!("CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n\r\n").as_bytes()).await?;
        let mut head = Vec::new();
        // Octet by octet: what follows the head is the server's.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == PROXY_OCTETS {
                return Err(io::Error::other("the proxy's answer is too long"));
            }
            head.push(stream.read_u8().await?);
        }
        let line = String::from_utf8_lossy(&head);
        match line.split_ascii_whitespace().nth(1) {
            Some("200") => Ok(stream),
            _ => Err(io::Error::other(format!("the proxy says {:?}", line.lines().next().unwrap_or_default()))),
        }
    }
}
