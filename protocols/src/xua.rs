//! What M3UA, M2UA, M2PA and SUA share: the common message header and parameters, RFC 4666 §3.1 and §3.2.
//!
//! ```text
//! version 1 | reserved 1 | class 1 | type 1 | message length 4     the length counts these 8 octets
//! tag 2 | length 2 | value | padding to 4 octets                   the length leaves padding out
//! ```
//!
//! The padding of the last parameter belongs into the message length, and some peers leave it out (§3.1.4, note): both are taken.

use crate::error::{Error, Layer, Why};

/// Octets of the common header.
pub const HEADER_LEN: usize = 8;
/// Octet of the message length in a message (four octets).
pub const LENGTH_AT: usize = 4;
/// Octets of a parameter in front of its value; its length (two octets) ends there.
pub const PARAMETER_HEADER_LEN: usize = 4;

/// Routing Context.
pub(crate) const ROUTING_CONTEXT: u16 = 0x0006;
/// Correlation Id.
pub(crate) const CORRELATION_ID: u16 = 0x0013;

/// One message with the common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The layer whose message it is.
    pub layer: Layer,
    /// Message class.
    pub class: u8,
    /// Message type.
    pub kind: u8,
    /// The whole message as its length counts it.
    pub bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the message that `bytes` start with.
    #[inline]
    pub fn parse(layer: Layer, bytes: &'a [u8]) -> Result<Self, Error> {
        let Some((&[version, _, class, kind, l0, l1, l2, l3], _)) = bytes.split_first_chunk() else {
            return Err(Error::new(layer, 0, Why::truncated(HEADER_LEN, bytes.len())));
        };
        if version != 1 {
            return Err(Error::new(layer, 0, unknown_version(bytes)));
        }
        let len = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        if len < HEADER_LEN {
            return Err(Error::new(layer, LENGTH_AT, Why::bad_length(len)));
        }
        let message = bytes.get(..len).ok_or_else(|| Error::new(layer, LENGTH_AT, Why::truncated(len, bytes.len())))?;
        Ok(Self { layer, class, kind, bytes: message })
    }

    /// What stands behind the header.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// The parameters behind the header. The first error ends the walk.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters::new(self.layer, self.body(), HEADER_LEN)
    }

    pub(crate) fn error(&self, at: usize, why: Why) -> Error {
        Error::new(self.layer, at, why)
    }
}

fn unknown_version(bytes: &[u8]) -> Why {
    match bytes {
        // A DTLS record, RFC 6083 over SCTP: content type 20-25, version fe ff (1.0) or fe fd (1.2).
        [20..=25, 0xfe, 0xfd | 0xff, ..] => Why::NotOurs("encrypted: DTLS"),
        // TLS over SCTP, RFC 3436.
        [20..=23, 3, 0..=4, ..] => Why::NotOurs("encrypted: TLS"),
        _ => Why::Malformed("version"),
    }
}

/// The messages of one SCTP user message, one behind the other: more than one is against the specification, and seen.
///
/// The first error ends the walk.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    layer: Layer,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Messages<'a> {
    /// The messages in `bytes`.
    pub const fn new(layer: Layer, bytes: &'a [u8]) -> Self {
        Self { layer, bytes, at: 0 }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let message = Message::parse(self.layer, rest).map_err(|e| e.moved(at));
        // Padding that the length leaves out stands in front of the next message all the same.
        self.at = message.map_or(usize::MAX, |message| at + message.bytes.len().next_multiple_of(4));
        Some(message)
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Parameter tag.
    pub tag: u16,
    /// Octet of the message at which the parameter starts.
    pub at: usize,
    /// Parameter value, without padding.
    pub value: &'a [u8],
}

impl Parameter<'_> {
    /// The value as a number of 32 bits, if it starts with one.
    pub fn number(&self) -> Option<u32> {
        self.value.first_chunk().map(|&octets| u32::from_be_bytes(octets))
    }
}

/// The walk over parameters.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    layer: Layer,
    rest: &'a [u8],
    at: usize,
}

