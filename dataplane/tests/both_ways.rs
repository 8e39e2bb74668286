//! A first look dismisses most messages; reading them layer by layer comes to the same: counters, joins, events, links, octets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod common;
#[expect(dead_code, reason = "others have more layers")]
#[path = "common/frames.rs"]
mod frames;
#[path = "common/phones.rs"]
mod phones;

use std::path::Path;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Action, Decision, Policy, Preset, Protected, Rule, Spec};
use dataplane::record::{Event, Listener, Place, Sms, Unread, Urls};
use dataplane::verdict::Verdict;
use dataplane::world::World;
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use proptest::prelude::*;
use protocols::Error;
use protocols::link::LinkType;
use protocols::sms::encode::{self, Number, Part};
use protocols::sms::{Dcs, Timestamp, Written};

fn world(preset: Preset) -> World {
    common::world(preset, &[("bank.example", Verdict::Safe), ("evil.com", Verdict::Dangerous), ("@bit.ly", Verdict::None)])
}

/// Keeps all that it is told but messages without links that nobody minds, of which a first look tells nothing.
#[derive(Default)]
struct Heard<const LOOKS: bool> {
    told: Vec<String>,
    unread: u64,
    /// Of those, with links.
    linked: u64,
}

impl<const LOOKS: bool> Heard<LOOKS> {
    #[expect(clippy::too_many_arguments, reason = "what is told of a message")]
    fn message(
        &mut self,
        place: &Place,
        calling_party: &[u8],
        otid: Option<&[u8]>,
        invoke_id: i64,
        decision: &Decision,
        urls: Urls<'_>,
        rewritten: Option<&str>,
    ) {
        let urls: Vec<_> = urls.iter().collect();
        self.told.push(format!("{place:?} {calling_party:?} {otid:?} {invoke_id} {decision:?} {rewritten:?} {urls:?}"));
    }
}

impl<const LOOKS: bool> Listener for Heard<LOOKS> {
    const TEXTS: bool = !LOOKS;

    fn sms(&mut self, sms: &Sms<'_>) {
        if (!sms.urls.is_empty() || sms.verdict > Verdict::None) && !sms.repeat {
            let (calling, otid, invoke_id) = (sms.calling_party.raw, sms.transaction.otid, sms.invoke.invoke_id);
            self.message(sms.place, calling, otid, invoke_id, sms.decision, sms.urls, sms.rewritten);
        }
    }

    fn unread(&mut self, place: &Place, message: &Unread<'_>) {
        self.unread += 1;
        if !message.urls.is_empty() {
            self.linked += 1;
            let Unread { calling_party, otid, invoke_id, ref decision, urls, .. } = *message;
            self.message(place, calling_party, Some(otid), invoke_id, decision, urls, None);
        }
    }

    fn event(&mut self, place: &Place, event: &Event<'_>) {
        self.told.push(format!("{place:?} {event:?}"));
    }

    fn unscanned(&mut self, place: &Place, why: Error) {
        self.told.push(format!("{place:?} {why:?}"));
    }
}

/// One of the two ways.
struct Way<const LOOKS: bool> {
    lane: Lane,
    heard: Heard<LOOKS>,
}

impl<const LOOKS: bool> Way<LOOKS> {
    fn new() -> Self {
        Self { lane: Lane::new(&Setup::default()), heard: Heard::default() }
    }

    /// What goes on in place of the frame.
    fn frame(&mut self, frame: &Frame<'_>, world: &World) -> Vec<Vec<u8>> {
        self.lane.frame(frame, world, &mut self.heard);
        self.lane.changed().map(<[u8]>::to_vec).collect()
    }

    /// Ends it; all that was counted.
    fn end(&mut self) -> (String, String) {
        self.lane.finish();
        assert!(self.lane.counters().agree());
        (common::counted(self.lane.counters()), format!("{:?}", self.lane.joins()))
    }
}

