//! Where a value stands that is wrong only beside others: the file and line, or the variable, that said it last.

use std::ops::Range;
use std::path::PathBuf;

use dataplane::policy::{Spec, SpecError};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, position};

/// What a configuration was read from.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// Files and their text, in the order in which they were read.
    pub(super) files: Vec<(PathBuf, String)>,
    /// Names and values, which come after them.
    pub(super) variables: Vec<(String, String)>,
}

impl Origins {
    /// Where a key of this name has this value, or a list with it.
    fn place(&self, key: &str, value: &str) -> Option<Place> {
        let is_it = |(name, said): &&(String, String)| {
            name.rsplit("__").next().is_some_and(|last| last.eq_ignore_ascii_case(key)) && said.contains(value)
        };
        if let Some((name, _)) = self.variables.iter().rfind(is_it) {
            return Some(Place::Variable(name.clone()));
        }
        self.files.iter().rev().find_map(|(path, text)| {
            let span = find(DeTable::parse(text).ok()?.get_ref(), key, value)?;
            let (line, column) = position(text, span);
            Some(Place::File { path: path.clone(), line, column })
        })
    }

    /// The error of a value, with its place where that is found; else `otherwise`.
    pub(super) fn error(
        &self,
        key: &str,
        value: &str,
        what: String,
        otherwise: impl FnOnce(String) -> ConfigError,
    ) -> ConfigError {
        match self.place(key, value) {
            Some(place) => ConfigError::Value { place, what },
            None => otherwise(what),
        }
    }

    /// The error of a policy that was written so.
    pub(super) fn of_policy(&self, spec: &Spec, error: &SpecError, otherwise: impl FnOnce(String) -> ConfigError) -> ConfigError {
        let (key, value) = match error {
            SpecError::Language(code) => ("language", code.as_str()),
            SpecError::Brand(_) | SpecError::BrandLikeSafe(_) => ("brand", spec.brand.as_str()),
            SpecError::Empty { key, value, .. } => (*key, value.as_str()),
            SpecError::Host(what, host) => (what.rsplit('.').next().unwrap_or(what), host.as_str()),
            SpecError::Template { language, place, form, .. } => template(spec, language, place, *form),
            _ => return otherwise(error.to_string()),
        };
        self.error(key, value, error.to_string(), otherwise)
    }
}

/// Key and text of a form.
fn template<'s>(spec: &'s Spec, language: &str, place: &str, form: usize) -> (&'static str, &'s str) {
    const KEYS: [(&str, &str, usize); 5] = [
        ("labels.safe", "safe", 0),
        ("labels.unknown", "unknown", 1),
        ("labels.dangerous", "dangerous", 2),
        ("notices.unknown", "notice_unknown", 1),
        ("notices.dangerous", "notice_dangerous", 2),
    ];
    let Some((name, key, at)) = KEYS.iter().find(|(name, ..)| *name == place) else { return ("", "") };
    let language = spec.languages.iter().find(|known| known.code == language);
    let forms = language.map(|known| if name.starts_with("labels") { &known.labels } else { &known.notices });
    let text = forms.and_then(|forms| forms.get(*at)).and_then(|forms| forms.get(form - 1));
    (key, text.map_or("", String::as_str))
}

/// The first place of a key of this name that has this value.
fn find(table: &DeTable<'_>, key: &str, value: &str) -> Option<Range<usize>> {
    table.iter().find_map(|(name, found)| {
        let here = if name.get_ref() == key { has(found, value) } else { None };
        here.or_else(|| below(found.get_ref(), key, value))
    })
}

fn below(found: &DeValue<'_>, key: &str, value: &str) -> Option<Range<usize>> {
    match found {
        DeValue::Table(table) => find(table, key, value),
        DeValue::Array(all) => all.iter().find_map(|one| below(one.get_ref(), key, value)),
        _ => None,
    }
}

fn has(found: &Spanned<DeValue<'_>>, value: &str) -> Option<Range<usize>> {
    match found.get_ref() {
        DeValue::Array(all) => all.iter().find_map(|one| has(one, value)),
        one => (one.as_str() == Some(value)).then(|| found.span()),
    }
}
