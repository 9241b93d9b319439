//! Refusals: each is counted, logged and remembered by one call.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tracing::info;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// Credentials.
    Auth,
    /// The upgrade to a session.
    Upgrade,
    /// A request.
    Request,
    /// A connection without a session.
    Connection,
    /// A TLS handshake.
    Handshake,
    /// A command of a session. [`WorkerMetrics::erred`](super::WorkerMetrics::erred) counts it by its code.
    Command,
}

impl RefusalKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Auth, Self::Upgrade, Self::Request, Self::Connection, Self::Handshake, Self::Command];

    /// The name in logs and in the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Upgrade => "upgrade",
            Self::Request => "request",
            Self::Connection => "connection",
            Self::Handshake => "handshake",
            Self::Command => "command",
        }
    }

    /// The reasons that there are, which all have a counter from the start: `rate()` misses the first event of a
    /// counter that appears with it. Those of commands are the texts of their errors.
    const fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Auth => &["wrong", "attempts", "feed", "sessions", "expired", "unavailable"],
            Self::Upgrade => &["handshake", "origin", "host", "not_ready", "sessions", "address"],
            Self::Request => &[
                "admin_forwarded",
                "admin_host",
                "admin_no_token",
                "admin_origin",
                "admin_token_required",
                "admin_wrong_token",
                "answers",
                "attempts",
                "body",
                "busy",
                "expired",
                "head",
                "invalid",
                "method",
                "no_key",
                "not_entitled",
                "not_found",
                "not_permitted",
                "unavailable",
                "unreadable",
                "wrong_key",
            ],
            Self::Connection => &["address", "slow"],
            Self::Handshake => &["timeout", "error"],
            Self::Command => &[],
        }
    }
}

/// Something that was refused to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// What.
    pub kind: RefusalKind,
    /// Why, in a word of a bounded set.
    pub reason: &'static str,
    /// The client's address.
    pub address: IpAddr,
    /// The id of the client's key, if it is known to be one: what a stranger calls a key may be a secret.
    pub key: Option<&'a str>,
}

/// Equal refusals within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentRefusal {
    /// What was refused.
    pub kind: RefusalKind,
    /// Why.
    pub reason: &'static str,
    /// To which address.
    pub address: IpAddr,
    /// To which key, if it is known.
    pub key: Option<Box<str>>,
    /// When the first of them was.
    pub first: SystemTime,
    /// When the last of them was.
    pub last: SystemTime,
    /// How many there were.
    pub count: u64,
}

/// Where refusals are recorded. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    auths: Family<ReasonLabel, Counter>,
    upgrades: Family<ReasonLabel, Counter>,
    requests: Family<ReasonLabel, Counter>,
    connections: Family<ReasonLabel, Counter>,
    handshakes: Family<ReasonLabel, Counter>,
    recent: Arc<Mutex<RefusalRing>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabel {
    pub(super) reason: &'static str,
}

