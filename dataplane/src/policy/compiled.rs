//! A policy ready for use: templates read, languages numbered, skeletons made. Immutable.

use super::chain::{Chains, Preset};
use super::checks;
use super::decision::{Action, Decision, Explanation, Source};
use super::facts::{Direction, LinkFacts, Message};
use super::imitation::Imitation;
use super::profiles::{Kind, Profile, Recipients, Subscriber};
use super::rules::{CompiledRule, Protected, ProtectedSenders};
use super::spec::{Pages, Spec, SpecError, is_host};
use super::template::{Firsts, Template, Values};
use super::words::{self, in_gsm7};
use crate::verdict::Verdict;
use core::hash::{Hash, Hasher};
use std::sync::Arc;

/// Labels, notices and words of a language, by verdict: `safe`, `unknown`, `dangerous`.
#[derive(Clone, Debug)]
pub(super) struct Language {
    pub(super) code: String,
    pub(super) verdicts: [String; 3],
    pub(super) labels: [Vec<Template>; 3],
    pub(super) notices: [Vec<Template>; 3],
    /// How the labels begin.
    pub(super) label_heads: Firsts,
    /// How the notices begin.
    pub(super) notice_heads: Firsts,
}

impl Language {
    fn with_heads(mut self, brand: &str) -> Self {
        let of = |templates: &[Vec<Template>; 3]| {
            let mut heads = Firsts::default();
            for (forms, verdict) in templates.iter().zip(&self.verdicts) {
                let values = Values { verdict, brand, ..Values::default() };
                forms.iter().for_each(|form| heads.add(form.first_octet(&values)));
            }
            heads
        };
        (self.label_heads, self.notice_heads) = (of(&self.labels), of(&self.notices));
        self
    }
}

/// A compiled policy. Made once, shared, never changed.
#[derive(Clone, Debug)]
pub struct Policy {
    id: u64,
    pub(super) spec: Spec,
    pub(super) languages: Vec<Language>,
    language: usize,
    rules: Vec<CompiledRule>,
    asks: Asks,
    protected: ProtectedSenders,
    pub(super) imitation: Imitation,
    profiles: [Chains; 3],
    recipients: Option<Arc<Recipients>>,
    default_profile: Option<Profile>,
}

/// What of a message some rule asks for: the rest need not be read.
#[derive(Clone, Copy, Debug, Default)]
struct Asks {
    category: bool,
    titles: bool,
    imsi: bool,
}

impl Asks {
    fn of(spec: &Spec) -> Self {
        let rules = &spec.rules;
        let imsi = spec.pages.is_some() || !spec.never_touch.imsi.is_empty();
        Self {
            imsi: imsi || rules.iter().any(|rule| !rule.imsi.is_empty()),
            category: rules.iter().any(|rule| !rule.category.is_empty()),
            titles: rules.iter().any(|rule| !rule.called_gt.is_empty() || !rule.calling_gt.is_empty()),
        }
    }
}

/// Which chains speak for a message.
pub(super) struct Chosen<'p> {
    pub(super) source: Source,
    pub(super) chains: &'p Chains,
    pub(super) observe: bool,
    pub(super) language: &'p Language,
    pub(super) treat_as: Verdict,
}

impl Default for Policy {
    fn default() -> Self {
        // The built-in words are read by a test: they cannot fail here.
        Self::build(Spec::default()).unwrap_or_else(|_| Self::empty())
    }
}

impl Policy {
    /// Compiles what an operator wrote.
    pub fn compile(spec: Spec) -> Result<Self, SpecError> {
        Self::build(spec)
    }

