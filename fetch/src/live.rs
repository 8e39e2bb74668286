//! Providers of verdicts that are asked at the time: told a host or the beginning of a hash, and nothing else.

use std::future::Future;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::budget::Budgets;
use crate::guard::{self, Bounds, Call, Guard};
use crate::memory::{Memory, Remembered};
use crate::protocol::{Failure, Live, LiveAnswer, Match, Question, Why};

/// Answers that are remembered.
const ANSWERS: usize = 100_000;
/// For how long: at least, where the provider says nothing, and at most.
const LEAST: Duration = Duration::from_secs(30);
const USUAL: Duration = Duration::from_secs(300);
const MOST: Duration = Duration::from_secs(86_400);
/// Whole hashes of one answer, at most.
const MATCHES: usize = 1000;
const BOUNDS: Bounds = Bounds { total: Duration::from_secs(5), idle: Duration::from_secs(3), ..Bounds::STEP };

/// Who holds verdicts and can be asked.
pub trait Provider: Send + Sync {
    /// What it says, and for how long that holds where it says so.
    fn ask(&self, guard: &Guard, question: &Question) -> impl Future<Output = Result<LiveAnswer, Failure>> + Send;
}

/// A provider that is asked by POST: `{"host":"a.example"}` or `{"prefix":"9f86d081"}`. It answers
/// `{"verdict":"dangerous","category":"phishing","ttl_s":600}` or `{"matches":[{"hash":…,"verdict":…}],"ttl_s":…}`.
#[derive(Debug)]
struct HttpJson<'a> {
    url: &'a str,
    bearer: Option<&'a str>,
}

/// As it comes; fields besides are the provider's own.
#[derive(Deserialize)]
struct Said {
    verdict: Option<String>,
    category: Option<String>,
    #[serde(default)]
    matches: Vec<Match>,
    ttl_s: Option<u64>,
}

impl Provider for HttpJson<'_> {
    async fn ask(&self, guard: &Guard, question: &Question) -> Result<LiveAnswer, Failure> {
        let clock = BOUNDS.start();
        let target = guard.target(self.url)?;
        if !target.is_secure() {
            return Err(Failure::new(Why::Scheme, "a provider is asked over https only"));
        }
        let body = match question {
            Question::Host(host) => json!({ "host": host }),
            Question::Prefix(prefix) => json!({ "prefix": prefix }),
        };
        let call =
            Call { method: hyper::Method::POST, json: Some(body.to_string().into_bytes()), ..Call::get("application/json") };
        let reply = guard.call(&target, call.bearer(self.bearer), &clock).await?;
        match reply.status.as_u16() {
            200 => {}
            429 => return Err(Failure::new(Why::Budget, format_args!("{} answers 429", target.host())).after(60)),
            status => return Err(Failure::new(Why::Status, format_args!("{} answers {status}", target.host()))),
        }
        let said: Said = serde_json::from_slice(&reply.body.all().await?)
            .map_err(|error| Failure::new(Why::Unreadable, format_args!("{}: {error}", target.host())))?;
        fits(&said, question).map_err(|what| Failure::new(Why::Unreadable, format_args!("{}: {what}", target.host())))?;
        let ttl = said.ttl_s.map_or(USUAL, Duration::from_secs).clamp(LEAST, MOST);
        Ok(LiveAnswer {
            verdict: said.verdict,
            category: said.category,
            matches: said.matches,
            ttl_s: ttl.as_secs(),
            remembered: false,
        })
    }
}

