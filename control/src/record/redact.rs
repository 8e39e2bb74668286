//! `--redact`: what says who a person is, or what they wrote, is taken out of a record before anybody sees it.
//!
//! Numbers and IMSIs become pseudonyms: the same number has the same one throughout a run (and in every run with the same key), and
//! nobody without the key can go back, or try all numbers one after the other.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{Record, Url};

/// Puts pseudonyms in place of what is personal.
#[derive(Clone, Debug)]
pub struct Redactor {
    key: [u8; 16],
}

impl Redactor {
    /// A key that is made now and forgotten with the process.
    pub fn new() -> Self {
        // The standard library seeds these from the system's random source.
        let half = || RandomState::new().build_hasher().finish().to_le_bytes();
        let mut key = [0; 16];
        key.iter_mut().zip(half().into_iter().chain(half())).for_each(|(to, from)| *to = from);
        Self { key }
    }

    /// A key that somebody keeps.
    pub const fn with_key(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The key that a file holds: any octets, at least 16 of them.
    pub fn from_file(path: &Path) -> std::io::Result<Self> {
        let octets = std::fs::read(path)?;
        if octets.len() < 16 {
            let message = format!("a key has at least 16 octets, this has {}", octets.len());
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
        }
        let mut hasher = SipHasher13::new();
        hasher.write(&octets);
        Ok(Self { key: hasher.finish128().as_bytes() })
    }

    /// The pseudonym of a number.
    pub fn number(&self, number: &str) -> String {
        self.pseudonym(b'n', number)
    }

    /// The pseudonym of an IMSI.
    pub fn imsi(&self, imsi: &str) -> String {
        self.pseudonym(b'i', imsi)
    }

    /// TP-OA or TP-DA. A name is a brand's and stays, unless it is a number in disguise.
    pub fn address(&self, digits: &str, is_name: bool) -> String {
        let is_number = digits.chars().filter(char::is_ascii_digit).count() > 5;
        if is_name && !is_number { digits.to_owned() } else { self.number(digits) }
    }

    /// 64 bits are enough to keep a network's subscribers apart.
    fn pseudonym(&self, kind: u8, what: &str) -> String {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_u8(kind);
        hasher.write(what.as_bytes());
        format!("~{:016x}", hasher.finish128().h1)
    }

    /// Takes out of `record` what is personal.
    pub fn apply(&self, record: &mut Record) {
        record.text = None;
        record.part_text = None;
        record.rewritten = None;
        let numbers = [&mut record.msisdn, &mut record.service_centre, &mut record.called.gt, &mut record.calling.gt];
        for number in numbers.into_iter().flatten() {
            *number = self.number(number);
        }
        if let Some(imsi) = &mut record.imsi {
            *imsi = self.imsi(imsi);
        }
        if let Some(address) = &mut record.address {
            address.digits = self.address(&address.digits, address.ton == 5);
        }
        record.urls.iter_mut().for_each(Self::url);
    }

    /// Leaves scheme and host of a link.
    pub fn url(url: &mut Url) {
        url.text = None;
        url.url = Self::origin(&url.url, url.host.as_deref());
        if let Some(entry) = &mut url.entry {
            // An entry with a path, or for a link without a host, would tell what the link is.
            entry.truncate(entry.find(['/', ':']).unwrap_or(entry.len()));
        }
    }

    /// `https://host/` of a canonical URL; the scheme alone where there is no host.
    fn origin(url: &str, host: Option<&str>) -> String {
        let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
        match host {
            Some(host) => format!("{scheme}://{host}/"),
            None => format!("{scheme}:"),
        }
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_has_the_same_pseudonym_under_one_key_only() {
        let (one, other) = (Redactor::new(), Redactor::new());
        assert_eq!(one.number("33612345678"), one.number("33612345678"));
        assert_ne!(one.number("33612345678"), one.number("33612345679"));
        assert_ne!(one.number("33612345678"), one.imsi("33612345678"));
        assert_ne!(one.number("33612345678"), other.number("33612345678"));
    }

    #[test]
    fn a_link_keeps_scheme_and_host_alone() {
        let mut url = Url {
            text: Some("bank.example/u?n=33612345678".to_owned()),
            url: "http://bank.example/u?n=33612345678".to_owned(),
            host: Some("bank.example".to_owned()),
            entry: Some("bank.example/u".to_owned()),
            ..Url::default()
        };
        Redactor::url(&mut url);
        assert_eq!((url.text, url.url.as_str(), url.entry.as_deref()), (None, "http://bank.example/", Some("bank.example")));
        let mut chat = Url { url: "whatsapp://send?phone=33612345678".to_owned(), ..Url::default() };
        Redactor::url(&mut chat);
        assert_eq!(chat.url, "whatsapp:");
    }
}
