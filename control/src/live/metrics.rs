//! Prometheus on loopback: base units, bounded labels, never a number, a link or a domain.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use tiny_http::{Header, Response, Server};

use super::admin::Latest;
use super::status::{SinkStatus, Status};

/// The text of one scrape.
pub fn text(status: &Status) -> String {
    let mut out = Text::default();
    out.family("ztsms_build_info", "gauge", "The program.");
    out.line("ztsms_build_info", &[("version", status.version)], 1.0);
    out.family("ztsms_frames_total", "counter", "Frames by what they were, at the first level of decoding.");
    if let Some(frames) = status.levels.get("frames") {
        out.line("ztsms_frames_total", &[("result", "decoded")], frames.on as f64);
        out.line("ztsms_frames_total", &[("result", "left")], frames.seen.saturating_sub(frames.on) as f64);
    }
    out.one("ztsms_frame_octets_total", "counter", "Octets of frames.", status.octets as f64);
    out.one("ztsms_frames_rewritten_total", "counter", "Frames that left changed.", status.rewritten_frames as f64);
    out.family("ztsms_decode_errors_total", "counter", "What left the way of a frame, by level, layer and reason.");
    for (level, of) in &status.levels {
        for (way, n) in &of.out {
            let (layer, reason) = way.split_once(": ").unwrap_or(("", way));
            out.line("ztsms_decode_errors_total", &[("level", level), ("layer", layer), ("reason", reason)], *n as f64);
        }
    }
    out.map("ztsms_sms_total", "Short messages by verdict.", "verdict", status.sms_verdicts.iter());
    out.map("ztsms_urls_total", "Links by verdict.", "verdict", status.urls.iter());
    out.map("ztsms_actions_total", "Short messages by what was done.", "action", status.actions.iter());
    out.map("ztsms_held_total", "Decisions recorded and not carried out.", "cause", status.held.iter());
    out.family("ztsms_unfit_total", "counter", "Actions that did not fit, by the bound.");
    for (way, n) in &status.unfit {
        out.line("ztsms_unfit_total", &[("bound", way.split_once(": ").map_or(way, |(_, bound)| bound))], *n as f64);
    }
    out.one("ztsms_unwarned_total", "counter", "Links not safe that passed unmarked by policy.", status.unwarned as f64);
    out.family("ztsms_frame_seconds", "summary", "Time of a frame in the filter.");
    let latency = status.latency_ns;
    for (quantile, ns) in
        [("0.5", latency.p50), ("0.9", latency.p90), ("0.99", latency.p99), ("0.999", latency.p99_9), ("1", latency.max)]
    {
        out.line("ztsms_frame_seconds", &[("quantile", quantile)], ns as f64 / 1e9);
    }
    out.line("ztsms_frame_seconds_count", &[], latency.count as f64);
    out.family("ztsms_ring_drops_total", "counter", "What a ring had no room for.");
    status.lost.iter().for_each(|(ring, n)| out.line("ztsms_ring_drops_total", &[("ring", ring)], *n as f64));
    for worker in &status.workers {
        for queue in &worker.queues {
            let [interface, number] = [queue.interface, queue.queue].map(|n| n.to_string());
            for (ring, n) in ["rx", "other"].into_iter().zip(queue.dropped) {
                let labels = [("ring", ring), ("interface", interface.as_str()), ("queue", number.as_str())];
                out.line("ztsms_ring_drops_total", &labels, n as f64);
            }
        }
    }
    out.family("ztsms_fill_ring_empty_total", "counter", "How often the kernel found a fill ring empty: no count of frames.");
    for queue in status.workers.iter().flat_map(|worker| &worker.queues) {
        let [interface, number] = [queue.interface, queue.queue].map(|n| n.to_string());
        let labels = [("interface", interface.as_str()), ("queue", number.as_str())];
        out.line("ztsms_fill_ring_empty_total", &labels, queue.fill_empty as f64);
    }
    out.family("ztsms_ring_fill_ratio", "gauge", "How full a ring is.");
    for worker in &status.workers {
        let share = |(full, size): (u32, u32)| f64::from(full) / f64::from(size.max(1));
        out.line("ztsms_ring_fill_ratio", &[("worker", &worker.name), ("ring", "notes")], share(worker.notes));
        for queue in &worker.queues {
            let [interface, number] = [queue.interface, queue.queue].map(|n| n.to_string());
            for (ring, fill) in ["rx", "tx", "fill", "completion"].into_iter().zip(queue.rings) {
                let labels = [
                    ("worker", worker.name.as_str()),
                    ("ring", ring),
                    ("interface", interface.as_str()),
                    ("queue", number.as_str()),
                ];
                out.line("ztsms_ring_fill_ratio", &labels, share(fill));
            }
        }
    }
    for (name, labels) in &status.gauges {
        let name = format!("ztsms_{name}");
        out.family(&name, "untyped", "Of the workers.");
        labels.iter().for_each(|(label, n)| out.line(&name, &[("kind", label)], *n as f64));
    }
    out.family("ztsms_worker_counts", "untyped", "Of each worker.");
    for worker in &status.workers {
        worker
            .counts
            .iter()
            .for_each(|(kind, n)| out.line("ztsms_worker_counts", &[("worker", &worker.name), ("kind", kind)], *n as f64));
    }
    out.family("ztsms_kernel_frames_total", "counter", "Frames of each port by what became of them in the kernel.");
    for port in &status.ports {
        for (cause, n) in &port.kernel {
            let labels = [("interface", port.interface.as_str()), ("worker", port.worker.as_str()), ("cause", cause)];
            out.line("ztsms_kernel_frames_total", &labels, *n as f64);
        }
    }
    out.family("ztsms_joins_total", "counter", "What became of joined things.");
    for (join, counts) in &status.joins {
        counts.iter().for_each(|(what, n)| out.line("ztsms_joins_total", &[("join", join), ("result", what)], *n as f64));
    }
    let verdicts = &status.verdicts;
    let overlay = verdicts.overlay as f64;
    out.family("ztsms_verdict_cache_entries", "gauge", "Entries in force.");
    out.line("ztsms_verdict_cache_entries", &[("part", "snapshot")], verdicts.entries as f64);
    out.line("ztsms_verdict_cache_entries", &[("part", "overlay")], overlay);
    if let Some(built) = verdicts.built {
        out.one("ztsms_verdicts_built_timestamp_seconds", "gauge", "When the snapshot was built.", built as f64);
    }
    out.one("ztsms_world", "gauge", "Number of the world in force.", verdicts.world as f64);
    let flag = |on: bool| f64::from(u8::from(on));
    let mode = &status.mode;
    out.one(
        "ztsms_enforce",
        "gauge",
        "1 where decisions are carried out.",
        flag(mode.enforce && !mode.pass && !mode.breaker_all),
    );
    out.one("ztsms_stage_ratio", "gauge", "Share of recipients in the stage.", mode.stage_percent / 100.0);
    if let Some(share) = status.covered.share {
        out.one("ztsms_covered_ratio", "gauge", "forwardSM seen over what the plan expects.", share);
    }
    out.sink("spool", status.spool.as_ref());
    out.sink("work", status.work.as_ref());
    out.family("ztsms_alarm", "gauge", "Alarms that stand.");
    status.alarms.iter().for_each(|alarm| out.line("ztsms_alarm", &[("name", alarm.name)], 1.0));
    out.one("ztsms_alarms_total", "counter", "Alarms raised.", status.alarms_raised as f64);
    out.one("process_start_time_seconds", "gauge", "Start of the process.", status.started as f64);
    out.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (n, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{}{label}=\"{value}\"", if n == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.line(name, &[], value);
    }

    fn map<'m>(&mut self, name: &str, help: &str, label: &str, counts: impl Iterator<Item = (&'m &'static str, &'m u64)>) {
        self.family(name, "counter", help);
        counts.for_each(|(value, n)| self.line(name, &[(label, value)], *n as f64));
    }

    fn sink(&mut self, spool: &str, status: Option<&SinkStatus>) {
        let Some(status) = status else { return };
        let counts = [("written", status.written), ("lost_slow", status.lost_slow), ("lost_refused", status.lost_refused)];
        let name = format!("ztsms_{spool}_records_total");
        self.family(&name, "counter", "Records by what became of them.");
        counts.into_iter().for_each(|(result, n)| self.line(&name, &[("result", result)], n as f64));
    }
}

