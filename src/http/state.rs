use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;

use super::admin::Administration;
use super::feeds::{Feeds, ServedFeed};
use super::limits::HttpLimits;
use crate::alerts::AlertQuota;
use crate::auth::{AllowedOrigins, KeyStore, SharedReachability};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::hub::Hub;
use crate::limits::{AnswerCapacity, SessionCapacity, UsageCounter};
use crate::metrics::Metrics;
use crate::model::Feed;
use crate::session::{Limits, OutboxLimits};

/// What all handlers share, on all workers.
pub struct AppState {
    /// The feeds.
    pub feeds: Feeds,
    /// The clock of time stamps.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The limits of one session.
    pub limits: Limits,
    /// The limits of one session's outbox.
    pub outbox: OutboxLimits,
    /// How many more price alerts may be set.
    pub alerts: AlertQuota,
    /// The keys for sessions and REST; `None` if no key is required.
    pub keys: Option<Arc<KeyStore>>,
    /// The origins whose pages may open sessions and read REST.
    pub origins: AllowedOrigins,
    /// The names of this server and its proxies.
    pub reachability: SharedReachability,
    /// How many more sessions may be opened.
    pub capacity: SessionCapacity,
    /// How many more bytes of REST responses may be under way.
    pub answers: AnswerCapacity,
    /// The bodies that are awaited from each address.
    pub awaited_bodies: UsageCounter<IpAddr>,
    /// Whether there is an echo.
    pub echo: EchoMode,
    /// The limits of requests and connections.
    pub http: HttpLimits,
    /// The faults that are made on purpose, if any.
    pub faults: Option<Faults>,
    /// What the administration needs.
    pub admin: Administration,
}

/// Whether `/echo` answers, and with which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoMode {
    /// There is no such path.
    Off,
    /// With the limits of the stream.
    On,
    /// With those that a conformance suite needs: see
    /// [`for_conformance`](crate::session::Limits::for_conformance).
    Conformance,
}

/// The hubs of a worker, one for each feed.
pub struct WorkerHubs(Vec<(Feed, Rc<Hub>)>);

impl WorkerHubs {
    /// These hubs, at least one, with one [`WorkerShare`](crate::hub::WorkerShare).
    pub fn new(hubs: Vec<(Feed, Rc<Hub>)>) -> Self {
        assert!(!hubs.is_empty(), "a worker has a hub");
        Self(hubs)
    }

    /// A hub of the worker, for what all of them share.
    pub(super) fn any(&self) -> &Rc<Hub> {
        &self.0[0].1
    }

    fn of(&self, feed: Feed) -> &Rc<Hub> {
        let (_, hub) = self.0.iter().find(|(name, _)| *name == feed).expect("each feed has a hub");
        hub
    }
}

/// The hubs of the worker that serves this request.
pub(super) fn hubs_of(request: &HttpRequest) -> &WorkerHubs {
    request.app_data::<Rc<WorkerHubs>>().expect("`routes` adds the worker's hubs to the application")
}

/// The hub of this feed on the worker that serves this request.
pub(super) fn hub_of(request: &HttpRequest, feed: &ServedFeed) -> Rc<Hub> {
    Rc::clone(hubs_of(request).of(feed.name))
}

#[cfg(test)]
impl AppState {
    /// A ready server of three instruments without keys.
    pub(crate) fn for_tests() -> Self {
        use crate::limits::CapacityLimits;
        Self {
            feeds: Feeds::new(vec![ServedFeed::for_tests()]),
            clock: Clock::system(crate::metrics::ClockMetrics::default()),
            metrics: Arc::default(),
            limits: Limits::default(),
            outbox: OutboxLimits::default(),
            alerts: AlertQuota::default(),
            keys: None,
            origins: AllowedOrigins::Own(Vec::new()),
            reachability: SharedReachability::default(),
            capacity: SessionCapacity::new(CapacityLimits { sessions: 9, per_address: 9 }),
            answers: AnswerCapacity::default(),
            awaited_bodies: UsageCounter::default(),
            echo: EchoMode::On,
            http: HttpLimits::default(),
            faults: None,
            admin: Administration {
                hubs: crate::hub::HubDirectory::default(),
                gate: crate::auth::AdminGate::new(None, true, crate::limits::Rate::per_minute(30)),
                log: None,
                started: std::time::Instant::now(),
                started_at: crate::model::Timestamp::default(),
                workers: 1,
                draining: super::admin::Draining::default(),
            },
        }
    }
}
