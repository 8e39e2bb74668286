//! One TPDU of any type, TS 23.040 §9.2.2.

use super::{Address, Alphabet, Dcs, Direction, FirstOctet, Kind, Problems, Timestamp, UserData, Validity, wap};
use crate::error::{Error, Layer, Why};

/// One TPDU. Fields that its type does not have are `None`, empty or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpdu<'a> {
    /// Its type.
    pub kind: Kind,
    /// The first octet.
    pub first: FirstOctet,
    /// TP-OA, TP-DA or TP-RA. Reports have none.
    pub address: Address<'a>,
    /// TP-MR of SUBMIT, STATUS-REPORT and COMMAND.
    pub message_reference: Option<u8>,
    /// TP-PID; 0 in reports that leave it out.
    pub pid: u8,
    /// TP-DCS; 0 in TPDUs that leave it out.
    pub dcs: Dcs,
    /// TP-SCTS; `None` also for octets that are no date.
    pub scts: Option<Timestamp>,
    /// TP-DT of STATUS-REPORT.
    pub discharge_time: Option<Timestamp>,
    /// TP-VP of SUBMIT.
    pub validity: Validity,
    /// TP-ST of STATUS-REPORT, TP-FCS of a report of failure, TP-CT of COMMAND.
    pub status: Option<u8>,
    /// The text, or whatever stands in its place.
    pub user_data: UserData<'a>,
    /// What was odd about it, its user data's lengths and header included.
    pub problems: Problems,
    /// Where TP-UDL stands; `None` without user data. COMMAND's data has no place here: it is not for people.
    pub udl_at: Option<usize>,
}

impl<'a> Tpdu<'a> {
    /// Reads one TPDU. User data shorter than TP-UDL says is no error, any other field that is cut is one.
    #[inline(always)]
    pub fn parse(octets: &'a [u8], direction: Direction) -> Result<Self, Error> {
        // The one that most messages are.
        if let &[first, ..] = octets
            && direction == Direction::MobileTerminated
            && matches!(first & 3, 0 | 3)
        {
            return Self::deliver(octets, FirstOctet(first));
        }
        Self::other(octets, direction)
    }

    #[inline(never)]
    fn other(octets: &'a [u8], direction: Direction) -> Result<Self, Error> {
        let mut fields = Fields { octets, at: 0 };
        let first = FirstOctet(fields.octet()?);
        let kind = match (direction, first.mti()) {
            (Direction::MobileTerminated, 0 | 3) => Kind::Deliver,
            (Direction::MobileTerminated, 1) => Kind::SubmitReport,
            (Direction::MobileTerminated, _) => Kind::StatusReport,
            (Direction::MobileOriginated, 0) => Kind::DeliverReport,
            (Direction::MobileOriginated, 1) => Kind::Submit,
            (Direction::MobileOriginated, 2) => Kind::Command,
            (Direction::MobileOriginated, _) => {
                return Err(Error::new(Layer::Sms, 0, Why::NotOurs("reserved TP-MTI from a mobile")));
            }
        };
        let mut tpdu = Self::empty(kind, first);
        match kind {
            Kind::Deliver => return Self::deliver(octets, first),
            Kind::Submit => tpdu.submit(&mut fields),
            Kind::StatusReport => tpdu.status_report(&mut fields),
            Kind::Command => tpdu.command(&mut fields),
            Kind::DeliverReport | Kind::SubmitReport => tpdu.report(&mut fields),
        }?;
        tpdu.problems = tpdu.all_problems();
        Ok(tpdu)
    }

    #[inline]
    fn all_problems(&self) -> Problems {
        self.problems.with(Problems::LONG_ADDRESS, self.address.digits > 20) | self.user_data.problems
    }

