//! The API for any SMS firewall: the same scanner, table and policy as the filter's, asked over HTTP.
//!
//! A request is admitted by its key, read whole, checked whole and then answered, object by object in order; or it is answered with a
//! problem document, and nothing of it was done. Texts and numbers are written nowhere.

pub mod body;
mod counters;
pub mod keys;
mod openapi;
mod problem;
mod rate;
mod repeats;
mod reports;
mod scan;
mod verdicts;
mod world;

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Response, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use control::record::Redactor;
use dataplane::texts::Texts;
use sha2::{Digest as _, Sha256};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::Desk;
use crate::{Error, Result};
use counters::{Counters, Route, Tally};
use keys::{Key, Scope};
use openapi::{ReportAnswers, ReportRequests, ScanAnswers, ScanRequests, VerdictAnswers, VerdictRequests};
use problem::{Kind, Problem};
use repeats::Repeats;
use world::{Follower, Live};

/// Octets of a body that is answered at once; more goes to a thread of its own, out of the way of those that answer.
const AT_ONCE: usize = 16 << 10;

/// How the API is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The policy's file.
    pub policy: Option<PathBuf>,
    /// A proxy is in front: who asks is the last address of `X-Forwarded-For`.
    pub behind_proxy: bool,
}

/// What every request needs.
pub struct Api {
    desk: Arc<Desk>,
    live: Arc<Live>,
    counters: Counters,
    repeats: Repeats,
    redactor: Redactor,
    /// For fingerprints of reports.
    secret: [u8; 32],
    behind_proxy: bool,
    _follower: Follower,
}

/// An answer, and what it came to.
struct Answered {
    body: Vec<u8>,
    objects: usize,
    tally: Tally,
}

/// How one request is answered, away from HTTP.
type Answer = fn(&Api, &Key, &[u8]) -> Result<Answered, Problem>;

thread_local! {
    static TEXTS: RefCell<Texts> = RefCell::default();
}

/// Lends this thread's buffers.
fn with_texts<T>(work: impl FnOnce(&mut Texts) -> T) -> T {
    TEXTS.with_borrow_mut(work)
}

impl Api {
    /// Reads what is in force, and follows it.
    ///
    /// # Errors
    /// The policy or the verdict directory cannot be read.
    pub fn open(desk: Arc<Desk>, options: Options) -> Result<Arc<Self>> {
        let live = Arc::new(Live::open(desk.publisher().dir(), options.policy)?);
        // The console's own secret, which no filter has and which sealed backups keep.
        let path = desk.dir().join("keys/verdicts.key");
        let own = std::fs::read(&path).map_err(Error::file(&path, "read"))?;
        let derived = |what: &str| -> [u8; 32] { Sha256::new().chain_update(what).chain_update(&own).finalize().into() };
        let mut key = [0; 16];
        key.iter_mut().zip(derived("ztsms pseudonyms of reporters\0")).for_each(|(to, from)| *to = from);
        let follower = world::follow(Arc::clone(&live), Arc::clone(&desk))?;
        Ok(Arc::new(Self {
            live,
            counters: Counters::default(),
            repeats: Repeats::new(),
            redactor: Redactor::with_key(key),
            secret: derived("ztsms fingerprints of reports\0"),
            behind_proxy: options.behind_proxy,
            _follower: follower,
            desk,
        }))
    }

    /// Reads the policy anew.
    ///
    /// # Errors
    /// What is wrong with it: the one before stays in force.
    pub fn reload_policy(&self) -> Result<()> {
        self.live.reload_policy()
    }

    /// What the API counts, as Prometheus reads it.
    pub fn write_metrics(&self, out: &mut String) {
        self.counters.write(out);
        for (name, help, count) in [
            ("ztsms_api_worlds_total", "States of the verdict directory that were put in force.", &self.live.taken),
            ("ztsms_api_worlds_refused_total", "Looks at it that could not be read.", &self.live.refused),
        ] {
            *out += &format!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {}\n", count.load(Relaxed));
        }
    }

    /// The key of a request, if it may be used for this.
    fn admit(&self, parts: &Parts, scope: Scope) -> Result<Arc<Key>, Problem> {
        let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        self.desk.keys().admit(authorization, scope, self.asker(parts))
    }

    /// Who asks.
    fn asker(&self, parts: &Parts) -> IpAddr {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let forwarded = || {
            let last = parts.headers.get_all("x-forwarded-for").iter().next_back()?;
            // One that cannot be read is in no key's networks: whoever it is, it is not the proxy.
            Some(last.to_str().ok().and_then(address).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
        };
        let forwarded = if self.behind_proxy { forwarded() } else { None };
        forwarded.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    async fn answer(self: Arc<Self>, route: Route, scope: Scope, request: Request, answer: Answer) -> Response<axum::body::Body> {
        match self.try_answer(route, scope, request, answer).await {
            Ok(body) => body::json(body),
            Err(problem) => {
                self.counters.problem(problem.kind);
                problem.into_response()
            }
        }
    }

    async fn try_answer(
        self: &Arc<Self>,
        route: Route,
        scope: Scope,
        request: Request,
        answer: Answer,
    ) -> Result<Vec<u8>, Problem> {
        let (parts, body) = request.into_parts();
        let key = self.admit(&parts, scope)?;
        let octets = body::read(&parts.headers, body).await?;
        let begun = Instant::now();
        let done = if octets.len() <= AT_ONCE && route != Route::Reports {
            answer(self, &key, &octets)?
        } else {
            let api = Arc::clone(self);
            let done = tokio::task::spawn_blocking(move || answer(&api, &key, &octets)).await;
            done.unwrap_or_else(|_| Err(Problem::new(Kind::Unavailable, "a fault of the program: see its log")))?
        };
        self.counters.tally(route, &done.tally);
        self.counters.answered(route, (done.objects as u64, done.tally.repeats), begun.elapsed());
        Ok(done.body)
    }
}

/// Judges short messages and says what is to be done with them.
#[utoipa::path(post, path = "/api/v1/scan", operation_id = "scan", request_body = ScanRequests, security(("key" = [])),
    responses((status = 200, description = "Alike, in the same order.", body = ScanAnswers), Problems))]
