//! Addresses to listen on, whose host may be a name.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use super::ConfigError;

/// The value of an option that names an address to listen on: an IP address or a host name, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListenOption(String);

impl FromStr for ListenOption {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str =
            "expected an address and a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080";
        let is_name = |host: &str| {
            let has_letter = host.bytes().any(|byte| byte.is_ascii_alphabetic());
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            has_letter && host.len() < 254 && host.bytes().all(is_part)
        };
        let is_named = text.rsplit_once(':').is_some_and(|(host, port)| {
            is_name(host) && !port.starts_with('+') && port.parse::<u16>().is_ok()
        });
        match text.parse::<SocketAddr>().is_ok() || is_named {
            true => Ok(Self(text.to_owned())),
            false => Err(EXPECTED),
        }
    }
}

impl ListenOption {
    /// The address. Of a name with several the first of IPv4, if there is one.
    ///
    /// # Errors
    /// When the name cannot be resolved.
    pub(super) fn resolve(&self, option: &'static str) -> Result<SocketAddr, ConfigError> {
        let unknown = |reason: String| ConfigError::UnknownHost { option, address: self.0.clone(), reason };
        let addresses: Vec<_> =
            self.0.to_socket_addrs().map_err(|error| unknown(error.to_string()))?.collect();
        preferred(&addresses).ok_or_else(|| unknown("it has no address".to_owned()))
    }
}

/// The first address of IPv4, or else the first: clients that are given a name try both, those that are given
/// 127.0.0.1 do not.
fn preferred(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for valid in ["127.0.0.1:0", "[::1]:8080", "0.0.0.0:80", "localhost:8080", "feed-1.example.org:443"] {
            assert!(valid.parse::<ListenOption>().is_ok(), "{valid}");
        }
        for invalid in [
            "8080",
            ":8080",
            "localhost",
            "a b:80",
            "host:65536",
            "host:+1",
            "127.1:80",
            "::1:80",
            "http://h:80",
        ] {
            assert!(invalid.parse::<ListenOption>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn of_several_addresses_one_of_ipv4_is_preferred() {
        let [six, four]: [SocketAddr; 2] = ["[::1]:80".parse().unwrap(), "127.0.0.1:80".parse().unwrap()];

        assert_eq!(preferred(&[six, four]), Some(four));
        assert_eq!(preferred(&[six]), Some(six));
        assert_eq!(preferred(&[]), None);
    }

    #[test]
    fn a_name_is_resolved() {
        let resolve = |text: &str| text.parse::<ListenOption>().unwrap().resolve("--listen");

        assert!(resolve("localhost:8080").unwrap().ip().is_loopback());
        assert_eq!(resolve("[::1]:80").unwrap().port(), 80);
        let error = resolve("nowhere.invalid:80").unwrap_err();
        assert!(matches!(error, ConfigError::UnknownHost { option: "--listen", .. }), "{error}");
    }
}
