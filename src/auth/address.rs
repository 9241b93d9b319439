use std::net::IpAddr;
use std::str::FromStr;

use super::forwarded::{self, Hop};
use super::{ClientLocation, ParseError};

/// A network in CIDR notation, such as `10.0.0.0/8` or `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
}

/// The proxies whose `X-Forwarded-For` and `Forwarded` headers are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// The header lines in which proxies report the client, in the order in which they arrived.
#[derive(Clone, Debug, Default)]
pub struct ForwardingHeaders<'a> {
    /// The values of `X-Forwarded-For`.
    pub forwarded_for: Vec<&'a [u8]>,
    /// The values of `Forwarded` (RFC 7239).
    pub forwarded: Vec<&'a [u8]>,
    /// Whether there is another header that proxies add, such as `Via` or `X-Real-IP`.
    pub others: ForwardingTrace,
}

/// Whether headers other than those that report the client show that a request came through a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardingTrace {
    /// They do not.
    #[default]
    Absent,
    /// They do.
    Present,
}

impl ForwardingHeaders<'_> {
    /// Whether the request came through a proxy, as far as its headers tell.
    const fn is_forwarded(&self) -> bool {
        let is_reported = !self.forwarded_for.is_empty() || !self.forwarded.is_empty();
        is_reported || matches!(self.others, ForwardingTrace::Present)
    }

    /// Where the sender of a request is that arrived from `peer`, for what this machine alone may do.
    ///
    /// A request that came through a proxy is from elsewhere, whether that proxy is trusted or not: a header can take
    /// the right of this machine away, and never give it.
    pub const fn sender_location(&self, peer: IpAddr) -> ClientLocation {
        if peer.to_canonical().is_loopback() && !self.is_forwarded() {
            ClientLocation::ThisMachine
        } else {
            ClientLocation::Elsewhere
        }
    }
}

impl FromStr for Network {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_| ParseError("not an address such as 10.0.0.1 or fd00::1"))?;
        // An IPv4 address is the last 32 bits of an IPv6 one (RFC 4291 section 2.5.5.2).
        let offset = if address.is_ipv4() { 96 } else { 0 };
        let prefix: u32 = prefix
            .map_or(Ok(128 - offset), str::parse)
            .map_err(|_| ParseError("the prefix length is not a number"))?;
        if prefix > 128 - offset {
            return Err(ParseError("the prefix is longer than the address"));
        }
        let mask = u128::MAX.checked_shl(128 - offset - prefix).unwrap_or(0);
        Ok(Self { base: bits_of(address) & mask, mask })
    }
}

impl Network {
    /// Whether the address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        bits_of(address) & self.mask == self.base
    }
}

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// The address of the client whose request arrived from `peer` with these headers.
    ///
    /// Each proxy appends the address it received the request from. So the list is read from the right for
    /// as long as the entries are trusted proxies; what is left of those the client may have made up. A
    /// peer that is not a trusted proxy is the client, whatever the headers say.
    ///
    /// A client whose address a trusted proxy hides, or reports in a form that we cannot read, counts under
    /// an address that stands for that text; see `Hop::Identifier`.
    ///
    /// A proxy passes on the one of the two headers that it does not write, so the client may have made that
    /// one up. If both are present and name different clients, neither is believed: the request counts as
    /// the proxy's.
    pub fn client(&self, peer: IpAddr, headers: &ForwardingHeaders<'_>) -> IpAddr {
        let peer = peer.to_canonical();
        let by_forwarded_for =
            self.follow(peer, forwarded::forwarded_for(headers.forwarded_for.iter().copied()));
        let by_forwarded = self.follow(peer, forwarded::forwarded(headers.forwarded.iter().copied()));
        match (headers.forwarded_for.is_empty(), headers.forwarded.is_empty()) {
            (_, true) => by_forwarded_for,
            (true, false) => by_forwarded,
            (false, false) if by_forwarded_for == by_forwarded => by_forwarded,
            (false, false) => peer,
        }
    }

    /// Where the client is that connected from `peer` with these headers.
    pub fn location(&self, peer: IpAddr, headers: &ForwardingHeaders<'_>) -> ClientLocation {
        let is_reported = !headers.forwarded_for.is_empty() || !headers.forwarded.is_empty();
        match peer.to_canonical() {
            peer if peer.is_loopback() && !(is_reported && self.trusts(peer)) => ClientLocation::ThisMachine,
            _ => ClientLocation::Elsewhere,
        }
    }

    /// Follows the hops, the last one first, for as long as trusted proxies reported them.
    fn follow(&self, peer: IpAddr, hops: impl Iterator<Item = Option<Hop>>) -> IpAddr {
        let mut client = peer;
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            match hop {
                Some(Hop::Address(address)) => client = address,
                Some(Hop::Identifier(stand_in)) => return stand_in,
                None => break,
            }
        }
        client
    }

    /// Whether the address is that of a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

