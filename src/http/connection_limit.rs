//! Bounds the connections of an address that have no session.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::HttpLimits;
use crate::auth::{Network, SharedReachability};
use crate::limits::{UsageCounter, UsagePermit, rate_limit_key};
use crate::metrics::{HttpMetrics, Refusal, RefusalKind};
use crate::transport::ConnectionGuard;

/// Counts the connections of each address that have no session, on all listeners, and refuses those beyond
/// [`HttpLimits::connections_per_address`]. Clones share the count.
///
/// Before a request only the peer's address is known. Trusted proxies and shared addresses are exempt: they
/// stand for many clients, and a proxy limits its own.
#[derive(Clone)]
pub struct ConnectionLimit {
    per_address: usize,
    exempt: Arc<Exempt>,
    connections: UsageCounter<IpAddr>,
    metrics: HttpMetrics,
}

struct Exempt {
    reachability: SharedReachability,
    shared: Vec<Network>,
}

/// A connection without a session, as [`ConnectionLimit`] counts it.
struct CountedConnection {
    _permit: Option<UsagePermit<IpAddr>>,
    address: IpAddr,
    metrics: HttpMetrics,
}

impl ConnectionLimit {
    /// A limit for a server without connections.
    pub fn new(
        limits: &HttpLimits,
        reachability: SharedReachability,
        shared: Vec<Network>,
        metrics: HttpMetrics,
    ) -> Self {
        let exempt = Arc::new(Exempt { reachability, shared });
        let connections = UsageCounter::default();
        Self { per_address: limits.connections_per_address, exempt, connections, metrics }
    }

    /// Admits a connection from this peer, until the guard is dropped; `None` if its address has too many.
    pub fn admit(&self, peer: SocketAddr) -> Option<Box<dyn ConnectionGuard>> {
        let address = peer.ip();
        let permit = if self.exempt.includes(address) {
            None
        } else {
            let permit = self.connections.acquire(rate_limit_key(address), self.per_address);
            if permit.is_none() {
                record(&self.metrics, "address", address);
            }
            Some(permit?)
        };
        self.metrics.connections_without_session.inc();
        Some(Box::new(CountedConnection { _permit: permit, address, metrics: self.metrics.clone() }))
    }
}

fn record(metrics: &HttpMetrics, reason: &'static str, address: IpAddr) {
    let address = address.to_canonical();
    metrics.refusals.record(Refusal { kind: RefusalKind::Connection, reason, address, key: None });
}

impl Exempt {
    fn includes(&self, address: IpAddr) -> bool {
        self.reachability.current().proxies.trusts(address)
            || self.shared.iter().any(|network| network.contains(address))
    }
}

impl ConnectionGuard for CountedConnection {
    fn dropped_as_slow(&self) {
        record(&self.metrics, "slow", self.address);
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.metrics.connections_without_session.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Reachability;

    fn limit(per_address: usize) -> ConnectionLimit {
        let limits = HttpLimits { connections_per_address: per_address, ..HttpLimits::default() };
        let (proxies, shared) = (["10.0.0.0/8"], ["127.0.0.0/8", "::1"]);
        let parse = |text: &str| text.parse::<Network>().unwrap();
        let proxies: Vec<_> = proxies.into_iter().map(parse).collect();
        let shared = shared.into_iter().map(parse).collect();
        let reachability = Reachability { proxies: proxies.into(), ..Reachability::default() };
        ConnectionLimit::new(&limits, reachability.into(), shared, HttpMetrics::default())
    }

    /// How many of five connections from these addresses are admitted.
    fn admitted(limit: &ConnectionLimit, addresses: [&str; 5]) -> usize {
        let peers = addresses.map(|address| SocketAddr::new(address.parse().unwrap(), 4_242));
        let guards: Vec<_> = peers.into_iter().map(|peer| limit.admit(peer)).collect();
        guards.iter().flatten().count()
    }

    #[test]
    fn an_address_or_a_prefix_of_64_bits_has_a_limit_of_connections() {
        let limit = limit(2);

        assert_eq!(admitted(&limit, ["203.0.113.7"; 5]), 2);
        let neighbours =
            ["2001:db8::1", "2001:db8::2", "2001:db8::3:1:4", "2001:db8:0:1::1", "::ffff:203.0.113.7"];
        assert_eq!(admitted(&limit, neighbours), 4);
    }

    #[test]
    fn trusted_proxies_and_loopback_stand_for_many_clients() {
        let addresses = ["127.0.0.1", "127.0.0.1", "::1", "10.9.9.9", "::ffff:10.9.9.9"];
        assert_eq!(admitted(&limit(0), addresses), 5);
    }
}
