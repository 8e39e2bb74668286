//! HTTP: `/healthz`, `/readyz`, `/metrics`. Other rooms add their routers here.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::api::{self, Api};
use crate::desk::Desk;
use crate::{Result, alarms, census, sources};

/// Everything that is answered.
pub fn router(desk: Arc<Desk>, api: Arc<Api>) -> Router {
    let counted = Arc::clone(&api);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move |State(desk)| metrics(desk, counted)))
        .with_state(desk)
        .merge(api::router(api))
}

/// Runs something that waits for the disk away from the threads that answer.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(crate::Error::Stopping))
}

/// Ready: a table is in force, and the database answers.
async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    let checked = aside(move || {
        desk.publisher().table()?;
        desk.store().read(|state| alarms::now(state, desk.dir()))
    });
    match checked.await {
        Ok(alarms) => Json(json!({ "ready": true, "alarms": alarms.len() })).into_response(),
        Err(why) => {
            let body = json!({ "type": "about:blank", "title": "Not ready", "status": 503, "detail": why.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string())
                .into_response()
        }
    }
}

async fn metrics(desk: Arc<Desk>, api: Arc<Api>) -> Response {
    let all = move || {
        let mut all = text(&desk)?;
        api.write_metrics(&mut all);
        Ok(all)
    };
    match aside(all).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, why.to_string()).into_response(),
    }
}

fn text(desk: &Desk) -> Result<String> {
    let (alarms, sources, decisions, audit) = desk.store().read(|state| {
        let count = |sql: &str| -> Result<i64> { Ok(state.query_row(sql, [], |row| row.get(0))?) };
        let decisions = count("SELECT count(*) FROM decisions WHERE ended IS NULL")?;
        Ok((alarms::now(state, desk.dir())?, sources::all(state)?, decisions, count("SELECT count(*) FROM audit")?))
    })?;
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, rows: &[(String, i64)]| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        rows.iter().for_each(|(labels, value)| out.push_str(&format!("{name}{labels} {value}\n")));
    };
    let entries = desk.publisher().table().map_or(0, |table| table.snapshot().header().entries);
    let one = |value: i64| vec![(String::new(), value)];
    gauge("ztsms_console_entries", "Entries of the snapshot in force.", &one(i64::try_from(entries).unwrap_or(i64::MAX)));
    gauge("ztsms_console_decisions", "Decisions in force.", &one(decisions));
    let waiting = i64::try_from(desk.publisher().waiting()).unwrap_or(i64::MAX);
    gauge("ztsms_console_decisions_waiting", "Decisions that wait for their minute.", &one(waiting));
    gauge("ztsms_console_audit_lines", "Lines of the audit log.", &one(audit));
    gauge("ztsms_console_alarms", "Alarms that are raised.", &one(i64::try_from(alarms.len()).unwrap_or(i64::MAX)));
    gauge(
        "ztsms_console_observing",
        "Whether all filters are told to observe.",
        &one(desk.publisher().observing().is_some().into()),
    );
    let rows: Vec<(String, i64)> =
        sources.iter().filter_map(|source| Some((format!("{{feed=\"{}\"}}", source.settings.name), source.checked?))).collect();
    gauge("ztsms_feed_last_success_timestamp_seconds", "When a source was last looked at with success.", &rows);
    out += &desk.store().read(|state| Ok(census::metrics(state)? + &desk.links().metrics(state)?))?;
    Ok(out)
}