impl Refusals {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Upgrades to a session that were refused, by reason";
        registry.register("upgrades_refused", help, self.upgrades.clone());
        let help = "Requests refused for their form, for lack of a valid key or of capacity, by reason";
        registry.register("requests_refused", help, self.requests.clone());
        registry.register("auths_refused", "Credentials that were refused, by reason", self.auths.clone());
        let help = "TLS handshakes that failed, by reason";
        registry.register("tls_handshakes_failed", help, self.handshakes.clone());
        let help = "Connections without a session that the server dropped, by reason";
        registry.register("connections_dropped", help, self.connections.clone());
        for kind in RefusalKind::ALL {
            let Some(family) = self.family(kind) else { continue };
            kind.reasons().iter().for_each(|reason| drop(family.get_or_create(&ReasonLabel { reason })));
        }
    }

    /// Counts a refusal, remembers it, and logs it unless many like it were logged just now.
    pub fn record(&self, refusal: Refusal<'_>) {
        let Refusal { kind, reason, address, key } = refusal;
        if let Some(family) = self.family(kind) {
            debug_assert!(kind.reasons().contains(&reason), "{reason} is a reason of {kind:?}");
            family.get_or_create(&ReasonLabel { reason }).inc();
        }
        let line = self.recent().note(refusal, Instant::now(), SystemTime::now());
        if let Some(AuditLine { count, unlogged }) = line {
            info!(
                target: "audit",
                kind = kind.name(),
                reason,
                %address,
                key,
                count,
                unlogged = (unlogged > 0).then_some(unlogged),
                "refused"
            );
        }
    }

    /// The newest refusals, the newest first.
    pub fn newest(&self, most: usize) -> Vec<RecentRefusal> {
        let mut newest: Vec<_> = self.recent().entries.iter().map(|entry| entry.refusal.clone()).collect();
        newest.sort_by_key(|refusal| std::cmp::Reverse(refusal.last));
        newest.truncate(most);
        newest
    }

    fn family(&self, kind: RefusalKind) -> Option<&Family<ReasonLabel, Counter>> {
        match kind {
            RefusalKind::Auth => Some(&self.auths),
            RefusalKind::Upgrade => Some(&self.upgrades),
            RefusalKind::Request => Some(&self.requests),
            RefusalKind::Connection => Some(&self.connections),
            RefusalKind::Handshake => Some(&self.handshakes),
            RefusalKind::Command => None,
        }
    }

    fn recent(&self) -> MutexGuard<'_, RefusalRing> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest refusals: a bounded list, in which equal ones within a minute are one entry.
#[derive(Debug, Default)]
struct RefusalRing {
    entries: VecDeque<RingEntry>,
    budgets: [LineBudget; RefusalKind::ALL.len()],
}

#[derive(Debug)]
struct RingEntry {
    refusal: RecentRefusal,
    began: Instant,
}

/// A line for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AuditLine {
    /// How many refusals like this one there were within this minute.
    count: u64,
    /// How many lines about refusals of this kind were left out before this one.
    unlogged: u64,
}

impl RefusalRing {
    /// The most entries: some 150 KB.
    const CAPACITY: usize = 1_000;
    /// Refusals that are equal but for their time are one entry for this long.
    const WINDOW: Duration = Duration::from_secs(60);
    /// Among this many of the newest entries an equal one is looked for: an attacker with many addresses must
    /// not make each refusal cost a walk over all of them.
    const LOOK_BACK: usize = 64;

    /// Adds a refusal. Returns a line for the 1st, 10th, 100th … of equal ones, while the budget of its kind
    /// lasts.
    fn note(&mut self, refusal: Refusal<'_>, now: Instant, wall: SystemTime) -> Option<AuditLine> {
        let Refusal { kind, reason, address, key } = refusal;
        let is_same = |entry: &&mut RingEntry| {
            let it = &entry.refusal;
            (it.kind, it.reason, it.address, it.key.as_deref()) == (kind, reason, address, key)
                && now.saturating_duration_since(entry.began) < Self::WINDOW
        };
        let known = self.entries.iter_mut().rev().take(Self::LOOK_BACK).find(is_same);
        let count = if let Some(entry) = known {
            entry.refusal.last = wall;
            entry.refusal.count += 1;
            entry.refusal.count
        } else {
            if self.entries.len() == Self::CAPACITY {
                self.entries.pop_front();
            }
            let key = key.map(Box::from);
            let refusal = RecentRefusal { kind, reason, address, key, first: wall, last: wall, count: 1 };
            self.entries.push_back(RingEntry { refusal, began: now });
            1
        };
        let is_due = count == 10_u64.pow(count.ilog10());
        let unlogged = is_due.then(|| self.budgets[kind as usize].take(now)).flatten()?;
        Some(AuditLine { count, unlogged })
    }
}

/// How many lines may be logged within a second.
#[derive(Clone, Copy, Debug, Default)]
struct LineBudget {
    second: Option<Instant>,
    lines: u32,
    unlogged: u64,
}

impl LineBudget {
    const LINES_PER_SECOND: u32 = 10;

