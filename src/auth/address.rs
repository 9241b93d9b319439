use std::net::IpAddr;
use std::str::FromStr;

use super::ParseError;

/// An address, or all that share its first bits: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    mask: u128,
}

/// The proxies whose word is taken for where a client comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl FromStr for Network {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_| ParseError("not an address like 10.0.0.1 or fd00::1"))?;
        // An IPv4 address is the last 32 bits of an IPv6 one (RFC 4291 section 2.5.5.2).
        let above = if address.is_ipv4() { 96 } else { 0 };
        let bits: u32 =
            bits.map_or(Ok(128 - above), str::parse).map_err(|_| ParseError("not a count of bits"))?;
        if bits > 128 - above {
            return Err(ParseError("more bits than an address has"));
        }
        let mask = u128::MAX.checked_shl(128 - above - bits).unwrap_or(0);
        Ok(Self { base: number(address) & mask, mask })
    }
}

impl Network {
    /// Whether the address is one of these.
    pub fn contains(&self, address: IpAddr) -> bool {
        number(address) & self.mask == self.base
    }
}

impl From<Vec<Network>> for TrustedProxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks)
    }
}

impl TrustedProxies {
    /// Where a request comes from that `peer` sent, with these values of X-Forwarded-For.
    ///
    /// Each proxy appends whom it heard, so the list is true from the right for as long as those who
    /// wrote it are trusted; all before that the client may have made up. A peer that is no trusted
    /// proxy is taken for the client itself, whatever it says.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer.to_canonical();
        for hop in forwarded_for.flat_map(|value| value.split(',')).rev() {
            if !self.trust(client) {
                break;
            }
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
        }
        client
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

fn number(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::rate_limit_key;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(trusted: &[&str], peer: &str, forwarded_for: &[&str]) -> IpAddr {
        let networks: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        TrustedProxies::from(networks).client(ip(peer), forwarded_for.iter().copied())
    }

    #[test]
    fn a_network_is_all_addresses_that_share_its_first_bits() {
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
    fn who_is_no_trusted_proxy_speaks_for_nobody_else() {
        assert_eq!(client(&[], "198.51.100.1", &["203.0.113.7"]), ip("198.51.100.1"));
        assert_eq!(client(&["127.0.0.1"], "198.51.100.1", &["203.0.113.7"]), ip("198.51.100.1"));
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_client() {
        let trusted = ["127.0.0.1", "10.0.0.0/8"];

        assert_eq!(client(&trusted, "127.0.0.1", &["203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&trusted, "::ffff:127.0.0.1", &["6.6.6.6, 203.0.113.7"]), ip("203.0.113.7"));
        assert_eq!(client(&trusted, "127.0.0.1", &["6.6.6.6", "203.0.113.7, 10.1.1.1"]), ip("203.0.113.7"));
        assert_eq!(client(&trusted, "127.0.0.1", &["made up, 10.1.1.1"]), ip("10.1.1.1"));
        assert_eq!(client(&trusted, "127.0.0.1", &[]), ip("127.0.0.1"));
    }

    #[test]
    fn one_household_is_one_address() {
        assert_eq!(rate_limit_key(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(rate_limit_key(ip("::ffff:203.0.113.7")), ip("203.0.113.7"));
    }
}
