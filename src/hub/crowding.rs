use rustc_hash::{FxHashMap, FxHashSet};

use crate::limits::ClientAddress;

/// The most bytes that may wait in all outboxes of a worker, and in those of one address on it, before their
/// sessions may hold less each.
///
/// What one session may hold is bounded, but a client can open many. Beyond a total, the watermarks of the
/// sessions concerned are a frame and twice that, and answers are produced only while nothing waits (counter
/// `outbox_crowded`). Checked once a second: in between, answers grow no faster than their share of the
/// worker's time allows. Default 64 MiB for a worker and 16 MiB for an IPv4 address or IPv6 /64: 64 sessions
/// that take nothing at all. A larger total lets more clients be slow at once.
#[derive(Clone, Copy, Debug)]
pub struct BacklogLimits {
    /// For all sessions of the worker.
    pub worker: usize,
    /// For the sessions of one address.
    pub address: usize,
}

impl Default for BacklogLimits {
    fn default() -> Self {
        Self { worker: 64 << 20, address: 16 << 20 }
    }
}

/// Which clients hold more than the totals allow, as of the last check.
#[derive(Debug, Default)]
pub(super) struct Crowding {
    is_worker_full: bool,
    addresses: FxHashSet<ClientAddress>,
}

impl Crowding {
    /// What this backlog of all sessions means. Sessions without one cost nothing.
    pub(super) fn of(limits: BacklogLimits, backlog: impl Iterator<Item = (ClientAddress, usize)>) -> Self {
        let (mut total, mut by_address) = (0, FxHashMap::<_, usize>::default());
        for (client, bytes) in backlog.filter(|(_, bytes)| *bytes > 0) {
            total += bytes;
            *by_address.entry(client).or_default() += bytes;
        }
        let addresses = by_address.into_iter().filter(|(_, bytes)| *bytes > limits.address);
        let addresses = addresses.map(|(client, _)| client).collect();
        Self { is_worker_full: total > limits.worker, addresses }
    }

    pub(super) fn includes(&self, client: ClientAddress) -> bool {
        self.is_worker_full || (!self.addresses.is_empty() && self.addresses.contains(&client))
    }

    /// Whether any client holds too much.
    pub(super) fn is_any(&self) -> bool {
        self.is_worker_full || !self.addresses.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(number: u8) -> ClientAddress {
        IpAddr::from([203, 0, 113, number]).into()
    }

    #[test]
    fn the_sessions_of_an_address_add_up_and_do_not_concern_others() {
        let limits = BacklogLimits { worker: 1_000, address: 100 };
        let of = |backlog: &[(u8, usize)]| {
            Crowding::of(limits, backlog.iter().map(|(number, bytes)| (client(*number), *bytes)))
        };

        let one = of(&[(1, 60), (2, 90), (1, 60), (3, 0)]);
        assert_eq!([1, 2, 3].map(|number| one.includes(client(number))), [true, false, false]);
        assert!(one.is_any() && !of(&[(1, 100), (2, 100)]).is_any());
        let many: Vec<_> = (0..20).map(|number| (number, 60)).collect();
        assert!(of(&many).includes(client(99)), "the worker's total concerns all");
    }
}
