//! Which campaign a text is of: the one whose sum differs least, in at most three of 64 bits.

use rusqlite::Connection;

use crate::Result;

/// Bits in which texts of one campaign may differ.
const DISTANCE: u32 = 3;
/// Campaigns with a quarter alike that are looked at: a quarter that more share says nothing.
const CANDIDATES: i64 = 512;

/// A sum as the database keeps it.
fn kept(simhash: u64) -> i64 {
    i64::from_le_bytes(simhash.to_le_bytes())
}

fn quarters(simhash: u64) -> [i64; 4] {
    [0, 16, 32, 48].map(|at| i64::try_from(simhash >> at & 0xffff).unwrap_or_default())
}

/// The campaign of a sum, begun where there is none. It keeps the sum that it began with: it does not drift.
pub(super) fn of(transaction: &Connection, simhash: u64, sketch: &str, now: i64) -> Result<i64> {
    let [q0, q1, q2, q3] = quarters(simhash);
    let mut found = transaction
        .prepare_cached("SELECT id, simhash FROM campaigns WHERE q0 = ?1 OR q1 = ?2 OR q2 = ?3 OR q3 = ?4 LIMIT ?5")?;
    let mut rows = found.query((q0, q1, q2, q3, CANDIDATES))?;
    let mut best: Option<(u32, i64)> = None;
    while let Some(row) = rows.next()? {
        let (id, other): (i64, i64) = (row.get(0)?, row.get(1)?);
        let distance = (kept(simhash) ^ other).count_ones();
        if distance <= DISTANCE {
            best = Some(best.map_or((distance, id), |best| best.min((distance, id))));
        }
    }
    if let Some((_, id)) = best {
        transaction.prepare_cached("UPDATE campaigns SET last = max(last, ?2) WHERE id = ?1")?.execute((id, now))?;
        return Ok(id);
    }
    let sql = "INSERT INTO campaigns (simhash, q0, q1, q2, q3, sketch, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    transaction.prepare_cached(sql)?.execute((kept(simhash), q0, q1, q2, q3, sketch, now))?;
    Ok(transaction.last_insert_rowid())
}