async fn scan_messages(State(api): State<Arc<Api>>, request: Request) -> Response<axum::body::Body> {
    api.answer(Route::Scan, Scope::Scan, request, scan::answer).await
}

/// Judges URLs.
#[utoipa::path(post, path = "/api/v1/verdicts", operation_id = "verdicts", request_body = VerdictRequests, security(("key" = [])),
    responses((status = 200, description = "Alike, in the same order.", body = VerdictAnswers), Problems))]
async fn judge_urls(State(api): State<Arc<Api>>, request: Request) -> Response<axum::body::Body> {
    api.answer(Route::Verdicts, Scope::Verdicts, request, verdicts::answer).await
}

/// Takes reports by subscribers: they weigh in, and never decide alone.
#[utoipa::path(post, path = "/api/v1/reports", operation_id = "report", request_body = ReportRequests, security(("key" = [])),
    responses((status = 200, description = "Alike, in the same order.", body = ReportAnswers), Problems))]
async fn take_reports(State(api): State<Arc<Api>>, request: Request) -> Response<axum::body::Body> {
    api.answer(Route::Reports, Scope::Reports, request, reports::answer).await
}

/// The names that were reported, those of most reporters first.
#[utoipa::path(get, path = "/api/v1/reports", operation_id = "reported", params(reports::Asks), security(("key" = [])),
    responses((status = 200, description = "Names, first those that most people reported.", body = [reports::Reported]), Problems))]
async fn list_reports(State(api): State<Arc<Api>>, request: Request) -> Response<axum::body::Body> {
    let begun = Instant::now();
    let (parts, _) = request.into_parts();
    let (asked, query) = (Arc::clone(&api), parts.uri.query().unwrap_or_default().to_owned());
    let answer = async {
        api.admit(&parts, Scope::Read)?;
        let done = tokio::task::spawn_blocking(move || reports::reported(&asked, &query)).await;
        done.unwrap_or_else(|_| Err(Problem::new(Kind::Unavailable, "a fault of the program: see its log")))
    };
    match answer.await {
        Ok(body) => {
            api.counters.answered(Route::Reported, (1, 0), begun.elapsed());
            body::json(body)
        }
        Err(problem) => {
            api.counters.problem(problem.kind);
            problem.into_response()
        }
    }
}

/// What goes wrong on every route.
struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};
        let of = |kind: &Kind| {
            let (status, title) = kind.status_and_title();
            let document = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description(title).content("application/problem+json", document).build();
            (status.as_u16().to_string(), response.into())
        };
        let routed = |kind: &&Kind| !matches!(kind, Kind::NotFound | Kind::Method);
        Kind::ALL.iter().filter(routed).map(of).collect()
    }
}

async fn refuse(api: Arc<Api>, kind: Kind, detail: &'static str) -> Response<axum::body::Body> {
    api.counters.problem(kind);
    Problem::new(kind, detail).into_response()
}

/// The routes, and the document that describes them.
fn described() -> (Router<Arc<Api>>, serde_json::Value) {
    let routes = OpenApiRouter::with_openapi(openapi::Described::openapi())
        .routes(routes!(scan_messages))
        .routes(routes!(judge_urls))
        .routes(routes!(take_reports, list_reports));
    let (router, document) = routes.split_for_parts();
    (router, openapi::finished(&document))
}

/// The document of the API, OpenAPI 3.1.
pub fn document() -> serde_json::Value {
    described().1
}

/// Everything below `/api/`.
pub fn router(api: Arc<Api>) -> Router {
    let (router, document) = described();
    let document = document.to_string();
    let (wrong, none) = (Arc::clone(&api), Arc::clone(&api));
    router
        .route("/api/openapi.json", get(move || async move { body::json(document.into_bytes()) }))
        .method_not_allowed_fallback(move || refuse(Arc::clone(&wrong), Kind::Method, "see /api/openapi.json"))
        .route("/api/{*rest}", any(move || refuse(Arc::clone(&none), Kind::NotFound, "see /api/openapi.json")))
        .with_state(api)
}

/// The last address of `X-Forwarded-For`, with or without the port that some proxies write.
fn address(list: &str) -> Option<IpAddr> {
    let last = list.rsplit(',').next()?.trim();
    let with_port = || last.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = last.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(last);
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_is_the_last_address_however_a_proxy_writes_it() {
        for (list, last) in [
            ("192.0.2.1, 192.0.2.9", "192.0.2.9"),
            ("192.0.2.9:1234", "192.0.2.9"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("192.0.2.1,2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(address(list), last.parse().ok(), "{list}");
        }
        for wrong in ["", "unknown", "192.0.2.1,", "192.0.2.9:x"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
