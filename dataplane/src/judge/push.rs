//! A WAP push: octets that were carried as Latin-1 through the table of parts, and the text that they say.

use core::ops::Range;

use protocols::sms::wap;

/// Leaves the octets of a push, as far as it has come, in `octets`: `joined` is the text of all parts and where this one begins in it. Where
/// this part's octets lie.
pub(super) fn octets(joined: Option<(&String, usize)>, part: &str, octets: &mut Vec<u8>) -> Range<usize> {
    let start = joined.map_or(0, |(text, start)| text.get(..start).unwrap_or_default().chars().count());
    octets.clear();
    let latin = joined.map_or(part, |(text, _)| text);
    octets.extend(latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
    start..start + part.chars().count()
}

/// Leaves in `text` what a push says. The stretch of it that the octets `own` say, and whether it could be read.
pub(super) fn text(octets: &[u8], own: &Range<usize>, text: &mut String) -> (Range<usize>, bool) {
    text.clear();
    let mut here = 0..0;
    let kind = wap::pieces(octets, |piece| {
        if piece.is_first && !text.is_empty() {
            text.push('\n');
        }
        let from = text.len();
        text.push_str(piece.text);
        if piece.octets.start < own.end && piece.octets.end > own.start {
            // A string is as long as its octets; a token lies in one part.
            let cut = |at: usize| if piece.octets.len() == piece.text.len() { at.min(piece.text.len()) } else { 0 };
            let start = from + cut(own.start.saturating_sub(piece.octets.start));
            let end = text.len() - cut(piece.octets.end.saturating_sub(own.end));
            here = if here.is_empty() { start..end } else { here.start..end };
        }
    });
    (here, kind.is_some())
}