/// An answer to another question is none.
fn fits(said: &Said, question: &Question) -> Result<(), String> {
    let known = |verdict: &str| matches!(verdict, "safe" | "dangerous" | "unknown");
    match (question, &said.verdict) {
        (Question::Host(_), Some(verdict)) if known(verdict) && said.matches.is_empty() => Ok(()),
        (Question::Host(_), verdict) => Err(format!("verdict {verdict:?} where safe, dangerous or unknown was expected")),
        (Question::Prefix(_), Some(_)) => Err("a verdict where hashes were expected".to_owned()),
        (Question::Prefix(prefix), None) => {
            let odd = said
                .matches
                .iter()
                .find(|hit| !hit.hash.starts_with(prefix) || !is_hex(&hit.hash, 64, 64) || !known(&hit.verdict));
            match odd {
                Some(hit) => Err(format!("hash {:?} with verdict {:?}", hit.hash, hit.verdict)),
                None if said.matches.len() > MATCHES => Err(format!("more than {MATCHES} hashes")),
                None => Ok(()),
            }
        }
    }
}

fn is_hex(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len())
        && text.len().is_multiple_of(2)
        && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Asks providers, within budgets, and remembers what they said.
#[derive(Debug)]
pub struct Providers {
    answers: Memory<LiveAnswer>,
    budgets: Budgets,
}

impl Providers {
    /// So many questions a minute in all.
    pub fn new(per_minute: u32) -> Self {
        Self { answers: Memory::new(ANSWERS), budgets: Budgets::new(per_minute) }
    }

    /// Asks one provider one question, or remembers.
    pub async fn ask(&self, guard: &Guard, live: &Live) -> Result<LiveAnswer, Failure> {
        let question = match &live.question {
            Question::Host(host) => Question::Host(guard::ascii(host)?),
            Question::Prefix(prefix) if is_hex(prefix, 8, 32) => live.question.clone(),
            Question::Prefix(_) => return Err(Failure::new(Why::Request, "prefix: 4 to 16 octets in lower-case hexadecimal")),
        };
        let provider = HttpJson { url: &live.provider, bearer: live.bearer.as_deref() };
        let host = guard.target(&live.provider)?.host().to_owned();
        // Who brings another key may be told something else.
        let bearer = ring::digest::digest(&ring::digest::SHA256, live.bearer.as_deref().unwrap_or_default().as_bytes());
        let key = format!("{} {} {question:?}", crate::feed::hex(bearer.as_ref()), live.provider);
        let find = || async {
            self.budgets.take(&host, live.per_minute.unwrap_or(600).max(1))?;
            match provider.ask(guard, &question).await {
                Ok(answer) => Ok((answer.clone(), Duration::from_secs(answer.ttl_s))),
                Err(failure) => {
                    if let (Why::Budget, Some(seconds)) = (failure.why, failure.retry_after_s) {
                        self.budgets.rest(&host, Duration::from_secs(seconds));
                    }
                    Err(failure)
                }
            }
        };
        let Remembered { value, left, already } = self.answers.get(&key, find).await?;
        Ok(LiveAnswer { ttl_s: left.as_secs(), remembered: already, ..value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fits_its_question_or_is_none() {
        let said = |verdict: Option<&str>, hash: Option<&str>| Said {
            verdict: verdict.map(str::to_owned),
            category: None,
            matches: hash
                .iter()
                .map(|hash| Match { hash: (*hash).to_owned(), verdict: "dangerous".into(), category: None })
                .collect(),
            ttl_s: None,
        };
        let (host, prefix) = (Question::Host("a.example".into()), Question::Prefix("00112233".into()));
        let whole = format!("00112233{}", "a".repeat(56));
        assert!(fits(&said(Some("dangerous"), None), &host).is_ok());
        assert!(fits(&said(None, Some(&whole)), &prefix).is_ok());
        assert!(fits(&said(None, None), &prefix).is_ok(), "no hash begins so");
        assert!(fits(&said(None, None), &host).is_err());
        assert!(fits(&said(Some("trusted"), None), &host).is_err());
        assert!(fits(&said(Some("safe"), Some(&whole)), &host).is_err());
        assert!(fits(&said(Some("safe"), None), &prefix).is_err());
        assert!(fits(&said(None, Some("00112233")), &prefix).is_err());
        assert!(fits(&said(None, Some(&"a".repeat(64))), &prefix).is_err());
    }
}
