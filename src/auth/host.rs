use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::ParseError;

/// A host in the form in which browsers send it: a name in lower case, or an address in its shortest form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostName(String);

/// The hosts that an option names: one, or the names below one (`*.example.com`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: HostName,
    is_wildcard: bool,
}

impl HostName {
    /// Splits `host:port`. A port is a number.
    pub(super) fn with_port(authority: &str) -> Result<(Self, Option<u16>), ParseError> {
        let port_at = authority.rfind(':').filter(|place| !authority[*place..].contains(']'));
        let Some(port_at) = port_at else { return Ok((authority.parse()?, None)) };
        let port = &authority[port_at + 1..];
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port =
            port.parse().ok().filter(|_| is_number).ok_or(ParseError("a port is a number up to 65535"))?;
        Ok((authority[..port_at].parse()?, Some(port)))
    }

    /// Whether this machine is meant: `localhost`, or an address of loopback.
    fn is_loopback(&self) -> bool {
        let name = self.0.strip_suffix('.').unwrap_or(&self.0);
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether only this machine can be meant, or an address: names that no DNS server of an attacker
    /// resolves. `localhost` and the names below it are resolved to loopback by browsers (RFC 6761 section
    /// 6.3).
    pub(super) fn needs_no_dns(&self) -> bool {
        let name = self.0.strip_suffix('.').unwrap_or(&self.0);
        name == "localhost"
            || name.ends_with(".localhost")
            || name.starts_with('[')
            || name.parse::<Ipv4Addr>().is_ok()
    }
}

/// Whether a `Host` header names this machine by `localhost` or an address of loopback, with any port.
pub fn names_loopback(authority: &str) -> bool {
    HostName::with_port(authority).is_ok_and(|(host, _)| host.is_loopback())
}

impl FromStr for HostName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if let Some(bracketed) = text.strip_prefix('[') {
            let address = bracketed.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            let address = address.ok_or(ParseError("not an IPv6 address in brackets"))?;
            return Ok(Self(format!("[{address}]")));
        }
        if text.is_empty() {
            return Err(ParseError("the host is missing"));
        }
        if !text.is_ascii() {
            return Err(ParseError("write the host as browsers send it, in punycode (xn--...)"));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte);
        if !text.bytes().all(is_name) {
            return Err(ParseError("a host has letters, digits, dots and hyphens"));
        }
        // Browsers take a name whose last label is a number for an address (URL Standard, host parsing).
        let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
        let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && text.parse::<IpAddr>().is_err() {
            return Err(ParseError("not an IPv4 address"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl HostPattern {
    /// Whether this host is meant. A wildcard means all names below its own, at any depth, and not its own.
    pub(super) fn matches(&self, host: &HostName) -> bool {
        match self.is_wildcard {
            true => {
                host.0.strip_suffix(&self.name.0).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
            false => *host == self.name,
        }
    }

    /// Splits `pattern:port`.
    pub(super) fn with_port(authority: &str) -> Result<(Self, Option<u16>), ParseError> {
        let (is_wildcard, authority) = match authority.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, authority),
        };
        if authority.contains('*') {
            return Err(ParseError("a wildcard is the whole first label: https://*.example.org"));
        }
        let (name, port) = HostName::with_port(authority)?;
        if is_wildcard && (name.0.starts_with('[') || name.0.parse::<Ipv4Addr>().is_ok()) {
            return Err(ParseError("an address has no names below it"));
        }
        Ok((Self { name, is_wildcard }, port))
    }
}

/// Parses a value of `--public-host`: a name, without a scheme and a port.
impl FromStr for HostPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains('/') {
            return Err(ParseError("a host name such as tape.example.org, without a scheme"));
        }
        match Self::with_port(text)? {
            (pattern, None) => Ok(pattern),
            (_, Some(_)) => Err(ParseError("a host name without a port: it holds for all ports")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_in_the_form_in_which_browsers_send_it() {
        for (text, form, port) in [
            ("Tape.Example", "tape.example", None),
            ("tape.example:0443", "tape.example", Some(443)),
            ("[0:0:0:0:0:0:0:1]:8080", "[::1]", Some(8080)),
            ("127.0.0.1", "127.0.0.1", None),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
            ("my_host", "my_host", None),
        ] {
            assert_eq!(HostName::with_port(text).unwrap(), (HostName(form.to_owned()), port), "{text}");
        }
        for invalid in [
            "",
            ":80",
            "a:",
            "a:x",
            "a:65536",
            "a:+1",
            "bücher.example",
            "a b",
            "a/b",
            "u@a",
            "127.1",
            "[::1",
            "::1",
        ] {
            assert!(HostName::with_port(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn loopback_is_named_by_its_addresses_and_by_localhost() {
        for host in
            ["localhost", "LOCALHOST:9090", "a.localhost", "127.0.0.1:9090", "127.9.9.9", "[::1]:9090"]
        {
            assert!(names_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]",
            "a@localhost",
        ] {
            assert!(!names_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_wildcard_means_every_name_below_its_own() {
        let pattern: HostPattern = "*.Example.org".parse().unwrap();
        let matches = |host: &str| pattern.matches(&host.parse().unwrap());

        assert!(matches("app.example.org") && matches("a.b.example.org"));
        assert!(!matches("example.org") && !matches("evilexample.org") && !matches("example.org.evil"));
        assert!(!matches(".example.org"));
        for invalid in ["*", "*.", "a.*.org", "*a.org", "**.a.org", "*.*.org", "*.127.0.0.1", "*.[::1]"] {
            assert!(invalid.parse::<HostPattern>().is_err(), "{invalid}");
        }
        for invalid in ["https://a.org", "a.org:443", "a.org/"] {
            assert!(invalid.parse::<HostPattern>().is_err(), "{invalid}");
        }
    }
}
