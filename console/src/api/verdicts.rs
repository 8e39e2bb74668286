//! `POST /api/v1/verdicts`: a URL in, what it is worth out.

use control::record::Url;
use dataplane::verdict::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{self, Asked, Text, check};
use super::counters::{Route, Tally};
use super::keys::Key;
use super::problem::Problem;
use super::scan::{check_id, check_sender, offer, sender};
use super::{Answered, Api, with_texts};

/// Characters of the longest URL.
const URL: usize = 8_192;

/// A URL.
#[derive(Debug, Deserialize, Hash, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerdictRequest)]
pub(super) struct Request<'a> {
    /// The URL as it stands in the message; without a scheme it is read as a handset reads it.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 8192, examples("http://evil.example/x"))]
    url: Text<'a>,
    /// Who sends it: for what is safe for some senders only, and for protected senders.
    #[schema(value_type = Option<String>, max_length = 64)]
    sender: Option<Text<'a>>,
    /// The caller's name for this question. The same name with the same content gets the same answer again.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    id: Option<Text<'a>>,
}

/// What is answered about a string that no handset could open: it is no fault of the objects beside it.
#[derive(Serialize, ToSchema)]
#[schema(as = NoLink)]
pub(super) struct NoLink<'a> {
    /// As asked, without white space around it.
    text: &'a str,
    /// Null.
    url: (),
    /// `none`.
    #[schema(pattern = "^none$")]
    verdict: &'static str,
    /// Why it is no URL.
    why: String,
}

/// Answers one request.
pub(super) fn answer(api: &Api, key: &Key, octets: &[u8]) -> Result<Answered, Problem> {
    let asked: Asked<Request<'_>> = body::parse(octets)?;
    let objects = asked.all();
    objects.iter().enumerate().try_for_each(|(number, one)| {
        let pointer = |field: &str| asked.pointer(number, field);
        check(pointer, "url", Some(&one.url), URL, ("", |_| true))?;
        check_sender(pointer, one.sender.as_ref(), key)?;
        check_id(pointer, one.id.as_ref())
    })?;
    key.take(objects.len())?;
    let (state, mut tally, mut kept) = (api.live.now(), Tally::default(), Vec::new());
    let world = &state.world;
    let body = with_texts(|texts| {
        asked.answer(|number, one, out| {
            let answer = |out: &mut Vec<u8>, tally: &mut Tally| {
                let (url, (sender, _)) = (one.url.as_str().trim(), sender(one.sender.as_ref()));
                let worst = match texts.judge_url(world, url, sender) {
                    Ok(worst) => worst,
                    Err(why) => {
                        tally.verdict(Verdict::None);
                        let why = why.to_string();
                        body::write(&NoLink { text: url, url: (), verdict: Verdict::None.name(), why }, out);
                        return Ok(());
                    }
                };
                // Of several readings the worst, and of equals the first: the longest stands first.
                let mut readings = texts.urls(url, sender).iter();
                let found = readings.clone().find(|found| found.verdict == worst && worst != Verdict::None);
                if let Some(found) = found.or_else(|| readings.next()) {
                    tally.verdict(found.verdict);
                    offer(api.desk.links(), &found);
                    body::write(&Url::<&str>::of(&found, url, world), out);
                }
                Ok(())
            };
            let id = one.id.as_ref().map(Text::as_str);
            let said = api.once(Route::Verdicts, key, id, one, (out, &mut tally), answer);
            kept.extend(said.as_ref().is_ok_and(|new| *new).then_some(number));
            said.map(drop).map_err(|problem| problem.of(|field| asked.pointer(number, field)))
        })
    });
    let body =
        body.inspect_err(|_| api.undo(Route::Verdicts, key, kept.iter().filter_map(|at| objects.get(*at)?.id.as_ref())))?;
    Ok(Answered { body, objects: objects.len(), tally })
}
