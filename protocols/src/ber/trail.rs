//! The trail of length fields from the outermost element down to one field: what a rewrite puts right on its way out.

use core::ops::Range;

use super::{Form, MAX_DEPTH, Reader, usual};
use crate::error::{Error, Layer, Why};

/// One length field above (or of) the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Offset of the first length octet in the data given to [`trail`].
    pub at: usize,
    /// Octets of the length field, the first included.
    pub octets: u8,
    /// How the length was written.
    pub form: Form,
    /// Offset of the contents.
    pub content_at: usize,
    /// Octets of contents.
    pub content_len: usize,
    /// Tag number, for people.
    pub number: u32,
}

/// Length fields, outermost first.
#[derive(Clone, Copy, Debug)]
pub struct Trail {
    levels: [Level; MAX_DEPTH],
    len: usize,
}

impl Default for Trail {
    fn default() -> Self {
        let none = Level { at: 0, octets: 0, form: Form::Short, content_at: 0, content_len: 0, number: 0 };
        Self { levels: [none; MAX_DEPTH], len: 0 }
    }
}

impl Trail {
    /// The levels found, outermost first; the last one is the element whose contents hold the target.
    pub fn levels(&self) -> &[Level] {
        self.levels.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, level: Level) -> Option<()> {
        *self.levels.get_mut(self.len)? = level;
        self.len += 1;
        Some(())
    }
}

/// Finds the length fields from the outermost element of `data` that holds `target` down to the primitive element whose contents
/// hold it, or to the element whose contents it is.
///
/// An element whose tag calls it primitive, though it holds others, is read as if it did not, here as on the way in: who reads it there has to
/// find the new lengths too.
///
/// `target` counts octets of `data`. A target that lies across elements, or on a header, is [`Why::Malformed`].
pub fn trail(data: &[u8], target: Range<usize>, layer: Layer, levels: &mut Trail) -> Result<(), Error> {
    levels.len = 0;
    if usually(data, &target, levels).is_some() {
        return Ok(());
    }
    levels.len = 0;
    let mut primitive = None;
    let found = descend(data, target, layer, levels, &mut primitive);
    match (found, primitive) {
        // It is what its tag says.
        (Err(_), Some(len)) => {
            levels.len = len;
            Ok(())
        }
        (found, _) => found,
    }
}

/// The same where the target is the contents of an element, and all that is stepped over or into has its usual form: as it nearly always has.
fn usually(data: &[u8], target: &Range<usize>, levels: &mut Trail) -> Option<()> {
    let (mut rest, mut start) = (data, 0);
    loop {
        let (tag, content, behind) = usual(rest).filter(|(tag, ..)| tag & 0x1f != 0x1f)?;
        let end = start + rest.len() - behind.len();
        if end <= target.start {
            (rest, start) = (behind, end);
            continue;
        }
        let (at, content_at, content_len) = (start + 1, end - content.len(), content.len());
        if target.start < content_at || target.end > end {
            return None;
        }
        let (octets, form) = if content_len < 0x80 { (1, Form::Short) } else { (2, Form::Long(1)) };
        levels.push(Level { at, octets, form, content_at, content_len, number: u32::from(tag & 0x1f) })?;
        if *target == (content_at..end) {
            return Some(());
        }
        (rest, start) = (content, content_at);
    }
}

/// `primitive` becomes the levels down to the first element that is primitive by its tag.
fn descend(
    data: &[u8],
    target: Range<usize>,
    layer: Layer,
    levels: &mut Trail,
    primitive: &mut Option<usize>,
) -> Result<(), Error> {
    let (mut content, mut base) = (data, 0usize);
    'deeper: loop {
        let mut reader = Reader::new(content, layer);
        let mut end = base;
        while let Some(tlv) = reader.next() {
            let start = core::mem::replace(&mut end, base + reader.at());
            let tlv = tlv.map_err(|error| error.moved(base))?;
            if target.start >= end || target.end > end {
                continue;
            }
            let inside = start + tlv.header_len()..start + tlv.header_len() + tlv.content.len();
            if target.start < inside.start || target.end > inside.end {
                break;
            }
            let at = start + usize::from(tlv.identifier);
            let octets = if let Form::Long(count) = tlv.form { count.saturating_add(1) } else { 1 };
            let content_len = inside.len();
            let level = Level { at, octets, form: tlv.form, content_at: inside.start, content_len, number: tlv.number };
            levels.push(level).ok_or_else(|| Error::new(layer, at, Why::Limit("BER nesting")))?;
            if inside == target {
                return Ok(());
            }
            if !tlv.constructed {
                primitive.get_or_insert(levels.len);
            }
            (content, base) = (tlv.content, inside.start);
            continue 'deeper;
        }
        return Err(Error::new(layer, target.start, Why::Malformed("no element holds these octets")));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).expect("short");
        let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
        [head, content.to_vec()].concat()
    }

    /// Elements within elements, of any tag.
    fn elements() -> impl Strategy<Value = Vec<u8>> {
        let leaf = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..70)).prop_map(|(tag, content)| element(tag, &content));
        leaf.prop_recursive(5, 24, 3, |inner| {
            (any::<u8>(), prop::collection::vec(inner, 0..4)).prop_map(|(tag, inner)| {
                let content = inner.concat();
                element(tag, content.get(..250).unwrap_or(&content))
            })
        })
    }

    proptest! {
        #[test]
        fn the_short_walk_finds_what_the_long_one_does(data in elements()) {
            let (mut short, mut long) = (Trail::default(), Trail::default());
            for (start, end) in (0..data.len()).flat_map(|start| (start..=data.len()).map(move |end| (start, end))) {
                (short.len, long.len) = (0, 0);
                if usually(&data, &(start..end), &mut short).is_some() {
                    prop_assert!(descend(&data, start..end, Layer::Tcap, &mut long, &mut None).is_ok());
                    let told = |trail: &Trail| format!("{:?}", trail.levels());
                    prop_assert_eq!(told(&short), told(&long), "{}..{}", start, end);
                }
            }
        }
    }

    #[test]
    fn a_message_of_the_usual_form_has_its_short_walk() {
        let text = element(4, &[0xbb; 130]);
        let sequence = element(0x30, &[element(0x80, &[0xaa]), text.clone()].concat());
        let data = element(0x62, &[element(0x48, &[7]), element(0x6c, &element(0xa1, &sequence))].concat());
        let mut levels = Trail::default();
        assert!(usually(&data, &(data.len() - 130..data.len()), &mut levels).is_some());
        assert_eq!(levels.levels().len(), 5);
    }
}
