//! Elements of BER as a tree, read by `asn1-rs`: off the path a library reads what the path has no view of.
//!
//! What it refuses although lenient receivers may take it, our own walk reads, and the tree says so.

use asn1_rs::{Any, BerParser, Class, Length};
use protocols::ber::{self, Form, Reader, Tlv};
use protocols::{Layer, span};

use super::tree::{Input, Node};

/// One element, by whichever reader.
struct Element<'a> {
    class: &'static str,
    number: u32,
    constructed: bool,
    content: &'a [u8],
    raw: &'a [u8],
    form: &'static str,
}

const INDEFINITE: &str = ", indefinite length";
const LONG: &str = ", tag or length longer than needed";
const OURS: &str = ", refused by asn1-rs";

impl<'a> Element<'a> {
    /// The element that `rest` begins with, and what follows.
    fn read(rest: &'a [u8]) -> Result<(Self, &'a [u8]), protocols::Error> {
        if let Some(read) = Self::by_library(rest) {
            return Ok(read);
        }
        let mut reader = Reader::new(rest, Layer::Tcap);
        let item =
            reader.next().unwrap_or_else(|| Err(protocols::Error::new(Layer::Tcap, 0, protocols::Why::truncated(2, 0))))?;
        Ok((Self::ours(&item), reader.rest()))
    }

    fn by_library(rest: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (behind, any) = Any::parse_ber(asn1_rs::Input::from(rest)).ok()?;
        let (behind, content) = (behind.as_bytes2(), any.data.as_bytes2());
        let raw = rest.get(..rest.len().checked_sub(behind.len())?)?;
        let (header, number) = (span::within(raw, content)?.start, any.header.tag().0);
        let class = match any.header.class() {
            Class::Universal => "universal",
            Class::Application => "application",
            Class::ContextSpecific => "context",
            Class::Private => "private",
        };
        let form = match any.header.length() {
            Length::Indefinite => INDEFINITE,
            Length::Definite(len) if header > shortest(number, len) => LONG,
            Length::Definite(_) => "",
        };
        Some((Self { class, number, constructed: any.header.constructed(), content, raw, form }, behind))
    }

    fn ours(item: &Tlv<'a>) -> Self {
        let class = match item.class {
            ber::Class::Universal => "universal",
            ber::Class::Application => "application",
            ber::Class::Context => "context",
            ber::Class::Private => "private",
        };
        let form = if item.form == Form::Indefinite { ", indefinite length, refused by asn1-rs" } else { OURS };
        Self { class, number: item.number, constructed: item.constructed, content: item.content, raw: item.raw, form }
    }
}

/// Octets of the shortest identifier and length.
fn shortest(number: u32, len: usize) -> usize {
    let sevens = (u32::BITS - number.leading_zeros()).div_ceil(7) as usize;
    let eights = (usize::BITS - len.leading_zeros()).div_ceil(8) as usize;
    1 + if number < 31 { 0 } else { sevens } + 1 + if len < 0x80 { 0 } else { eights }
}

/// Whatever elements `bytes` hold.
pub(super) fn elements(input: Input<'_>, node: &mut Node, bytes: &[u8], depth: usize) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match Element::read(rest) {
            Ok((item, behind)) => {
                element(input, node, &item, depth);
                rest = behind;
            }
            Err(error) => {
                node.wrong(input, rest, error);
                return;
            }
        }
    }
}

fn element(input: Input<'_>, node: &mut Node, item: &Element<'_>, depth: usize) {
    let name = format!("[{} {}{}]", item.class, item.number, item.form);
    if item.constructed && depth < ber::MAX_DEPTH {
        let mut inner = input.node(name, item.raw);
        elements(input, &mut inner, item.content, depth + 1);
        node.push(inner);
    } else {
        let mut inner = input.raw(name, item.content);
        if item.constructed {
            inner.unread("nested deeper than is read");
        }
        node.push(inner);
    }
}

#[cfg(test)]
mod tests {
    use protocols::mtp3::Variant;

    use super::*;
    use crate::terminal::Paint;

    fn tree(bytes: &[u8]) -> Node {
        let input = Input::new(bytes, Variant::Itu);
        let mut node = input.node("all", bytes);
        elements(input, &mut node, bytes, 0);
        node
    }

    #[test]
    fn forms_are_told() {
        // A sequence of indefinite length: an octet string with a length of two octets, a context tag with a pad in front.
        let tree = tree(&[0x30, 0x80, 0x04, 0x81, 1, 7, 0x9f, 0x80, 0x04, 1, 9, 0, 0]).print(Paint(false));
        for name in ["[universal 16, indefinite length]", "[universal 4, tag or length longer than needed]", "[context 4"] {
            assert!(tree.contains(name), "{name} is not in\n{tree}");
        }
    }

    #[test]
    fn what_our_own_walk_read_says_so() {
        let item = Reader::new(&[0x9f, 0x80, 0x04, 1, 9], Layer::Tcap).next().unwrap().unwrap();
        let ours = Element::ours(&item);
        assert_eq!((ours.class, ours.number, ours.content, ours.form), ("context", 4, &[9][..], OURS));
    }

    #[test]
    fn nesting_without_end_is_given_up_and_said() {
        assert!(tree(&[[0x30, 0x80]; 5000].concat()).first_unread().is_some());
        let mut closed = vec![0x30, 0];
        for _ in 0..60 {
            closed = [&[0x30, u8::try_from(closed.len()).unwrap()], &closed[..]].concat();
        }
        assert!(tree(&closed).first_unread().is_some());
    }

    #[test]
    fn the_shortest_header_is_what_x_690_makes_it() {
        for (number, len, header) in [(0, 0, 2), (30, 127, 2), (31, 128, 4), (127, 255, 4), (128, 256, 6)] {
            assert_eq!(shortest(number, len), header, "{number} {len}");
        }
    }
}
