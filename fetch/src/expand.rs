//! Where a short link leads, asked from platform to platform only. The first host that is none is neither fetched nor resolved.

mod page;
mod platforms;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hyper::header::{HeaderName, REFRESH, RETRY_AFTER};
use ring::rand::{SecureRandom as _, SystemRandom};
use url::Url;

use crate::budget::Budgets;
use crate::guard::{self, Bounds, Call, Guard, Reply, Target};
use crate::memory::{Memory, Remembered};
use crate::protocol::{self, Expand, Expanded, Failure, Hop, How, Limits, Method, Platform, Platforms, PlatformsSet, Why};
use platforms::Set;

/// Platforms on one way, at most.
const HOPS: usize = 5;
/// Steps that are remembered.
const STEPS: usize = 100_000;
const DAY: Duration = Duration::from_secs(86_400);
/// What failed is asked again after so long.
const FAILED: Duration = Duration::from_secs(300);
/// The longest rest that a platform may ask for.
const REST: Duration = Duration::from_secs(3600);

/// Follows short links.
#[derive(Debug)]
pub struct Expander {
    set: RwLock<Option<Arc<Set>>>,
    steps: Memory<Step>,
    budgets: Budgets,
    jitter: Duration,
}

/// One step from a platform, as it is remembered.
#[derive(Clone, Debug)]
struct Step {
    status: Option<u16>,
    to: Result<Url, Failure>,
}

impl Expander {
    /// So many fetches a minute in all, each after a random time of up to `jitter`.
    pub fn new(per_minute: u32, jitter: Duration) -> Self {
        Self { set: RwLock::new(None), steps: Memory::new(STEPS), budgets: Budgets::new(per_minute), jitter }
    }

    /// Puts a set of platforms in force, whole.
    pub fn set(&self, platforms: Platforms) -> Result<PlatformsSet, Failure> {
        let set = Set::new(platforms)?;
        let described = set.described();
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(set));
        Ok(described)
    }

    /// The version of the set in force.
    pub fn version(&self) -> Option<String> {
        self.set.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|set| set.version.clone())
    }

    fn in_force(&self, version: Option<&str>) -> Result<Arc<Set>, Failure> {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner).clone();
        match (set, version) {
            (Some(set), Some(version)) if set.version != version => {
                Err(Failure::new(Why::Platforms, format_args!("the set of platforms is {:?}, not {version:?}", set.version)))
            }
            (Some(set), _) => Ok(set),
            (None, _) => Err(Failure::new(Why::Platforms, "no set of platforms was given since the fetcher was started")),
        }
    }

    /// Follows one link.
    pub async fn expand(&self, guard: &Guard, ask: &Expand) -> Result<Expanded, Failure> {
        let set = self.in_force(ask.platforms.as_deref())?;
        let mut url = guard::parse(&ask.url)?;
        if platform(&set, &url).is_none() {
            return Err(Failure::new(Why::NoRecipe, "the link is on no platform: it is not fetched"));
        }
        let mut way = Expanded { hops: Vec::new(), target: None, stopped: None, editable: false, ttl_s: 7 * DAY.as_secs() };
        loop {
            let Some(platform) = platform(&set, &url) else {
                way.target = Some(target(url));
                return Ok(way);
            };
            match self.hop(guard, platform, url, ask.limits, &mut way).await {
                Ok(next) => url = next,
                Err(failure) => {
                    // The way so far is an answer too, but for what only asks to come back later.
                    way.ttl_s = way.ttl_s.min(failure.retry_after_s.unwrap_or(FAILED.as_secs()));
                    if way.hops.iter().all(|hop| hop.status.is_none()) && failure.why == Why::Budget {
                        return Err(failure);
                    }
                    way.stopped = Some(failure);
                    return Ok(way);
                }
            }
        }
    }

    /// From one platform to wherever it leads.
    async fn hop(
        &self,
        guard: &Guard,
        platform: &Platform,
        mut url: Url,
        limits: Limits,
        way: &mut Expanded,
    ) -> Result<Url, Failure> {
        if way.hops.len() == HOPS {
            return Err(Failure::new(Why::Hops, format_args!("more than {HOPS} platforms on the way")));
        }
        bare(&mut url);
        let target = guard.target_of(url)?;
        if way.hops.iter().any(|hop| hop.url == target.url().as_str()) {
            return Err(Failure::new(Why::Loop, format_args!("back at {}", target.host())));
        }
        let editable = platform.editable;
        way.editable |= editable;
        way.hops.push(Hop {
            url: target.url().to_string(),
            platform: platform.host.clone(),
            status: None,
            editable,
            remembered: false,
        });
        let Some(how) = platform.how else {
            return Err(Failure::new(
                Why::NoRecipe,
                format_args!("{} is a platform without a recipe: it is not fetched", platform.host),
            ));
        };
        let find = || self.step(guard, platform, how, &target, limits);
        let Remembered { value: step, left, already } = self.steps.get(target.url().as_str(), find).await?;
        way.ttl_s = way.ttl_s.min(left.as_secs().max(1));
        if let Some(hop) = way.hops.last_mut() {
            (hop.status, hop.remembered) = (step.status, already);
        }
        step.to
    }

    /// Asks a platform once, within its budget. What comes of it is remembered, what the budget refuses is not.
    async fn step(
        &self,
        guard: &Guard,
        platform: &Platform,
        how: How,
        target: &Target,
        limits: Limits,
    ) -> Result<(Step, Duration), Failure> {
        self.budgets.take(&platform.host, platform.per_minute.unwrap_or(30))?;
        tokio::time::sleep(self.jitter.mul_f64(random())).await;
        let clock = Bounds::STEP.at_most(limits).start();
        let method = match platform.method {
            Method::Get => hyper::Method::GET,
            Method::Head => hyper::Method::HEAD,
        };
        let reply = match guard.call(target, Call { method, ..Call::get("text/html,*/*;q=0.5") }, &clock).await {
            Ok(reply) => reply,
            Err(failure) => return Ok((Step { status: None, to: Err(failure) }, FAILED)),
        };
        let status = reply.status.as_u16();
        if matches!(status, 429 | 503) {
            let rest = reply.field(&RETRY_AFTER).and_then(rest).unwrap_or(Duration::from_secs(60)).min(REST);
            self.budgets.refused(&platform.host, rest);
            let failure = Failure::new(Why::Budget, format_args!("{} answers {status}", platform.host));
            // The link has the rest that was asked for about it.
            return Ok((Step { status: Some(status), to: Err(failure.after(rest.as_secs())) }, rest));
        }
        self.budgets.answered(&platform.host);
        let to = leads(reply, how, target).await;
        let time = match &to {
            Ok(_) => platform.ttl_s.map_or(DAY, Duration::from_secs).min(7 * DAY),
            Err(_) => FAILED,
        };
        Ok((Step { status: Some(status), to }, time))
    }
}

