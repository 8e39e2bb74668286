//! `--mix FILE`: what synthetic traffic is made of, in TOML. A key that is not known is an error with the nearest name.
//!
//! ```toml
//! messages_per_s = 400
//! start = "2026-11-23T18:00:00Z"
//! mt = 0.8              # shares go from 0 to 1
//! links = 0.25
//! languages = { en = 3, fr = 1 }
//! ```

use std::fmt;

use pcaps::generate::{Language, Mix};
use toml::{Table, Value};

/// What is wrong with a mix, with `:line:column` in front where it is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shares by their names.
fn shares(mix: &mut Mix) -> [(&'static str, &mut f64); 19] {
    [
        ("mt", &mut mix.mt),
        ("concatenated", &mut mix.concatenated),
        ("links", &mut mix.links),
        ("dangerous", &mut mix.dangerous),
        ("safe", &mut mix.safe),
        ("platforms", &mut mix.platforms),
        ("emoji", &mut mix.emoji),
        ("routing", &mut mix.routing),
        ("version_2", &mut mix.version_2),
        ("version_1", &mut mix.version_1),
        ("empty_begin", &mut mix.empty_begin),
        ("more_messages", &mut mix.more_messages),
        ("shuffled", &mut mix.shuffled),
        ("segmented", &mut mix.segmented),
        ("extended", &mut mix.extended),
        ("errors", &mut mix.errors),
        ("bundles", &mut mix.bundles),
        ("retransmissions", &mut mix.retransmissions),
        ("losses", &mut mix.losses),
    ]
}

/// Keys that are no shares, and the share that stands behind the others.
const OTHERS: [&str; 5] = ["messages_per_s", "start", "subscribers", "languages", "garbage"];

/// Reads a mix; what it leaves out is as in the default one.
pub(super) fn parse(text: &str) -> Result<Mix, Wrong> {
    let table: Table =
        toml::from_str(text).map_err(|error| located(text, error.span().map_or(0, |span| span.start), error.message()))?;
    let mut mix = Mix::default();
    for (key, value) in &table {
        set(&mut mix, key, value).map_err(|what| located(text, place_of(text, key), &what))?;
    }
    if mix.version_1 + mix.version_2 > 1.0 {
        return Err(Wrong(": version_1 and version_2 are shares of the same dialogues: together at most 1".to_owned()));
    }
    Ok(mix)
}

fn set(mix: &mut Mix, key: &str, value: &Value) -> Result<(), String> {
    match key {
        "messages_per_s" => mix.messages_per_s = number(key, value, 1, u32::MAX)?,
        "subscribers" => mix.subscribers = number(key, value, 1, u64::from(u32::MAX))?,
        "start" => mix.start_ns = start(value)?,
        "languages" => mix.languages = languages(value)?,
        "garbage" => mix.garbage = share(key, value)?,
        _ => {
            let Some((_, place)) = shares(mix).into_iter().find(|(name, _)| *name == key) else {
                let names = shares(&mut Mix::default()).map(|(name, _)| name);
                let nearest = super::super::nearest(key, names.into_iter().chain(OTHERS));
                return Err(format!(
                    "unknown key `{key}`{}",
                    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
                ));
            };
            *place = share(key, value)?;
        }
    }
    Ok(())
}

fn number<N: TryFrom<i64> + PartialOrd + fmt::Display>(key: &str, value: &Value, least: N, most: N) -> Result<N, String> {
    let read = value.as_integer().and_then(|n| N::try_from(n).ok()).filter(|n| *n >= least && *n <= most);
    read.ok_or_else(|| format!("`{key}` is {value}; a whole number from {least} to {most} is expected"))
}

fn float(value: &Value) -> Option<f64> {
    let integer = value.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from);
    value.as_float().or(integer).filter(|n| n.is_finite())
}

fn share(key: &str, value: &Value) -> Result<f64, String> {
    let read = float(value).filter(|share| (0.0..=1.0).contains(share));
    read.ok_or_else(|| format!("`{key}` is {value}; a share from 0 to 1 is expected"))
}

fn start(value: &Value) -> Result<u64, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Datetime(time) => time.to_string(),
        other => other.to_string(),
    };
    let time = text.parse::<jiff::Timestamp>().ok().and_then(|time| u64::try_from(time.as_nanosecond()).ok());
    time.ok_or_else(|| format!("`start` is {value}; a time with its zone is expected, as in \"2026-11-23T18:00:00Z\""))
}

fn languages(value: &Value) -> Result<Vec<(Language, f64)>, String> {
    let table = value.as_table().ok_or("`languages` is a table of weights, as in { en = 3, fr = 1 }")?;
    let read = table.iter().map(|(code, weight)| {
        let codes = || Language::ALL.map(Language::code).join(", ");
        let language = Language::of_code(code).ok_or_else(|| format!("unknown language `{code}`; known are {}", codes()))?;
        let weight = float(weight).filter(|weight| *weight >= 0.0);
        Ok((language, weight.ok_or_else(|| format!("the weight of `{code}` is a number from 0 on"))?))
    });
    let languages = read.collect::<Result<Vec<_>, String>>()?;
    match languages.iter().any(|(_, weight)| *weight > 0.0) {
        true => Ok(languages),
        false => Err("`languages` needs one with a weight above 0".to_owned()),
    }
}

/// Where a top-level key stands.
fn place_of(text: &str, key: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.'])) {
            return at + line.len() - line.trim_start().len();
        }
        at += line.len();
    }
    0
}

fn located(text: &str, at: usize, what: &str) -> Wrong {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Wrong(format!(":{line}:{column}: {}", what.trim_end().replace('\n', "; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_mix_is_the_default_one_and_each_key_is_known() {
        assert_eq!(parse("").unwrap(), Mix::default());
        let mut all = String::from(
            "messages_per_s = 7\nstart = 2026-11-23T18:00:00Z\nsubscribers = 9\ngarbage = 0\nlanguages = { fr = 1 }\n",
        );
        for (name, _) in shares(&mut Mix::default()) {
            all += &format!("{name} = 0.5\n");
        }
        let mix = parse(&all).unwrap();
        assert_eq!((mix.messages_per_s, mix.subscribers, mix.start_ns), (7, 9, 1_795_456_800_000_000_000));
        assert_eq!((mix.garbage, mix.languages), (0.0, vec![(Language::French, 1.0)]));
        assert!([mix.mt, mix.links, mix.losses].iter().all(|share| (share - 0.5).abs() < 1e-9));
    }

    #[test]
    fn a_wrong_key_or_value_is_named_with_its_line_and_what_would_be_right() {
        let told = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(told("mt = 0.5\nlinsk = 0.1\n"), ":2:1: unknown key `linsk`; did you mean `links`?");
        assert_eq!(told("mt = 1.5"), ":1:1: `mt` is 1.5; a share from 0 to 1 is expected");
        assert_eq!(
            told("languages = { xx = 1 }"),
            ":1:1: unknown language `xx`; known are en, de, fr, it, tr, el, ru, ar, hi, zh"
        );
        assert!(told("mt = ").starts_with(":1:"));
        assert!(told("version_1 = 0.6\nversion_2 = 0.6").contains("at most 1"));
    }
}