    const fn empty(kind: Kind, first: FirstOctet) -> Self {
        Self {
            kind,
            first,
            address: Address { digits: 0, ton: 0, npi: 0, raw: &[] },
            message_reference: None,
            pid: 0,
            dcs: Dcs(0),
            scts: None,
            discharge_time: None,
            validity: Validity::None,
            status: None,
            user_data: UserData::EMPTY,
            problems: Problems::NONE,
            udl_at: None,
        }
    }

    /// §9.2.2.1: its fixed fields are taken in one step.
    #[inline(always)]
    fn deliver(octets: &'a [u8], first: FirstOctet) -> Result<Self, Error> {
        let (address, at) = Address::parse(octets, 1)?;
        let rest = octets.get(at..).unwrap_or_default();
        let Some((&[pid, dcs, ref scts @ .., tp_udl], field)) = rest.split_first_chunk::<10>() else {
            return Err(Error::new(Layer::Sms, at, Why::truncated(at + 10, octets.len())));
        };
        let (dcs, scts) = (Dcs(dcs), Timestamp::parse(scts));
        let user_data = UserData::parse(tp_udl, field, first.udhi(), dcs);
        let problems = Problems::NONE.with(Problems::BAD_TIME, scts.is_none()).with(Problems::RESERVED_MTI, first.mti() == 3);
        let udl_at = Some(at + 9);
        let tpdu = Self { address, pid, dcs, scts, user_data, problems, udl_at, ..Self::empty(Kind::Deliver, first) };
        Ok(Self { problems: tpdu.all_problems(), ..tpdu })
    }

    /// §9.2.2.2.
    fn submit(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.message_reference = Some(fields.octet()?);
        self.address = fields.address()?;
        self.pid = fields.octet()?;
        self.dcs = Dcs(fields.octet()?);
        self.validity = match self.first.validity_format() {
            0 => Validity::None,
            1 => Validity::Enhanced(fields.seven()?),
            2 => Validity::Relative(fields.octet()?),
            _ => Validity::Absolute(self.time(fields)?),
        };
        self.user_data(fields)
    }

    /// §9.2.2.3.
    fn status_report(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.message_reference = Some(fields.octet()?);
        self.address = fields.address()?;
        self.scts = self.time(fields)?;
        self.discharge_time = self.time(fields)?;
        self.status = Some(fields.octet()?);
        // All that follows may be left out together with TP-PI.
        if fields.is_at_end() { Ok(()) } else { self.indicated(fields, false) }
    }

    /// §9.2.2.4.
    fn command(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.message_reference = Some(fields.octet()?);
        self.pid = fields.octet()?;
        self.status = Some(fields.octet()?);
        let _message_number = fields.octet()?;
        self.address = fields.address()?;
        Ok(())
    }

    /// §9.2.2.1a and §9.2.2.2a.
    ///
    /// Whether TP-FCS is there depends on the layer below (it is in RP-ERROR alone). Its values are all above 7f, and the bit that they
    /// share would in TP-PI announce an extension that no release has defined: so that bit tells the two apart.
    fn report(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        if fields.peek().is_some_and(|octet| octet & 0x80 != 0) {
            self.status = Some(fields.octet()?);
        }
        self.indicated(fields, self.kind == Kind::SubmitReport)
    }

    /// TP-PI (§9.2.3.27) and the fields that it says are there.
    fn indicated(&mut self, fields: &mut Fields<'a>, has_scts: bool) -> Result<(), Error> {
        let indicator = fields.octet()?;
        let mut extension = indicator;
        while extension & 0x80 != 0 {
            extension = fields.octet()?;
        }
        if has_scts {
            self.scts = self.time(fields)?;
        }
        if indicator & 0x01 != 0 {
            self.pid = fields.octet()?;
        }
        if indicator & 0x02 != 0 {
            self.dcs = Dcs(fields.octet()?);
        }
        if indicator & 0x04 != 0 { self.user_data(fields) } else { Ok(()) }
    }

    fn time(&mut self, fields: &mut Fields<'a>) -> Result<Option<Timestamp>, Error> {
        let time = Timestamp::parse(&fields.seven()?);
        self.problems = self.problems.with(Problems::BAD_TIME, time.is_none());
        Ok(time)
    }