    fn build(spec: Spec) -> Result<Self, SpecError> {
        let code_of = |code: &str| {
            spec.languages.iter().position(|language| language.code == code).ok_or_else(|| SpecError::Language(code.to_owned()))
        };
        for (n, language) in spec.languages.iter().enumerate() {
            if spec.languages.iter().take(n).any(|other| other.code == language.code) {
                return Err(SpecError::Twice(language.code.clone()));
            }
        }
        let language = code_of(&spec.language)?;
        if spec.rules.len() > usize::from(u16::MAX) {
            return Err(SpecError::TooMany("rules"));
        }
        if let Some(pages) = spec.pages.as_ref().filter(|pages| !is_host(&pages.host)) {
            return Err(SpecError::Host("pages.host", pages.host.clone()));
        }
        let hosts = spec.protected.iter().flat_map(|entry| entry.domains.iter().map(|host| ("protected.domains", host)));
        let hosts = hosts.chain(spec.rules.iter().flat_map(|rule| rule.domain.iter().map(|host| ("rule.domain", host))));
        for (what, host) in hosts {
            if !is_host(host) {
                return Err(SpecError::Host(what, host.clone()));
            }
        }
        checks::can_work(&spec)?;
        let languages = compile_languages(&spec)?;
        let rules = spec.rules.iter().map(|rule| {
            let language = rule.language.as_deref().map(code_of).transpose()?;
            Ok(CompiledRule::new(rule.clone(), language))
        });
        let rules = rules.collect::<Result<Vec<_>, SpecError>>()?;
        let heads = languages.iter().flat_map(|language| language.labels.iter().flatten()).filter_map(Template::head);
        let mut likenesses: Vec<&str> = words::likenesses().collect();
        likenesses.extend(heads.filter(|head| is_phrase(head)));
        likenesses.extend(spec.likenesses.iter().map(String::as_str));
        let imitation = Imitation::new(&likenesses);
        Ok(Self {
            id: hash(&spec),
            languages,
            language,
            asks: Asks::of(&spec),
            rules,
            protected: ProtectedSenders::new(&spec.protected),
            imitation,
            profiles: [Preset::Warn, Preset::Quiet, Preset::Strict].map(Preset::chains),
            recipients: None,
            default_profile: None,
            spec,
        })
    }

    fn empty() -> Self {
        let none = Language {
            code: String::new(),
            verdicts: Default::default(),
            labels: Default::default(),
            notices: Default::default(),
            label_heads: Firsts::default(),
            notice_heads: Firsts::default(),
        };
        let spec = Spec { languages: Vec::new(), ..Spec::default() };
        Self {
            id: hash(&spec),
            languages: vec![none],
            language: 0,
            rules: Vec::new(),
            asks: Asks::default(),
            protected: ProtectedSenders::default(),
            imitation: Imitation::new(&[]),
            profiles: [Preset::Warn, Preset::Quiet, Preset::Strict].map(Preset::chains),
            recipients: None,
            default_profile: None,
            spec,
        }
    }

    /// The policy with a table of recipients, and the profile of whoever is not in it (`None`: the policy as it is).
    #[must_use]
    pub fn with_recipients(mut self, table: Option<Arc<Recipients>>, default: Option<Profile>) -> Self {
        if table.is_some() || default.is_some() {
            let mut hasher = xxhash_rust::xxh3::Xxh3::new();
            (self.id, table.as_ref().map(|table| table.id()), default).hash(&mut hasher);
            self.id = hasher.finish();
        }
        (self.recipients, self.default_profile) = (table, default);
        self
    }

    /// The policy in which rules of these names only observe.
    #[must_use]
    pub fn with_observed(mut self, names: &[String]) -> Self {
        for rule in self.rules.iter_mut().filter(|rule| names.contains(&rule.rule.name)) {
            rule.rule.chains.observe = true;
            let mut hasher = xxhash_rust::xxh3::Xxh3::new();
            (self.id, &rule.rule.name).hash(&mut hasher);
            self.id = hasher.finish();
        }
        self
    }

    /// The policy with more protected senders, beside those that were written with it.
    #[must_use]
    pub fn with_protected(mut self, more: &[Protected]) -> Self {
        if !more.is_empty() {
            let mut hasher = xxhash_rust::xxh3::Xxh3::new();
            (self.id, more).hash(&mut hasher);
            self.id = hasher.finish();
            let all: Vec<Protected> = self.spec.protected.iter().chain(more).cloned().collect();
            self.protected = ProtectedSenders::new(&all);
        }
        self
    }

    /// What the recipient of a message asked for: one look-up. Of an MT it is the subscriber by IMSI, of an MO who it is written to.
    #[inline]
    pub fn profile(&self, recipient: Option<Subscriber<'_>>) -> Option<Profile> {
        let found = self.recipients.as_ref().zip(recipient).and_then(|(table, recipient)| table.find(&recipient));
        found.or(self.default_profile)
    }

    /// The version: a hash of all that was written. Two policies of one id decide alike.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// What it was compiled from.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether hosts are to be counted for a census (preset `learn`).
    pub const fn census(&self) -> bool {
        self.spec.census
    }

