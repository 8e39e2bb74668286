//! From a name to the addresses that may be connected to.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, Record, RecordType};
use hickory_resolver::{Resolver, TokioResolver, system_conf};

use super::address::{self, Rules};
use crate::protocol::{Failure, Why};

/// Addresses of one name that are tried, at most.
const ADDRESSES: usize = 4;

/// Asks name servers. Nothing is remembered here: the servers that are asked do that.
#[derive(Clone)]
pub struct Names {
    resolver: TokioResolver,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names")
    }
}

impl Names {
    /// Asks these servers, or those of the system where none is given. `/etc/hosts` and search domains are never used.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, Failure> {
        let failed = |error: NetError| Failure::new(Why::Dns, format_args!("name servers: {error}"));
        let servers = if servers.is_empty() {
            system_conf::read_system_conf().map_err(failed)?.0.name_servers().to_vec()
        } else {
            servers.iter().copied().map(server).collect()
        };
        if servers.is_empty() {
            return Err(Failure::new(Why::Dns, "no name server: none in the system's configuration, and no --resolver"));
        }
        let mut options = ResolverOpts::default();
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.timeout = Duration::from_secs(3);
        options.attempts = 1;
        options.edns0 = true;
        options.preserve_intermediates = true;
        let mut builder =
            Resolver::builder_with_config(ResolverConfig::from_parts(None, Vec::new(), servers), TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        Ok(Self { resolver: builder.build().map_err(failed)? })
    }

    /// The records of one kind, with the aliases that led to them.
    pub async fn records(&self, host: &str, kind: RecordType) -> Result<Vec<Record>, Failure> {
        let found = self.resolver.lookup(absolute(host)?, kind).await.map_err(|error| failure(host, &error))?;
        Ok(found.answers().to_vec())
    }

    /// The addresses that may be connected to, and no others, in the order in which they are to be tried.
    pub async fn addresses(&self, host: &str, rules: &Rules) -> Result<Vec<IpAddr>, Failure> {
        let found = self.resolver.lookup_ip(absolute(host)?).await.map_err(|error| failure(host, &error))?;
        let ours = address::ours().map_err(|error| Failure::new(Why::Forbidden, format_args!("own addresses: {error}")))?;
        let mut allowed = Vec::new();
        let mut reason = None;
        for address in found.iter() {
            match rules.why_not(address, &ours) {
                Some(why) => reason = Some(why),
                None => allowed.push(address),
            }
        }
        if allowed.is_empty() {
            return Err(match reason {
                Some(why) => Failure::new(Why::Forbidden, format_args!("{host} has no address that may be reached: {why}")),
                None => Failure::new(Why::NoSuchName, format_args!("{host} has no address")),
            });
        }
        allowed.truncate(ADDRESSES);
        Ok(allowed)
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let with_port = |mut config: ConnectionConfig| {
        config.port = address.port();
        config
    };
    NameServerConfig::new(address.ip(), true, vec![with_port(ConnectionConfig::udp()), with_port(ConnectionConfig::tcp())])
}

/// A name from the root: no search domain is ever appended.
fn absolute(host: &str) -> Result<Name, Failure> {
    let mut name = Name::from_ascii(host).map_err(|error| Failure::new(Why::Name, format_args!("{host:?}: {error}")))?;
    name.set_fqdn(true);
    Ok(name)
}

fn failure(host: &str, error: &NetError) -> Failure {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NXDomain => {
            Failure::new(Why::NoSuchName, format_args!("{host} does not exist"))
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code == ResponseCode::NoError => {
            Failure::new(Why::NoSuchName, format_args!("{host} has no such record"))
        }
        NetError::Timeout => Failure::new(Why::Dns, format_args!("{host}: the name servers do not answer")),
        other => Failure::new(Why::Dns, format_args!("{host}: {other}")),
    }
}
