//! What happens for one message: its text, its parts, the dialogues that carry them.

use protocols::map::{push_address_string, push_tbcd};
use protocols::sms::encode::{Number, Part, Reference, deliver, message_in, submit};
use protocols::sms::{Dcs, MAX_OCTETS, Timestamp, Validity};

use super::dialogue::{Dialogue, forward, outcome, routing};
use super::network::Network;
use super::rng::Rng;
use super::text::{Text, digits, sender};
use super::wire::Node;
use super::{Intent, Mix, Summary, Truth, Way};

const MS: u64 = 1_000_000;
const MSCS: u32 = 16;
const EIGHT_BIT: Dcs = Dcs(0x04);

pub(super) struct Planner<'m> {
    pub(super) rng: Rng,
    pub(super) summary: Summary,
    mix: &'m Mix,
    text: Text,
    address: String,
    imsi: String,
    msisdn: String,
    dialogue: u32,
    smsc: Node,
    home: Node,
    hlr: Node,
    mscs: Vec<Node>,
}

impl<'m> Planner<'m> {
    pub(super) fn new(seed: u64, mix: &'m Mix) -> Self {
        let msc = |n: u32| {
            let mut number = "15550102".to_owned();
            digits(&mut number, u64::from(n), 3);
            Node::new(2_057 + n, &number, 8)
        };
        Self {
            rng: Rng::new(seed),
            summary: Summary::default(),
            mix,
            text: Text::default(),
            address: String::new(),
            imsi: String::new(),
            msisdn: String::new(),
            dialogue: 0x0100_0000,
            smsc: Node::new(4_721, "15550100001", 8),
            home: Node::new(4_722, "15550100004", 8),
            hlr: Node::new(2_040, "15550100003", 6),
            mscs: (0..MSCS).map(msc).collect(),
        }
    }

