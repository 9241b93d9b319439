use std::net::{IpAddr, Ipv6Addr};

/// Whom limits per address count as one: an IPv4 address, or the 64 bits of an IPv6 address that one
/// household is given, within which it has as many as it likes.
pub fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
    }
}