/// Sends a capture both ways; how many messages were not read, how many of those had links, and how many there were.
fn both_ways(name: &str, mut capture: Capture, world: &World) -> (u64, u64, u64) {
    let (mut look, mut read) = (Way::<true>::new(), Way::<false>::new());
    while let Ok(Some(frame)) = capture.next() {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
        let (number, time_ns) = (frame.number, frame.time_ns.unwrap_or(0));
        let frame = Frame { number, time_ns, link_type, bytes: frame.bytes, original_len: frame.original_len as usize };
        assert!(look.frame(&frame, world) == read.frame(&frame, world), "{name}: frame {number} leaves otherwise");
        assert_eq!(look.heard.told, read.heard.told, "{name}: frame {number} is told otherwise");
        look.heard.told.clear();
        read.heard.told.clear();
    }
    assert_eq!(look.end(), read.end(), "{name}");
    assert_eq!(read.heard.unread, 0);
    (look.heard.unread, look.heard.linked, look.lane.counters().sms.on)
}

fn generated(mix: &Mix, seed: u64) -> Capture {
    let mut file = Vec::new();
    let _summary = generate(2_000, seed, mix, &mut file).unwrap();
    Capture::new(Box::new(std::io::Cursor::new(file)), "generated")
}

#[test]
fn generated_traffic_comes_to_the_same_both_ways_and_most_of_it_stays_unread() {
    let quiet = Mix { links: 0.0, concatenated: 0.0, ..Mix::default() };
    for (name, mix, least) in [
        ("like a national link", Mix::default(), 0.4),
        ("of one part without links", quiet.clone(), 0.85),
        ("wide", Mix { emoji: 1.0, ..quiet.clone() }, 0.85),
        ("opened by empty Begins", Mix { empty_begin: 1.0, ..quiet.clone() }, 0.8),
        ("of old versions", Mix { version_1: 0.4, version_2: 0.6, errors: 0.5, ..quiet }, 0.85),
        (
            "of all kinds",
            Mix { links: 0.6, concatenated: 0.4, shuffled: 0.5, segmented: 0.4, eight_bit: 0.3, extended: 0.3, ..Mix::default() },
            0.05,
        ),
    ] {
        for (preset, seed) in [(Preset::Warn, 1), (Preset::Strict, 2), (Preset::Learn, 3)] {
            let (unread, linked, all) = both_ways(name, generated(&mix, seed), &world(preset));
            assert!(unread as f64 >= least * all as f64, "{name}: {unread} of {all} unread");
            assert_eq!(linked, 0, "{name}: a policy that labels what is verified asks for all of it");
        }
        let (unread, linked, all) = both_ways(name, generated(&mix, 4), &world(Preset::Quiet));
        assert!(linked > 10 || mix.links == 0.0, "{name}: {linked} of {unread} unread with links");
        assert!(unread as f64 >= least * all as f64, "{name}: {unread} of {all} unread");
    }
}

#[test]
fn a_verified_link_stays_unread_where_nothing_but_the_chain_has_a_say() {
    let quiet = world(Preset::Quiet);
    for text in [
        "See https://bank.example/x now",
        "https://bank.example/",
        "12.30? e.g. http://bank.example",
        "a https://bank.example/ b https://www.bank.example",
    ] {
        for sender in ["4915100000001", "My Bank"] {
            assert!(one(&quiet, &septets(sender, text)), "{sender}: {text}");
        }
        assert!(!one(&world(Preset::Warn), &septets("4915100000001", text)), "{text}: labelled");
    }
    for text in [
        "See https://bank.example and evil.com",
        "https://bank.example/ or https://nobody.example",
        "Verified link: https://bank.example",
        "Your https://bank.example/ safe",
        "[SAFE] https://bank.example",
        "Hi\nSafe: https://bank.example",
        "https://bank.example/ or evil dot com",
    ] {
        assert!(!one(&quiet, &septets("4915100000001", text)), "{text}");
    }
    assert!(!one(&quiet, &septets("evil.com", "See https://bank.example")));
    // Whatever makes one message unlike another is asked.
    let policy = |change: fn(&mut Spec)| {
        let mut spec = Spec::preset(Preset::Quiet);
        change(&mut spec);
        World { policy: Policy::compile(spec).unwrap(), ..world(Preset::Quiet) }
    };
    let changes: [fn(&mut Spec); 4] = [
        |spec| spec.never_touch.senders.push("112".into()),
        |spec| spec.link_hosts.push("operator.example".into()),
        |spec| spec.mt.safe = vec![Action::Label],
        |spec| {
            let rule = Rule::new("shorteners", Preset::Warn.chains());
            spec.rules.push(Rule { domain: vec!["bit.ly".into()], ..rule });
        },
    ];
    for change in changes {
        assert!(!one(&policy(change), &septets("4915100000001", "See https://bank.example/x now")));
    }
}

