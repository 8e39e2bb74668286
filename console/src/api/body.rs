//! Requests and answers: one object or an array of them, and which field is at fault.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Response, header};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::problem::{Kind, Problem};

/// Objects in one request.
pub const MOST: usize = 1_000;
/// Octets of one request.
pub const LONGEST: usize = 4 << 20;
/// A body that has not come by then does not.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was asked.
pub(super) enum Asked<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Asked<T> {
    pub(super) fn all(&self) -> &[T] {
        match self {
            Self::One(one) => core::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// The JSON pointer to a field of the object of this number.
    pub(super) fn pointer(&self, number: usize, field: &str) -> String {
        match self {
            Self::One(_) => format!("/{field}"),
            Self::Many(_) => format!("/{number}/{field}"),
        }
    }

    /// An answer in the shape of the question. Each object is written by `write`, behind what stands there.
    ///
    /// # Errors
    /// The first of `write`'s.
    pub(super) fn answer(
        &self,
        mut write: impl FnMut(usize, &T, &mut Vec<u8>) -> Result<(), Problem>,
    ) -> Result<Vec<u8>, Problem> {
        let many = matches!(self, Self::Many(_));
        let mut out = Vec::with_capacity(self.all().len() * 512 + 2);
        out.extend(many.then_some(b'['));
        for (number, one) in self.all().iter().enumerate() {
            out.extend((number > 0).then_some(b','));
            write(number, one, &mut out)?;
        }
        out.extend(many.then_some(b']'));
        Ok(out)
    }
}

/// The whole body.
///
/// # Errors
/// It is no JSON by its header, too long, or does not come.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Kind::MediaType, "Content-Type: application/json is missing"));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(Kind::MediaType, "Content-Encoding: bodies are taken as they are, not packed"));
    }
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, LONGEST)).await;
    let read = read.map_err(|_| Problem::new(Kind::TimeOut, format!("the body took longer than {} s", PATIENCE.as_secs())))?;
    read.map_err(|error| match std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit")) {
        true => Problem::new(Kind::TooLarge, format!("a request has at most {LONGEST} octets")),
        false => Problem::new(Kind::Syntax, "the body broke off"),
    })
}

/// Reads one object or an array of them.
///
/// # Errors
/// What is wrong and where.
pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Asked<T>, Problem> {
    let many = body.iter().find(|octet| !octet.is_ascii_whitespace()) == Some(&b'[');
    let text = simdutf8::basic::from_utf8(body).map_err(|_| Problem::new(Kind::Syntax, "the body is not UTF-8"))?;
    let read = if many {
        serde_json::from_str::<Bounded<T>>(text).map(|Bounded(many)| Asked::Many(many))
    } else {
        serde_json::from_str(text).map(Asked::One)
    };
    // Where it went wrong is looked for only when it did.
    read.map_err(|error| if many { fault::<Bounded<T>>(body, &error) } else { fault::<T>(body, &error) })
}

fn fault<'a, T: Deserialize<'a>>(body: &'a [u8], error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    if error.classify() != Category::Data {
        return Problem::new(Kind::Syntax, said);
    }
    let detail = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what).to_owned();
    if detail == TOO_MANY {
        return Problem::new(Kind::TooLarge, detail);
    }
    let again = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(body));
    let path = again.err().map(|error| pointer(error.path())).unwrap_or_default();
    // The program's own name of the form is nobody's matter.
    let detail = match detail.split_once(", expected struct ") {
        Some((what, _)) if path.is_empty() => format!("{what}, expected an object or an array of them"),
        Some((what, _)) => format!("{what}, expected an object"),
        None => detail,
    };
    // What is missing or unknown is not on the path yet.
    let named = ["missing field `", "unknown field `", "duplicate field `"];
    let named = named.iter().find_map(|head| detail.strip_prefix(head)?.split('`').next()).map(escaped);
    let field = match named.filter(|name| !path.ends_with(&format!("/{name}"))) {
        Some(name) => format!("{path}/{name}"),
        None => path,
    };
    Problem::field(field, detail)
}

/// A path as JSON pointer, RFC 6901.
fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |mut out, segment| {
        match segment {
            Segment::Seq { index } => out += &format!("/{index}"),
            Segment::Map { key } => out += &format!("/{}", escaped(key)),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        out
    })
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

