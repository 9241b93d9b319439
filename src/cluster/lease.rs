use std::time::{Duration, Instant};

/// How long the store keeps a lease that is not renewed.
///
/// Effect: the longest time without a leader after one has died. Shorter, and a stalled network ends leases of healthy
/// leaders.
pub(super) const LEASE_TTL: Duration = Duration::from_secs(2);

/// How often the leader renews its lease: three renewals may fail.
pub(super) const RENEW_INTERVAL: Duration = Duration::from_millis(500);

/// How long after the request for its last renewal the leader stops by itself. Shorter than [`LEASE_TTL`], so that it has
/// stopped before another node leads, whatever happens to the network.
pub(super) const LEASE_VALIDITY: Duration = Duration::from_millis(1_500);

/// How often a candidate tries, and how soon a failed renewal is tried again.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Decides when to ask a store for the lease of the leader, and whether this node has it.
///
/// Pure: the store's answers and times go in. Validity counts from the time at which a request was sent, which is before the
/// store's own clock of the lease began.
#[derive(Debug)]
pub(super) struct Lease {
    state: LeaseState,
    /// The revision of the last lease: a new lease continues it if no other node had one between.
    last_revision: Option<u64>,
    terms: u64,
    next: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaseState {
    Candidate,
    Held { revision: u64, until: Instant, continues: bool },
}

/// What to ask the store for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseRequest {
    /// To create the lease, which fails while it exists.
    Create,
    /// To renew it, which fails if it has another revision.
    Renew {
        /// The revision to replace.
        revision: u64,
    },
}

/// What the store answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaseAnswer {
    /// The lease is this node's, with this revision.
    Granted(u64),
    /// It is another node's.
    Refused,
    /// The store gave no answer, or is not there.
    Failed,
}

/// That a node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldLease {
    /// Which of its terms it is, from 1.
    pub(super) term: u64,
    /// When it ends unless it is renewed.
    pub(super) until: Instant,
    /// Whether this node had the last lease too, with no other node between.
    pub(super) continues: bool,
}

impl Lease {
    /// A candidate from now on.
    pub(super) const fn new(now: Instant) -> Self {
        Self { state: LeaseState::Candidate, last_revision: None, terms: 0, next: now }
    }

    /// When the next request is due.
    pub(super) const fn next_request_at(&self) -> Instant {
        self.next
    }

    /// The request that is due at this time.
    pub(super) fn request(&mut self, now: Instant) -> LeaseRequest {
        self.expire(now);
        match self.state {
            LeaseState::Candidate => LeaseRequest::Create,
            LeaseState::Held { revision, .. } => LeaseRequest::Renew { revision },
        }
    }

    /// Takes in the answer to a request that was sent at this time.
    pub(super) fn take_in(
        &mut self,
        request: LeaseRequest,
        answer: LeaseAnswer,
        sent: Instant,
        now: Instant,
    ) {
        let until = sent + LEASE_VALIDITY;
        self.next = now + RETRY_INTERVAL;
        match (request, answer) {
            (LeaseRequest::Create, LeaseAnswer::Granted(revision)) => {
                let continues = self.last_revision.is_some_and(|last| last + 1 == revision);
                self.terms += 1;
                self.state = LeaseState::Held { revision, until, continues };
                self.last_revision = Some(revision);
                self.next = sent + RENEW_INTERVAL;
            }
            (LeaseRequest::Renew { revision: before }, LeaseAnswer::Granted(revision)) => {
                if let LeaseState::Held { revision: held, until: valid, .. } = &mut self.state
                    && *held == before
                {
                    (*held, *valid) = (revision, until);
                    self.last_revision = Some(revision);
                    self.next = sent + RENEW_INTERVAL;
                }
            }
            (LeaseRequest::Renew { .. }, LeaseAnswer::Refused) => self.state = LeaseState::Candidate,
            (_, LeaseAnswer::Refused | LeaseAnswer::Failed) => {}
        }
        self.expire(now);
    }

    /// The lease, if this node has it at this time.
    pub(super) fn held(&self, now: Instant) -> Option<HeldLease> {
        match self.state {
            LeaseState::Held { until, continues, .. } if now < until => {
                Some(HeldLease { term: self.terms, until, continues })
            }
            _ => None,
        }
    }

    /// Gives the lease up: the revision to delete, so that another node need not wait.
    pub(super) fn release(&mut self) -> Option<u64> {
        match std::mem::replace(&mut self.state, LeaseState::Candidate) {
            LeaseState::Candidate => None,
            LeaseState::Held { revision, .. } => Some(revision),
        }
    }

