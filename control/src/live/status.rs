//! `ztsms.status.v1`: a running filter at one moment.

use dataplane::counters::{Counters, Level, Tally};
use dataplane::live::State;
use serde::Serialize;
use std::collections::BTreeMap;

use super::alarms::Alarm;
use super::histogram::{self, Percentiles};

/// The name and version.
pub const SCHEMA: &str = "ztsms.status.v1";

/// See the module.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Status {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The filter's name.
    pub name: String,
    /// Of the program.
    pub version: &'static str,
    /// Process id.
    pub pid: u32,
    /// Where Prometheus is answered, which a filter that takes over waits for.
    pub metrics: Option<std::net::SocketAddr>,
    /// Unix seconds at the start.
    pub started: u64,
    /// Unix seconds now.
    pub time: u64,
    /// Whether and for whom decisions are carried out.
    pub mode: Mode,
    /// What is in force.
    pub verdicts: Verdicts,
    /// Frames, chunks, messages and so on, level by level.
    pub levels: BTreeMap<&'static str, LevelStatus>,
    /// Octets of frames.
    pub octets: u64,
    /// Short messages by verdict.
    pub sms_verdicts: BTreeMap<&'static str, u64>,
    /// Short messages to and from phones.
    pub directions: BTreeMap<&'static str, u64>,
    /// Links by verdict.
    pub urls: BTreeMap<&'static str, u64>,
    /// What was done.
    pub actions: BTreeMap<&'static str, u64>,
    /// Decisions that were recorded and not carried out, by cause.
    pub held: BTreeMap<&'static str, u64>,
    /// Why an action did not fit.
    pub unfit: BTreeMap<String, u64>,
    /// Oddities that were read all the same.
    pub oddities: BTreeMap<String, u64>,
    /// Unknown links that passed unmarked because the operator wrote so.
    pub unwarned: u64,
    /// Frames that left changed.
    pub rewritten_frames: u64,
    /// Packets that left as two.
    pub split_packets: u64,
    /// Packets that left as they came because changed they would have outgrown the MTU, even as two.
    pub outgrown_packets: u64,
    /// Messages seen before.
    pub retransmitted: u64,
    /// SCTP checksums.
    pub sums: BTreeMap<&'static str, u64>,
    /// Joins: whole and let go.
    pub joins: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// How long frames took.
    pub latency_ns: Percentiles,
    /// What did not reach the control side.
    pub lost: BTreeMap<&'static str, u64>,
    /// Records.
    pub spool: Option<SinkStatus>,
    /// What triage and redirects need.
    pub work: Option<SinkStatus>,
    /// Workers and their queues.
    pub workers: Vec<Worker>,
    /// Ports, as the kernel counts their frames, whoever looks at them; none where the filter is not on a wire.
    pub ports: Vec<Port>,
    /// The workers' own counts, summed: name, then label.
    pub gauges: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// forwardSM seen over what the plan expects.
    pub covered: Covered,
    /// The plan of the network.
    pub plan: PlanStatus,
    /// What stands.
    pub alarms: Vec<Alarm>,
    /// Alarms raised since the start.
    pub alarms_raised: u64,
}

/// Whether and for whom decisions are carried out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Mode {
    /// `enforce = true`.
    pub enforce: bool,
    /// Per cent of recipients.
    pub stage_percent: f64,
    /// `--pass`: nothing is rewritten.
    pub pass: bool,
    /// The breaker returned everything to observe.
    pub breaker_all: bool,
    /// Domains that it returned.
    pub breaker_domains: usize,
    /// Rewritten messages of the last 60 seconds, and all.
    pub last_minute: [u64; 2],
}

/// What is in force: two boxes with the same ids decide alike.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdicts {
    /// The snapshot's id.
    pub snapshot: String,
    /// When it was built, Unix seconds; none where it is built in, or empty until a directory has been read.
    pub built: Option<u64>,
    /// Seconds since then.
    pub age_s: Option<u64>,
    /// Its entries.
    pub entries: u64,
    /// Decisions since.
    pub overlay: usize,
    /// The policy's id.
    pub policy: String,
    /// The public suffix list's id.
    pub suffixes: String,
    /// Worlds since the start; the one in force.
    pub world: u64,
}

/// One level of decoding.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LevelStatus {
    /// Came in.
    pub seen: u64,
    /// Went on.
    pub on: u64,
    /// Left, by `layer: reason`.
    pub out: BTreeMap<String, u64>,
}

/// One spool.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SinkStatus {
    /// Records written.
    pub written: u64,
    /// Octets written.
    pub octets: u64,
    /// Records lost: the disk was slow.
    pub lost_slow: u64,
    /// Records lost: the disk refused.
    pub lost_refused: u64,
    /// Segments deleted by the limits.
    pub deleted: u64,
    /// What the disk said when it last refused; empty once that is over for a minute.
    pub trouble: String,
}

/// One worker.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Worker {
    /// Its interfaces.
    pub name: String,
    /// The core that it is pinned to.
    pub core: Option<usize>,
    /// What it counts itself.
    pub counts: BTreeMap<&'static str, u64>,
    /// The world it uses.
    pub world: u64,
    /// How often it published.
    pub published: u64,
    /// Notes in the ring, and its size.
    pub notes: (u32, u32),
    /// Its queues.
    pub queues: Vec<QueueStatus>,
}

