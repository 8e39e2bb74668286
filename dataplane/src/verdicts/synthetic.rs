//! Tables of any size for measurements, filled straight into their buckets: 100 M keys take 1.34 GB and some tens of seconds.
//!
//! Such a table has no cold part (an entry's pattern is empty) and no checksum of its body; it is never written to a file.

use super::format::{HEADER, Header, LINE, Refused, SLOTS};
use super::keys::{Key, Word};
use super::snapshot::{Snapshot, memory};
use super::{Table, map};
use crate::canonical::RULES_VERSION;
use crate::suffix::Suffixes;
use crate::verdict::Verdict;

/// Buckets beyond the home one that a key may lie in; at load 0.6 nothing comes near.
const REACH: u32 = 32;
/// Keys whose lines are asked for together while filling.
const BATCH: u64 = 32;
const TAILS: [&str; 8] = [".com", ".net", ".org", ".top", ".xyz", ".de", ".co.uk", ".com"];

/// The `n`th host, a registrable domain: eight letters and a suffix. Hosts below a table's count are in it, all others are not.
pub fn host(n: u64, out: &mut String) {
    out.clear();
    // An odd factor turns the numbers below 2^40 among themselves: no host comes twice.
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    out.extend((0..8).map(|place| match (mixed >> (place * 5) & 31) as u8 {
        letter @ 0..26 => char::from(b'a' + letter),
        digit => char::from(b'2' + digit - 26),
    }));
    out.push_str(TAILS.get((n % 8) as usize).copied().unwrap_or_default());
}

/// What the table says of the `n`th host: every eighth is safe.
pub const fn verdict(n: u64) -> Verdict {
    if n.is_multiple_of(8) { Verdict::Safe } else { Verdict::Dangerous }
}

/// A table of the first `count` hosts at load 0.6.
///
/// # Errors
/// No memory; or a bucket overflowed beyond all bounds, which no honest key does.
pub fn table(count: u64, key: Key, suffixes: &Suffixes) -> Result<Table, Refused> {
    let header = Header {
        reach: REACH,
        rules_version: RULES_VERSION.into(),
        suffix_id: suffixes.id(),
        key_check: key.check(),
        words: count,
        entries: count,
        buckets: (count * 10).div_ceil(48).max(1),
        ..Header::default()
    };
    let (header, octets) = header.seal();
    let mut memory = memory(header.layout().end)?;
    let (start, body) = memory.get_mut().split_at_mut_checked(HEADER).ok_or(Refused::NotASnapshot)?;
    start.copy_from_slice(&octets);
    let lines = body.as_chunks_mut::<{ LINE as usize }>().0;
    let lines = lines.get_mut(..(header.buckets + u64::from(REACH)) as usize).unwrap_or_default();
    fill(lines, count, header.buckets, &key)?;
    Table::new(Snapshot::of(memory, header), None, key, suffixes)
}

fn fill(lines: &mut [[u8; LINE as usize]], count: u64, buckets: u64, key: &Key) -> Result<(), Refused> {
    let mut sent = vec![false; lines.len()];
    let mut name = String::new();
    let mut batch = Vec::new();
    for first in (0..count).step_by(BATCH as usize) {
        batch.clear();
        for n in first..count.min(first + BATCH) {
            host(n, &mut name);
            let place = key.hash(&name);
            let bucket = place.bucket(buckets) as usize;
            lines.get(bucket).into_iter().for_each(|line| map::prefetch(line));
            batch.push((bucket, Word::new(place.tag(), verdict(n), 0).0.to_le_bytes()));
        }
        for &(home, word) in &batch {
            let near = lines.iter_mut().zip(&mut sent).skip(home).take(REACH as usize);
            let mut free = near.filter_map(|(line, sent)| {
                let slot = line.as_chunks_mut::<8>().0.iter_mut().find(|slot| **slot == [0; 8]);
                *sent |= slot.is_none();
                slot
            });
            *free.next().ok_or(Refused::NotASnapshot)? = word;
        }
    }
    for (line, sent) in lines.iter_mut().zip(sent) {
        let words = line.as_chunks_mut::<8>().0;
        words.sort_unstable_by_key(|word| core::cmp::Reverse(u64::from_le_bytes(*word)));
        if sent {
            words.swap(0, 1);
        }
    }
    const { assert!(SLOTS * 8 == LINE) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;
    use crate::verdicts::KeyScratch;

    #[test]
    fn hosts_below_the_count_are_found_with_their_verdict_and_no_others() {
        let (suffixes, mut name) = (Suffixes::built_in(), String::new());
        let table = table(20_000, Key::new(&[9; 16]), &suffixes).expect("a table");
        let (mut scratch, mut keys) = (canonical::Scratch::default(), KeyScratch::default());
        for n in 0..40_000 {
            host(n, &mut name);
            let url = canonical::parse(&format!("https://{name}/x"), &mut scratch).expect("a URL").to_owned();
            let pending = table.begin(&url, &suffixes);
            let found = table.finish(pending, &url, false, "", &mut keys);
            assert_eq!(found.verdict, if n < 20_000 { verdict(n) } else { Verdict::Unknown }, "{name}");
            assert_eq!((found.registrable(url.host), pending.registrable(url.host)), (Some(&*name), Some(&*name)));
        }
        assert_eq!(table.snapshot().words().count(), 20_000);
    }
}