impl<'a> Parameters<'a> {
    /// The parameters in `bytes`, which stand at octet `at` of their message.
    pub const fn new(layer: Layer, bytes: &'a [u8], at: usize) -> Self {
        Self { layer, rest: bytes, at }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (at, rest) = (self.at, core::mem::take(&mut self.rest));
        let Some((&[t0, t1, l0, l1], _)) = rest.split_first_chunk() else {
            return (!rest.is_empty()).then(|| Err(Error::new(self.layer, at, Why::truncated(PARAMETER_HEADER_LEN, rest.len()))));
        };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let Some(value) = rest.get(PARAMETER_HEADER_LEN..len) else {
            return Some(Err(Error::new(self.layer, at + 2, Why::bad_length(len))));
        };
        let padded = len.next_multiple_of(4);
        // The last parameter may come without its padding.
        self.rest = rest.get(padded..).unwrap_or_default();
        self.at = at + padded;
        Some(Ok(Parameter { tag: u16::from_be_bytes([t0, t1]), at, value }))
    }
}

/// Appends a message: header, then what `body` appends. Its length counts the padding.
pub fn build(out: &mut Vec<u8>, class: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[1, 0, class, kind, 0, 0, 0, 0]);
    body(out);
    let len = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start + LENGTH_AT..start + HEADER_LEN) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}

/// Appends a parameter whose value is what `value` appends, and its padding. The value is at most 65 531 octets.
pub fn parameter(out: &mut Vec<u8>, tag: u16, value: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&tag.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    value(out);
    let len = out.len() - start;
    debug_assert!(u16::try_from(len).is_ok(), "a parameter of {len} octets");
    if let Some(field) = out.get_mut(start + 2..start + PARAMETER_HEADER_LEN) {
        field.copy_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes());
    }
    out.resize(start + len.next_multiple_of(4), 0);
}

/// Appends a parameter that holds one number of 32 bits.
pub fn number(out: &mut Vec<u8>, tag: u16, value: u32) {
    parameter(out, tag, |out| out.extend_from_slice(&value.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_length_may_count_the_final_padding_or_not() {
        let mut bytes = Vec::new();
        build(&mut bytes, 3, 3, |out| parameter(out, 9, |out| out.extend_from_slice(b"heart")));
        assert_eq!(bytes.len(), 20);
        let read = |bytes: &[u8]| -> Vec<_> {
            let message = Message::parse(Layer::M3ua, bytes).unwrap();
            message.parameters().map(|parameter| parameter.map(|p| (p.tag, p.at, p.value.to_vec()))).collect()
        };
        let counted = read(&bytes);
        bytes[7] = 17;
        assert_eq!(counted, [Ok((9, 8, b"heart".to_vec()))]);
        assert_eq!(counted, read(&bytes), "padding left out of the length");
        assert_eq!(counted, read(&bytes[..17]), "padding absent");
    }

    #[test]
    fn second_message_is_found_behind_padding_that_the_length_leaves_out() {
        let mut bytes = Vec::new();
        build(&mut bytes, 3, 3, |out| parameter(out, 9, |out| out.extend_from_slice(b"heart")));
        bytes[7] = 17;
        build(&mut bytes, 3, 6, |_| ());
        let kinds: Vec<_> = Messages::new(Layer::M3ua, &bytes).map(|message| message.unwrap().kind).collect();
        assert_eq!(kinds, [3, 6]);
    }

    #[test]
    fn an_error_in_the_second_message_is_told_from_the_start_of_the_first() {
        let mut bytes = Vec::new();
        build(&mut bytes, 3, 6, |_| ());
        bytes.extend_from_slice(&[2, 0, 3, 6, 0, 0, 0, 8]);
        let walk: Vec<_> = Messages::new(Layer::M3ua, &bytes).collect();
        assert!(walk[0].is_ok());
        assert_eq!(walk[1], Err(Error::new(Layer::M3ua, 8, Why::Malformed("version"))));
        assert_eq!(walk.len(), 2);
    }

    #[test]
    fn dtls_records_are_named() {
        let record = [23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7];
        let error = Message::parse(Layer::M3ua, &record).unwrap_err();
        assert_eq!(error.why, Why::NotOurs("encrypted: DTLS"));
    }

    #[test]
    fn message_lengths_below_eight_and_beyond_the_bytes_are_named() {
        for len in [0_u8, 7, 9, 255] {
            let bytes = [1, 0, 3, 6, 0, 0, 0, len];
            let error = Message::parse(Layer::Sua, &bytes).unwrap_err();
            assert_eq!((error.layer, error.at), (Layer::Sua, 4), "{len}");
        }
    }
}