#[test]
fn captures_of_other_hands_come_to_the_same_both_ways() {
    let world = world(Preset::Warn);
    for folder in ["../pcaps/samples", "../../shared/data/ss7/pcaps"] {
        let Ok(entries) = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else {
            println!("skipped: {folder} is not here");
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if let Ok(capture) = Capture::open(&path) {
                both_ways(&path.display().to_string(), capture, &world);
            }
        }
    }
}

/// Both ways of one TPDU to a phone. Whether it stayed unread.
fn one(world: &World, tpdu: &[u8]) -> bool {
    both(world, &frames::udt(tpdu))
}

/// Both ways of one SCCP message. Whether it stayed unread.
fn both(world: &World, bytes: &[u8]) -> bool {
    let frame = Frame { number: 1, time_ns: 0, link_type: LinkType::Sccp, bytes, original_len: bytes.len() };
    let (mut look, mut read) = (Way::<true>::new(), Way::<false>::new());
    assert_eq!(look.frame(&frame, world), read.frame(&frame, world), "{bytes:02x?}");
    assert_eq!(look.heard.told, read.heard.told, "{bytes:02x?}");
    assert_eq!(look.end(), read.end(), "{bytes:02x?}");
    look.heard.unread == 1
}

#[test]
fn a_message_from_a_phone_is_judged_by_the_number_that_sent_it_both_ways() {
    let spec = Spec {
        protected: vec![Protected { sender: "38080".into(), domains: vec!["bank.example".into()] }],
        ..Spec::preset(Preset::Quiet)
    };
    let world = World { policy: Policy::compile(spec).unwrap(), ..world(Preset::Quiet) };
    for text in ["See https://bank.example/x now", "See https://nobody.example", "See you at 12.30", "See you"] {
        for from in ["38080", "4915100000001"] {
            for to in ["38080", "4915100000002"] {
                let is_unread = both(&world, &phones::from_phone(Some(from), to, text));
                assert_eq!(is_unread, !text.contains("https"), "{from} to {to}: {text}");
            }
        }
        both(&world, &phones::from_phone(None, "38080", text));
    }
}

fn deliver(sender: &str, dcs: u8, tp_udl: u8, user_data: Vec<u8>) -> Vec<u8> {
    let ton = if sender.bytes().all(|octet| octet.is_ascii_digit()) { 1 } else { 5 };
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let part = Part { dcs: Dcs(dcs), udhi: false, tp_udl, user_data };
    encode::deliver(Number { text: sender, ton, npi: u8::from(ton == 1) }, 0, &scts, &part)
}

fn ucs2(sender: &str, text: &str) -> Vec<u8> {
    let user_data: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).take(140).collect();
    deliver(sender, 8, u8::try_from(user_data.len()).unwrap(), user_data)
}

