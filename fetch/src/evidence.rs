//! What the network says about a name: collected for people who decide. Nothing here decides.

mod certificate;
mod dns;
mod rdap;
mod site;

use std::future::Future;

use crate::guard::{self, Bounds, Guard};
use crate::protocol::{Evidence, EvidenceOf, Failure, Outcome, Registration, Token, Why};
use rdap::Rdap;

/// Tokens that are told, at most, and octets of each.
const TOKENS: usize = 16;
const TOKEN_OCTETS: usize = 128;

/// Who knows when a domain was registered, and by whom.
pub trait Registry: Send + Sync {
    /// What is known about this domain.
    fn registration(&self, guard: &Guard, domain: &str) -> impl Future<Output = Result<Registration, Failure>> + Send;
}

/// Collects everything that was asked for, each piece by itself: one that fails says why and hinders no other.
pub async fn collect(guard: &Guard, of: &EvidenceOf) -> Result<Evidence, Failure> {
    let host = guard::ascii(&of.host)?;
    let registrable = of.registrable.as_deref().map_or_else(|| Ok(host.clone()), guard::ascii)?;
    if host != registrable && !host.strip_suffix(&registrable).is_some_and(|head| head.ends_with('.')) {
        return Err(Failure::new(Why::Request, format_args!("{host} is not below {registrable}")));
    }
    let token = of.token.as_deref();
    let rdap = of.rdap.as_deref().map(Rdap::new).transpose()?;
    let (txt, well_known) = (dns::token(guard, &host, token), site::well_known(guard, &host, token));
    let mut evidence = Evidence { host: host.clone(), ..Evidence::default() };
    if of.token_only {
        let (txt, well_known) = tokio::join!(txt, well_known);
        (evidence.txt, evidence.well_known) = (Some(txt.into()), Some(well_known.into()));
        return Ok(evidence);
    }
    let registration = async {
        match &rdap {
            Some(rdap) => Some(Outcome::from(rdap.registration(guard, &registrable).await)),
            None => None,
        }
    };
    let (dns, certificate, front) =
        (dns::records(guard, &host, &registrable), certificate::shown(guard, &host), site::front(guard, &host));
    let (dns, txt, well_known, certificate, front, registration) =
        tokio::join!(dns, txt, well_known, certificate, front, registration);
    evidence.dns = Some(dns.into());
    evidence.txt = Some(txt.into());
    evidence.well_known = Some(well_known.into());
    evidence.certificate = Some(certificate.into());
    evidence.front = Some(front.into());
    evidence.registration = registration;
    Ok(evidence)
}

/// Tokens among lines or records: `ztsms-verify=TOKEN`.
fn tokens<'a>(texts: impl Iterator<Item = &'a str>, expected: Option<&str>) -> Token {
    let found = texts.filter_map(|text| text.trim().strip_prefix("ztsms-verify=")).map(str::trim);
    let mut token = Token::default();
    for found in found.filter(|found| !found.is_empty() && found.len() <= TOKEN_OCTETS) {
        token.matches |= expected == Some(found);
        if token.tokens.len() < TOKENS {
            token.tokens.push(found.to_owned());
        }
    }
    token
}

/// The bounds of each piece.
const BOUNDS: Bounds = Bounds::STEP;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_whole_line_of_its_own() {
        let text = "# ours\nztsms-verify=abc\r\n  ztsms-verify = no\nZTSMS-VERIFY=no\nx ztsms-verify=no\nztsms-verify=\nztsms-verify= def ";
        let found = tokens(text.lines(), Some("def"));
        assert_eq!((found.matches, found.tokens), (true, vec!["abc".to_owned(), "def".to_owned()]));
        assert!(!tokens(text.lines(), Some("ab")).matches);
        assert!(!tokens(text.lines(), None).matches);
        let many = "ztsms-verify=x\n".repeat(100) + "ztsms-verify=last";
        assert!(tokens(many.lines(), Some("last")).matches, "behind those that are told, too");
    }
}
