use std::str::FromStr;

use super::ParseError;
use super::host::{HostName, HostPattern};

/// The origins that one value of `--allow-origin` names: `https://app.example.org`, those of its subdomains
/// (`https://*.example.org`), that of an app (`tauri://localhost`), or `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// Pages opened as files, and pages in a sandbox.
    Null,
    /// A scheme without a host, as of `file://`.
    Scheme(String),
    /// Scheme, hosts, and the port if it is not the default one.
    Hosts {
        /// In lower case.
        scheme: String,
        /// One host, or the names below one.
        hosts: HostPattern,
        /// `None` is the scheme's default port.
        port: Option<u16>,
    },
}

/// The value of an Origin header (RFC 6454 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Null,
    Scheme(String),
    Host { scheme: String, host: HostName, port: Option<u16> },
}

/// The origins whose pages may open sessions and read REST.
///
/// A browser lets any page open a WebSocket to any host that the user's network can reach; the Origin
/// header tells a server which page it is (RFC 6455 section 10.2). Clients that send no Origin header are
/// not checked: they are not browsers, and could send any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// The server's own origin, and these.
    Own(Vec<OriginPattern>),
    /// All, for a feed that is public.
    Any,
}

/// The names of this server: a page is its own only if its origin is one of them.
///
/// Otherwise any page could be: its owner lets the page's name resolve to 127.0.0.1 (DNS rebinding), and the
/// browser then sends a Host and an Origin that are equal. Addresses and `localhost` cannot be rebound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicHosts(Vec<HostPattern>);

/// Where the client of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientLocation {
    /// On this machine: it connected over a loopback address.
    ThisMachine,
    /// On another machine, or behind a trusted proxy that reports it, which a page cannot imitate: the
    /// WebSocket API sets no headers.
    Elsewhere,
}

/// Why a page may not open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginRefusal {
    /// Its origin is not allowed.
    Origin,
    /// Its origin is the host of the request, but the server does not have that name.
    Host,
}

/// Splits and checks the scheme (RFC 3986 section 3.1).
fn split(text: &str) -> Result<(String, &str), ParseError> {
    let (scheme, authority) =
        text.split_once("://").ok_or(ParseError("an origin looks like https://example.org"))?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    match is_scheme {
        true => Ok((scheme.to_ascii_lowercase(), authority)),
        false => Err(ParseError("the scheme has letters and digits, as in https://example.org")),
    }
}

/// Whether origins of this scheme always have a host.
fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

fn without_default(scheme: &str, port: Option<u16>) -> Option<u16> {
    let default = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    port.filter(|port| Some(*port) != default)
}

impl FromStr for OriginPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text == "null" {
            return Ok(Self::Null);
        }
        let (scheme, authority) = split(text)?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if matches!(&*scheme, "ws" | "wss") {
            return Err(ParseError("the origin of a page starts with http:// or https://, not with ws"));
        }
        if authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(ParseError("an origin has a scheme, a host and maybe a port, nothing else"));
        }
        if authority.is_empty() && !is_web(&scheme) {
            return Ok(Self::Scheme(scheme));
        }
        let (hosts, port) = HostPattern::with_port(authority)?;
        let port = without_default(&scheme, port);
        Ok(Self::Hosts { scheme, hosts, port })
    }
}

impl Origin {
    fn parse(header: &str) -> Option<Self> {
        if header == "null" {
            return Some(Self::Null);
        }
        let (scheme, authority) = split(header).ok()?;
        if authority.is_empty() && !is_web(&scheme) {
            return Some(Self::Scheme(scheme));
        }
        let (host, port) = HostName::with_port(authority).ok()?;
        let port = without_default(&scheme, port);
        Some(Self::Host { scheme, host, port })
    }

    /// The host, if a request with this Host header goes to the same host and port.
    fn host_if_same(&self, host_header: &str) -> Option<&HostName> {
        let Self::Host { scheme, host, port } = self else { return None };
        let (requested, requested_port) = HostName::with_port(host_header).ok()?;
        let is_same =
            is_web(scheme) && requested == *host && without_default(scheme, requested_port) == *port;
        is_same.then_some(host)
    }
}

