//! `ztsms-fetch`: listens on a Unix socket and goes out for whoever asks there.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use ztsms_fetch::guard::{self, Guard, Rules};
use ztsms_fetch::serve::{self, Service, serve};

/// Goes out to the Internet for ztsms-console: lists, evidence about names, short links. Keeps no data and no secrets.
///
/// Every connection is guarded: ports 80 and 443, names only, resolved once, nothing private or special, bounded in time and octets.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example: ztsms-fetch --socket /run/ztsms-fetch/socket --user-agent 'example-mobile/1 (+https://noc.example)'"
)]
struct Args {
    /// Where to listen. Absent: the socket that systemd passes
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// What may be asked. Short links (expand) and providers (live) are off unless named here
    #[arg(long, value_delimiter = ',', default_value = "feed,evidence", value_parser = ["feed", "evidence", "expand", "live"])]
    on: Vec<String>,
    /// A name server. Absent: those of the system
    #[arg(long, value_name = "IP[:PORT]", value_parser = server)]
    resolver: Vec<SocketAddr>,
    /// A proxy that is asked to CONNECT, to addresses that were judged here
    #[arg(long, value_name = "IP:PORT")]
    proxy: Option<SocketAddr>,
    /// Networks that are never reached, besides all that are not the Internet: name the operator's own
    #[arg(long, value_name = "NET", value_parser = network)]
    forbid: Vec<IpNet>,
    /// Certificates (PEM) that are trusted besides the Mozilla programme's
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Who asks, and how to reach them
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
    /// Requests that run at once, lists apart
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    at_once: u16,
    /// Lists that are fetched at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    lists_at_once: u16,
    /// Requests that wait, at most
    #[arg(long, value_name = "N", default_value_t = 128)]
    waiting: u16,
    /// Fetches from platforms of short links a minute, in all
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    expand_per_minute: u32,
    /// Questions to providers a minute, in all
    #[arg(long, value_name = "N", default_value_t = 6000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    live_per_minute: u32,
    /// Each fetch from a platform waits a random time of up to this
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(..=60_000))]
    jitter_ms: u64,
    /// DANGEROUS, for a laboratory: networks that are reached in spite of being private or special
    #[arg(long, value_name = "NET", value_parser = network)]
    dangerously_allow: Vec<IpNet>,
    /// DANGEROUS, for a laboratory: ports besides 80 and 443
    #[arg(long, value_name = "PORT")]
    dangerously_allow_port: Vec<u16>,
}

fn server(text: &str) -> Result<SocketAddr, String> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53))).map_err(|_| "not IP or IP:PORT".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "not an address or a network like 192.0.2.0/24".to_owned())
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("ztsms-fetch: {error}");
    ExitCode::FAILURE
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut options = guard::Options {
        resolvers: args.resolver,
        rules: Rules { forbidden: args.forbid, dangerously_allowed: args.dangerously_allow },
        proxy: args.proxy,
        ..guard::Options::default()
    };
    if let Some(agent) = args.user_agent {
        options.agent = agent;
    }
    if let Some(path) = &args.roots {
        options.roots = roots(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for net in &options.rules.dangerously_allowed {
        eprintln!("ztsms-fetch: DANGEROUS: {net} may be reached by whoever can make a link");
    }
    for port in args.dangerously_allow_port {
        eprintln!("ztsms-fetch: DANGEROUS: port {port} may be reached by whoever can make a link");
        options.ports.push(port);
    }
    // What is wrong is said before anything is left on the disk.
    let guard = Guard::new(options)?;
    let (listener, path) = listen(args.socket.as_deref())?;
    for what in ["feed", "evidence", "expand", "live"] {
        let is = if args.on.iter().any(|on| on == what) { "on" } else { "off" };
        eprintln!("ztsms-fetch: {what} {is}");
    }
    let service = Arc::new(Service::new(
        guard,
        serve::Options {
            on: args.on,
            connections: 256,
            at_once: args.at_once.into(),
            lists_at_once: args.lists_at_once.into(),
            waiting: args.waiting.into(),
            live_per_minute: args.live_per_minute,
            expand_per_minute: args.expand_per_minute,
            jitter: Duration::from_millis(args.jitter_ms),
        },
    ));
    let mut terminate = signal(SignalKind::terminate())?;
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    tokio::select! {
        () = serve(listener, service) => {}
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    if let Some(path) = path {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let roots = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let roots = roots.map_err(|error| error.to_string())?;
    if roots.is_empty() { Err("no certificate in it: PEM, as in /etc/ssl/certs".to_owned()) } else { Ok(roots) }
}

/// The socket, and its path where it is ours to remove. Its group may ask.
fn listen(path: Option<&Path>) -> Result<(UnixListener, Option<PathBuf>), String> {
    let Some(path) = path else {
        let passed =
            listenfd::ListenFd::from_env().take_unix_listener(0).map_err(|error| format!("the socket from systemd: {error}"))?;
        let passed = passed.ok_or("no --socket, and systemd passes none")?;
        passed.set_nonblocking(true).map_err(|error| error.to_string())?;
        return Ok((UnixListener::from_std(passed).map_err(|error| error.to_string())?, None));
    };
    let at = |error: io::Error| format!("{}: {error}", path.display());
    let is_socket = fs::symlink_metadata(path).is_ok_and(|is| is.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(format!("{}: another one listens there", path.display()));
    }
    if is_socket {
        fs::remove_file(path).map_err(at)?;
    } else if path.exists() {
        return Err(format!("{}: is there already, and is no socket", path.display()));
    }
    let listener = UnixListener::bind(path).map_err(at)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(at)?;
    Ok((listener, Some(path.to_owned())))
}
