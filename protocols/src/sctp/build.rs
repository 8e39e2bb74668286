//! Packets, chunk by chunk, appended to a vector.

use core::net::IpAddr;

use super::{CHECKSUM_AT, Data, HEADER_LEN, Init, crc32c, kind};

/// Writes the CRC32c of `packet` into its checksum field. Bytes too short to have one stay as they are.
pub fn seal(packet: &mut [u8]) {
    let sum = crc32c(packet).to_le_bytes();
    if let Some(field) = packet.get_mut(CHECKSUM_AT..HEADER_LEN) {
        field.copy_from_slice(&sum);
    }
}

/// A packet in the making. [`Builder::finish`] writes the checksum.
#[derive(Debug)]
pub struct Builder<'v> {
    out: &'v mut Vec<u8>,
    start: usize,
}

impl<'v> Builder<'v> {
    /// Starts a packet at the end of `out`.
    pub fn new(out: &'v mut Vec<u8>, source_port: u16, destination_port: u16, verification_tag: u32) -> Self {
        let start = out.len();
        out.extend_from_slice(&source_port.to_be_bytes());
        out.extend_from_slice(&destination_port.to_be_bytes());
        out.extend_from_slice(&verification_tag.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        Self { out, start }
    }

    /// A chunk of any type, `parts` one behind the other as its value, padded. `None` and nothing appended when they do not fit.
    #[must_use = "a value beyond 65 531 octets is not appended"]
    pub fn chunk(&mut self, kind: u8, flags: u8, parts: &[&[u8]]) -> Option<&mut Self> {
        let len = parts.iter().try_fold(4_usize, |len, part| len.checked_add(part.len()))?;
        let [l0, l1] = u16::try_from(len).ok()?.to_be_bytes();
        self.out.extend_from_slice(&[kind, flags, l0, l1]);
        for part in parts {
            self.out.extend_from_slice(part);
        }
        self.out.resize(self.out.len() + len.next_multiple_of(4) - len, 0);
        Some(self)
    }

    /// DATA, or I-DATA if `data` is interleaved.
    #[must_use = "user data beyond the chunk length is not appended"]
    pub fn data(&mut self, data: &Data<'_>) -> Option<&mut Self> {
        let flags =
            u8::from(data.end) | u8::from(data.begin) << 1 | u8::from(data.unordered) << 2 | u8::from(data.immediate) << 3;
        let (tsn, stream) = (data.tsn.to_be_bytes(), data.stream.to_be_bytes());
        let ppid = data.ppid.unwrap_or_default().to_be_bytes();
        if data.interleaved {
            let word = if data.begin { ppid } else { data.fsn.unwrap_or_default().to_be_bytes() };
            return self.chunk(kind::I_DATA, flags, &[&tsn, &stream, &[0, 0], &data.sequence.to_be_bytes(), &word, data.payload]);
        }
        let [_, _, n0, n1] = data.sequence.to_be_bytes();
        self.chunk(kind::DATA, flags, &[&tsn, &stream, &[n0, n1], &ppid, data.payload])
    }

    /// INIT or INIT ACK with the parameters given, and an address parameter for each of `addresses` behind them.
    #[must_use = "parameters beyond the chunk length are not appended"]
    pub fn init(&mut self, init: &Init<'_>, addresses: &[IpAddr]) -> Option<&mut Self> {
        let mut parameters = init.parameters.to_vec();
        parameters.resize(parameters.len().next_multiple_of(4), 0);
        for address in addresses {
            match address {
                IpAddr::V4(address) => {
                    parameters.extend_from_slice(&[0, 5, 0, 8]);
                    parameters.extend_from_slice(&address.octets());
                }
                IpAddr::V6(address) => {
                    parameters.extend_from_slice(&[0, 6, 0, 20]);
                    parameters.extend_from_slice(&address.octets());
                }
            }
        }
        self.chunk(
            if init.ack { kind::INIT_ACK } else { kind::INIT },
            0,
            &[
                &init.initiate_tag.to_be_bytes(),
                &init.a_rwnd.to_be_bytes(),
                &init.outbound_streams.to_be_bytes(),
                &init.inbound_streams.to_be_bytes(),
                &init.initial_tsn.to_be_bytes(),
                &parameters,
            ],
        )
    }

    /// SACK without gap blocks and duplicates.
    pub fn sack(&mut self, cumulative_tsn: u32, a_rwnd: u32) -> &mut Self {
        self.fixed(kind::SACK, 16);
        self.out.extend_from_slice(&cumulative_tsn.to_be_bytes());
        self.out.extend_from_slice(&a_rwnd.to_be_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self
    }

    /// HEARTBEAT with eight octets of sender's information.
    pub fn heartbeat(&mut self, info: u64) -> &mut Self {
        self.fixed(kind::HEARTBEAT, 16);
        // RFC 9260 §3.3.5: one parameter, type 1.
        self.out.extend_from_slice(&[0, 1, 0, 12]);
        self.out.extend_from_slice(&info.to_be_bytes());
        self
    }

    /// Writes the checksum.
    pub fn finish(self) {
        if let Some(packet) = self.out.get_mut(self.start..) {
            seal(packet);
        }
    }

    fn fixed(&mut self, kind: u8, len: u8) {
        self.out.extend_from_slice(&[kind, 0, 0, len]);
    }
}
