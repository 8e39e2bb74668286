//! SCCP party addresses, Q.713 §3.4 (T1.112.3 for ANSI): point code, subsystem number, global title.
//!
//! ```text
//! ITU   route.7 | gti.3-6 | ssn.2 | pc.1     pc (2) · ssn (1) · global title
//! ANSI  national.8 | route.7 | gti.3-6 | pc.2 | ssn.1     ssn (1) · pc (3) · global title
//! ```

use core::fmt::{self, Write as _};

use super::Variant;

/// One party of a message. What could not be read is `None`; [`Address::raw`] has it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The whole address, indicator first.
    pub raw: &'a [u8],
    /// The address indicator octet; 0 when the address is empty.
    pub indicator: u8,
    /// Global title indicator, 0 to 15, also where the variant defines no such title.
    pub gti: u8,
    /// Point code, if one is included.
    pub pc: Option<u32>,
    /// Subsystem number, if one is included (0: unknown, which is on the wire).
    pub ssn: Option<u8>,
    /// Global title, if one is included and its indicator is known.
    pub gt: Option<GlobalTitle<'a>>,
    /// Routed on point code and SSN; on the global title if not.
    pub route_on_ssn: bool,
    /// The indicator promises more than there is.
    pub malformed: bool,
}

/// A global title. Fields that its indicator leaves out are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalTitle<'a> {
    /// Translation type.
    pub tt: Option<u8>,
    /// Numbering plan: 1 is E.164, 6 E.212, 7 E.214.
    pub np: Option<u8>,
    /// Encoding scheme: 1 odd, 2 even number of digits.
    pub es: Option<u8>,
    /// Nature of address: 4 is international.
    pub nai: Option<u8>,
    /// Address signals.
    pub digits: Digits<'a>,
}

/// Address signals, two an octet, low nibble first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits<'a> {
    octets: &'a [u8],
    odd: bool,
}

impl<'a> Address<'a> {
    /// Reads the octets behind the address's length.
    #[inline(always)]
    pub fn parse(raw: &'a [u8], variant: Variant) -> Self {
        // Nearly every address: SSN and a global title of the fourth kind, no point code.
        if let &[indicator, ssn, tt, plan, nai, ref digits @ ..] = raw
            && indicator & 0x3f == 0x12
            && variant != Variant::Ansi
        {
            let (np, es) = (plan >> 4, plan & 0x0f);
            let digits = Digits::new(digits, es == 1);
            let gt = Some(GlobalTitle { tt: Some(tt), np: Some(np), es: Some(es), nai: Some(nai & 0x7f), digits });
            let route_on_ssn = indicator & 0x40 != 0;
            return Self { raw, indicator, gti: 4, pc: None, ssn: Some(ssn), gt, route_on_ssn, malformed: false };
        }
        Self::exact(raw, variant)
    }

    #[inline(never)]
    pub(crate) fn exact(raw: &'a [u8], variant: Variant) -> Self {
        let none = Self { raw, indicator: 0, gti: 0, pc: None, ssn: None, gt: None, route_on_ssn: false, malformed: false };
        let Some((&indicator, mut rest)) = raw.split_first() else { return none };
        let mut address = Self { indicator, gti: indicator >> 2 & 0x0f, route_on_ssn: indicator & 0x40 != 0, ..none };
        let ansi = variant == Variant::Ansi;
        let (has_pc, has_ssn) = if ansi { (2, 1) } else { (1, 2) };
        let (has_pc, has_ssn) = (indicator & has_pc != 0, indicator & has_ssn != 0);
        if ansi && has_ssn {
            address.ssn = address.octet(&mut rest);
        }
        if has_pc {
            address.pc = address.point_code(&mut rest, variant);
        }
        if !ansi && has_ssn {
            address.ssn = address.octet(&mut rest);
        }
        address.gt = if ansi { address.ansi_title(rest) } else { address.itu_title(rest) };
        address
    }

    #[inline(always)]
    fn octet(&mut self, rest: &mut &'a [u8]) -> Option<u8> {
        let split = rest.split_first();
        self.malformed |= split.is_none();
        let (&octet, behind) = split?;
        *rest = behind;
        Some(octet)
    }

    fn point_code(&mut self, rest: &mut &'a [u8], variant: Variant) -> Option<u32> {
        let (low, middle) = (self.octet(rest)?, self.octet(rest)?);
        Some(match variant {
            Variant::Itu => u32::from(u16::from_le_bytes([low, middle])) & 0x3fff,
            Variant::Ansi | Variant::China => u32::from_le_bytes([low, middle, self.octet(rest)?, 0]),
        })
    }

    #[inline(always)]
    fn itu_title(&mut self, mut rest: &'a [u8]) -> Option<GlobalTitle<'a>> {
        let none = GlobalTitle { tt: None, np: None, es: None, nai: None, digits: Digits { octets: &[], odd: false } };
        match self.gti {
            1 => {
                let nai = self.octet(&mut rest)?;
                Some(GlobalTitle { nai: Some(nai & 0x7f), digits: Digits::new(rest, nai & 0x80 != 0), ..none })
            }
            2 => {
                let tt = self.octet(&mut rest)?;
                Some(GlobalTitle { tt: Some(tt), digits: Digits::new(rest, false), ..none })
            }
            3 | 4 => {
                let (tt, plan) = (self.octet(&mut rest)?, self.octet(&mut rest)?);
                let nai = if self.gti == 4 { Some(self.octet(&mut rest)? & 0x7f) } else { None };
                let (np, es) = (plan >> 4, plan & 0x0f);
                Some(GlobalTitle { tt: Some(tt), np: Some(np), es: Some(es), nai, digits: Digits::new(rest, es == 1) })
            }
            _ => None,
        }
    }

    fn ansi_title(&mut self, mut rest: &'a [u8]) -> Option<GlobalTitle<'a>> {
        match self.gti {
            1 => {
                let (tt, plan) = (self.octet(&mut rest)?, self.octet(&mut rest)?);
                let (np, es) = (plan >> 4, plan & 0x0f);
                let digits = Digits::new(rest, es == 1);
                Some(GlobalTitle { tt: Some(tt), np: Some(np), es: Some(es), nai: None, digits })
            }
            2 => {
                let tt = self.octet(&mut rest)?;
                Some(GlobalTitle { tt: Some(tt), np: None, es: None, nai: None, digits: Digits::new(rest, false) })
            }
            _ => None,
        }
    }
}

impl<'a> Digits<'a> {
    /// Digits in `octets`; if `odd`, the last high nibble is filler.
    #[inline]
    pub const fn new(octets: &'a [u8], odd: bool) -> Self {
        Self { octets, odd }
    }

    /// The octets that hold them.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        (self.octets.len() * 2).saturating_sub(self.odd as usize)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The digits as characters: `0` to `9`, and `a` to `f` for codes 10 to 15.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        let nibbles = self.octets.iter().flat_map(|octet| [octet & 0x0f, octet >> 4]);
        nibbles.take(self.len()).filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
    }
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|digit| f.write_char(digit))
    }
}
