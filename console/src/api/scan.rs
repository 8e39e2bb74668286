//! `POST /api/v1/scan`: a short message in; its links, their verdicts, and what is to be delivered out.

use std::borrow::Cow;
use std::fmt::Display;

use control::record::Url;
use dataplane::policy::profiles::{Kind as ProfileKind, Profile, Subscriber};
use dataplane::policy::{Action, SenderKind};
use dataplane::record::{self, action_name};
use dataplane::texts::{Ends, Messages, Texts, segments};
use dataplane::verdict::{Reason, Verdict};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::body::{self, Asked, Text, check};
use super::counters::{Route, Tally};
use super::keys::Key;
use super::problem::{Kind, Problem};
use super::repeats::Known;
use super::world::InForce;
use super::{Answered, Api, with_texts};
use crate::expand::Links;

/// Characters of the longest text: 255 parts of 153 septets.
const TEXT: usize = 39_015;
/// Links that one request is answered about: an object of an answer is a hundred times as long as the shortest link.
pub(super) const LINKS: usize = 20_000;
/// Short messages that a text may take where the caller sets no bound: their number is one octet.
const SEGMENTS: u8 = 255;

/// A short message.
#[derive(Debug, Deserialize, Hash, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScanRequest)]
pub(super) struct Request<'a> {
    /// The text, whole.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 39015, examples("Your parcel: http://evil.example/x"))]
    text: Text<'a>,
    /// Who it says it is from: a name, or digits, `+` in front of a number in international form.
    #[schema(value_type = Option<String>, max_length = 64, examples("BANK"))]
    sender: Option<Text<'a>>,
    /// Whom it is for: digits in international form. Finds the recipient's profile.
    #[schema(value_type = Option<String>, pattern = r"^\+?[0-9]{1,20}$", examples("+33600000001"))]
    recipient: Option<Text<'a>>,
    /// IMSI of the recipient, where the caller knows it: finds the profile first, and rules on IMSIs hold.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{1,15}$")]
    imsi: Option<Text<'a>>,
    /// The caller's name for this message. The same name with the same content gets the same answer again.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    id: Option<Text<'a>>,
    /// In place of the recipient's own profile.
    profile: Option<ProfileName>,
    /// Code of the language of labels and notices, in place of the recipient's own: `fr`, or `fr-CA` for `fr` where the policy has no other. One
    /// that the policy has not is as none.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 35, examples("fr"))]
    language: Option<Text<'a>>,
    /// Short messages that the text to deliver may take; never fewer than the text takes as it is.
    #[serde(default, deserialize_with = "body::octet")]
    #[schema(minimum = 1, maximum = 255)]
    max_segments: Option<u8>,
}

/// A profile.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Profile)]
pub(super) enum ProfileName {
    Off,
    Observe,
    Warn,
    Quiet,
    Strict,
}

impl From<ProfileName> for ProfileKind {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Off => Self::Off,
            ProfileName::Observe => Self::Observe,
            ProfileName::Warn => Self::Warn,
            ProfileName::Quiet => Self::Quiet,
            ProfileName::Strict => Self::Strict,
        }
    }
}

/// What is to be done with it.
#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a str>,
    urls: Vec<Url<&'a str>>,
    verdict: &'static str,
    action: Cow<'static, str>,
    #[serde(serialize_with = "shown")]
    why: dataplane::policy::Explanation<'a>,
    deliver: Option<&'a str>,
    notice: Option<&'a str>,
    segments_before: usize,
    segments_after: usize,
}

fn shown<S: Serializer>(what: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(what)
}

/// A sender without its `+`, and what kind of address it is.
pub(super) fn sender<'s>(sender: Option<&'s Text<'_>>) -> (&'s str, SenderKind) {
    SenderKind::of(sender.map_or("", Text::as_str))
}

/// Checks a sender's field, and whether the key may ask about it.
pub(super) fn check_sender(pointer: impl Fn(&str) -> String, text: Option<&Text<'_>>, key: &Key) -> Result<(), Problem> {
    check(&pointer, "sender", text, 64, ("", |_| true))?;
    if key.may_ask_about(text.map_or("", Text::as_str)) {
        return Ok(());
    }
    Err(Problem { field: Some(pointer("sender")), ..Problem::new(Kind::Forbidden, "the key may not ask about this sender") })
}