    fn expire(&mut self, now: Instant) {
        if let LeaseState::Held { until, .. } = self.state
            && now >= until
        {
            self.state = LeaseState::Candidate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A store with one key, as JetStream KV is: it keeps a value for [`LEASE_TTL`].
    #[derive(Default)]
    struct Store {
        revision: u64,
        expires: Option<Instant>,
    }

    impl Store {
        fn ask(&mut self, request: LeaseRequest, now: Instant) -> LeaseAnswer {
            let is_alive = self.expires.is_some_and(|expires| now < expires);
            let is_granted = match request {
                LeaseRequest::Create => !is_alive,
                LeaseRequest::Renew { revision } => is_alive && revision == self.revision,
            };
            if !is_granted {
                return LeaseAnswer::Refused;
            }
            self.revision += 1;
            self.expires = Some(now + LEASE_TTL);
            LeaseAnswer::Granted(self.revision)
        }
    }

    fn ask(lease: &mut Lease, store: &mut Store, now: Instant) {
        let request = lease.request(now);
        let answer = store.ask(request, now);
        lease.take_in(request, answer, now, now);
    }

    #[test]
    fn two_nodes_never_lead_at_the_same_time_whatever_is_lost() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand::rngs::SmallRng::seed_from_u64(3);
        let start = Instant::now();
        let mut store = Store::default();
        let mut leases = [Lease::new(start), Lease::new(start), Lease::new(start)];
        let mut terms = 0;
        for step in 0..200_000 {
            let now = start + step * MS;
            let held = leases.iter().filter(|lease| lease.held(now).is_some()).count();
            assert!(held <= 1, "{step}");
            for lease in &mut leases {
                // A third of the time a node is cut off from the store, a second or two at once.
                let is_cut_off = (step / 1_700 + u32::from(lease.terms % 2 == 0)) % 3 == 0;
                if now < lease.next_request_at() {
                    continue;
                }
                let request = lease.request(now);
                // The answer may be lost though the store has granted it.
                let answer = match is_cut_off {
                    true if random.random_bool(0.5) => {
                        store.ask(request, now);
                        LeaseAnswer::Failed
                    }
                    true => LeaseAnswer::Failed,
                    false => store.ask(request, now),
                };
                lease.take_in(request, answer, now, now);
            }
            terms = leases.iter().map(|lease| lease.terms).sum();
        }
        assert!(terms > 10, "{terms}");
    }

    #[test]
    fn a_leader_stops_by_itself_before_the_store_gives_the_lease_to_another() {
        let start = Instant::now();
        let mut store = Store::default();
        let mut lease = Lease::new(start);
        ask(&mut lease, &mut store, start);

        assert!(lease.held(start + LEASE_VALIDITY - MS).is_some());
        assert!(lease.held(start + LEASE_VALIDITY).is_none());
        assert_eq!(lease.request(start + LEASE_VALIDITY), LeaseRequest::Create);
    }

    #[test]
    fn a_failed_renewal_is_tried_again_in_time() {
        let start = Instant::now();
        let mut store = Store::default();
        let mut lease = Lease::new(start);
        ask(&mut lease, &mut store, start);
        let at = lease.next_request_at();
        let request = lease.request(at);
        lease.take_in(request, LeaseAnswer::Failed, at, at + 100 * MS);
        let again = lease.next_request_at();

        ask(&mut lease, &mut store, again);

        assert_eq!(again, at + 300 * MS);
        assert_eq!(lease.held(again).map(|held| (held.term, held.until)), Some((1, again + LEASE_VALIDITY)));
    }

    #[test]
    fn a_term_continues_only_if_nobody_had_the_lease_since() {
        let start = Instant::now();
        let mut store = Store::default();
        let [mut one, mut other] = [Lease::new(start), Lease::new(start)];
        ask(&mut one, &mut store, start);
        ask(&mut one, &mut store, start + 3 * LEASE_TTL);
        assert_eq!(one.held(start + 3 * LEASE_TTL).map(|held| (held.term, held.continues)), Some((2, true)));

        ask(&mut other, &mut store, start + 5 * LEASE_TTL);
        ask(&mut one, &mut store, start + 7 * LEASE_TTL);

        let held = one.held(start + 7 * LEASE_TTL);
        assert_eq!(held.map(|held| (held.term, held.continues)), Some((3, false)));
        assert_eq!(one.release(), Some(4));
        assert_eq!((one.release(), one.held(start + 7 * LEASE_TTL)), (None, None));
    }
}
