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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_prefix_of_64_bits_is_one_address() {
        let key = |text: &str| rate_limit_key(text.parse().unwrap()).to_string();

        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("::ffff:203.0.113.7"), "203.0.113.7");
    }
}