/// In septets, if all of it fits; a septet of any value for each that the alphabet lacks.
fn septets(sender: &str, text: &str) -> Vec<u8> {
    let tables = protocols::sms::Tables::default();
    let mut units = Vec::new();
    for c in text.chars() {
        match tables.write(c) {
            Some(Written::Base(septet)) => units.push(septet),
            Some(Written::Extension(septet)) => units.extend([0x1b, septet]),
            None => units.push((u32::from(c) & 0x7f) as u8),
        }
    }
    units.truncate(160);
    let mut packed = vec![0u8; (units.len() * 7).div_ceil(8)];
    for (n, septet) in units.iter().enumerate() {
        let [low, high] = (u16::from(*septet) << (n * 7 % 8)).to_le_bytes();
        packed[n * 7 / 8] |= low;
        if high != 0 {
            packed[n * 7 / 8 + 1] |= high;
        }
    }
    deliver(sender, 0, u8::try_from(units.len()).unwrap(), packed)
}

#[test]
fn a_text_without_a_sign_of_a_link_or_a_label_stays_unread_in_every_alphabet() {
    let world = world(Preset::Warn);
    for text in ["See you at 8", "Ok (later)\nBye", "Viele Grüße, bis später", "Γειά σου 12.30", "a@b _ $", ""] {
        assert!(one(&world, &septets("4915100000001", text)), "{text}");
        assert!(one(&world, &septets("Grüße", text)), "{text}");
    }
    for text in ["Ваш заказ 4711 прибудет завтра с 9 до 12.30", "명절 잘 보내세요", "See you", "Zum Fest 🎉 – alles Gute", ""]
    {
        assert!(one(&world, &ucs2("4915100000001", text)), "{text}");
    }
    for text in ["See evil.com now", "[SAFE] hello", "Verified link: none", "Geprüfter Link: grüße", "Grüße von evil.com"] {
        assert!(!one(&world, &septets("4915100000001", text)), "{text}");
        assert!(!one(&world, &ucs2("4915100000001", text)), "{text}");
    }
    for text in ["Привет evil。com", "✔ checked", "《安全》", "« Safe » ждём"] {
        assert!(!one(&world, &ucs2("4915100000001", text)), "{text}");
    }
    assert!(!one(&world, &septets("evil.com", "See you at 8")));
}

/// Pieces of texts: links, labels and what is nearly one.
const PIECES: [&str; 60] = [
    "https://",
    "evil.com",
    "bank.example/x",
    ".",
    ":",
    "/",
    " ",
    " ",
    " ",
    "\n",
    "\r",
    "[",
    "]",
    "(",
    ")",
    "{",
    "<",
    "*",
    "«",
    "»",
    "【",
    "】",
    "✔",
    "✅",
    "🔒",
    "🎉",
    "SAFE",
    "safe",
    "Verified link",
    "verified",
    "Safe:",
    "Geprüfter Link",
    "проверено",
    "Безопасно",
    "رابط موثوق",
    "安全",
    "с",
    "ѕ",
    "ä",
    "é",
    "ß",
    "Σ",
    "€",
    "@",
    "$",
    "_",
    "|",
    "^",
    "dot",
    " dot com",
    "%3A",
    "@bank.example #12",
    ",",
    "12.30",
    "ok. To see",
    "日本",
    "Привет",
    "。",
    "．",
    "\u{200b}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_comes_to_the_same_both_ways(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..14),
        sender in prop::sample::select(["4915100000001", "evil.com", "Bank", "Grüße", "a.b"].as_slice()),
        unit in prop::collection::vec(any::<u8>(), 0..10),
        at in any::<prop::sample::Index>(),
    ) {
        thread_local!(static WORLDS: [World; 2] = [Preset::Warn, Preset::Quiet].map(world));
        let text = pieces.concat();
        WORLDS.with(|worlds| worlds.iter().for_each(|world| {
            one(world, &septets(sender, &text));
            one(world, &ucs2(sender, &text));
            // Halves of pairs, an octet too many, codes of any meaning.
            let mut tpdu = ucs2(sender, &text);
            let at = at.index(tpdu.len());
            tpdu.splice(at..tpdu.len().min(at + unit.len()), unit.iter().copied().take(tpdu.len() - at));
            one(world, &tpdu);
        }));
    }
}
