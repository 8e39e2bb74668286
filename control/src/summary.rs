//! What a replay saw, for people: counts, the links that are dangerous or unknown, what would be delivered instead, what was not read.
//!
//! Its memory is bounded whatever the capture holds: so many hosts, so many examples each; what is beyond is counted.

mod print;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use dataplane::counters::Counters;
use dataplane::join::table::{Counts, Secret};
use dataplane::policy::Direction;
use dataplane::record::{Sms, action_name};
use dataplane::verdict::{Confidence, Reason, Verdict};
use dataplane::world::World;
use protocols::map::{Origination, Tbcd};
use protocols::{Error, Layer, Why};

use crate::explains::{Explains, Low, random};
use crate::record::Redactor;

/// Hosts kept of each verdict.
const MAX_HOSTS: usize = 4096;

/// Messages kept of each dangerous host, and of each unknown one.
const MAX_EXAMPLES: [usize; 2] = [2, 1];

/// See the module.
#[derive(Debug, Default)]
pub struct Summary {
    /// Captures that were asked for.
    pub captures: usize,
    /// First and last capture time.
    pub times: Option<(u64, u64)>,
    /// Frames of a link type that is not read, by its number.
    pub foreign: BTreeMap<u32, u64>,
    /// Messages that seemed to be seen before.
    pub repeats: u64,
    /// Messages without a link that are unknown for what imitates a label in them.
    imitations: u64,
    /// Keys the hashes that hosts are found by.
    secret: Secret,
    dangerous: Hosts,
    unknown: Hosts,
    not_understood: BTreeMap<(Layer, &'static str), u64>,
}

/// Hosts of one verdict.
#[derive(Debug, Default)]
struct Hosts {
    by_name: HashMap<u128, Host, BuildHasherDefault<Low>>,
    messages: u64,
    /// Messages whose hosts had no more room.
    beyond: u64,
}

/// One host and the messages it came in.
#[derive(Debug)]
struct Host {
    name: String,
    /// Place in the order of first appearance: what breaks ties.
    nth: usize,
    messages: u64,
    why: String,
    examples: Vec<Example>,
}

/// One message as it is listed.
#[derive(Clone, Debug)]
struct Example {
    file: std::sync::Arc<str>,
    frame: u64,
    chunk: u32,
    direction: Direction,
    from: String,
    to: String,
    /// Text of this part; `None` when redacted or not text.
    was: Option<String>,
    now: Option<String>,
    part: Option<(u8, u8)>,
    action: String,
    why: String,
}

/// What the summary is told about a message beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The capture.
    pub file: &'a std::sync::Arc<str>,
    /// Has the MSISDN from an SRI-SM.
    pub explains: &'a Explains,
    /// What hides persons, if asked for.
    pub redactor: Option<&'a Redactor>,
}

impl Summary {
    /// Nothing seen yet, of so many captures.
    pub fn new(captures: usize) -> Self {
        Self { captures, secret: Secret(random()), ..Self::default() }
    }

    /// Takes up the time of a frame.
    pub fn time(&mut self, time_ns: u64) {
        let (first, last) = self.times.get_or_insert((time_ns, time_ns));
        *first = time_ns.min(*first);
        *last = time_ns.max(*last);
    }

    /// Takes up one message with links or the likeness of a label, not a repetition. How many there are in all, the counters say.
    pub fn sms(&mut self, sms: &Sms<'_>, world: &World, context: Context<'_>) {
        self.imitations += u64::from(sms.urls.is_empty() && sms.verdict == Verdict::Unknown);
        let [of_dangerous, of_unknown] = MAX_EXAMPLES;
        let key = |name: &str| self.secret.id(&[name.as_bytes()], &[]);
        let lists = [(Verdict::Dangerous, &mut self.dangerous, of_dangerous), (Verdict::Unknown, &mut self.unknown, of_unknown)];
        for (verdict, hosts, examples) in lists {
            let acts = |url: &dataplane::record::Url<'_>| {
                url.verdict == verdict
                    && match url.confidence {
                        Confidence::High => true,
                        Confidence::Low => verdict == Verdict::Dangerous,
                        Confidence::Binding => false,
                    }
            };
            let mut before = 0;
            for url in sms.urls.iter().filter(acts) {
                // Each host once a message.
                if !sms.urls.iter().filter(acts).take(before).any(|other| name(&other) == name(&url)) {
                    let name = name(&url);
                    hosts.add(key(name), name, examples, || reason(&url, world), || Example::of(sms, world, context));
                }
                before += 1;
            }
            hosts.messages += u64::from(before > 0);
        }
    }

    /// Takes up something that was not understood.
    pub fn unscanned(&mut self, why: Error) {
        *self.not_understood.entry((why.layer, why.why.label())).or_default() += 1;
    }

    /// The page for people.
    pub fn page(&self, end: &End<'_>, paint: crate::terminal::Paint, top: usize) -> String {
        print::page(self, end, paint, top)
    }
}

