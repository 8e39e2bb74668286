//! Short messages, TS 23.040 §9.2: the TPDU that MAP carries as SM-RP-UI.
//!
//! ```text
//! DELIVER        first octet | OA | PID | DCS | SCTS(7) | UDL | UD                       service centre to mobile
//! SUBMIT         first octet | MR | DA | PID | DCS | VP(0, 1, 7) | UDL | UD              mobile to service centre
//! STATUS-REPORT  first octet | MR | RA | SCTS | DT | ST | PI, PID, DCS, UDL, UD, each if it is there
//! COMMAND        first octet | MR | PID | CT | MN | DA | CDL | CD
//! ...-REPORT     first octet | FCS? | PI | SCTS (SUBMIT-REPORT) | PID, DCS, UDL and UD as PI says
//! ```
//! [`Tpdu`] borrows the TPDU and is read once; text is decoded by [`UserData::text`], written back by [`encode`]. The type of a TPDU
//! depends on its direction, which only the layers above know.

mod address;
mod dcs;
pub mod encode;
mod gsm7;
mod problems;
mod segments;
mod tables;
mod time;
mod tpdu;
mod ucs2;
mod udh;
mod user_data;
pub mod wap;

pub use address::Address;
pub use dcs::{Alphabet, Dcs, MessageWaiting};
pub use gsm7::SEPTETS;
pub use problems::Problems;
pub use segments::{MOST_PARTS, Segments, segments};
pub use tables::{Language, Tables, Written};
pub use time::{Timestamp, Validity};
pub use tpdu::Tpdu;
pub use udh::{Concat, Element, Elements, Hyperlink, Ports, Udh};
pub use user_data::{MAX_OCTETS, MAX_SEPTETS, Units, UserData};

/// Which way a TPDU goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the service centre to the mobile.
    MobileTerminated,
    /// From the mobile to the service centre.
    MobileOriginated,
}

/// The type of a TPDU: TP-MTI and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text for the mobile; TP-MTI 3, which is reserved, too.
    Deliver,
    /// A text from the mobile.
    Submit,
    /// The mobile's answer to a DELIVER.
    DeliverReport,
    /// The service centre's answer to a SUBMIT.
    SubmitReport,
    /// What became of a message sent earlier.
    StatusReport,
    /// The mobile asks something of the service centre.
    Command,
}

impl Kind {
    /// The name in records: `deliver`, `submit`, `deliver-report` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Submit => "submit",
            Self::DeliverReport => "deliver-report",
            Self::SubmitReport => "submit-report",
            Self::StatusReport => "status-report",
            Self::Command => "command",
        }
    }
}

/// The first octet; which of its bits mean something depends on the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FirstOctet(pub u8);

impl FirstOctet {
    /// TP-Message-Type-Indicator.
    pub const fn mti(self) -> u8 {
        self.0 & 0x03
    }

    /// TP-More-Messages-to-Send (DELIVER, STATUS-REPORT): the bit is clear when more wait.
    pub const fn more_messages(self) -> bool {
        self.0 & 0x04 == 0
    }

    /// TP-Loop-Prevention (DELIVER, STATUS-REPORT).
    pub const fn loop_prevention(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// TP-Reject-Duplicates (SUBMIT).
    pub const fn reject_duplicates(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// TP-Validity-Period-Format (SUBMIT): 0 none, 1 enhanced, 2 relative, 3 absolute.
    pub const fn validity_format(self) -> u8 {
        self.0 >> 3 & 3
    }

    /// TP-Status-Report-Indication, -Request or -Qualifier: the same bit.
    pub const fn status_report(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// TP-User-Data-Header-Indicator.
    pub const fn udhi(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// TP-Reply-Path (DELIVER, SUBMIT).
    pub const fn reply_path(self) -> bool {
        self.0 & 0x80 != 0
    }
}