    fn user_data(&mut self, fields: &mut Fields<'a>) -> Result<(), Error> {
        self.udl_at = Some(fields.at);
        let tp_udl = fields.octet()?;
        self.user_data = UserData::parse(tp_udl, fields.rest(), self.first.udhi(), self.dcs);
        Ok(())
    }

    /// Why no policy may change this TPDU; `None` if one may. A WAP push may be changed octet by octet only.
    pub fn untouchable(&self) -> Option<&'static str> {
        match self.kind {
            Kind::StatusReport => return Some("STATUS-REPORT"),
            Kind::Command => return Some("COMMAND"),
            Kind::DeliverReport | Kind::SubmitReport => return Some("report"),
            Kind::Deliver | Kind::Submit => {}
        }
        let text = &self.user_data;
        let has_ports = text.udh.is_some_and(|udh| udh.ports().is_some());
        let is_8bit = text.alphabet() == Alphabet::EightBit;
        let waiting = self.dcs.message_waiting().is_some() || text.udh.is_some_and(|udh| udh.has_message_waiting());
        match () {
            () if matches!(self.pid, 0x7c..=0x7f) => Some("data download"),
            () if self.dcs.class() == Some(2) => Some("class 2"),
            () if text.udh.is_some_and(|udh| udh.has_sim_toolkit()) => Some("SIM toolkit security"),
            () if self.dcs.is_compressed() => Some("compressed"),
            () if self.is_wap_push() => None,
            () if has_ports && is_8bit => Some("8-bit data for a port"),
            () if is_8bit && !text.has_text() => Some("8-bit data without text"),
            () if waiting && text.body().is_empty() => Some("message waiting without text"),
            () => None,
        }
    }

    /// 8-bit data for the WAP push port: [`wap`] reads it, joined with its other parts.
    pub fn is_wap_push(&self) -> bool {
        let ports = self.user_data.udh.and_then(|udh| udh.ports());
        self.user_data.alphabet() == Alphabet::EightBit && ports.is_some_and(|ports| ports.destination == wap::PUSH_PORT)
    }
}