    /// Whether a rule names categories: if not, [`LinkFacts::category`] is not read.
    #[inline]
    pub const fn asks_category(&self) -> bool {
        self.asks.category
    }

    /// Whether a rule names global titles: if not, those of [`Message`] are not read.
    #[inline]
    pub const fn asks_titles(&self) -> bool {
        self.asks.titles
    }

    /// Whether rules, recipients or redirects name the IMSI: if not, that of [`Message`] is not read for [`Policy::decide`].
    #[inline]
    pub const fn asks_imsi(&self) -> bool {
        self.asks.imsi || self.recipients.is_some()
    }

    /// Number of a language, for a profile.
    pub fn language(&self, code: &str) -> Option<super::profiles::Language> {
        let n = self.languages.iter().position(|language| language.code == code)?;
        Some(super::profiles::Language(u8::try_from(n).ok()?))
    }

    /// Whether a sender is protected, or reads like one that is, and the host is none of its own: the link is then dangerous, reason
    /// `impersonation`.
    pub fn impersonation(&self, sender: &str, host: &str) -> bool {
        self.protected.impersonated(sender, host)
    }

    /// Whether a link, as it stands in a text, is one that this policy's key made: never judged.
    pub fn owns(&self, link: &str) -> bool {
        let Some(Pages { host, key }) = &self.spec.pages else { return false };
        let Some(rest) = link.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://")).and_then(|_| link.get(8..))
        else {
            return false;
        };
        let Some(rest) =
            rest.get(..host.len()).filter(|ours| ours.eq_ignore_ascii_case(host)).and_then(|_| rest.get(host.len()..))
        else {
            return false;
        };
        let Some(id) = rest.strip_prefix('/') else { return false };
        let (Some(ours), Some(behind)) = (id.get(..super::redirect::ID_CHARACTERS), id.get(super::redirect::ID_CHARACTERS..))
        else {
            return false;
        };
        key.made(ours) && !behind.starts_with(|c: char| c.is_ascii_alphanumeric())
    }

    /// `why` for people.
    pub fn why(&self, decision: &Decision) -> Explanation<'_> {
        let rule_name = match decision.rule.source {
            Source::Rule(n) => self.rules.get(usize::from(n)).map(|rule| rule.rule.name.as_str()),
            _ => None,
        };
        Explanation { decision: *decision, rule_name }
    }

    /// The policy's own chains.
    const fn own_chains(&self, direction: Direction) -> &Chains {
        match direction {
            Direction::Mt => &self.spec.mt,
            Direction::Mo => &self.spec.mo,
        }
    }

    /// The chains that speak for every message of this direction, if they let those with verified links pass: nothing else has a say in
    /// one, and no rule, list or recipient makes one unlike another.
    pub(super) fn passes_verified(&self, direction: Direction) -> Option<&Chains> {
        let Spec { rules, never_touch, link_hosts, pages, .. } = &self.spec;
        let own = self.own_chains(direction);
        let passes = matches!(own.safe[..], [] | [Action::Pass, ..])
            && rules.is_empty()
            && never_touch.is_empty()
            && link_hosts.is_empty()
            && pages.is_none()
            && self.recipients.is_none()
            && self.default_profile.is_none();
        passes.then_some(own)
    }

    /// Whether a text may begin with a label of the policy's own language.
    pub(super) fn may_be_labelled(&self, text: &str) -> bool {
        self.languages.get(self.language).is_none_or(|language| language.label_heads.may_start(text))
    }

    /// Whose chains speak. A recipient who asked for `observe` is observed whatever the rules say; else the first rule that holds, else the
    /// recipient's preset, else the policy's own.
    pub(super) fn choose<'a>(&self, message: &Message<'_>, links: impl Iterator<Item = &'a LinkFacts<'a>> + Clone) -> Chosen<'_> {
        let own = self.own_chains(message.direction);
        let rule = self.rules.iter().enumerate().find(|(_, rule)| rule.holds(message, links.clone()));
        let [warn, quiet, strict] = &self.profiles;
        let profile = message.profile.and_then(|profile| match profile.kind {
            Kind::Off | Kind::Observe => None,
            Kind::Warn => Some(warn),
            Kind::Quiet => Some(quiet),
            Kind::Strict => Some(strict),
        });
        let (source, chains) = match (rule, profile) {
            (Some((n, rule)), _) => (Source::Rule(u16::try_from(n).unwrap_or(u16::MAX)), &rule.rule.chains),
            // The recipient of an MO is not the subscriber that the frame names.
            (None, Some(chains)) if message.direction == Direction::Mt => (Source::Profile, chains),
            (None, _) => (Source::Default, own),
        };
        let asked = message.language.or_else(|| message.profile.and_then(|profile| profile.language));
        let language = asked.map(|n| usize::from(n.0));
        let language = language.or_else(|| rule.and_then(|(_, rule)| rule.language)).unwrap_or(self.language);
        Chosen {
            source,
            chains,
            observe: chains.observe
                || own.observe && matches!(source, Source::Profile)
                || message.profile.is_some_and(|profile| profile.kind == Kind::Observe),
            language: self.languages.get(language).or_else(|| self.languages.get(self.language)).unwrap_or(&NO_LANGUAGE),
            treat_as: rule.and_then(|(_, rule)| rule.rule.treat_as).unwrap_or(Verdict::None),
        }
    }
}

