//! A URL that may be asked, read once: scheme, name, port.

use url::{Host, Url};

use crate::protocol::{Failure, Why};

/// The longest URL that is read, in octets.
const URL_OCTETS: usize = 8 << 10;

/// Where one request goes. Only [`Target::read`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Without user information and fragment.
    url: Url,
    host: String,
    port: u16,
}

impl Target {
    /// Reads a URL. `ports` are those that may be connected to.
    pub fn read(text: &str, ports: &[u16]) -> Result<Self, Failure> {
        Self::of(parse(text)?, ports)
    }

    /// As [`Target::read`], of a URL that was read already.
    pub fn of(mut url: Url, ports: &[u16]) -> Result<Self, Failure> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::new(Why::Scheme, format_args!("{}: is neither http nor https", url.scheme())));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name).to_owned(),
            // WHATWG reads `0x7f.1`, `017700000001` and `2130706433` as addresses, as browsers do.
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(Failure::new(Why::Literal, "an address in place of a name")),
            None => return Err(Failure::new(Why::Url, "no host")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::new(Why::UserInfo, format_args!("user information in front of {host}")));
        }
        name(&host)?;
        let port = url.port_or_known_default().unwrap_or_default();
        if !ports.contains(&port) {
            return Err(Failure::new(Why::Port, format_args!("port {port} of {host}")));
        }
        url.set_fragment(None);
        // A name with a dot at its end is the same name; certificates are for the one without.
        url.set_host(Some(&host)).map_err(|error| Failure::new(Why::Name, format_args!("{host}: {error}")))?;
        Ok(Self { url, host, port })
    }

    /// The URL, without user information and fragment.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The name, lower case, in ASCII, without a last dot.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 80 and 443 as a rule.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// What stands in the request line.
    pub fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// What stands in `Host`.
    pub fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }
}

/// Reads any URL of bearable length.
pub fn parse(text: &str) -> Result<Url, Failure> {
    if text.len() > URL_OCTETS {
        return Err(Failure::new(Why::Url, format_args!("a URL of {} octets, at most {URL_OCTETS}", text.len())));
    }
    Url::parse(text).map_err(|error| Failure::new(Why::Url, format_args!("not a URL: {error}")))
}

/// Whether a name could be one of the Internet: at least two labels of letters, digits, `-` and `_`.
pub fn name(host: &str) -> Result<(), Failure> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if host.len() > 253 || !host.contains('.') || !host.split('.').all(label) {
        return Err(Failure::new(Why::Name, format_args!("{host:?} is no name of the Internet")));
    }
    Ok(())
}

/// A name as a person types it, in ASCII: IDNA applied, case folded, no dot at the end.
pub fn ascii(typed: &str) -> Result<String, Failure> {
    match Host::parse(typed.trim()) {
        Ok(Host::Domain(host)) => {
            let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
            name(&host).map(|()| host)
        }
        Ok(_) => Err(Failure::new(Why::Literal, "an address in place of a name")),
        Err(error) => Err(Failure::new(Why::Name, format_args!("{typed:?} is no name: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> Why {
        Target::read(text, &[80, 443]).expect_err(text).why
    }

    #[test]
    fn addresses_are_refused_in_every_notation() {
        let literals = [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.01/",
            "http://127.0.0.1./",
            "http://１２７.0.0.1/",
            "http://①②⑦.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
        ];
        for literal in literals {
            assert_eq!(why(literal), Why::Literal, "{literal}");
        }
        for broken in ["http://256.256.256.256/", "http://1.2.3.4.5/", "http://[fe80::1%25eth0]/", "http://0x100000000/"] {
            assert_eq!(why(broken), Why::Url, "{broken}");
        }
    }

    #[test]
    fn only_http_on_its_two_ports_and_with_a_name_is_asked() {
        for other in [
            "file:///etc/passwd",
            "ftp://a.example/",
            "gopher://a.example/",
            "data:text/html,x",
            "javascript:alert(1)",
            "unix:/x",
        ] {
            assert_eq!(why(other), Why::Scheme, "{other}");
        }
        for port in ["http://a.example:22/", "https://a.example:8443/", "http://a.example:0/", "http://a.example:6379/"] {
            assert_eq!(why(port), Why::Port, "{port}");
        }
        for user in ["http://bank.example@a.example/", "http://:x@a.example/", "http://127.0.0.1:80@a.example/"] {
            assert_eq!(why(user), Why::UserInfo, "{user}");
        }
        for name in ["http://localhost/", "http://intranet/", "http://a..example/", "http://.example/", "http://a.example../"] {
            assert_eq!(why(name), Why::Name, "{name}");
        }
        assert_eq!(why("//a.example/"), Why::Url);
        assert_eq!(why(&format!("http://a.example/{}", "x".repeat(9000))), Why::Url);
    }

    #[test]
    fn what_may_be_asked_is_brought_into_one_form() {
        let target = Target::read("HTTPS://Bücher.Example.:443/a/../b?q=1#part", &[80, 443]).unwrap();
        assert_eq!(target.url().as_str(), "https://xn--bcher-kva.example/b?q=1");
        assert_eq!((target.host(), target.port(), target.is_secure()), ("xn--bcher-kva.example", 443, true));
        assert_eq!((target.path_and_query(), target.authority()), ("/b?q=1", "xn--bcher-kva.example"));
        assert_eq!(Target::read("http://a.example:443/", &[80, 443]).unwrap().authority(), "a.example:443");
        assert_eq!(ascii(" Bücher.Example. ").unwrap(), "xn--bcher-kva.example");
        assert_eq!(ascii("a.example/x").unwrap_err().why, Why::Name);
    }
}
