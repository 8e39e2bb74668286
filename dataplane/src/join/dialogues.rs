//! Open dialogues: what a message said and a later one does not repeat. Of a Begin the application context, the direction it gives and the
//! destination reference; of a forwardSM behind which more follow (TS 29.002 §12.9) also whose they are.
//!
//! A transaction is named by the id that its owner gave it and by the owner's address: the originating id goes with the calling party,
//! the destination id with the called party. Load sharing puts Begin and Continue on different links, so no link is part of the key.

use protocols::map::Direction;
use protocols::tcap::ApplicationContext;

use super::table::{Counts, Limits, Present, Secret, Table, Value};

/// What is remembered of one dialogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// MO or MT, once a component or the application context has said so.
    pub direction: Option<Direction>,
    /// The application context of the Begin.
    pub context: Option<ApplicationContext>,
    /// Semi-octets of the recipient's IMSI, filler included: sm-RP-DA, or `destinationReference` of map-open.
    pub imsi: Octets,
    /// sm-RP-DA, where it is an LMSI.
    pub lmsi: Octets,
    /// sm-RP-OA, where it is a service centre.
    pub centre: Octets,
    /// Where [`Dialogues`] counts its transaction.
    pub(crate) place: u16,
}

/// Up to ten octets: a number, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets {
    room: [u8; 10],
    len: u8,
}

impl Octets {
    /// These octets; none where they are too many for a number.
    pub fn new(octets: &[u8]) -> Self {
        let mut kept = Self::default();
        if let (Some(room), Ok(len)) = (kept.room.get_mut(..octets.len()), u8::try_from(octets.len())) {
            room.copy_from_slice(octets);
            kept.len = len;
        }
        kept
    }

    /// The octets, if there are any.
    pub fn get(&self) -> Option<&[u8]> {
        self.room.get(..usize::from(self.len)).filter(|octets| !octets.is_empty())
    }
}

impl Value for Dialogue {
    /// One that has ended is taken out; an open one that is let go costs a fact about a later message.
    fn is_complete(&self) -> bool {
        false
    }
}

/// The table of open dialogues.
pub struct Dialogues {
    table: Table<Dialogue>,
    /// Transactions that are in the table.
    present: Present,
    secret: Secret,
}

impl Dialogues {
    /// Takes all its memory now.
    pub fn new(limits: Limits, secret: Secret) -> Self {
        Self { table: Table::new(limits), present: Present::default(), secret }
    }

    /// What keys the dialogues from now on.
    pub fn under(&mut self, secret: Secret) {
        self.secret = secret;
    }

    /// What became of the dialogues.
    pub const fn counts(&self) -> &Counts {
        &self.table.counts
    }

    /// A Begin, or a later message that says more: `owner` is the calling party as it stands in the frame.
    pub fn open(&mut self, owner: &[u8], otid: &[u8], dialogue: Dialogue, now: u64) {
        let key = self.secret.key(&[owner], &[otid]);
        let Self { table, present, .. } = self;
        let begun = table.counts.begun;
        let mut displaced = None;
        let (known, counts) = table.entry(key, now, |old| displaced = Some(old.place));
        let place = Present::place(otid);
        // The same transaction once more is counted already.
        if counts.begun > begun {
            present.count(place, true);
        }
        *known = Dialogue { place, ..dialogue };
        if let Some(place) = displaced {
            present.count(place, false);
        }
    }

    /// The dialogue that `owner` began under this id.
    #[inline]
    pub fn find(&mut self, owner: &[u8], transaction: &[u8], now: u64) -> Option<&mut Dialogue> {
        if !self.present.may_hold(Present::place(transaction)) {
            return None;
        }
        self.table.find(self.secret.id(&[owner], &[transaction]), now)
    }

    /// End or Abort.
    #[inline]
    pub fn close(&mut self, owner: &[u8], transaction: &[u8]) {
        let place = Present::place(transaction);
        if self.present.may_hold(place) && self.table.remove(self.secret.id(&[owner], &[transaction])).is_some() {
            self.table.counts.completed += 1;
            self.present.count(place, false);
        }
    }

    /// Counts what is still open. Called once, at the end of the source.
    pub fn finish(&mut self) {
        self.table.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_is_found_by_its_owner_and_id_until_it_ends() {
        let mut dialogues = Dialogues::new(Limits { entries: 64, octets: 0, age_ns: 100 }, Secret(1));
        let said = Dialogue { imsi: Octets::new(&[0x12, 0xf3]), lmsi: Octets::new(&[0; 11]), ..Dialogue::default() };
        dialogues.open(b"A", &[1], said, 0);
        let found = dialogues.find(b"A", &[1], 1).copied().unwrap();
        assert_eq!((found.imsi.get(), found.lmsi.get()), (Some(&[0x12, 0xf3][..]), None));
        assert!(dialogues.find(b"B", &[1], 1).is_none());
        dialogues.close(b"A", &[1]);
        assert!(dialogues.find(b"A", &[1], 1).is_none());
        assert_eq!(dialogues.counts().completed, 1);
    }

    #[test]
    fn what_made_room_or_began_anew_is_counted_right() {
        let mut dialogues = Dialogues::new(Limits { entries: 8, octets: 0, age_ns: 100 }, Secret(1));
        for round in 0..3 {
            for id in 0..100u32 {
                dialogues.open(b"A", &id.to_be_bytes(), Dialogue::default(), round);
                dialogues.open(b"A", &id.to_be_bytes(), Dialogue::default(), round);
            }
        }
        let here: Vec<u32> = (0..100u32).filter(|id| dialogues.find(b"A", &id.to_be_bytes(), 3).is_some()).collect();
        assert_eq!(here.len(), 8);
        here.iter().for_each(|id| dialogues.close(b"A", &id.to_be_bytes()));
        assert_eq!(dialogues.counts().completed, 8);
        assert!((0..100u32).all(|id| !dialogues.present.may_hold(Present::place(&id.to_be_bytes()))));
    }
}
