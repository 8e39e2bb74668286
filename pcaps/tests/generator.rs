//! What the generator makes: reproducible, in the shares asked for, clean to tshark, and with the texts that its truth names.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails should stop")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use pcaps::generate::{Intent, Language, Mix, Way, generate, generate_with};
use pcaps::read::Capture;

/// The mix of `samples/generated.pcapng`: the default with more of what is rare.
fn sample_mix() -> Mix {
    Mix { links: 0.5, dangerous: 0.2, garbage: 0.03, retransmissions: 0.02, losses: 0.02, bundles: 0.3, ..Mix::default() }
}

const SAMPLE_MESSAGES: u64 = 300;
const SAMPLE_SEED: u64 = 2;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Lines of fields as tshark prints them; `None` where it is not installed.
fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args(["-o", "gsm_sms.reassemble:FALSE", "-o", "sctp.tsn_analysis:FALSE"]);
    command.args(["-o", "sctp.checksum:CRC-32C", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "occurrence=a"]);
    if !filter.is_empty() {
        command.args(["-Y", filter]);
    }
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.output() else {
        println!("skipped: tshark is not here");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// A capture in a file of its own, away when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("pcaps-{}-{name}.pcapng", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Frames that tshark finds something wrong with, and that no comment owns up to.
fn unexplained(path: &Path) -> Option<Vec<Vec<String>>> {
    let wrong = "_ws.malformed || _ws.expert.group == \"Malformed\" || _ws.expert.group == \"Checksum\" || sctp.checksum.status == 0 || \
                 ip.checksum.status == 0";
    let found = tshark(path, wrong, &["frame.number", "frame.comment", "_ws.expert.message"])?;
    Some(found.into_iter().filter(|line| !line.get(1).is_some_and(|comment| comment.starts_with("garbage: "))).collect())
}

#[test]
fn the_same_seed_gives_the_same_octets_and_another_does_not() {
    let run = |seed| {
        let mut out = Vec::new();
        (generate(400, seed, &Mix::default(), &mut out).unwrap(), out)
    };
    let (first, second, other) = (run(5), run(5), run(6));
    assert!(first == second);
    assert!(first.1 != other.1);
}

#[test]
fn the_sample_is_what_the_generator_makes_today() {
    let mut made = Vec::new();
    let summary = generate(SAMPLE_MESSAGES, SAMPLE_SEED, &sample_mix(), &mut made).unwrap();
    let path = sample("generated.pcapng");
    if std::env::var_os("UPDATE_SAMPLES").is_some() {
        std::fs::write(&path, &made).unwrap();
        println!("{summary:#?}");
    }
    assert!(std::fs::read(&path).unwrap() == made, "UPDATE_SAMPLES=1 writes samples/generated.pcapng anew");
    assert!(
        summary.retransmissions > 0 && summary.losses > 0 && summary.bundles > 0 && summary.garbage > 0 && summary.dangerous > 0
    );
}

#[test]
fn tshark_finds_nothing_wrong_in_the_samples_but_the_garbage() {
    for name in ["pycrate.pcapng", "generated.pcapng"] {
        let Some(found) = unexplained(&sample(name)) else { return };
        assert!(found.is_empty(), "{name}: {found:?}");
    }
    let Some(lines) = tshark(&sample("generated.pcapng"), "sctp", &["sctp.checksum.status", "frame.comment"]) else { return };
    assert!(lines.iter().any(|line| line[0] == "1"), "tshark did check the sums");
    let bad = lines.iter().filter(|line| line[0] == "0").count();
    let owned = lines.iter().filter(|line| line.get(1).is_some_and(|comment| comment.ends_with("wrong checksum"))).count();
    assert_eq!(bad, owned);
}

#[test]
fn tshark_finds_nothing_wrong_in_much_traffic() {
    // tshark joins XUDT segments only in order, and calls the others malformed: they come either segmented or out of order here.
    let clean = Mix { garbage: 0.0, ..Mix::default() };
    for (name, mix) in [
        ("whole", Mix { segmented: 0.0, losses: 0.02, retransmissions: 0.02, ..clean.clone() }),
        ("segments", Mix { segmented: 1.0, losses: 0.0, retransmissions: 0.0, bundles: 0.0, ..clean }),
    ] {
        let mut out = Vec::new();
        generate(3_000, 11, &mix, &mut out).unwrap();
        let Some(found) = unexplained(&Temporary::new(name, &out).0) else { return };
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn shares_are_those_of_the_mix() {
    let mut out = Vec::new();
    let summary = generate(20_000, 3, &Mix::default(), &mut out).unwrap();
    let near = |count: u64, of: u64, share: f64| {
        let found = count as f64 / of as f64;
        assert!((found - share).abs() < 0.2 * share.min(1.0 - share) + 0.002, "{found} where {share} was asked for");
    };
    near(summary.mt, summary.messages, 0.80);
    near(summary.concatenated, summary.messages, 0.12);
    let linked = summary.safe + summary.unknown + summary.dangerous;
    near(linked, summary.messages, 0.25);
    near(summary.dangerous, linked, 0.03);
    near(summary.routing, summary.mt, 0.50);
    near(summary.errors, summary.messages, 0.04);
    near(summary.garbage, summary.messages, 0.01);
    near(summary.retransmissions, summary.chunks, 0.005);

    let mut capture = Capture::new(Box::new(std::io::Cursor::new(out)), "memory");
    let (mut octets, mut last) = (0, 0);
    while let Some(frame) = capture.next().unwrap() {
        octets += frame.bytes.len() as u64;
        assert!(frame.time_ns > Some(last), "times rise");
        last = frame.time_ns.unwrap();
    }
    assert_eq!((capture.frames(), octets), (summary.frames, summary.octets));
    assert_eq!(capture.interfaces().len(), 2);
}

#[test]
fn every_share_can_be_set_by_its_name() {
    let mut mix = Mix::default();
    let names: Vec<_> = mix.shares().iter().map(|(name, _)| *name).collect();
    for (_, share) in mix.shares() {
        *share = 0.5;
    }
    // Debug prints each field as `name: value`, the shares as they were set.
    let printed = format!("{mix:?}");
    assert!(
        names.iter().all(|name| printed.contains(&format!(" {name}: 0.5,")) || printed.contains(&format!(" {name}: 0.5 }}"))),
        "{printed}"
    );
    assert_eq!(printed.split(": 0.5").count() - 1, names.len(), "no share was forgotten: {printed}");
    assert!(Language::ALL.iter().all(|&language| Language::of_code(language.code()) == Some(language)));
}

/// A message as it was meant, kept.
struct Meant {
    text: String,
    address: String,
    parts: u32,
}

/// Every text, whole or put together from its parts, as tshark reads it. It knows no national tables and shows no 8-bit text.
#[test]
fn tshark_reads_the_texts_that_the_truth_names() {
    let languages = Language::ALL.into_iter().filter(|&language| language != Language::Turkish).map(|language| (language, 1.0));
    let mix = Mix {
        languages: languages.collect(),
        concatenated: 0.3,
        eight_bit: 0.0,
        bundles: 0.0,
        retransmissions: 0.0,
        segmented: 0.0,
        garbage: 0.0,
        ..Mix::default()
    };
    let (mut out, mut meant) = (Vec::new(), HashMap::new());
    let mut intents = [0; 3];
    generate_with(2_000, 22, &mix, &mut out, |truth| {
        assert_eq!(truth.link.is_some(), truth.intent.is_some());
        assert!(truth.link.is_none_or(|link| truth.text.contains(link)));
        if let Some(intent) = truth.intent {
            intents[intent as usize] += 1;
            let demonstration = ["secure-bank.example", "parcel-fee.test", "login-verify.example"];
            let named = demonstration.iter().any(|host| truth.link.unwrap().to_lowercase().contains(host));
            assert_eq!(named, intent == Intent::Dangerous, "{}", truth.text);
        }
        let kept = Meant { text: truth.text.to_owned(), address: truth.address.to_owned(), parts: truth.parts };
        let again = meant.insert((truth.way == Way::Mt, truth.subscriber.to_owned()), kept);
        assert!(again.is_none(), "no subscriber gets two of so few messages: choose another seed");
    })
    .unwrap();
    assert!(intents.iter().all(|&count| count > 5), "{intents:?}");

    let fields = [
        "gsm_sms.tp-mti",
        "e212.imsi",
        "e164.msisdn",
        "gsm_sms.tp-oa",
        "gsm_sms.tp-da",
        "gsm_sms.udh.mm.msg_part",
        "gsm_sms.sms_text",
    ];
    let file = Temporary::new("texts", &out);
    let Some(lines) = tshark(&file.0, "gsm_sms.tp-mti", &fields) else { return };
    let mut read: HashMap<(bool, String), (String, BTreeMap<u32, String>)> = HashMap::new();
    for line in lines {
        let mt = line[0] == "0";
        // Of an MO tshark lists the service centre, the sender and the recipient.
        let (subscriber, address) = if mt { (&*line[1], &line[3]) } else { (line[2].split(',').nth(1).unwrap(), &line[4]) };
        let part = line[5].parse().unwrap_or(1);
        let entry = read.entry((mt, subscriber.to_owned())).or_default();
        entry.0.clone_from(address);
        assert!(entry.1.insert(part, line[6].clone()).is_none(), "a part came twice");
    }
    assert_eq!(read.len(), meant.len());
    for (key, Meant { text, address, parts }) in meant {
        let (found, pieces) = read.get(&key).unwrap_or_else(|| panic!("{key:?} is missing: {text}"));
        assert_eq!(pieces.len(), parts as usize, "{text}");
        assert_eq!(pieces.values().cloned().collect::<String>(), text);
        assert_eq!(*found, address);
    }
}
