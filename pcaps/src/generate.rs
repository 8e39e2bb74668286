//! Synthetic SMS signalling: whole dialogues over several associations, as a national link carries them.
//!
//! A text becomes one or more TPDUs, these MAP dialogues with routing queries before and results or errors behind, these M3UA messages on
//! SCTP associations that bundle, acknowledge, lose and send again. The same number of messages, seed and [`Mix`] give the same file to
//! the octet, on any machine. Texts are templates of our own, numbers and names from ranges kept for examples.
//!
//! ```
//! use pcaps::generate::{Mix, generate};
//!
//! let mut file = Vec::new();
//! let summary = generate(100, 1, &Mix::default(), &mut file)?;
//! assert_eq!(summary.messages, 100);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{self, Write};

mod dialogue;
mod garbage;
mod languages;
mod network;
mod plan;
mod rng;
mod text;
mod wire;

use network::Network;
use plan::Planner;
pub use text::Language;

use crate::write::PcapNg;

/// What the traffic is made of. Shares go from 0.0 to 1.0.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// Short messages a second, on average.
    pub messages_per_s: u32,
    /// Nanoseconds since 1970 at which the capture starts.
    pub start_ns: u64,
    /// Subscribers that messages go to.
    pub subscribers: u64,
    /// Of all messages: towards phones (MT); the others come from phones (MO).
    pub mt: f64,
    /// Of all messages: so long that they take several parts.
    pub concatenated: f64,
    /// Of all messages: with a link.
    pub links: f64,
    /// Of messages with a link: to a host of the demonstration list of dangerous ones.
    pub dangerous: f64,
    /// Of messages with a link that is not dangerous: to a host of the demonstration list of safe ones.
    pub safe: f64,
    /// Of messages with a link that is neither: to a platform (a shortener, a form), which lends no trust to what it hosts.
    pub platforms: f64,
    /// Languages with their weights.
    pub languages: Vec<(Language, f64)>,
    /// Of messages in Latin script: with an emoji, which makes them UCS2.
    pub emoji: f64,
    /// Of messages in one part and of ASCII: as 8-bit data, whose character set nothing names.
    pub eight_bit: f64,
    /// Of MT messages: preceded by the routing query (SRI-SM) and its answer.
    pub routing: f64,
    /// Of dialogues: MAP version 2.
    pub version_2: f64,
    /// Of dialogues: MAP version 1.
    pub version_1: f64,
    /// Of dialogues that would fit in one Begin: opened by an empty Begin all the same.
    pub empty_begin: f64,
    /// Of texts in parts: all parts in one dialogue, by moreMessagesToSend.
    pub more_messages: f64,
    /// Of texts in parts: the parts out of order.
    pub shuffled: f64,
    /// Of components too long for one UDT: in segmented XUDT instead of behind an empty Begin.
    pub segmented: f64,
    /// Of unitdata: XUDT where UDT would do.
    pub extended: f64,
    /// Of deliveries: answered by an error.
    pub errors: f64,
    /// Of packets: waiting for another message to share a packet with.
    pub bundles: f64,
    /// Of packets: sent twice, though the first arrived.
    pub retransmissions: f64,
    /// Of packets: lost before the capture, and seen only when sent again.
    pub losses: f64,
    /// For each message: a frame that is no short message: other protocols, damage, nonsense. Each has a comment that says which.
    pub garbage: f64,
}

impl Default for Mix {
    /// Like a national link.
    fn default() -> Self {
        Self {
            messages_per_s: 400,
            start_ns: 1_790_000_000_000_000_000,
            subscribers: 5_000_000,
            mt: 0.80,
            concatenated: 0.12,
            links: 0.25,
            dangerous: 0.03,
            safe: 0.40,
            platforms: 0.25,
            languages: Language::ALL.iter().map(|&language| (language, language.usual_weight())).collect(),
            emoji: 0.04,
            eight_bit: 0.005,
            routing: 0.50,
            version_2: 0.10,
            version_1: 0.02,
            empty_begin: 0.15,
            more_messages: 0.30,
            shuffled: 0.15,
            segmented: 0.10,
            extended: 0.03,
            errors: 0.04,
            bundles: 0.15,
            retransmissions: 0.005,
            losses: 0.003,
            garbage: 0.01,
        }
    }
}