impl OriginPattern {
    fn matches(&self, origin: &Origin) -> bool {
        match (self, origin) {
            (Self::Null, Origin::Null) => true,
            (Self::Scheme(wanted), Origin::Scheme(scheme)) => wanted == scheme,
            (
                Self::Hosts { scheme: wanted, hosts, port: wanted_port },
                Origin::Host { scheme, host, port },
            ) => wanted == scheme && wanted_port == port && hosts.matches(host),
            _ => false,
        }
    }
}

impl From<Vec<HostPattern>> for PublicHosts {
    fn from(hosts: Vec<HostPattern>) -> Self {
        Self(hosts)
    }
}

impl PublicHosts {
    /// Whether this server has that name. With names given, it has no others. Without, any name is its own,
    /// except for a browser on this machine, which uses `localhost` or an address.
    fn include(&self, host: &HostName, location: ClientLocation) -> bool {
        host.needs_no_dns()
            || self.0.iter().any(|name| name.matches(host))
            || (self.0.is_empty() && location == ClientLocation::Elsewhere)
    }
}

impl AllowedOrigins {
    /// Decides on a request with these Origin and Host headers.
    ///
    /// # Errors
    /// When its page may not open a session.
    pub fn check(
        &self,
        origin: Option<&str>,
        host: Option<&str>,
        hosts: &PublicHosts,
        location: ClientLocation,
    ) -> Result<(), OriginRefusal> {
        let Some(origin) = origin else { return Ok(()) };
        if self.lists(origin) {
            return Ok(());
        }
        let parsed = Origin::parse(origin).ok_or(OriginRefusal::Origin)?;
        let own = host.and_then(|host| parsed.host_if_same(host)).ok_or(OriginRefusal::Origin)?;
        hosts.include(own, location).then_some(()).ok_or(OriginRefusal::Host)
    }