    /// Plans message `number`, which begins at `now`.
    pub(super) fn message(
        &mut self,
        number: u64,
        now: u64,
        network: &mut Network<impl std::io::Write>,
        on_message: &mut impl FnMut(&Truth<'_>),
    ) -> std::io::Result<()> {
        let way = if self.rng.chance(self.mix.mt) { Way::Mt } else { Way::Mo };
        self.text.make(&mut self.rng, self.mix, way == Way::Mo);
        sender(&mut self.address, &mut self.rng, self.text.firm);
        self.subscriber();
        let version = match (self.rng.chance(self.mix.version_1), self.rng.chance(self.mix.version_2)) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        let reference = self.rng.next().to_le_bytes();
        let reference = match reference {
            [low, high, bit, ..] if bit & 1 == 0 => Reference::Wide(u16::from_le_bytes([low, high])),
            [low, ..] => Reference::Byte(low),
        };
        let mut parts = message_in(&self.text.whole, self.text.tables, reference);
        if let ([part], true) = (&mut parts[..], self.text.whole.is_ascii() && self.text.whole.len() <= MAX_OCTETS)
            && self.rng.chance(self.mix.eight_bit)
        {
            let user_data = self.text.whole.as_bytes().to_vec();
            *part = Part { dcs: EIGHT_BIT, udhi: false, tp_udl: u8::try_from(user_data.len()).unwrap_or(0), user_data };
        }
        let tpdus: Vec<Vec<u8>> = parts.iter().map(|part| self.tpdu(way, now, part)).collect();
        on_message(&Truth {
            number,
            time_ns: now,
            way,
            map_version: version,
            address: &self.address,
            subscriber: if way == Way::Mt { &self.imsi } else { &self.msisdn },
            text: &self.text.whole,
            parts: u32::try_from(tpdus.len()).unwrap_or(u32::MAX),
            link: (!self.text.link.is_empty()).then_some(&self.text.link),
            intent: self.text.intent,
        });
        self.count(way, tpdus.len());
        self.send(now, way, version, tpdus, network);
        if self.rng.chance(self.mix.garbage) {
            self.summary.garbage += 1;
            network.garbage(now, &mut self.rng)?;
        }
        Ok(())
    }

    fn subscriber(&mut self) {
        let subscriber = self.rng.below(self.mix.subscribers.clamp(1, 10_000_000));
        self.imsi.clear();
        self.imsi.push_str("00101");
        digits(&mut self.imsi, subscriber + 1_000_000_000, 10);
        self.msisdn.clear();
        self.msisdn.push_str("1555");
        digits(&mut self.msisdn, subscriber, 7);
    }

    fn tpdu(&self, way: Way, now: u64, part: &Part) -> Vec<u8> {
        let ton = if self.text.firm { 5 } else { 1 };
        let number = Number { text: &self.address, ton, npi: u8::from(!self.text.firm) };
        match way {
            Way::Mt => deliver(number, 0, &timestamp(now.saturating_sub(2_000 * MS)), part),
            Way::Mo => submit((now & 0xff) as u8, number, 0, Validity::Relative(167), part),
        }
    }

    fn count(&mut self, way: Way, parts: usize) {
        let summary = &mut self.summary;
        summary.messages += 1;
        summary.mt += u64::from(way == Way::Mt);
        summary.concatenated += u64::from(parts > 1);
        summary.parts += parts as u64;
        match self.text.intent {
            Some(Intent::Safe) => summary.safe += 1,
            Some(Intent::Unknown) => summary.unknown += 1,
            Some(Intent::Dangerous) => summary.dangerous += 1,
            None => {}
        }
    }

    /// The dialogues of one message: routing, then its parts in one dialogue or each in its own.
    fn send(&mut self, now: u64, way: Way, version: u8, tpdus: Vec<Vec<u8>>, network: &mut Network<impl std::io::Write>) {
        let msc = self.rng.below(u64::from(MSCS));
        let Some(msc) = usize::try_from(msc).ok().and_then(|n| self.mscs.get(n)).cloned() else { return };
        let (mut imsi, mut msisdn) = (Vec::new(), Vec::new());
        push_tbcd(&mut imsi, &self.imsi);
        push_address_string(&mut msisdn, 0x91, &self.msisdn);
        let mut start = now;
        if way == Way::Mt && self.rng.chance(self.mix.routing) {
            let (query, answer) = routing(&msisdn, &imsi, &self.smsc.number, &msc.number);
            let (from, to) = (self.smsc.clone(), self.hlr.clone());
            start = self.run(start, (&from, &to, true), 20, 3, &[query], &[answer], network) + 5 * MS;
            self.summary.routing += 1;
        }
        let (ends, context) = match way {
            Way::Mt => ((self.smsc.clone(), msc, true), 25),
            Way::Mo => ((msc, self.home.clone(), false), 21),
        };
        let ends = (&ends.0, &ends.1, ends.2);
        let centre = if way == Way::Mt { self.smsc.number.clone() } else { self.home.number.clone() };
        let subscriber = if way == Way::Mt { &imsi } else { &msisdn };
        let fails = self.rng.chance(self.mix.errors);
        self.summary.errors += u64::from(fails);
        let last = tpdus.len().saturating_sub(1);
        if last > 0 && version > 1 && way == Way::Mt && self.rng.chance(self.mix.more_messages) {
            let (mut invokes, mut answers) = (Vec::new(), Vec::new());
            for (n, (id, tpdu)) in (1..).zip(&tpdus).enumerate() {
                invokes.push(forward(way, version, id, subscriber, &centre, tpdu, n < last));
                answers.push(outcome(&mut self.rng, way, version, id, fails && n == last));
            }
            self.run(start, ends, context, version, &invokes, &answers, network);
            return;
        }
        let mut order: Vec<usize> = (0..tpdus.len()).collect();
        if last > 0 && self.rng.chance(self.mix.shuffled) {
            for n in (1..order.len()).rev() {
                order.swap(n, usize::try_from(self.rng.below(n as u64 + 1)).unwrap_or(0));
            }
        }
        for (n, tpdu) in order.into_iter().filter_map(|n| tpdus.get(n)).enumerate() {
            let invoke = forward(way, version, 1, subscriber, &centre, tpdu, n < last && version > 1 && way == Way::Mt);
            let answer = outcome(&mut self.rng, way, version, 1, fails && n == last);
            self.run(start, ends, context, version, &[invoke], &[answer], network);
            start += self.rng.between(30 * MS, 600 * MS);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a dialogue, in its order")]
    fn run(
        &mut self,
        start: u64,
        (from, to, outward): (&Node, &Node, bool),
        context: u8,
        version: u8,
        invokes: &[Vec<u8>],
        answers: &[Vec<u8>],
        network: &mut Network<impl std::io::Write>,
    ) -> u64 {
        self.dialogue = self.dialogue.wrapping_add(1) & 0x0fff_ffff;
        let number = self.dialogue;
        Dialogue { from, to, outward, context, version, invokes, answers, number }.run(start, &mut self.rng, self.mix, network)
    }
}

/// The calendar of a time, UTC: days since 1970 by the reckoning of 400-year cycles that begin on 1 March.
fn timestamp(time_ns: u64) -> Timestamp {
    let seconds = time_ns / 1_000_000_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let small = |n: u64| u8::try_from(n).unwrap_or(0);
    Timestamp {
        year: u16::try_from(year).unwrap_or(0),
        month: small(month),
        day: small(day),
        hour: small(second / 3_600),
        minute: small(second / 60 % 60),
        second: small(second % 60),
        zone_quarters: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_right_at_its_corners() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00+00:00"),
            (951_782_400, "2000-02-29T00:00:00+00:00"),
            (1_709_251_199, "2024-02-29T23:59:59+00:00"),
            (1_790_000_000, "2026-09-21T14:13:20+00:00"),
        ] {
            assert_eq!(timestamp(seconds * 1_000_000_000).to_string(), expected);
        }
    }
}