/// One port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Port {
    /// The interface's name.
    pub interface: String,
    /// Its worker's name.
    pub worker: String,
    /// Frames by what became of them in the kernel, since the program was put there.
    pub kernel: BTreeMap<&'static str, u64>,
    /// Those that went by, or were dropped, without having been looked at.
    pub unscanned: u64,
}

/// One queue.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QueueStatus {
    /// The interface's index.
    pub interface: u32,
    /// The queue's number.
    pub queue: u32,
    /// Descriptors in the rings and their sizes: receive, transmit, fill, completion.
    pub rings: [(u32, u32); 4],
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// Frames dropped by the kernel, each once: receive ring full, others.
    pub dropped: [u64; 2],
    /// How often the kernel found the fill ring empty: no count of frames.
    pub fill_empty: u64,
}

/// forwardSM seen over what the plan expects.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Covered {
    /// Seen since the start.
    pub forward_sm: u64,
    /// Expected in the same time; none without a plan that says so.
    pub expected: Option<u64>,
    /// Seen over expected; none within the first ten minutes.
    pub share: Option<f64>,
}

/// The plan of the network.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlanStatus {
    /// Whether there is one.
    pub loaded: bool,
    /// What it does not say, and what therefore is not known.
    pub missing: Vec<&'static str>,
}

fn level(level: &Level) -> LevelStatus {
    LevelStatus { seen: level.seen, on: level.on, out: tally(&level.out) }
}

fn tally(tally: &Tally) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for (layer, label, n) in tally.iter() {
        *out.entry(format!("{}: {label}", layer.name())).or_default() += n;
    }
    out
}

fn named<const N: usize>(names: [&'static str; N], counts: &[u64; N]) -> BTreeMap<&'static str, u64> {
    names.into_iter().zip(counts.iter().copied()).collect()
}

const VERDICTS: [&str; 4] = ["none", "safe", "unknown", "dangerous"];

impl Status {
    /// Takes over what the lanes published.
    pub(super) fn lanes(&mut self, states: &[(String, Option<usize>, State)]) {
        let mut all = Counters::default();
        let mut held = [0; 5];
        for (name, core, state) in states {
            all.merge(&state.counters);
            held.iter_mut().zip(state.held).for_each(|(to, from)| *to += from);
            let lost = [
                ("notes", state.lost.notes),
                ("links", state.lost.links),
                ("cut", state.lost.cut),
                ("samples", state.lost.samples),
            ];
            lost.into_iter().for_each(|(name, n)| *self.lost.entry(name).or_default() += n);
            for (name, counts) in state.joins.iter().filter(|(name, _)| !name.is_empty()) {
                let of = self.joins.entry(name).or_default();
                let ways = [
                    ("begun", counts.begun),
                    ("completed", counts.completed),
                    ("evicted", counts.evicted),
                    ("timed out", counts.timed_out),
                    ("no room", counts.no_room),
                    ("contradicted", counts.contradicted),
                ];
                ways.into_iter().for_each(|(what, n)| *of.entry(what).or_default() += n);
            }
            for (name, label, n) in state.gauges.iter() {
                *self.gauges.entry(name).or_default().entry(label).or_default() += n;
            }
            self.workers.push(Worker {
                name: name.clone(),
                core: *core,
                counts: state.gauges.iter().filter(|(name, ..)| *name == "worker").map(|(_, label, n)| (label, n)).collect(),
                world: state.world,
                published: state.published,
                notes: state.notes,
                queues: state
                    .queues()
                    .iter()
                    .map(|q| QueueStatus {
                        interface: q.interface,
                        queue: q.queue,
                        rings: q.rings,
                        received: q.received,
                        sent: q.sent,
                        dropped: q.dropped,
                        fill_empty: q.fill_empty,
                    })
                    .collect(),
            });
        }
        let levels = [
            ("frames", &all.frames),
            ("chunks", &all.chunks),
            ("messages", &all.messages),
            ("transactions", &all.transactions),
            ("components", &all.components),
            ("sms", &all.sms),
        ];
        self.levels = levels.into_iter().map(|(name, of)| (name, level(of))).collect();
        self.octets = all.octets;
        self.sms_verdicts = named(VERDICTS, &all.verdicts);
        self.urls = named(VERDICTS, &all.urls);
        self.directions = named(["mt", "mo"], &all.directions);
        self.sums = named(["good", "bad", "zero"], &all.sums);
        self.held = named(["observing", "stage", "breaker", "pass", "pressure"], &held);
        self.actions = all.actions.iter().map(|(_, name, n)| (name, n)).collect();
        self.unfit = tally(&all.unfit);
        self.oddities = tally(&all.oddities);
        self.unwarned = all.unwarned;
        // Where there was no chunk for the second of two packets the original went on, which only the worker knows.
        let originals = self.gauges.get("worker").and_then(|of| of.get("no spare chunk")).copied().unwrap_or_default();
        self.rewritten_frames = all.rewritten_frames.saturating_sub(originals);
        self.split_packets = all.split_packets.saturating_sub(originals);
        self.outgrown_packets = all.outgrown_packets;
        self.retransmitted = all.retransmitted;
        self.latency_ns = histogram::of(states.iter().map(|(.., state)| &state.latency));
        self.covered.forward_sm = all.sms.seen;
    }
}
