use std::net::{IpAddr, Ipv6Addr};

/// The key under which limits per address count an address: the IPv4 address itself, or the /64 prefix
/// of an IPv6 address.
///
/// A provider assigns at least a /64 to one customer, which can use any address in it.
pub fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
    }
}

/// The address of a client, as limits on one worker tell clients apart: its [`rate_limit_key`] in eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub(super) u64);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        match rate_limit_key(address) {
            // No network has the prefix ffff:ffff::/32.
            IpAddr::V4(address) => Self(u64::from(u32::MAX) << 32 | u64::from(u32::from(address))),
            IpAddr::V6(address) => Self((u128::from(address) >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_prefix_of_64_bits_is_one_address() {
        let key = |text: &str| rate_limit_key(text.parse().unwrap()).to_string();

        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("::ffff:203.0.113.7"), "203.0.113.7");
    }

    #[test]
    fn an_ipv6_prefix_of_64_bits_is_one_client() {
        let client = |text: &str| ClientAddress::from(text.parse::<IpAddr>().unwrap());

        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:3:4:5:6"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:203.0.113.7"), client("203.0.113.7"));
        assert_ne!(client("203.0.113.7"), client("203.0.113.8"));
    }
}