/// What is known at the end.
#[derive(Debug)]
pub struct End<'a> {
    /// Everything counted.
    pub counters: &'a Counters,
    /// What became of joined things.
    pub joins: &'a [(&'static str, Counts)],
    /// What became of messages.
    pub explains: &'a Explains,
}

impl Hosts {
    fn add(&mut self, key: u128, name: &str, examples: usize, why: impl FnOnce() -> String, example: impl FnOnce() -> Example) {
        let nth = self.by_name.len();
        let host = match self.by_name.get_mut(&key) {
            Some(host) => host,
            None if nth >= MAX_HOSTS => {
                self.beyond += 1;
                return;
            }
            None => {
                let name = name.to_owned();
                self.by_name.entry(key).or_insert(Host { name, nth, messages: 0, why: why(), examples: Vec::new() })
            }
        };
        host.messages += 1;
        if host.examples.len() < examples {
            host.examples.push(example());
        }
    }

    /// The hosts in most messages first.
    fn sorted(&self) -> Vec<(&str, &Host)> {
        let mut hosts: Vec<_> = self.by_name.values().map(|host| (host.name.as_str(), host)).collect();
        hosts.sort_by_key(|(_, host)| (std::cmp::Reverse(host.messages), host.nth));
        hosts
    }
}

impl Example {
    fn of(sms: &Sms<'_>, world: &World, Context { file, explains, redactor }: Context<'_>) -> Self {
        let number = |number: &str| redactor.map_or_else(|| number.to_owned(), |redactor| redactor.number(number));
        let asked = sms.imsi.and_then(|imsi| explains.msisdn(imsi)).map(|number| number.to_string());
        let imsi = sms.imsi.map(|imsi| Tbcd(imsi).to_string());
        let imsi = imsi.map(|imsi| redactor.map_or_else(|| imsi.clone(), |redactor| redactor.imsi(&imsi)));
        let originator = match sms.forward.origination {
            Origination::Msisdn(originator) => Some(originator.to_string()),
            _ => None,
        };
        let msisdn = originator.or(asked).as_deref().filter(|digits| !digits.is_empty()).map(number);
        let subscriber = msisdn.or(imsi).unwrap_or_else(|| "?".to_owned());
        let is_name = sms.tpdu.address.is_alphanumeric();
        let address = match redactor {
            Some(redactor) => redactor.address(sms.address, is_name),
            None => sms.address.to_owned(),
        };
        let (from, to) = if sms.direction == Direction::Mt { (address, subscriber) } else { (subscriber, address) };
        let (observed, action) = action_name(sms.decision);
        let text = |text: Option<&str>| text.filter(|_| redactor.is_none()).map(str::to_owned);
        Self {
            file: file.clone(),
            frame: sms.place.frame,
            chunk: sms.place.chunk,
            direction: sms.direction,
            from,
            to,
            was: text(sms.part_text),
            now: text(sms.rewritten),
            part: sms.concat.map(|part| (part.seq, part.total)),
            action: format!("{observed}{action}"),
            why: world.policy.why(sms.decision).to_string(),
        }
    }
}

/// What a link is listed by.
fn name<'u>(url: &dataplane::record::Url<'u>) -> &'u str {
    if url.host.is_empty() { scheme(url.url) } else { url.host }
}

fn scheme(url: &str) -> &str {
    url.find(':').and_then(|at| url.get(..=at)).unwrap_or(url)
}

/// Why a link is what it is, in a few words.
fn reason(url: &dataplane::record::Url<'_>, world: &World) -> String {
    let words = match url.reason {
        Reason::Exact | Reason::Host | Reason::Path => "listed",
        Reason::Parent => "below a listed host",
        Reason::Platform => "a platform, which lends no trust",
        Reason::Expired => "its entry has ended",
        Reason::NoEntry => "on no list",
        Reason::Expansion => "leads elsewhere",
        Reason::Sender => "safe for other senders only",
        Reason::Impersonation => "poses as a protected sender",
        Reason::LabelSpoof => "imitates a label",
    };
    let mut reason = words.to_owned();
    if let Some(entry) = url.entry.map(|entry| world.table.entry(entry)) {
        // The source of a built-in entry is a page's address: too long here, and in the records.
        let words = [entry.category, entry.source].into_iter().filter(|word| !word.is_empty() && !word.contains("://"));
        let words: Vec<&str> = words.collect();
        if !words.is_empty() {
            reason += &format!(" ({})", words.join(", "));
        }
    }
    if url.app {
        reason += ", an app package";
    }
    reason
}

/// Whether an error means that something could not be read, rather than that it is not ours.
pub fn is_damage(error: &Error) -> bool {
    !matches!(error.why, Why::NotOurs(_))
}
