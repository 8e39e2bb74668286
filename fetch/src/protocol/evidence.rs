//! What the network says about a name: what is asked and answered.

use serde::{Deserialize, Serialize};

use super::Outcome;

/// Asks for the evidence about one name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceOf {
    /// The name, in ASCII or not.
    pub host: String,
    /// Its registrable domain, for name servers and registration. Absent: the name itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrable: Option<String>,
    /// The token that its owner was given: looked for as `ztsms-verify=TOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Base URL of an RDAP service (`https://rdap.example/`). Absent: no registration is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdap: Option<String>,
    /// Only the token, in DNS and on the site: for the daily look.
    #[serde(default)]
    pub token_only: bool,
}

/// Everything that was found, each with why it was not. What was not asked for is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The name as it was asked, in ASCII.
    pub host: String,
    /// Addresses and aliases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Outcome<Dns>>,
    /// TXT records `ztsms-verify=…` at the name and at `_ztsms.` below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txt: Option<Outcome<Token>>,
    /// `https://NAME/.well-known/ztsms.txt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_known: Option<Outcome<WellKnown>>,
    /// The certificate that the name answers with on port 443.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Outcome<Certificate>>,
    /// Where the front page leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front: Option<Outcome<Front>>,
    /// The registry's record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Outcome<Registration>>,
}

/// What the DNS says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dns {
    /// A, as they came: those that nobody may be sent to are here too.
    pub a: Vec<std::net::Ipv4Addr>,
    /// AAAA, as they came.
    pub aaaa: Vec<std::net::Ipv6Addr>,
    /// Of both, those that nobody may be sent to, each with what it is.
    pub forbidden: Vec<String>,
    /// Aliases on the way, in order, without the last dot.
    pub cname: Vec<String>,
    /// Name servers of the registrable domain, in order of the alphabet.
    pub ns: Outcome<Vec<String>>,
    /// SOA of the registrable domain.
    pub soa: Outcome<Soa>,
}

/// What is kept of an SOA.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soa {
    /// Primary name server.
    pub mname: String,
    /// Who is responsible, as a name.
    pub rname: String,
    /// Serial number.
    pub serial: u32,
}

/// Tokens that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The one that was given is among them. Always false when none was given.
    pub matches: bool,
    /// What stands behind `ztsms-verify=`, at most 16 of them.
    pub tokens: Vec<String>,
}

/// The file on the site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WellKnown {
    /// Tokens in it.
    #[serde(flatten)]
    pub token: Token,
    /// URL that it came from: on the same host.
    pub url: String,
}

/// A certificate as it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject, as RFC 4514 writes it, or nearly.
    pub subject: String,
    /// Issuer, alike.
    pub issuer: String,
    /// Names it is for, at most 100.
    pub names: Vec<String>,
    /// Names it has in all.
    pub names_in_all: usize,
    /// Seconds since 1970: valid from.
    pub not_before: i64,
    /// Seconds since 1970: valid until.
    pub not_after: i64,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// It leads to a root that is trusted, is in time, and is for this name. Else why not.
    pub verified: Outcome<()>,
    /// TLS version, as `TLSv1_3`.
    pub protocol: String,
}

/// Where the front page leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// Each page on the way and its status. The last one is not followed any further.
    pub hops: Vec<FrontHop>,
    /// Why the way ended there, where it was not by an ordinary page.
    pub stopped: Option<super::Failure>,
}

/// One page on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontHop {
    /// Its URL.
    pub url: String,
    /// HTTP status.
    pub status: u16,
}

/// What a registry says about a domain (RFC 9083).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Event `registration`, as written (RFC 3339).
    pub registered: Option<String>,
    /// Event `expiration`.
    pub expires: Option<String>,
    /// Event `last changed`.
    pub changed: Option<String>,
    /// Name of the entity with role `registrar`, else its handle.
    pub registrar: Option<String>,
    /// Its number at IANA.
    pub registrar_id: Option<String>,
    /// Name servers, lower case, in order of the alphabet.
    pub name_servers: Vec<String>,
    /// Status values.
    pub status: Vec<String>,
    /// The domain that the record is about.
    pub domain: String,
}
