//! What the tests share: captures in, records out, `tshark` beside it.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(unreachable_pub, missing_docs, reason = "shared by test binaries only")]

use std::path::{Path, PathBuf};
use std::process::Command;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Policy;
use dataplane::record::{Listener, Place, Sms};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::world::{Network, World};
use pcaps::read::Capture;
use pcaps::write::PcapNg;
use protocols::Error;
use protocols::link::LinkType;
use protocols::sms::Tables;

/// A file of the shared test data; `None`, with a line that says so, where the data is not here.
pub fn shared(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    println!("skipped: ../shared/data/{path} is not here");
    None
}

/// A scratch file of this test run.
pub fn scratch(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&dir).unwrap();
    dir.join(name)
}

/// The world that `ztsms replay` has without any file, under another policy.
pub fn world(policy: Policy) -> World {
    let suffixes = Suffixes::built_in();
    let table = control::builtin::table(&suffixes).unwrap();
    World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() }
}

/// One URL of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnUrl {
    pub text: String,
    pub url: String,
    pub verdict: Verdict,
    pub confidence: &'static str,
}

/// A record, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    pub frame: u64,
    pub chunk: u32,
    pub operation: &'static str,
    pub direction: String,
    pub imsi: String,
    pub kind: &'static str,
    pub address: String,
    pub pid: u8,
    pub dcs: u8,
    pub otid: String,
    pub dtid: String,
    pub part_text: Option<String>,
    pub text: Option<String>,
    pub parts: u8,
    pub total: u8,
    pub whole: bool,
    pub urls: Vec<OwnUrl>,
    pub verdict: Verdict,
    pub action: String,
    pub rewritten: Option<String>,
    pub repeat: bool,
    pub bound: Option<&'static str>,
    /// National shift tables are in use.
    pub shifted: bool,
}

/// Keeps every record.
#[derive(Default)]
pub struct Keeper {
    pub records: Vec<Own>,
    pub unscanned: Vec<(u64, String)>,
}

impl Listener for Keeper {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        let hex = |octets: Option<&[u8]>| octets.unwrap_or_default().iter().map(|o| format!("{o:02x}")).collect::<String>();
        let (observed, action) = dataplane::record::action_name(sms.decision);
        let total = sms.concat.map_or(1, |concat| concat.total);
        self.records.push(Own {
            frame: sms.place.frame,
            chunk: sms.place.chunk,
            operation: sms.operation,
            direction: format!("{:?}", sms.direction).to_lowercase(),
            imsi: sms.imsi.map(|imsi| protocols::map::Tbcd(imsi).to_string()).unwrap_or_default(),
            kind: sms.tpdu.kind.name(),
            address: sms.address.into(),
            pid: sms.tpdu.pid,
            dcs: sms.tpdu.dcs.0,
            otid: hex(sms.transaction.otid),
            dtid: hex(sms.transaction.dtid),
            part_text: sms.part_text.map(String::from),
            text: sms.text.map(String::from),
            parts: sms.parts,
            total,
            whole: sms.parts == total,
            urls: sms
                .urls
                .iter()
                .map(|url| OwnUrl {
                    text: url.text.into(),
                    url: url.url.into(),
                    verdict: url.verdict,
                    confidence: url.confidence.name(),
                })
                .collect(),
            verdict: sms.verdict,
            action: format!("{observed}{action}"),
            rewritten: sms.rewritten.map(String::from),
            repeat: sms.repeat,
            shifted: sms.tpdu.user_data.tables != Tables::default(),
            bound: sms.decision.bound.map(dataplane::policy::Bound::name),
        });
    }

    fn unscanned(&mut self, place: &Place, why: Error) {
        self.unscanned.push((place.frame, why.to_string()));
    }
}

/// What a replay leaves.
pub struct Replayed {
    pub keeper: Keeper,
    pub lane: Lane,
    pub rewritten_frames: Vec<u64>,
}

/// Replays a capture as `ztsms replay --write` does.
pub fn replay(capture: &Path, world: &World, write: Option<&Path>) -> Replayed {
    let mut capture = Capture::open(capture).unwrap();
    let mut lane = Lane::new(&Setup::default());
    let mut keeper = Keeper::default();
    let mut out = write.map(|path| PcapNg::new(std::io::BufWriter::new(std::fs::File::create(path).unwrap())).unwrap());
    let mut rewritten_frames = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        let link_type = LinkType::from_pcap(frame.link_type).unwrap();
        let seen = Frame {
            number: frame.number,
            time_ns: frame.time_ns.unwrap_or(0),
            link_type,
            bytes: frame.bytes,
            original_len: frame.original_len as usize,
        };
        lane.frame(&seen, world, &mut keeper);
        if lane.changed().next().is_some() {
            rewritten_frames.push(frame.number);
        }
        if let Some(out) = &mut out {
            if lane.changed().next().is_none() {
                out.frame(&frame, frame.bytes, None).unwrap();
            }
            for packet in lane.changed() {
                out.frame(&frame, packet, None).unwrap();
            }
        }
    }
    lane.finish();
    if let Some(out) = out {
        out.finish().unwrap();
    }
    assert!(lane.counters().agree(), "{:#?}", lane.counters());
    Replayed { keeper, lane, rewritten_frames }
}

/// Runs `tshark` with the options under which it is an oracle, and gives its fields line by line.
pub fn tshark(capture: &Path, fields: &[&str]) -> Vec<Vec<Vec<String>>> {
    const AGGREGATOR: &str = "\u{1f}";
    const SEPARATOR: &str = "\u{1e}";
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture);
    command.args(["-o", "gsm_sms.reassemble:FALSE", "-o", "sctp.tsn_analysis:FALSE", "-o", "sctp.checksum:CRC-32C"]);
    command.args(["-T", "fields", "-E", "occurrence=a"]);
    command.args(["-E", &format!("aggregator={AGGREGATOR}"), "-E", &format!("separator={SEPARATOR}")]);
    fields.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let output = command.output().expect("tshark is installed by the set-up: see CONTRIBUTING.md");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let values = |cell: &str| if cell.is_empty() { Vec::new() } else { cell.split(AGGREGATOR).map(String::from).collect() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| line.split(SEPARATOR).map(values).collect()).collect()
}