fn bits_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies(trusted: &[&str]) -> TrustedProxies {
        let networks: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        networks.into()
    }

    fn client(trusted: &[&str], peer: &str, forwarded_for: &[&str]) -> IpAddr {
        let forwarded_for = forwarded_for.iter().map(|line| line.as_bytes()).collect();
        let headers = ForwardingHeaders { forwarded_for, ..ForwardingHeaders::default() };
        proxies(trusted).client(ip(peer), &headers)
    }

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        let within = |network: &str, address: &str| network.parse::<Network>().unwrap().contains(ip(address));

        assert!(within("10.0.0.0/8", "10.200.3.4"));
        assert!(within("10.9.9.9/8", "::ffff:10.1.1.1"));
        assert!(!within("10.0.0.0/8", "11.0.0.0"));
        assert!(!within("10.0.0.0/8", "::a00:1"));
        assert!(within("0.0.0.0/0", "203.0.113.7"));
        assert!(!within("0.0.0.0/0", "fd00::1"));
        assert!(within("fd00::/8", "fdff::1"));
        assert!(within("::/0", "203.0.113.7"));
        for nonsense in ["", "10.0.0", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "localhost"] {
            assert!(nonsense.parse::<Network>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn the_header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(client(&[], "198.51.100.1", &["203.0.113.7"]), ip("198.51.100.1"));
        assert_eq!(client(&["127.0.0.1"], "198.51.100.1", &["203.0.113.7"]), ip("198.51.100.1"));
    }

    #[test]
    fn the_rightmost_address_that_is_not_a_trusted_proxy_is_the_client() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"];

        assert_eq!(client(&trusted, "127.0.0.1", &["203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&trusted, "::ffff:127.0.0.1", &["6.6.6.6, 203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&trusted, "127.0.0.1", &["6.6.6.6", "203.0.113.7, 10.1.1.1"]), ip("203.0.113.7"));
        assert_eq!(
            client(&trusted, "127.0.0.1", &["6.6.6.6, 203.0.113.7:81, [10.1.1.1]:80"]),
            ip("203.0.113.7")
        );
        assert_eq!(client(&trusted, "127.0.0.1", &[]), ip("127.0.0.1"));
    }

    #[test]
    fn a_client_behind_a_trusted_proxy_on_this_machine_is_elsewhere() {
        let location = |trusted: &[&str], peer: &str, line: Option<&'static str>| {
            let forwarded = line.iter().map(|line| line.as_bytes()).collect();
            let headers = ForwardingHeaders { forwarded, ..ForwardingHeaders::default() };
            proxies(trusted).location(ip(peer), &headers)
        };
        let report = Some("for=127.0.0.1");

        assert_eq!(location(&[], "203.0.113.7", None), ClientLocation::Elsewhere);
        assert_eq!(location(&[], "127.0.0.2", report), ClientLocation::ThisMachine);
        assert_eq!(location(&["::1"], "::ffff:127.0.0.1", report), ClientLocation::ThisMachine);
        assert_eq!(location(&["127.0.0.1"], "127.0.0.1", None), ClientLocation::ThisMachine);
        assert_eq!(location(&["127.0.0.1"], "127.0.0.1", report), ClientLocation::Elsewhere);
    }

    #[test]
    fn the_sender_of_a_request_that_any_proxy_forwarded_is_not_on_this_machine() {
        let line: &[u8] = b"127.0.0.1";
        let direct = ForwardingHeaders::default();
        let reported = ForwardingHeaders { forwarded_for: vec![line], ..ForwardingHeaders::default() };
        let forwarded =
            ForwardingHeaders { forwarded: vec![b"for=127.0.0.1"], ..ForwardingHeaders::default() };
        let traced = ForwardingHeaders { others: ForwardingTrace::Present, ..ForwardingHeaders::default() };

        for peer in ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(direct.sender_location(ip(peer)), ClientLocation::ThisMachine, "{peer}");
            for headers in [&reported, &forwarded, &traced] {
                assert_eq!(
                    headers.sender_location(ip(peer)),
                    ClientLocation::Elsewhere,
                    "{peer} {headers:?}"
                );
            }
        }
        assert_eq!(direct.sender_location(ip("203.0.113.7")), ClientLocation::Elsewhere);
    }

    #[test]
    fn clients_whose_address_a_proxy_hides_do_not_share_one_address() {
        let client = |line: &str| client(&["127.0.0.1"], "127.0.0.1", &[line]);

        assert_eq!(client("_one"), client("203.0.113.7, _one"));
        assert_ne!(client("_one"), client("_two"));
        assert_ne!(client("unknown"), ip("127.0.0.1"));
    }

    #[test]
    fn forwarded_is_believed_unless_the_other_header_contradicts_it() {
        let client = |forwarded_for: &[&'static str], forwarded: &[&'static str]| {
            let lines = |texts: &[&'static str]| texts.iter().map(|line| line.as_bytes()).collect();
            let (forwarded_for, forwarded) = (lines(forwarded_for), lines(forwarded));
            let headers = ForwardingHeaders { forwarded_for, forwarded, ..ForwardingHeaders::default() };
            proxies(&["127.0.0.1", "10.0.0.0/8"]).client(ip("127.0.0.1"), &headers)
        };

        assert_eq!(client(&[], &["for=6.6.6.6, for=203.0.113.7", "for=10.1.1.1"]), ip("203.0.113.7"));
        assert_eq!(client(&[], &["proto=https"]), ip("127.0.0.1"), "no sender is reported");
        assert_eq!(client(&["203.0.113.7:80"], &["for=203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&["203.0.113.7"], &["for=6.6.6.6"]), ip("127.0.0.1"));
        assert_eq!(client(&["6.6.6.6"], &["for=203.0.113.7"]), ip("127.0.0.1"));
    }
}