/// Fields one behind the other.
struct Fields<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn octet(&mut self) -> Result<u8, Error> {
        let octet = self.peek().ok_or_else(|| self.truncated(1))?;
        self.at += 1;
        Ok(octet)
    }

    fn seven(&mut self) -> Result<[u8; 7], Error> {
        let seven = self.rest().first_chunk().copied().ok_or_else(|| self.truncated(7))?;
        self.at += 7;
        Ok(seven)
    }

    fn address(&mut self) -> Result<Address<'a>, Error> {
        let (address, next) = Address::parse(self.octets, self.at)?;
        self.at = next;
        Ok(address)
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.octets.len()
    }

    fn truncated(&self, need: usize) -> Error {
        Error::new(Layer::Sms, self.at, Why::truncated(self.at + need, self.octets.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DELIVER with this first octet, PID, DCS and user data, from 4474.
    fn deliver(first: u8, pid: u8, dcs: u8, user_data: &[u8]) -> Vec<u8> {
        [&[first, 4, 0x81, 0x44, 0x47, pid, dcs, 0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40], user_data].concat()
    }

    fn untouchable(first: u8, pid: u8, dcs: u8, user_data: &[u8]) -> Option<&'static str> {
        Tpdu::parse(&deliver(first, pid, dcs, user_data), Direction::MobileTerminated).unwrap().untouchable()
    }

    #[test]
    fn what_no_policy_may_change_is_named() {
        let text = &[2, 0x61, 0x31][..];
        let octets = &[2, b'a', b'b'][..];
        assert_eq!(untouchable(0x04, 0x00, 0x00, text), None);
        assert_eq!(untouchable(0x04, 0x00, 0x04, octets), None);
        for pid in 0x7c..=0x7f {
            assert_eq!(untouchable(0x04, pid, 0x00, text), Some("data download"));
        }
        assert_eq!(untouchable(0x04, 0x7b, 0x00, text), None);
        assert_eq!(untouchable(0x04, 0x00, 0x12, text), Some("class 2"));
        assert_eq!(untouchable(0x04, 0x00, 0xf2, text), Some("class 2"));
        assert_eq!(untouchable(0x04, 0x00, 0x20, octets), Some("compressed"));
        assert_eq!(untouchable(0x04, 0x00, 0x04, &[2, 1, 2]), Some("8-bit data without text"));
        assert_eq!(untouchable(0x04, 0x00, 0xc8, &[0]), Some("message waiting without text"));
        assert_eq!(untouchable(0x04, 0x00, 0xc8, text), None);
        assert_eq!(untouchable(0x44, 0x00, 0x04, &[4, 2, 0x7f, 0, b'a']), Some("SIM toolkit security"));
        assert_eq!(untouchable(0x44, 0x00, 0x04, &[6, 4, 0x04, 2, 9, 9, b'a']), Some("8-bit data for a port"));
        assert_eq!(untouchable(0x44, 0x00, 0x00, &[7, 4, 0x04, 2, 9, 9, 0x40, 0x61]), None);
        assert_eq!(untouchable(0x44, 0x00, 0x04, &[8, 6, 0x05, 4, 0x0b, 0x84, 0, 0, b'a']), None);
    }

    #[test]
    fn a_reserved_type_to_a_mobile_is_read_as_deliver_and_from_one_is_not_ours() {
        let octets = deliver(0x07, 0, 0, &[2, 0x61, 0x31]);
        let tpdu = Tpdu::parse(&octets, Direction::MobileTerminated).unwrap();
        assert_eq!((tpdu.kind, tpdu.problems), (Kind::Deliver, Problems::RESERVED_MTI));
        let error = Tpdu::parse(&octets, Direction::MobileOriginated).unwrap_err();
        assert_eq!(error.to_string(), "SMS byte 0: not read: reserved TP-MTI from a mobile");
    }

    #[test]
    fn a_deliver_cut_before_its_user_data_says_where() {
        let octets = deliver(0x04, 0, 0, &[2, 0x61, 0x31]);
        for end in 0..octets.len() - 2 {
            let error = Tpdu::parse(&octets[..end], Direction::MobileTerminated).unwrap_err();
            let at = [0, 1, 5][usize::from(end > 0) + usize::from(end >= 5)];
            assert_eq!((error.layer, error.at), (Layer::Sms, at), "cut at {end}: {error}");
        }
        assert_eq!(Tpdu::parse(&octets, Direction::MobileTerminated).unwrap().udl_at, Some(14));
    }

    #[test]
    fn reports_are_read_with_and_without_a_cause() {
        let time = [0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40];
        let report = [&[0x01, 0xc8, 0x06], &time[..], &[0x00, 2, 0x61, 0x31]].concat();
        let tpdu = Tpdu::parse(&report, Direction::MobileTerminated).unwrap();
        assert_eq!(
            (tpdu.kind, tpdu.status, tpdu.user_data.tp_udl, tpdu.untouchable()),
            (Kind::SubmitReport, Some(0xc8), 2, Some("report"))
        );
        let tpdu = Tpdu::parse(&[0x00, 0x00], Direction::MobileOriginated).unwrap();
        assert_eq!((tpdu.kind, tpdu.status, tpdu.udl_at), (Kind::DeliverReport, None, None));
    }

    #[test]
    fn an_impossible_time_does_not_cost_the_text() {
        let mut octets = deliver(0x04, 0, 0, &[2, 0x61, 0x31]);
        octets[8] = 0xff;
        let tpdu = Tpdu::parse(&octets, Direction::MobileTerminated).unwrap();
        assert_eq!((tpdu.scts, tpdu.problems, tpdu.user_data.tp_udl), (None, Problems::BAD_TIME, 2));
    }
}
