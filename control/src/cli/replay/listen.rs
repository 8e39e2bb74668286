//! What is kept of what the lane says.

use std::sync::Arc;

use dataplane::record::{Event, Listener, Place, Sms, Unread};
use dataplane::world::World;
use protocols::Error;
use protocols::sccp::Address;

use crate::explains::Explains;
use crate::record::{Beside, Record, Redactor};
use crate::summary::{Context, Summary, is_damage};

/// Listens to the lane. `TEXTS`: every message becomes a record, with its text.
pub(super) struct Listen<'w, const TEXTS: bool> {
    pub(super) world: &'w World,
    pub(super) redactor: Option<&'w Redactor>,
    pub(super) summary: Summary,
    pub(super) explains: Explains,
    /// Records of the batch at hand.
    pub(super) records: Vec<Record>,
    /// Why the frame at hand was not understood.
    pub(super) unscanned: Vec<Error>,
    /// The capture at hand.
    pub(super) file: Arc<str>,
    /// The frame at hand has no time.
    pub(super) timeless: bool,
}

impl<'w, const TEXTS: bool> Listen<'w, TEXTS> {
    pub(super) fn new(world: &'w World, redactor: Option<&'w Redactor>, captures: usize) -> Self {
        Self {
            world,
            redactor,
            summary: Summary::new(captures),
            explains: Explains::default(),
            records: Vec::new(),
            unscanned: Vec::new(),
            file: Arc::from(""),
            timeless: false,
        }
    }
}

impl<const TEXTS: bool> Listener for Listen<'_, TEXTS> {
    const TEXTS: bool = TEXTS;

    fn sms(&mut self, sms: &Sms<'_>) {
        if sms.repeat {
            self.summary.repeats += 1;
            return;
        }
        self.explains.sms(sms);
        if TEXTS {
            let msisdn = sms.imsi.and_then(|imsi| self.explains.msisdn(imsi)).map(|number| number.to_string());
            let beside = Beside { file: Arc::clone(&self.file), timeless: self.timeless, msisdn };
            self.records.push(Record::of(sms, self.world, beside));
        }
        let context = Context { file: &self.file, explains: &self.explains, redactor: self.redactor };
        self.summary.sms(sms, self.world, context);
    }

    fn unread(&mut self, _: &Place, message: &Unread<'_>) {
        // Of a message without a link no more is told than the counters say.
        if !message.urls.is_empty() {
            let calling_party = Address::parse(message.calling_party, self.world.network.sccp());
            self.explains.awaits(&calling_party, message.otid, message.invoke_id, message.decision.verdict);
        }
    }

    fn event(&mut self, _: &Place, event: &Event<'_>) {
        self.explains.event(event);
    }

    fn unscanned(&mut self, _: &Place, why: Error) {
        if is_damage(&why) {
            self.summary.unscanned(why);
            self.unscanned.push(why);
        }
    }
}
