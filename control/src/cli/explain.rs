//! `ztsms explain`: every layer of one frame, or of the bytes of one layer, as a tree with the octet of each field.
//!
//! Off the path: it allocates, it shows what the path only counts, and it goes on where the path gives up.

mod elements;
mod lower;
mod tpdu;
mod tree;
mod upper;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use pcaps::read::Capture;
use protocols::link::LinkType;
use protocols::{map, sms};
use serde::Serialize;

use super::args::{DirectionName, Explain, LayerName};
use super::fail::Complaints;
use super::{Done, Failure, judge};
use crate::terminal::{Colour, Paint};
use crate::{config, record_json};
use tree::{Input, Node};

/// What is explained, and how it was wrapped.
struct Bytes {
    from: String,
    link_type: u32,
    octets: Vec<u8>,
    /// Octets on the wire, above `octets.len()` where the capture cut the frame.
    original_len: usize,
}

#[derive(Serialize)]
struct Explained<'a> {
    schema: &'static str,
    from: &'a str,
    octets: usize,
    tree: &'a Node,
}

/// Runs the command.
pub(super) fn run(args: &Explain, colour: Colour) -> Result<Done, Failure> {
    let bytes = read(args)?;
    let tree = explain(args, &bytes)?;
    let mut out = Vec::new();
    if args.json {
        let explained = Explained { schema: "ztsms.explain.v1", from: &bytes.from, octets: bytes.octets.len(), tree: &tree };
        record_json::push_line(&mut out, &explained);
    } else {
        let paint = Paint(colour.on(&std::io::stdout()));
        let cut = bytes.original_len.saturating_sub(bytes.octets.len());
        let cut = if cut > 0 { format!(" ({cut} more on the wire, cut by the capture)") } else { String::new() };
        out.extend_from_slice(crate::terminal::shown(&bytes.from).as_bytes());
        out.extend_from_slice(format!(": {} octets{cut}\n", bytes.octets.len()).as_bytes());
        out.extend_from_slice(tree.print(paint).as_bytes());
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&out)?;
    if stdout.is_terminal() {
        stdout.flush()?;
    }
    drop(stdout);
    Ok(match tree.first_unread() {
        Some(problem) => {
            super::fail::complain(&format_args!("{}: {problem}", bytes.from));
            Done::InPart
        }
        None => Done::Well,
    })
}

fn explain(args: &Explain, bytes: &Bytes) -> Result<Node, Failure> {
    let octets = bytes.octets.as_slice();
    // The option, else what is configured here.
    let variant = match args.variant {
        Some(variant) => variant,
        None => config::load(None).map_err(judge::said)?.network.variant,
    };
    let input = Input::new(octets, judge::variant(variant));
    Ok(match args.layer {
        LayerName::Frame => {
            let link_type = LinkType::from_pcap(bytes.link_type)
                .ok_or_else(|| Failure::Said(format!("link type {} is not read", bytes.link_type)))?;
            lower::frame(input, link_type, octets)
        }
        LayerName::Sctp => lower::sctp_packet(input, octets),
        LayerName::M3ua => lower::m3ua_messages(input, octets),
        LayerName::Sccp => upper::sccp_message(input, octets),
        LayerName::Tcap => upper::tcap_message(input, octets),
        LayerName::Map => {
            let direction = args.direction.map(|direction| match direction {
                DirectionName::Mt => map::Direction::Mt,
                DirectionName::Mo => map::Direction::Mo,
            });
            upper::map_argument(input, octets, direction)
        }
        LayerName::Tpdu => match args.direction {
            Some(DirectionName::Mt) => tpdu::tpdu(input, octets, sms::Direction::MobileTerminated),
            Some(DirectionName::Mo) => tpdu::tpdu(input, octets, sms::Direction::MobileOriginated),
            None => return Err(Failure::Usage("a TPDU does not say which way it goes: --direction mt or mo".to_owned())),
        },
    })
}

/// The bytes themselves, or those of a frame. What is hexadecimal throughout is never a file name.
fn read(args: &Explain) -> Result<Bytes, Failure> {
    if let Some(octets) = from_hex(&args.what) {
        let original_len = octets.len();
        return Ok(Bytes { from: "octets given".to_owned(), link_type: args.link_type, octets, original_len });
    }
    let frame = args.what.rsplit_once(':').and_then(|(file, number)| Some((file, number.parse::<u64>().ok()?)));
    let Some((file, number)) = frame.filter(|(file, number)| !file.is_empty() && *number > 0) else {
        return Err(Failure::Usage(format!(
            "`{}` is neither hexadecimal (an even number of digits 0-9, a-f) nor FILE:FRAME with a frame number from 1",
            args.what
        )));
    };
    let mut capture = Capture::open(Path::new(file)).map_err(|error| Failure::Said(error.to_string()))?;
    let mut complaints = Complaints::default();
    loop {
        match capture.next() {
            Ok(Some(frame)) if frame.number == number => {
                complaints.end(file);
                return Ok(Bytes {
                    from: format!("{file}, frame {number}"),
                    link_type: frame.link_type,
                    octets: frame.bytes.to_vec(),
                    original_len: frame.original_len as usize,
                });
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                complaints.end(file);
                let frames = capture.frames();
                let has = if complaints.seen == 0 { "has" } else { "damaged as it is, has" };
                return Err(Failure::Said(format!("{file}: {has} {frames} frames, so there is no frame {number}")));
            }
            // What follows is numbered as `replay` numbers it.
            Err(error) => complaints.add(&error),
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b':' | b'-')).collect();
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_may_have_spaces_and_colons_and_a_file_name_is_none() {
        assert_eq!(from_hex("0x04 0b:91"), Some(vec![4, 0x0b, 0x91]));
        assert_eq!(from_hex("capture.pcap:12"), None);
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex(""), None);
    }
}
