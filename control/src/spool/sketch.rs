//! What triage sees of a text instead of the text: nobody's numbers and names, and a sum by which the messages of one campaign find together.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

/// Words behind which a person is named. The word after one of them is left out.
const GREETINGS: [&str; 25] = [
    "hi",
    "hello",
    "hey",
    "dear",
    "mr",
    "mrs",
    "ms",
    "hallo",
    "liebe",
    "lieber",
    "frau",
    "herr",
    "bonjour",
    "salut",
    "cher",
    "chère",
    "ciao",
    "caro",
    "cara",
    "hola",
    "estimado",
    "olá",
    "merhaba",
    "sayın",
    "привет",
];
/// A text of fewer words says too little: two of them may be alike by chance.
const FEWEST_WORDS: usize = 5;

/// The text without what in it is personal first of all: every run of digits is `#`, every link `@`, a name behind a greeting or in front of
/// the first comma `_`. A name elsewhere stays.
pub fn mask(text: &str, links: &[&str]) -> String {
    let mut text = text.to_owned();
    // Longer ones first: a link may stand inside of another.
    let mut links: Vec<&&str> = links.iter().filter(|link| !link.is_empty()).collect();
    links.sort_by_key(|link| core::cmp::Reverse(link.len()));
    for link in links {
        text = text.replace(*link, "@");
    }
    let mut out = String::with_capacity(text.len());
    let mut greeted = true;
    for (at, word) in text.split_inclusive(char::is_whitespace).enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_name = greeted && bare.chars().next().is_some_and(char::is_uppercase) && bare.chars().all(char::is_alphabetic);
        let ends = word.trim_end().ends_with([',', '!', ':']);
        let greets = GREETINGS.contains(&bare.to_lowercase().as_str());
        // "Anna, your parcel": a first word is a name only in front of a comma.
        if is_name && !greets && (at > 0 || ends) {
            let (head, tail) = word.split_once(bare).unwrap_or_default();
            out += head;
            out.push('_');
            out += tail;
        } else {
            push_without_digits(&mut out, word);
        }
        greeted = greets;
    }
    out
}

fn push_without_digits(out: &mut String, word: &str) {
    let mut in_digits = false;
    for c in word.chars() {
        let digit = c.is_numeric();
        match (digit, in_digits) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
        in_digits = digit;
    }
}

/// A sum of 64 bits of a masked text: texts that share most of their words and neighbours have sums that differ in few bits (SimHash, after
/// Charikar). `None` for a text of fewer than five words.
pub fn simhash(masked: &str) -> Option<u64> {
    let words: Vec<String> = masked
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase).collect())
        .collect();
    if words.len() < FEWEST_WORDS {
        return None;
    }
    let pairs = words.windows(2).map(|pair| xxh3_64(pair.join(" ").as_bytes()));
    let features: HashSet<u64> = words.iter().map(|word| xxh3_64(word.as_bytes())).chain(pairs).collect();
    let sum = (0..u64::BITS).fold(0, |sum, bit| {
        let set = features.iter().filter(|feature| *feature >> bit & 1 == 1).count();
        sum | u64::from(set * 2 > features.len()) << bit
    });
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_text_shows_words_and_no_number_no_link_no_greeted_name() {
        assert_eq!(mask("Code 493 021 for +33612345678, bal. 1.234,50", &[]), "Code # # for +#, bal. #.#,#");
        assert_eq!(mask("Anna, your parcel 77 waits: bit.ly/x7", &["bit.ly/x7"]), "_, your parcel # waits: @");
        assert_eq!(mask("Dear Chloe! The Post has it", &[]), "Dear _! The Post has it");
        assert_eq!(mask("Parcel waits at Customs", &[]), "Parcel waits at Customs");
    }

    #[test]
    fn a_campaign_that_changes_names_numbers_and_hosts_keeps_its_sum_and_another_text_has_another() {
        let of = |text: &str, link: &str| simhash(&mask(text, &[link])).unwrap();
        let one = of("Hi Anna, your parcel 4711 waits at customs, pay 1.99 EUR here: http://a.example/p1", "http://a.example/p1");
        let two = of("Hi Deniz, your parcel 9 waits at customs, pay 2.49 EUR here: https://b.test/x?y=2", "https://b.test/x?y=2");
        assert_eq!(one, two);
        let other = of("Your table for two is booked tonight at eight, see the menu: m.example", "m.example");
        assert!((one ^ other).count_ones() > 12, "{}", (one ^ other).count_ones());
        assert_eq!(simhash("ok see you at"), None);
    }
}
