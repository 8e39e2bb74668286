//! The registry's record of a domain, by RDAP (RFC 7480, 9082, 9083).

use serde_json::Value;
use url::Url;

use super::{BOUNDS, Registry};
use crate::guard::{Call, Guard, parse};
use crate::protocol::{Failure, Registration, Why};

/// Redirects from the service to the registry.
const HOPS: usize = 3;
/// Values of a list that are told, at most.
const VALUES: usize = 32;

/// A service that answers, or knows who does (RFC 7480 §5.2).
#[derive(Clone, Debug)]
pub(super) struct Rdap {
    base: Url,
}

impl Rdap {
    /// `https` only.
    pub(super) fn new(base: &str) -> Result<Self, Failure> {
        let mut base = parse(base)?;
        if base.scheme() != "https" {
            return Err(Failure::new(Why::Scheme, "RDAP is asked over https only"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { base })
    }
}

impl Registry for Rdap {
    async fn registration(&self, guard: &Guard, domain: &str) -> Result<Registration, Failure> {
        let clock = BOUNDS.start();
        let url = self.base.join(&format!("domain/{domain}")).map_err(|error| Failure::new(Why::Url, error))?;
        let mut target = guard.target_of(url)?;
        for _ in 0..=HOPS {
            let reply = guard.call(&target, Call { gzip: true, ..Call::get("application/rdap+json") }, &clock).await?;
            if let Some(location) = reply.location() {
                let next = target.url().join(&location).map_err(|error| Failure::new(Why::Redirect, error))?;
                let next = guard.target_of(next).map_err(|failure| failure.at("redirect"))?;
                if !next.is_secure() {
                    return Err(Failure::new(Why::Redirect, format_args!("{} sends from https to http", target.host())));
                }
                target = next;
                continue;
            }
            return match reply.status.as_u16() {
                200 => read(&reply.body.all().await?, domain).map_err(|failure| failure.at(target.host())),
                404 => Err(Failure::new(Why::Absent, format_args!("{} knows no {domain}", target.host()))),
                429 => Err(Failure::new(Why::Budget, format_args!("{} answers 429", target.host())).after(60)),
                status => Err(Failure::new(Why::Status, format_args!("{} answers {status}", target.host()))),
            };
        }
        Err(Failure::new(Why::Hops, format_args!("more than {HOPS} redirects")))
    }
}

fn read(json: &[u8], domain: &str) -> Result<Registration, Failure> {
    let record: Value =
        serde_json::from_slice(json).map_err(|error| Failure::new(Why::Unreadable, format_args!("RDAP: {error}")))?;
    let name = ["ldhName", "unicodeName"].iter().find_map(|key| text(&record, key)).unwrap_or_default();
    let name = crate::guard::ascii(name).unwrap_or_default();
    if name != domain {
        return Err(Failure::new(Why::Unreadable, format_args!("RDAP: a record of {name:?} where {domain} was asked for")));
    }
    let event = |action: &str| {
        let is = |event: &&Value| text(event, "eventAction").is_some_and(|is| is.eq_ignore_ascii_case(action));
        list(&record, "events").find(is).and_then(|event| text(event, "eventDate")).map(str::to_owned)
    };
    let registrar = list(&record, "entities").find(|entity| list(entity, "roles").any(|role| role == "registrar"));
    let name_servers = list(&record, "nameservers").filter_map(|server| text(server, "ldhName"));
    let mut name_servers: Vec<String> =
        name_servers.map(|server| server.trim_end_matches('.').to_ascii_lowercase()).take(VALUES).collect();
    name_servers.sort();
    Ok(Registration {
        registered: event("registration"),
        expires: event("expiration"),
        changed: event("last changed"),
        registrar: registrar.and_then(full_name),
        registrar_id: registrar.and_then(iana),
        name_servers,
        status: list(&record, "status").filter_map(Value::as_str).map(str::to_owned).take(VALUES).collect(),
        domain: name,
    })
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn list<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// `fn` of a jCard (RFC 7095), else the handle.
fn full_name(entity: &Value) -> Option<String> {
    let card = entity.pointer("/vcardArray/1").and_then(Value::as_array);
    let name = card.into_iter().flatten().find(|property| property.get(0).is_some_and(|name| name == "fn"));
    name.and_then(|name| name.get(3)?.as_str()).or_else(|| text(entity, "handle")).map(str::to_owned)
}

fn iana(entity: &Value) -> Option<String> {
    let is = |id: &&Value| text(id, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("IANA Registrar ID"));
    list(entity, "publicIds").find(is).and_then(|id| text(id, "identifier")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Shortened from RFC 9083 §5.3.
    const RECORD: &str = r#"{"objectClassName":"domain","handle":"XXXX","ldhName":"XN--FO-5JA.Example","unicodeName":"fóo.example",
        "nameservers":[{"ldhName":"ns2.example.com"},{"ldhName":"NS1.example.com."}],"status":["locked","transfer prohibited"],
        "events":[{"eventAction":"registration","eventDate":"1990-12-31T23:59:59Z"},{"eventAction":"last changed",
        "eventDate":"1991-12-31T23:59:59Z","eventActor":"joe@example.com"},{"eventAction":"expiration","eventDate":"2036-12-31T23:59:59Z"}],
        "entities":[{"handle":"R1","roles":["registrant"]},{"handle":"292","roles":["registrar"],
        "vcardArray":["vcard",[["version",{},"text","4.0"],["fn",{},"text","Example Registrar"]]],
        "publicIds":[{"type":"IANA Registrar ID","identifier":"292"}]}]}"#;

    #[test]
    fn a_record_is_read_as_the_rfc_writes_it() {
        let read = read(RECORD.as_bytes(), "xn--fo-5ja.example").unwrap();
        assert_eq!(read.registered.as_deref(), Some("1990-12-31T23:59:59Z"));
        assert_eq!((read.registrar.as_deref(), read.registrar_id.as_deref()), (Some("Example Registrar"), Some("292")));
        assert_eq!(read.name_servers, ["ns1.example.com", "ns2.example.com"]);
        assert_eq!(read.status, ["locked", "transfer prohibited"]);
    }

    #[test]
    fn what_is_another_s_record_or_none_is_not_taken() {
        for (json, domain) in [
            (RECORD, "other.example"),
            ("{}", "a.example"),
            ("<html>", "a.example"),
            ("[]", "a.example"),
            ("{\"ldhName\":3}", "a.example"),
        ] {
            assert_eq!(read(json.as_bytes(), domain).unwrap_err().why, Why::Unreadable, "{json}");
        }
        assert_eq!(
            read(b"{\"ldhName\":\"a.example\",\"entities\":7,\"events\":[1]}", "a.example").unwrap(),
            Registration { domain: "a.example".into(), ..Registration::default() }
        );
        assert_eq!(Rdap::new("http://rdap.example/").unwrap_err().why, Why::Scheme);
    }
}
