//! What was read although a strict encoder would not have written it so.

/// One oddity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mark {
    /// A length or tag that takes more octets than it needs.
    NotMinimal,
    /// An indefinite length. Q.773 allows it.
    Indefinite,
    /// An octet string in pieces.
    Constructed,
    /// A transaction id of more than four octets.
    LongTransaction,
    /// A transaction id of no octet.
    EmptyTransaction,
    /// A transaction id or dialogue portion that stands twice.
    Repeated,
    /// Octets behind the message.
    Trailing,
    /// An element behind the components that cannot be read.
    BrokenTail,
    /// A dialogue portion behind the components.
    LateDialogue,
    /// A dialogue portion that cannot be read.
    UnreadDialogue,
    /// A second component portion.
    SecondComponents,
    /// An element that Q.773 does not know there.
    Unknown,
    /// An application context with more arcs than code and version.
    LongContext,
    /// A short message without sm-RP-DA or sm-RP-OA.
    NoAddress,
    /// A short message under a code that is no forwardSM's.
    OddOperation,
    /// A number in pieces that make none: it is not known.
    BrokenAddress,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::NotMinimal,
        Self::Indefinite,
        Self::Constructed,
        Self::LongTransaction,
        Self::EmptyTransaction,
        Self::Repeated,
        Self::Trailing,
        Self::BrokenTail,
        Self::LateDialogue,
        Self::UnreadDialogue,
        Self::SecondComponents,
        Self::Unknown,
        Self::LongContext,
        Self::NoAddress,
        Self::OddOperation,
        Self::BrokenAddress,
    ];

    /// A label for people and counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMinimal => "tag or length longer than needed",
            Self::Indefinite => "indefinite length",
            Self::Constructed => "octet string in pieces",
            Self::LongTransaction => "transaction id over four octets",
            Self::EmptyTransaction => "empty transaction id",
            Self::Repeated => "transaction id or dialogue portion twice",
            Self::Trailing => "octets behind the message",
            Self::BrokenTail => "unreadable behind the components",
            Self::LateDialogue => "dialogue portion behind the components",
            Self::UnreadDialogue => "unreadable dialogue portion",
            Self::SecondComponents => "second component portion",
            Self::Unknown => "unknown element",
            Self::LongContext => "application context with further arcs",
            Self::NoAddress => "sm-RP-DA or sm-RP-OA left out",
            Self::OddOperation => "short message under another operation's code",
            Self::BrokenAddress => "number in pieces that make none",
        }
    }
}

/// A set of [`Mark`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Marks(u16);

impl Marks {
    /// The empty set.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Adds one.
    #[inline]
    pub const fn set(&mut self, mark: Mark) {
        self.0 |= 1 << mark as u8;
    }

    /// Adds one if so.
    #[inline]
    pub const fn set_if(&mut self, mark: Mark, so: bool) {
        self.0 |= (so as u16) << mark as u8;
    }

    /// Adds all of `other`.
    #[inline]
    pub const fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether `mark` is among them.
    pub const fn has(self, mark: Mark) -> bool {
        self.0 >> mark as u8 & 1 != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are set.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        let all: &[_] = if self.is_empty() { &[] } else { &Mark::ALL };
        all.iter().copied().filter(move |mark| self.has(*mark))
    }
}