pub(super) fn check_id(pointer: impl Fn(&str) -> String, id: Option<&Text<'_>>) -> Result<(), Problem> {
    check(pointer, "id", id, 128, ("an id has at least one character", |id| !id.is_empty()))
}

pub(super) fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (1..=20).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit())
}

impl Request<'_> {
    fn check(&self, pointer: impl Fn(&str) -> String, key: &Key) -> Result<(), Problem> {
        let number = ("1 to 20 digits, with or without + in front", is_number as fn(&str) -> bool);
        let imsi: (_, fn(&str) -> bool) =
            ("1 to 15 digits", |text| (1..=15).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()));
        check(&pointer, "text", Some(&self.text), TEXT, ("", |_| true))?;
        check_sender(&pointer, self.sender.as_ref(), key)?;
        check(&pointer, "recipient", self.recipient.as_ref(), 21, number)?;
        check(&pointer, "imsi", self.imsi.as_ref(), 15, imsi)?;
        check_id(&pointer, self.id.as_ref())?;
        check(&pointer, "language", self.language.as_ref(), 35, ("a code has at least one character", |code| !code.is_empty()))?;
        Ok(())
    }

    /// Judges, decides, and appends the answer. How many links it has.
    fn answer(&self, (state, short): (&InForce, &Links), texts: &mut Texts, tally: &mut Tally, out: &mut Vec<u8>) -> usize {
        let InForce { world, observe } = state;
        let (text, imsi) = (self.text.as_str(), self.imsi.as_ref().map(Text::as_str));
        let (sender, sender_kind) = sender(self.sender.as_ref());
        let number = self.recipient.as_ref().map(|number| Subscriber::Msisdn(number.as_str().trim_start_matches('+')));
        let found = || world.policy.profile(imsi.map(Subscriber::Imsi).or(number));
        let profile = self.profile.map_or_else(found, |name| Some(Profile { kind: name.into(), language: None }));
        let code = self.language.as_ref().map(Text::as_str);
        let language = code.and_then(|code| {
            let short = code.split('-').next().unwrap_or_default();
            world.policy.language(code).or_else(|| world.policy.language(short))
        });
        let ends = Ends { sender, sender_kind, imsi, profile, language };
        let worst = texts.judge(world, text, &ends);
        let before = segments(text).count;
        let mut room = Messages::new(before, self.max_segments.unwrap_or(SEGMENTS).into());
        let mut decision = texts.decide(world, text, &ends, worst, &mut room);
        decision.observe |= *observe && decision.action != Action::Pass;
        let changed = if decision.observe { None } else { texts.changed(text, &decision) };
        let held = !decision.observe && matches!(decision.action, Action::Reject | Action::Notify | Action::Silence);
        let notice = texts.notice(&decision).filter(|_| !decision.observe);
        let after = match (&changed, notice) {
            (Some(text), _) => segments(text).count,
            (None, Some(notice)) => segments(notice).count,
            (None, None) if held => 0,
            (None, None) => before,
        };
        let (observed, action) = action_name(&decision);
        let verdict = decision.verdict.max(worst);
        tally.verdict(verdict);
        tally.action(decision.action, !observed.is_empty());
        texts.urls(text, sender).iter().for_each(|url| offer(short, &url));
        let urls: Vec<_> = texts.urls(text, sender).iter().map(|url| Url::of(&url, text, world)).collect();
        let links = urls.len();
        let answer = Answer {
            id: self.id.as_ref().map(Text::as_str),
            urls,
            verdict: verdict.name(),
            action: if observed.is_empty() { action.into() } else { format!("{observed}{action}").into() },
            why: world.policy.why(&decision),
            deliver: if held { None } else { Some(changed.as_deref().unwrap_or(text)) },
            notice,
            segments_before: before,
            segments_after: after,
        };
        body::write(&answer, out);
        links
    }
}