static NO_LANGUAGE: Language = Language {
    code: String::new(),
    verdicts: [const { String::new() }; 3],
    labels: [const { Vec::new() }; 3],
    notices: [const { Vec::new() }; 3],
    label_heads: Firsts::NONE,
    notice_heads: Firsts::NONE,
};

/// Heads that are one short word would catch sentences: they are matched in brackets only, from the words that ship.
pub(super) fn is_phrase(head: &str) -> bool {
    head.chars().filter(|c| c.is_alphanumeric()).count() >= 8
}

pub(super) const PLACES: [[&str; 3]; 2] =
    [["labels.safe", "labels.unknown", "labels.dangerous"], ["notices.safe", "notices.unknown", "notices.dangerous"]];

fn compile_languages(spec: &Spec) -> Result<Vec<Language>, SpecError> {
    let english = words::language("en");
    if let Some(host) = super::template::foreign_link(&spec.brand, &spec.link_hosts) {
        return Err(SpecError::Brand(host));
    }
    let of_safe = Imitation::new(&words::likenesses_of_safe().collect::<Vec<_>>());
    checks::brand_not_like_safe(&spec.brand, &of_safe)?;
    spec.languages
        .iter()
        .map(|language| {
            let forms = |of: &[Vec<String>; 3],
                         fallback: Option<&[Vec<String>; 3]>,
                         places: [&'static str; 3]|
             -> Result<[Vec<Template>; 3], SpecError> {
                let mut all: [Vec<Template>; 3] = Default::default();
                for (n, ((out, forms), place)) in all.iter_mut().zip(of).zip(places).enumerate() {
                    // Words that GSM 7-bit cannot write are followed by the English ones; the mark, which it can, stays last.
                    let writable = |form: &String| form.chars().all(|c| in_gsm7(c) || matches!(c, '{' | '}'));
                    let split = forms.iter().position(writable).unwrap_or(forms.len());
                    let (native, plain) = forms.split_at(split);
                    let english = fallback
                        .filter(|_| !native.is_empty())
                        .and_then(|forms| forms.get(n))
                        .map_or(&[][..], |forms| forms.as_slice());
                    for (k, form) in
                        native.iter().chain(english.iter().filter(|form| !plain.contains(form))).chain(plain).enumerate()
                    {
                        let error = |cause| SpecError::Template { language: language.code.clone(), place, form: k + 1, cause };
                        let template = Template::parse(form).map_err(error)?;
                        if let Some(host) = template.foreign_link(&spec.link_hosts) {
                            return Err(error(super::template::TemplateError::Link(host)));
                        }
                        out.push(template);
                    }
                    if out.len() > usize::from(u8::MAX) {
                        return Err(SpecError::TooMany("forms"));
                    }
                }
                Ok(all)
            };
            let [labels, notices] = PLACES;
            let compiled = Language {
                code: language.code.clone(),
                verdicts: language.verdicts.clone(),
                labels: forms(&language.labels, english.as_ref().map(|english| &english.labels), labels)?,
                notices: forms(&language.notices, english.as_ref().map(|english| &english.notices), notices)?,
                label_heads: Firsts::default(),
                notice_heads: Firsts::default(),
            };
            checks::not_like_safe(&compiled, &spec.brand, &of_safe)?;
            Ok(compiled.with_heads(&spec.brand))
        })
        .collect()
}

fn hash(spec: &Spec) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    spec.hash(&mut hasher);
    hasher.finish()
}
