//! Where a field lies in the frame that it was borrowed from. Decoding keeps slices; only rewriting needs places, and asks for them here.

use core::ops::Range;

/// The place of `inner` within `outer`, in octets; `None` when `inner` was not borrowed from `outer` (joined pieces, scratch).
///
/// An empty `inner` has a place when its address lies within or at the end of `outer`.
pub fn within(outer: &[u8], inner: &[u8]) -> Option<Range<usize>> {
    let start = (inner.as_ptr() as usize).checked_sub(outer.as_ptr() as usize)?;
    let end = start.checked_add(inner.len())?;
    (end <= outer.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_borrowed_slice_has_a_place_and_a_copy_has_none() {
        let frame = [1u8, 2, 3, 4, 5];
        assert_eq!(within(&frame, &frame[1..3]), Some(1..3));
        assert_eq!(within(&frame, &frame[5..]), Some(5..5));
        let copy = frame.to_vec();
        assert_eq!(within(&frame[..2], &frame[1..4]), None);
        assert_eq!(within(&copy, &frame[1..3]), None);
    }
}