impl Mix {
    /// Every share by its name, as a file that describes a mix would set it. The languages have names of their own
    /// ([`Language::of_code`]), and three fields are no shares: `messages_per_s`, `start_ns`, `subscribers`.
    pub const fn shares(&mut self) -> [(&'static str, &mut f64); 21] {
        [
            ("mt", &mut self.mt),
            ("concatenated", &mut self.concatenated),
            ("links", &mut self.links),
            ("dangerous", &mut self.dangerous),
            ("safe", &mut self.safe),
            ("platforms", &mut self.platforms),
            ("emoji", &mut self.emoji),
            ("eight_bit", &mut self.eight_bit),
            ("routing", &mut self.routing),
            ("version_2", &mut self.version_2),
            ("version_1", &mut self.version_1),
            ("empty_begin", &mut self.empty_begin),
            ("more_messages", &mut self.more_messages),
            ("shuffled", &mut self.shuffled),
            ("segmented", &mut self.segmented),
            ("extended", &mut self.extended),
            ("errors", &mut self.errors),
            ("bundles", &mut self.bundles),
            ("retransmissions", &mut self.retransmissions),
            ("losses", &mut self.losses),
            ("garbage", &mut self.garbage),
        ]
    }
}

/// What a link was meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Intent {
    /// On the demonstration list of safe hosts.
    Safe,
    /// On no list, or on a platform.
    Unknown,
    /// On the demonstration list of dangerous hosts.
    Dangerous,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Towards the phone.
    Mt,
    /// From the phone.
    Mo,
}

/// One message as it was meant: what a reader of the capture should find.
#[derive(Clone, Copy, Debug)]
pub struct Truth<'a> {
    /// From 1, in the order in which messages begin.
    pub number: u64,
    /// When its first signal goes out.
    pub time_ns: u64,
    /// MT or MO.
    pub way: Way,
    /// MAP version.
    pub map_version: u8,
    /// MT: who it says it is from, a name or digits. MO: the number that it goes to.
    pub address: &'a str,
    /// MT: the subscriber's IMSI. MO: the subscriber's MSISDN.
    pub subscriber: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// TPDUs that carry it.
    pub parts: u32,
    /// Its link as it stands in the text.
    pub link: Option<&'a str>,
    /// What the link was meant to be.
    pub intent: Option<Intent>,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Texts.
    pub messages: u64,
    /// Of these, towards phones.
    pub mt: u64,
    /// Of these, in several parts.
    pub concatenated: u64,
    /// TPDUs that carry text.
    pub parts: u64,
    /// Texts with a safe link.
    pub safe: u64,
    /// Texts with an unknown link.
    pub unknown: u64,
    /// Texts with a dangerous link.
    pub dangerous: u64,
    /// Routing queries.
    pub routing: u64,
    /// Deliveries answered by an error.
    pub errors: u64,
    /// Frames in the capture.
    pub frames: u64,
    /// Octets of these frames.
    pub octets: u64,
    /// DATA chunks in these frames.
    pub chunks: u64,
    /// Frames with several DATA chunks.
    pub bundles: u64,
    /// Chunks in the capture for the second time.
    pub retransmissions: u64,
    /// Packets that were lost before the capture.
    pub losses: u64,
    /// Frames that are no short message and nothing that belongs to one.
    pub garbage: u64,
}

/// Writes a capture of `messages` texts to `out`.
pub fn generate<W: Write>(messages: u64, seed: u64, mix: &Mix, out: W) -> io::Result<Summary> {
    generate_with(messages, seed, mix, out, |_| {})
}

/// As [`generate`]; `on_message` is told what each message was meant to be, in the order in which they begin.
pub fn generate_with<W: Write>(
    messages: u64,
    seed: u64,
    mix: &Mix,
    out: W,
    mut on_message: impl FnMut(&Truth<'_>),
) -> io::Result<Summary> {
    let mut network = Network::new(PcapNg::new(out)?, seed, mix)?;
    let mut planner = Planner::new(seed, mix);
    let mean = 1_000_000_000 / u64::from(mix.messages_per_s.max(1));
    let mut now = mix.start_ns;
    for number in 1..=messages {
        now += planner.rng.below(2 * mean + 1);
        network.run_until(now)?;
        planner.message(number, now, &mut network, &mut on_message)?;
    }
    network.finish(planner.summary)
}