/// A link of which nothing is said may be a short one.
pub(super) fn offer(links: &Links, url: &record::Url<'_>) {
    if url.verdict == Verdict::Unknown && matches!(url.reason, Reason::Platform | Reason::NoEntry) {
        links.offer(url.url);
    }
}

/// There are more links than [`LINKS`]; of an object.
pub(super) fn too_many() -> Problem {
    let detail = format!("more than {LINKS} links in one request");
    Problem { field: Some("text".to_owned()), ..Problem::new(Kind::TooLarge, detail) }
}

/// Answers one request.
pub(super) fn answer(api: &Api, key: &Key, octets: &[u8]) -> Result<Answered, Problem> {
    let asked: Asked<Request<'_>> = body::parse(octets)?;
    let objects = asked.all();
    objects.iter().enumerate().try_for_each(|(number, one)| one.check(|field| asked.pointer(number, field), key))?;
    key.take(objects.len())?;
    let (state, mut tally, mut links, mut kept) = (api.live.now(), Tally::default(), 0, Vec::new());
    let body = with_texts(|texts| {
        asked.answer(|number, one, out| {
            let answer = |out: &mut Vec<u8>, tally: &mut Tally| {
                links += one.answer((&state, api.desk.links()), texts, tally, out);
                if links <= LINKS {
                    return Ok(());
                }
                Err(too_many())
            };
            let id = one.id.as_ref().map(Text::as_str);
            let said = api.once(Route::Scan, key, id, one, (out, &mut tally), answer);
            kept.extend(said.as_ref().is_ok_and(|new| *new).then_some(number));
            said.map(drop).map_err(|problem| problem.of(|field| asked.pointer(number, field)))
        })
    });
    let body = body.inspect_err(|_| api.undo(Route::Scan, key, kept.iter().filter_map(|at| objects.get(*at)?.id.as_ref())))?;
    Ok(Answered { body, objects: objects.len(), tally })
}

impl Api {
    /// A request is done whole or not at all: of one that is refused no answer is kept.
    pub(super) fn undo<'i>(&self, route: Route, key: &Key, ids: impl Iterator<Item = &'i Text<'i>>) {
        ids.for_each(|id| self.repeats.forget((key.id, route.name(), id.as_str())));
    }

    /// Answers one object, or gives the answer that it got before under its id. Returns whether an answer is kept under it that was not. A
    /// problem's field is the object's own.
    pub(super) fn once(
        &self,
        route: Route,
        key: &Key,
        id: Option<&str>,
        one: &impl std::hash::Hash,
        (out, tally): (&mut Vec<u8>, &mut Tally),
        answer: impl FnOnce(&mut Vec<u8>, &mut Tally) -> Result<(), Problem>,
    ) -> Result<bool, Problem> {
        let Some(id) = id else { return answer(out, tally).map(|()| false) };
        let (print, name) = (self.repeats.print(one), (key.id, route.name(), id));
        match self.repeats.find(name, print, out) {
            Known::Same => {
                tally.repeats += 1;
                Ok(false)
            }
            Known::Other => {
                let problem = Problem::new(Kind::Conflict, "asked before with another content");
                Err(Problem { field: Some("id".to_owned()), ..problem })
            }
            Known::New => {
                let from = out.len();
                answer(out, tally)?;
                self.repeats.keep(name, print, out.get(from..).unwrap_or_default());
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_or_a_name_by_what_it_is_written_with() {
        let of = |text: &str| {
            let text = Text(text.to_owned().into());
            let (written, kind) = sender(Some(&text));
            (written.to_owned(), kind)
        };
        assert_eq!(of("+33600000001"), ("33600000001".to_owned(), SenderKind::International));
        assert_eq!(of("38080"), ("38080".to_owned(), SenderKind::Other));
        assert_eq!(of("*123#"), ("*123#".to_owned(), SenderKind::Other));
        assert_eq!(of("BANK"), ("BANK".to_owned(), SenderKind::Alphanumeric));
        assert_eq!(of("+BANK"), ("+BANK".to_owned(), SenderKind::Alphanumeric));
        assert_eq!(of(""), (String::new(), SenderKind::Other));
        assert_eq!(sender(None).1, SenderKind::Other);
    }
}
