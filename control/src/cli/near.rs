//! The nearest name to one that is unknown.

/// The name that takes the fewest changes, if that is at most a third of its letters.
pub(super) fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let best = names.into_iter().map(|name| (distance(word, name), name)).min();
    best.filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3)).map(|(_, name)| name)
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at =
                |back: usize, j: usize| rows.get(rows.len() - back).and_then(|row| row.get(j)).copied().unwrap_or(usize::MAX - 1);
            let left = row.last().copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(1, j) + usize::from(x != y)).min(at(1, j + 1) + 1).min(left + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(2, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_its_name_and_another_word_finds_none() {
        assert_eq!([distance("links", "linsk"), distance("", "ab"), distance("kitten", "sitting")], [1, 2, 3]);
        assert_eq!(nearest("linsk", ["mt", "links", "safe"]), Some("links"));
        assert_eq!(nearest("colour", ["mt", "links", "safe"]), None);
    }
}