    /// How many lines were left out before this one; `None` if this one is left out, too.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let is_over = |second| now.saturating_duration_since(second) >= Duration::from_secs(1);
        if self.second.is_none_or(is_over) {
            self.second = Some(now);
            self.lines = 0;
        }
        if self.lines == Self::LINES_PER_SECOND {
            self.unlogged += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(host: u32) -> Refusal<'static> {
        let address = IpAddr::V4(host.into());
        Refusal { kind: RefusalKind::Auth, reason: "wrong", address, key: Some("desk") }
    }

    fn counts(ring: &RefusalRing) -> Vec<u64> {
        ring.entries.iter().map(|entry| entry.refusal.count).collect()
    }

    #[test]
    fn equal_refusals_within_a_minute_are_one_entry() {
        let (mut ring, now, wall) = (RefusalRing::default(), Instant::now(), SystemTime::now());
        let other_key = Refusal { key: None, ..refusal(1) };
        for (refusal, second) in [(refusal(1), 0), (refusal(2), 1), (refusal(1), 59), (other_key, 59)] {
            let later = Duration::from_secs(second);
            ring.note(refusal, now + later, wall + later);
        }
        assert_eq!(counts(&ring), [2, 1, 1]);
        assert_eq!(ring.entries[0].refusal.last, wall + Duration::from_secs(59));

        ring.note(refusal(1), now + Duration::from_secs(60), wall);
        assert_eq!(counts(&ring), [2, 1, 1, 1], "the minute is over");
    }

    #[test]
    fn the_list_is_bounded_and_forgets_the_oldest() {
        let (mut ring, now, wall) = (RefusalRing::default(), Instant::now(), SystemTime::now());
        for host in 0..RefusalRing::CAPACITY as u32 + 5 {
            ring.note(refusal(host), now, wall);
        }
        assert_eq!(ring.entries.len(), RefusalRing::CAPACITY);
        assert_eq!(ring.entries[0].refusal.address, IpAddr::V4(5.into()));
    }

    #[test]
    fn the_log_has_the_first_tenth_and_hundredth_of_equal_refusals() {
        let (mut ring, now, wall) = (RefusalRing::default(), Instant::now(), SystemTime::now());
        let lines: Vec<_> = (0..999).filter_map(|_| ring.note(refusal(1), now, wall)).collect();
        assert_eq!(lines, [1, 10, 100].map(|count| AuditLine { count, unlogged: 0 }));
    }

    #[test]
    fn refusals_to_many_addresses_are_ten_lines_a_second_and_the_next_tells_how_many_are_missing() {
        let (mut ring, now, wall) = (RefusalRing::default(), Instant::now(), SystemTime::now());
        let lines = (0..200).filter_map(|host| ring.note(refusal(host), now, wall));
        assert_eq!(lines.count(), 10);

        let later = now + Duration::from_secs(1);
        assert_eq!(ring.note(refusal(1_000), later, wall), Some(AuditLine { count: 1, unlogged: 190 }));
        let upgrade = Refusal { kind: RefusalKind::Upgrade, reason: "origin", ..refusal(1) };
        assert_eq!(ring.note(upgrade, now, wall).map(|line| line.unlogged), Some(0), "another kind");
    }

    #[test]
    fn the_newest_refusals_come_first() {
        let refusals = Refusals::default();
        for host in [1, 2, 3, 1] {
            refusals.record(refusal(host));
            // Times of the wall clock may be equal; the order of those is not told.
            let newest = refusals.newest(1)[0].last;
            while SystemTime::now() <= newest {}
        }
        let hosts: Vec<_> = refusals.newest(2).iter().map(|it| (it.address, it.count)).collect();
        assert_eq!(hosts, [(IpAddr::V4(1.into()), 2), (IpAddr::V4(3.into()), 1)]);
    }

    #[test]
    fn every_reason_has_a_counter_from_the_start() {
        let mut registry = Registry::default();
        Refusals::default().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for sample in [
            "auths_refused_total{reason=\"wrong\"} 0",
            "requests_refused_total{reason=\"not_found\"} 0",
            "tls_handshakes_failed_total{reason=\"timeout\"} 0",
        ] {
            assert!(text.contains(sample), "{text}");
        }
    }
}
