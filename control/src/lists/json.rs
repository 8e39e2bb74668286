//! MISP warning lists and PhishTank's JSON.

use super::{Format, Sink};
use serde::Deserialize;
use std::io::Read;

#[derive(Deserialize)]
struct WarningList {
    list: Vec<serde_json::Value>,
}

/// Reads the whole list; what is no JSON is one problem, at the line where it goes wrong.
pub(super) fn read(reader: impl Read, format: Format, sink: &mut Sink<'_>) {
    let entries = if format == Format::Misp {
        serde_json::from_reader::<_, WarningList>(reader).map(|list| list.list)
    } else {
        serde_json::from_reader::<_, Vec<serde_json::Value>>(reader)
    };
    match entries {
        Err(error) => {
            sink.summary.entries += 1;
            sink.bad(error.line() as u64, error.to_string());
        }
        Ok(entries) => {
            sink.by_entry = true;
            for (number, entry) in (1..).zip(&entries) {
                let text = if format == Format::Misp { entry.as_str() } else { entry.get("url").and_then(|url| url.as_str()) };
                match text {
                    Some(text) => sink.entry(text, number),
                    None => {
                        sink.summary.entries += 1;
                        sink.bad(number, "not a text".to_owned());
                    }
                }
            }
        }
    }
}