const TOO_MANY: &str = "a request has at most 1000 objects";

/// An array that ends the reading when it is too long.
struct Bounded<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Bounded<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or an array of them")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Bounded<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    if all.len() == MOST {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    all.push(item);
                }
                Ok(Bounded(all))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

/// A string of the request, lent where it stands there without escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Strings;
        impl<'de> Visitor<'de> for Strings {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Strings)
    }
}

/// A number from 1 to 255, or null. `107.0` is one too: JSON has no other numbers, and JSON Schema calls it an integer.
pub(super) fn octet<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let number = Option::<f64>::deserialize(deserializer)?;
    let octet = |number: f64| (1..=u8::MAX).find(|octet| f64::from(*octet) == number);
    number.map(|number| octet(number).ok_or_else(|| D::Error::custom("a whole number from 1 to 255"))).transpose()
}

/// What a field is to be like, and whether it is: characters at most, and a rule in words.
pub(super) fn check(
    pointer: impl Fn(&str) -> String,
    name: &str,
    text: Option<&Text<'_>>,
    most: usize,
    rule: (&str, fn(&str) -> bool),
) -> Result<(), Problem> {
    let Some(text) = text.map(Text::as_str) else { return Ok(()) };
    if text.len() > most && text.chars().count() > most {
        return Err(Problem::field(pointer(name), format!("longer than {most} characters")));
    }
    if rule.1(text) { Ok(()) } else { Err(Problem::field(pointer(name), rule.0)) }
}

/// Writes one object.
pub(super) fn write(object: &impl Serialize, out: &mut Vec<u8>) {
    // Neither a Vec nor these types can fail: no map has keys that are not strings.
    let _ = serde_json::to_writer(out, object);
}

/// An answer of JSON.
pub(super) fn json(body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct One<'a> {
        #[serde(borrow)]
        text: Text<'a>,
        number: Option<u8>,
    }

    fn fault_of(body: &str) -> (Kind, String, Option<String>) {
        let Err(Problem { kind, detail, field, .. }) = parse::<One<'_>>(body.as_bytes()) else { panic!("{body}") };
        (kind, detail, field)
    }

    #[test]
    fn the_field_at_fault_is_named_where_it_stands() {
        for (body, kind, pointer) in [
            ("{", Kind::Syntax, None),
            ("", Kind::Syntax, None),
            (r#"{"text":"a"}x"#, Kind::Syntax, None),
            (r#"{"text":"\ud800"}"#, Kind::Syntax, None),
            ("1", Kind::Field, Some("")),
            ("{}", Kind::Field, Some("/text")),
            (r#"{"text":1}"#, Kind::Field, Some("/text")),
            (r#"{"text":"a","number":256}"#, Kind::Field, Some("/number")),
            (r#"{"text":"a","text":"b"}"#, Kind::Field, Some("/text")),
            (r#"{"text":"a","a/b~":1}"#, Kind::Field, Some("/a~1b~0")),
            (r#"[{"text":"a"},{"text":null}]"#, Kind::Field, Some("/1/text")),
            (r#"[{"text":"a"},{}]"#, Kind::Field, Some("/1/text")),
            (r#"[{"text":"a"},[]]"#, Kind::Field, Some("/1")),
        ] {
            let (at, detail, field) = fault_of(body);
            assert_eq!((at, field.as_deref()), (kind, pointer), "{body}: {detail}");
            assert!(!detail.contains(" at line ") || kind == Kind::Syntax, "{detail}");
            assert!(!detail.contains("struct"), "{detail}");
        }
    }

    #[test]
    fn a_thousand_objects_are_read_and_one_more_is_too_much() {
        let body = |n: usize| format!("[{}]", vec![r#"{"text":"a"}"#; n].join(","));
        assert_eq!(parse::<One<'_>>(body(MOST).as_bytes()).ok().unwrap().all().len(), MOST);
        assert_eq!(fault_of(&body(MOST + 1)).0, Kind::TooLarge);
        assert!(matches!(parse::<One<'_>>(b"{\"text\":\"\xff\"}"), Err(Problem { kind: Kind::Syntax, .. })));
        assert!(TOO_MANY.contains(&MOST.to_string()));
        assert!(parse::<One<'_>>(b" \n []").ok().unwrap().all().is_empty());
    }
}