/// The address, ours already or still that of a filter that is about to leave.
pub(super) enum Place {
    Ours(Server),
    Theirs(SocketAddr),
}

impl Place {
    /// Binds the address, unless it is one of those that a filter has which leaves.
    pub(super) fn find(address: SocketAddr, theirs: &[SocketAddr]) -> io::Result<Self> {
        if theirs.contains(&address) {
            return Ok(Self::Theirs(address));
        }
        Server::http(address).map(Self::Ours).map_err(|error| io::Error::other(format!("{address}: {error}")))
    }

    /// The address, bound. A filter that leaves may have it for so long.
    fn bind(self, patience: Duration) -> io::Result<Server> {
        let address = match self {
            Self::Ours(server) => return Ok(server),
            Self::Theirs(address) => address,
        };
        let begun = Instant::now();
        loop {
            match Server::http(address) {
                Ok(server) => return Ok(server),
                Err(error) if begun.elapsed() >= patience => return Err(io::Error::other(format!("{address}: {error}"))),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

/// Answers `GET /metrics` until told to stop.
pub(super) fn serve(place: Place, patience: Duration, latest: Arc<Latest>, stop: Arc<AtomicBool>) -> io::Result<JoinHandle<()>> {
    let server = place.bind(patience)?;
    Builder::new().name("metrics".to_owned()).spawn(move || {
        while !stop.load(Relaxed) {
            let Ok(Some(request)) = server.recv_timeout(Duration::from_millis(200)) else { continue };
            // Who hangs up before the answer has it no more.
            let _ = if request.url() == "/metrics" {
                let kind = "text/plain; version=0.0.4; charset=utf-8";
                let mut response = Response::from_string(text(&latest.status()));
                if let Ok(header) = Header::from_bytes("Content-Type", kind) {
                    response.add_header(header);
                }
                request.respond(response)
            } else {
                request.respond(Response::empty(404))
            };
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_each_family_is_typed_once() {
        let mut status = Status { version: "1", ..Status::default() };
        status.gauges.entry("frames_out").or_default().insert("a\"b\\c", 7);
        let text = text(&status);
        assert!(text.contains("ztsms_frames_out{kind=\"a\\\"b\\\\c\"} 7\n"), "{text}");
        let mut types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let all = types.len();
        types.sort_unstable();
        types.dedup();
        assert_eq!(types.len(), all);
    }

    /// Each name in what is served stands in the operator's manual.
    #[test]
    fn every_field_and_every_metric_is_explained_to_operators() {
        let manual = include_str!("../../../docs/operations.md");
        let status = Status::default();
        let fields = serde_json::to_value(&status).expect("a status is JSON");
        let fields = fields.as_object().expect("of fields").keys().cloned();
        let page = text(&status);
        let metrics = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned));
        let missing: Vec<String> = fields
            .chain(metrics)
            .filter(|name| !manual.contains(&format!("`{name}`")) && !manual.contains(&format!("`{name}.")))
            .collect();
        assert!(missing.is_empty(), "not in docs/operations.md: {missing:?}");
    }
}
