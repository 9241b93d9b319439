use std::str::FromStr;

use super::ParseError;

/// A site whose pages may open sessions and read REST: scheme, host and port, as browsers write them
/// (RFC 6454 section 6.2). `null` is what pages say that were opened as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Whose pages may open sessions and read REST.
///
/// A browser lets any page open a WebSocket to anywhere, with what the user's network lets it reach;
/// the Origin header is how a server tells its own pages from others (RFC 6455 section 10.2). Who is
/// no browser sends none, and is none of this rule's business: it could say what it likes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// This server's own, and these.
    Own(Vec<Origin>),
    /// All. For a feed that is public anyway.
    Any,
}

impl FromStr for Origin {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text == "null" {
            return Ok(Self(text.to_owned()));
        }
        let (scheme, authority) =
            text.split_once("://").ok_or(ParseError("an origin is like https://example.org"))?;
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if !matches!(scheme, "http" | "https") {
            return Err(ParseError("an origin begins with http:// or https://"));
        }
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            return Err(ParseError("an origin has a host, maybe a port, and nothing else"));
        }
        Ok(Self(format!("{scheme}://{}", without_usual_port(scheme, authority))))
    }
}

impl AllowedOrigins {
    /// Whether a page of this `origin` may open a session on this `host`; both as the request's
    /// headers have them.
    pub fn admit(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        let is_own = |(scheme, authority): (&str, &str)| {
            host.is_some_and(|host| without_usual_port(scheme, host) == authority)
        };
        let asked = origin.parse::<Origin>();
        asked.is_ok_and(|asked| asked.0.split_once("://").is_some_and(is_own)) || self.names(origin)
    }

    /// Whether pages of this `origin`, as a request's header has it, are meant beside this server's own.
    pub fn names(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Own(others) => origin.parse().is_ok_and(|origin| others.contains(&origin)),
        }
    }
}

/// A host in small letters, without the port that its scheme has anyway.
fn without_usual_port(scheme: &str, authority: &str) -> String {
    let usual = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.to_ascii_lowercase();
    authority.strip_suffix(usual).map(str::to_owned).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&str> = Some("tape.example:8080");

    #[test]
    fn own_pages_and_those_who_are_no_browser_come_in() {
        let own = AllowedOrigins::Own(Vec::new());

        assert!(own.admit(None, HOST));
        assert!(own.admit(Some("http://tape.example:8080"), HOST));
        assert!(own.admit(Some("https://Tape.Example"), Some("tape.example:443")));
        assert!(own.admit(Some("http://[::1]:8080"), Some("[::1]:8080")));
        for other in
            ["http://evil.example", "http://tape.example", "http://tape.example:8081", "null", "tape.example"]
        {
            assert!(!own.admit(Some(other), HOST), "{other}");
        }
        assert!(!own.admit(Some("http://tape.example:8080"), None));
    }

    #[test]
    fn others_come_in_when_they_are_named() {
        let named =
            AllowedOrigins::Own(vec!["https://app.example/".parse().unwrap(), "null".parse().unwrap()]);

        assert!(named.admit(Some("https://app.example"), HOST));
        assert!(named.admit(Some("null"), HOST));
        assert!(!named.admit(Some("http://app.example"), HOST));
        assert!(!named.admit(Some("https://app.example.evil"), HOST));
        assert!(AllowedOrigins::Any.admit(Some("http://evil.example"), HOST));
        assert!(named.names("https://app.example") && !named.names("http://tape.example:8080"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for nonsense in ["app.example", "ws://app.example", "https://", "https://a/b", "https://u@a", "*"] {
            assert!(nonsense.parse::<Origin>().is_err(), "{nonsense}");
        }
    }
}
