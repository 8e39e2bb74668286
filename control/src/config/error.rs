//! What is wrong with a configuration: which file, line and column, and what would be right.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("{}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A line that is not TOML, a key that is none of ours, a value that is not what the key takes.
    #[error("{place}: {what}")]
    Value {
        /// Where.
        place: Place,
        /// What is wrong and what would be right.
        what: String,
    },
    /// Each value is right by itself; together they are not.
    #[error("{}: {what}", path.display())]
    Meaning {
        /// The file that was asked for.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// In the environment.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl ConfigError {
    /// An error of the TOML reader about a file's text.
    pub(super) fn in_file(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let (line, column) = position(text, error.span().unwrap_or(0..0));
        Self::Value { place: Place::File { path: path.to_owned(), line, column }, what: with_nearest(error.message()) }
    }

    /// An error about a variable.
    pub(super) fn in_variable(name: &str, message: &str) -> Self {
        Self::Value { place: Place::Variable(name.to_owned()), what: with_nearest(message) }
    }
}

pub(super) fn position(text: &str, span: Range<usize>) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).map_or(0, |line| line.chars().count()) + 1)
}

/// Adds the nearest of the names that a message lists to the one it complains of: "unknown field `presset`, expected one of `preset`, …".
fn with_nearest(message: &str) -> String {
    let mut names = message.split('`').skip(1).step_by(2);
    let message = message.replace("unknown field", "unknown key").replace("unknown variant", "unknown value");
    let Some(wrong) = names.next() else { return message };
    let nearest = names.map(|name| (distance(wrong, name), name)).min();
    match nearest {
        Some((far, name)) if far <= 1 + wrong.chars().count() / 3 => format!("{message}. Did you mean `{name}`?"),
        _ => message,
    }
}

/// Letters to change, add, drop or swap with their neighbour to get from one name to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_when_it_is_near() {
        assert_eq!((distance("preset", "presset"), distance("brnad", "brand"), distance("", "abc")), (1, 1, 3));
        assert!(
            with_nearest("unknown field `langauge`, expected one of `brand`, `language`").ends_with("Did you mean `language`?")
        );
        assert!(!with_nearest("unknown field `colour`, expected one of `brand`, `language`").contains("Did you mean"));
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        assert_eq!(position("a\nbé x", 6..7), (2, 4));
        assert_eq!(position("", 0..0), (1, 1));
    }
}
