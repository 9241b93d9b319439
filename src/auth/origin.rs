use std::str::FromStr;

use super::ParseError;

/// A web origin: scheme, host and port as browsers send them (RFC 6454 section 6.2).
///
/// Pages that were opened as a file send `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// The origins whose pages may open sessions and read REST.
///
/// A browser lets any page open a WebSocket to any host that the user's network can reach; the Origin
/// header tells a server which page it is (RFC 6455 section 10.2). Clients that send no Origin header are
/// not checked: they are not browsers, and could send any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// The server's own origin, and these.
    Own(Vec<Origin>),
    /// All, for a feed that is public.
    Any,
}

impl FromStr for Origin {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text == "null" {
            return Ok(Self(text.to_owned()));
        }
        let (scheme, authority) =
            text.split_once("://").ok_or(ParseError("an origin looks like https://example.org"))?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if !matches!(scheme, "http" | "https") {
            return Err(ParseError("an origin starts with http:// or https://"));
        }
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(ParseError("an origin has a scheme, a host and maybe a port, nothing else"));
        }
        Ok(Self(format!("{scheme}://{}", without_default_port(scheme, authority))))
    }
}

impl AllowedOrigins {
    /// Whether a request with these Origin and Host headers may open a session.
    pub fn allows(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        let is_own = |(scheme, authority): (&str, &str)| {
            host.is_some_and(|host| without_default_port(scheme, host) == authority)
        };
        let parsed = origin.parse::<Origin>();
        parsed.is_ok_and(|parsed| parsed.0.split_once("://").is_some_and(is_own)) || self.lists(origin)
    }

    /// Whether this Origin header is one that is allowed in addition to the server's own.
    pub fn lists(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Own(others) => origin.parse().is_ok_and(|origin| others.contains(&origin)),
        }
    }
}

/// The authority in lower case and without the default port of its scheme.
fn without_default_port(scheme: &str, authority: &str) -> String {
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.to_ascii_lowercase();
    authority.strip_suffix(default_port).map(str::to_owned).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&str> = Some("tape.example:8080");

    #[test]
    fn own_pages_and_requests_without_an_origin_are_allowed() {
        let own = AllowedOrigins::Own(Vec::new());

        assert!(own.allows(None, HOST));
        assert!(own.allows(Some("http://tape.example:8080"), HOST));
        assert!(own.allows(Some("https://Tape.Example"), Some("tape.example:443")));
        assert!(own.allows(Some("http://[::1]:8080"), Some("[::1]:8080")));
        for other in
            ["http://evil.example", "http://tape.example", "http://tape.example:8081", "null", "tape.example"]
        {
            assert!(!own.allows(Some(other), HOST), "{other}");
        }
        assert!(!own.allows(Some("http://tape.example:8080"), None));
    }

    #[test]
    fn listed_origins_are_allowed() {
        let named =
            AllowedOrigins::Own(vec!["https://app.example/".parse().unwrap(), "null".parse().unwrap()]);

        assert!(named.allows(Some("https://app.example"), HOST));
        assert!(named.allows(Some("null"), HOST));
        assert!(!named.allows(Some("http://app.example"), HOST));
        assert!(!named.allows(Some("https://app.example.evil"), HOST));
        assert!(AllowedOrigins::Any.allows(Some("http://evil.example"), HOST));
        assert!(named.lists("https://app.example") && !named.lists("http://tape.example:8080"));
    }

    #[test]
    fn text_that_is_not_an_origin_is_an_error() {
        for invalid in ["app.example", "ws://app.example", "https://", "https://a/b", "https://u@a", "*"] {
            assert!(invalid.parse::<Origin>().is_err(), "{invalid}");
        }
    }
}
