//! `serve`: one process with the directory's lock, its schedule, its socket and its HTTP.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Serve;
use crate::brakes::{self, Limits};
use crate::desk::Desk;
use crate::expand::{self, live::Provider, recipes::Recipes};
use crate::verify::{gather, watch};
use crate::{Error, Result, admin, alarms, api, census, schedule, triage, web};

pub(super) fn run(data: &Path, fetch: &Path, args: &Serve) -> Result<()> {
    if !args.listen.ip().is_loopback() && !args.behind_proxy {
        return Error::refused(format!(
            "{}: not of this machine alone. Behind a proxy that ends TLS say --behind-proxy; there is no TLS here",
            args.listen
        ));
    }
    let desk = admin::hold(data, fetch)?;
    sinks(&desk, args)?;
    let recipes = args.expand.then(|| args.recipes.as_deref().map_or_else(Recipes::shipped, Recipes::read)).transpose()?;
    let said = recipes.as_ref().map_or_else(
        || "short links are not expanded (--expand)".to_owned(),
        |recipes| format!("short links of {} platforms are expanded by {}", recipes.len(), fetch.display()),
    );
    let provider = args.live.as_deref().map(Provider::read).transpose()?;
    let asked = if provider.is_some() { "a provider of verdicts is asked" } else { "no provider of verdicts is asked (--live)" };
    // Without a standard error there is nobody to tell.
    let _ = writeln!(io::stderr(), "ztsms-console: {said}; {asked}");
    let options = api::Options { policy: args.policy.clone(), behind_proxy: args.behind_proxy };
    let api = api::Api::open(Arc::clone(&desk), options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(Error::file(data, "start threads for"))?.block_on(serve(desk, api, args, (recipes, provider)))
}

/// Heads of the audit log go to standard error, which a service manager keeps, and to a file; the present one first.
fn sinks(desk: &Desk, args: &Serve) -> Result<()> {
    let open = |path: &Path| OpenOptions::new().create(true).append(true).open(path).map_err(Error::file(path, "open"));
    let path = args.audit_log.clone();
    path.as_deref().map(open).transpose()?;
    desk.store().add_sink(Box::new(move |head| {
        let line = format!("ztsms-console: audit {head}\n");
        // Without a standard error there is nobody to tell.
        let _ = io::stderr().write_all(line.as_bytes());
        // By its name each time: whoever moves it away finds a new one there.
        path.as_deref().map_or(Ok(()), |path| open(path)?.write_all(line.as_bytes()).map_err(Error::file(path, "write")))
    }));
    desk.store().tell_head()
}

async fn serve(
    desk: Arc<Desk>,
    api: Arc<api::Api>,
    args: &Serve,
    (recipes, provider): (Option<Recipes>, Option<Provider>),
) -> Result<()> {
    let listen = args.listen;
    let socket = admin::bind(desk.dir())?;
    let listener =
        TcpListener::bind(listen).await.map_err(|error| Error::Refused(format!("{listen}: cannot listen: {error}")))?;
    let address = listener.local_addr().map_err(|error| Error::Refused(format!("{listen}: {error}")))?;
    let ended = |error: io::Error| Error::Refused(format!("{address}: {error}"));
    let (mut term, mut int) = (signal(SignalKind::terminate()).map_err(ended)?, signal(SignalKind::interrupt()).map_err(ended)?);
    let admin = tokio::spawn(admin::serve(socket, Arc::clone(&desk)));
    let schedule = schedule::start(Arc::clone(&desk))?;
    let limits = Limits { share: args.brake_percent / 100.0, times: args.brake_times, minimum: args.brake_minimum };
    let brakes = brakes::start(Arc::clone(&desk), &args.spools, limits)?;
    let watch = (watch::start(Arc::clone(&desk))?, gather::start(Arc::clone(&desk))?);
    let mut followers = census::live::start(&desk, &args.spools)?;
    if let Some(recipes) = recipes {
        followers.extend(expand::start(&desk, recipes)?);
    }
    if let Some(provider) = provider {
        followers.push(expand::live::start(&desk, provider)?);
    }
    if let (Some(dir), Some(key)) = (&args.work, &args.work_key) {
        followers.push(triage::start(&desk, dir, key)?);
    }
    writeln!(io::stdout(), "http://{address}").map_err(|error| Error::File("".into(), "write standard output", error))?;
    let stop = async move {
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    };
    let reload = tokio::spawn(reload((Arc::clone(&desk), Arc::clone(&api)), signal(SignalKind::hangup()).map_err(ended)?));
    let router = web::router(Arc::clone(&desk), api).into_make_service_with_connect_info::<SocketAddr>();
    let done = axum::serve(listener, router).with_graceful_shutdown(stop).await;
    reload.abort();
    admin.abort();
    drop((schedule, brakes, watch, followers));
    // The next one binds it anew; this is for whoever looks.
    let _ = std::fs::remove_file(admin::path(desk.dir()));
    done.map_err(ended)
}

/// At each SIGHUP the policy is read anew; one that cannot be is an alarm until one can.
async fn reload((desk, api): (Arc<Desk>, Arc<api::Api>), mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        let (desk, api) = (Arc::clone(&desk), Arc::clone(&api));
        let done = web::aside(move || {
            let done = api.reload_policy();
            match &done {
                Ok(()) => alarms::clear(desk.store(), "policy")?,
                Err(why) => alarms::raise(desk.store(), "policy", &format!("the policy stays as it was: {why}"))?,
            }
            done
        })
        .await;
        let said =
            done.map_or_else(|why| format!("the policy stays as it was: {why}"), |()| "the policy was read anew".to_owned());
        // Without a standard error there is nobody to tell.
        let _ = writeln!(io::stderr(), "ztsms-console: {said}");
    }
}