/// How long `Retry-After` asks to wait (RFC 9110 §10.2.3): seconds, or until a date.
fn rest(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    // One that is past asks for nothing more.
    Some(Duration::try_from(until.duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

/// Where an answer leads, by the recipe.
async fn leads(reply: Reply, how: How, target: &Target) -> Result<Url, Failure> {
    let status = reply.status.as_u16();
    let field = |name: &HeaderName| reply.field(name).and_then(page::declared);
    let to = match (reply.location(), how) {
        (Some(location), _) => Some(location),
        (None, How::MetaRefresh) if status == 200 => match field(&REFRESH) {
            Some(to) => Some(to),
            None => page::refresh(&reply.body.head(page::PAGE_OCTETS).await?),
        },
        (None, _) => None,
    };
    let host = target.host();
    match (to, status) {
        (Some(to), _) => {
            let to = target.url().join(to.trim());
            to.map_err(|error| Failure::new(Why::Redirect, format_args!("{host} leads to what is not a URL: {error}")))
        }
        (None, 404 | 410) => Err(Failure::new(Why::Absent, format_args!("{host} answers {status}: there is no such link"))),
        (None, 200..=399) => {
            Err(Failure::new(Why::NoTarget, format_args!("{host} answers {status} without saying where the link leads")))
        }
        (None, _) => Err(Failure::new(Why::Status, format_args!("{host} answers {status}"))),
    }
}

fn platform<'a>(set: &'a Set, url: &Url) -> Option<&'a Platform> {
    set.of(url.domain().filter(|_| matches!(url.scheme(), "http" | "https"))?)
}

/// Takes user information out: a browser would go to the host behind it.
fn bare(url: &mut Url) -> bool {
    let had = !url.username().is_empty() || url.password().is_some();
    // A URL that cannot have any does not have any.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    had
}

fn target(mut url: Url) -> protocol::Target {
    let user_info = bare(&mut url);
    let host = url.host_str().filter(|host| !host.is_empty()).map(|host| host.strip_suffix('.').unwrap_or(host).to_owned());
    protocol::Target { url: url.into(), host, user_info }
}

/// Between 0 and 1.
fn random() -> f64 {
    let mut octets = [0; 4];
    // Without chance there is no jitter, and nothing else is lost.
    let _ = SystemRandom::new().fill(&mut octets);
    f64::from(u32::from_ne_bytes(octets)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_asked_for_in_seconds_or_until_a_date() {
        assert_eq!(rest(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(rest("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let year = rest("Fri, 31 Dec 2094 23:59:59 GMT").unwrap();
        assert!(year > Duration::from_secs(365 * 86_400), "{year:?}");
        assert_eq!((rest("soon"), rest("-1")), (None, None));
    }
}