    /// Whether this Origin header is one that is allowed in addition to the server's own.
    pub fn lists(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Own(others) => {
                let parsed = Origin::parse(origin);
                parsed.is_some_and(|origin| others.iter().any(|allowed| allowed.matches(&origin)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&str> = Some("tape.example:8080");

    fn own(origin: &str, host: Option<&str>) -> Result<(), OriginRefusal> {
        AllowedOrigins::Own(Vec::new()).check(
            Some(origin),
            host,
            &PublicHosts::default(),
            ClientLocation::Elsewhere,
        )
    }

    fn named(patterns: &[&str]) -> AllowedOrigins {
        AllowedOrigins::Own(patterns.iter().map(|pattern| pattern.parse().unwrap()).collect())
    }

    #[test]
    fn own_pages_and_requests_without_an_origin_are_allowed() {
        let none = AllowedOrigins::Own(Vec::new());

        assert_eq!(none.check(None, HOST, &PublicHosts::default(), ClientLocation::ThisMachine), Ok(()));
        assert_eq!(own("http://tape.example:8080", HOST), Ok(()));
        assert_eq!(own("https://Tape.Example", Some("tape.example:443")), Ok(()));
        assert_eq!(own("http://[::1]:8080", Some("[::1]:8080")), Ok(()));
        for other in [
            "http://evil.example",
            "http://tape.example",
            "http://tape.example:8081",
            "null",
            "tape.example",
            "tauri://tape.example:8080",
            "http://*.example:8080",
        ] {
            assert_eq!(own(other, HOST), Err(OriginRefusal::Origin), "{other}");
        }
        assert_eq!(own("http://tape.example:8080", None), Err(OriginRefusal::Origin));
    }

    #[test]
    fn a_name_that_is_rebound_to_loopback_is_not_the_servers_own() {
        let on_loopback = |host: &str, names: &[&str]| {
            let names: Vec<HostPattern> = names.iter().map(|name| name.parse().unwrap()).collect();
            let origin = format!("http://{host}");
            let none = AllowedOrigins::Own(Vec::new());
            none.check(Some(&origin), Some(host), &names.into(), ClientLocation::ThisMachine)
        };

        for host in
            ["evil.example:8080", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"]
        {
            assert_eq!(on_loopback(host, &[]), Err(OriginRefusal::Host), "{host}");
            assert_eq!(own(&format!("http://{host}"), Some(host)), Ok(()), "from another machine: {host}");
        }
        for host in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", "tape.localhost", "LOCALHOST"] {
            assert_eq!(on_loopback(host, &[]), Ok(()), "{host}");
        }
        assert_eq!(on_loopback("tape.example:8080", &["tape.example"]), Ok(()));
        assert_eq!(on_loopback("a.tape.example", &["*.tape.example"]), Ok(()));
        assert_eq!(on_loopback("evil.example", &["tape.example"]), Err(OriginRefusal::Host));
    }

    #[test]
    fn with_names_given_the_server_has_no_other_name_on_any_address() {
        let names = PublicHosts(vec!["tape.example".parse().unwrap()]);
        let none = AllowedOrigins::Own(Vec::new());
        let check = |host: &str| {
            none.check(Some(&format!("https://{host}")), Some(host), &names, ClientLocation::Elsewhere)
        };

        assert_eq!(check("tape.example"), Ok(()));
        assert_eq!(check("192.0.2.1:8443"), Ok(()));
        assert_eq!(check("evil.example"), Err(OriginRefusal::Host));
    }

    #[test]
    fn listed_origins_are_allowed() {
        let named = named(&["https://app.example/", "null"]);
        let check =
            |origin| named.check(Some(origin), HOST, &PublicHosts::default(), ClientLocation::ThisMachine);

        assert_eq!(check("https://app.example"), Ok(()));
        assert_eq!(check("null"), Ok(()));
        assert_eq!(check("http://app.example"), Err(OriginRefusal::Origin));
        assert_eq!(check("https://app.example.evil"), Err(OriginRefusal::Origin));
        let any = AllowedOrigins::Any;
        assert_eq!(
            any.check(Some("http://evil"), HOST, &PublicHosts::default(), ClientLocation::ThisMachine),
            Ok(())
        );
        assert!(named.lists("https://app.example") && !named.lists("http://tape.example:8080"));
    }

    #[test]
    fn origins_of_apps_can_be_listed() {
        for (pattern, origin) in [
            ("tauri://localhost", "tauri://localhost"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost", "ionic://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            (
                "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai",
                "chrome-extension://mhjfbmdgcfjbbpaeojofohoefgiehjai",
            ),
            ("vscode-webview://1qd0f8", "vscode-webview://1QD0f8"),
            ("app://.", "app://."),
            ("file://", "file://"),
            ("https://localhost", "https://localhost"),
        ] {
            let listed = named(&[pattern]);
            assert!(listed.lists(origin), "{pattern}");
            assert!(!listed.lists("https://evil.example") && !listed.lists("null"), "{pattern}");
        }
    }

    #[test]
    fn a_wildcard_lists_the_subdomains_of_its_scheme_and_port() {
        let listed = named(&["https://*.example.com", "http://*.example.org:8080"]);

        assert!(listed.lists("https://app.example.com") && listed.lists("https://a.b.example.com:443"));
        assert!(listed.lists("http://app.example.org:8080"));
        for other in [
            "https://example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://evilexample.com",
            "https://example.com.evil",
            "https://*.example.com",
            "http://app.example.org",
        ] {
            assert!(!listed.lists(other), "{other}");
        }
    }

    #[test]
    fn text_that_can_match_no_origin_is_an_error() {
        for invalid in [
            "app.example",
            "*.example.com",
            "ws://app.example",
            "https://",
            "https://a/b",
            "https://u@a",
            "*",
            "https://*",
            "https://*:443",
            "https://app.*",
            "https://app*.example.com",
            "http://localhost:*",
            "https://a:99999",
            "https://a:",
            "https://bücher.example",
            "1x://a",
            "://a",
        ] {
            assert!(invalid.parse::<OriginPattern>().is_err(), "{invalid}");
        }
    }
}
