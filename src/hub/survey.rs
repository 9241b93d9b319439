//! Which sessions an administrator asks for, and what is told of them.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::{Subscriber, SubscriberKey};
use crate::auth::Network;
use crate::metrics::FrameTotals;
use crate::model::{Feed, Timestamp};
use crate::wire::Codec;

/// Names a session: the worker that serves it, and a number that is never given again while the process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// The worker.
    pub worker: usize,
    /// The number among the sessions of the worker.
    pub number: u64,
}

impl fmt::Display for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.worker, self.number)
    }
}

/// The text is not the id of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a session is two numbers such as 0-17")]
pub struct SessionIdError;

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let (worker, number) = text.split_once('-').ok_or(SessionIdError)?;
        let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(worker) || !is_plain(number) {
            return Err(SessionIdError);
        }
        let worker = worker.parse().map_err(|_| SessionIdError)?;
        Ok(Self { worker, number: number.parse().map_err(|_| SessionIdError)? })
    }
}

/// What the request that opened a session tells of its client.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// The client's address.
    pub address: IpAddr,
    /// What the client calls itself, shared with others that call themselves the same.
    pub user_agent: Option<Rc<str>>,
    /// Whether its connection is one of TLS.
    pub is_tls: bool,
}

/// What does not change while a session runs, but for its key, which a client may show later.
#[derive(Debug)]
pub struct SubscriberIdentity {
    /// The client.
    pub client: ClientFacts,
    /// The id of its key, once it has shown one.
    pub key: OnceCell<Box<str>>,
    /// How its objects are encoded.
    pub codec: Codec,
    /// Whether its messages are compressed.
    pub is_deflated: bool,
    /// When it began, by the monotonic clock.
    pub opened: Instant,
    /// When it began, by the wall clock.
    pub opened_at: Timestamp,
}

/// The figures of a session now.
#[derive(Clone, Copy, Debug)]
pub struct SubscriberFigures {
    /// The names that it subscribes to, over all channels.
    pub symbols: usize,
    /// What waits for it.
    pub backlog_bytes: usize,
    /// Since when its socket took nothing although something waits.
    pub stalled: Option<Instant>,
    /// When anything last came from the client.
    pub heard: Instant,
    /// What its socket was given.
    pub sent: FrameTotals,
    /// The gap notices that it was sent.
    pub gaps: u64,
    /// The objects that these told of.
    pub missed: u64,
    /// Whether it may publish nothing.
    pub is_muted: bool,
    /// Whether it is about to end.
    pub is_closing: bool,
}

/// What a session subscribes to, and its options: only its actor knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriberDetails {
    /// The channels with a subscription.
    pub channels: Vec<ChannelDetails>,
    /// The price alerts.
    pub alerts: usize,
    /// At most one data frame in this time.
    pub interval: Duration,
    /// A heartbeat after this time without a frame.
    pub heartbeat: Duration,
    /// Whether the client understands our extensions.
    pub has_opted_in: bool,
}

/// The subscriptions of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelDetails {
    /// The name of the channel.
    pub name: &'static str,
    /// The number of names.
    pub count: usize,
    /// The first of them, `*` included.
    pub names: Vec<String>,
}

/// Where the details of a session are sent.
pub struct Inquiry(Box<dyn FnOnce(SubscriberDetails)>);

impl Inquiry {
    /// An inquiry that passes the details to this function.
    pub fn new(answer: impl FnOnce(SubscriberDetails) + 'static) -> Self {
        Self(Box::new(answer))
    }

    /// Passes the details on.
    pub fn answer(self, details: SubscriberDetails) {
        (self.0)(details);
    }
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Inquiry")
    }
}

/// A session in a list.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The id.
    pub id: SessionId,
    /// The feed.
    pub feed: Feed,
    /// The client's address.
    pub address: IpAddr,
    /// The id of its key.
    pub key: Option<String>,
    /// When it began.
    pub opened: Timestamp,
    /// How long ago.
    pub age: Duration,
    /// How its objects are encoded.
    pub codec: Codec,
    /// Whether its messages are compressed.
    pub is_deflated: bool,
    /// Whether its connection is one of TLS.
    pub is_tls: bool,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// How long its socket has taken nothing although something waits.
    pub stalled: Duration,
    /// How long nothing came from the client.
    pub idle: Duration,
    /// The figures.
    pub figures: SubscriberFigures,
}

impl SessionRow {
    pub(super) fn of(id: SessionId, feed: Feed, subscriber: &dyn Subscriber, now: Instant) -> Self {
        let (identity, figures) = (subscriber.identity(), subscriber.figures());
        let since = |at: Instant| now.saturating_duration_since(at);
        Self {
            id,
            feed,
            address: identity.client.address,
            key: identity.key.get().map(|key| String::from(&**key)),
            opened: identity.opened_at,
            age: since(identity.opened),
            codec: identity.codec,
            is_deflated: identity.is_deflated,
            is_tls: identity.client.is_tls,
            user_agent: identity.client.user_agent.as_deref().map(str::to_owned),
            stalled: figures.stalled.map(since).unwrap_or_default(),
            idle: since(figures.heard),
            figures,
        }
    }
}

/// By what sessions are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionSort {
    /// What waits for them.
    #[default]
    Backlog,
    /// How long they have been open.
    Age,
    /// The bytes that their sockets were given.
    Bytes,
    /// The gap notices that they were sent.
    Gaps,
    /// How long their sockets have taken nothing.
    Stalled,
}

/// Which come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// Those with the largest figure.
    #[default]
    Descending,
    /// Those with the smallest.
    Ascending,
}

/// Which sessions are meant. `None` means all.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Those of this feed.
    pub feed: Option<Feed>,
    /// Those of this worker.
    pub worker: Option<usize>,
    /// Those with this key.
    pub key: Option<String>,
    /// Those with an address of this network.
    pub network: Option<Network>,
    /// Those that are muted, or that are not.
    pub is_muted: Option<bool>,
}

/// A question for the sessions of a hub.
#[derive(Clone, Debug)]
pub struct SurveyQuery {
    /// Which are meant.
    pub filter: SessionFilter,
    /// By what they are sorted.
    pub sort: SessionSort,
    /// Which come first.
    pub order: SortOrder,
    /// How many of them are told.
    pub limit: usize,
}

/// The answer to a [`SurveyQuery`].
#[derive(Clone, Debug, Default)]
pub struct SurveyAnswer {
    /// The first sessions, in order.
    pub rows: Vec<SessionRow>,
    /// How many there are that match.
    pub matching: usize,
    /// How many there are.
    pub open: usize,
}

impl SurveyQuery {
    fn matches(&self, subscriber: &dyn Subscriber, figures: &SubscriberFigures) -> bool {
        let SessionFilter { key, network, is_muted, .. } = &self.filter;
        let identity = subscriber.identity();
        is_muted.is_none_or(|is_muted| is_muted == figures.is_muted)
            && network.is_none_or(|network| network.contains(identity.client.address))
            && key.as_deref().is_none_or(|key| identity.key.get().is_some_and(|known| **known == *key))
    }

    /// The rank among others, of which the highest come first.
    fn rank(&self, opened: Instant, figures: &SubscriberFigures, now: Instant) -> u64 {
        let since = |at: Instant| now.saturating_duration_since(at).as_micros() as u64;
        let value = match self.sort {
            SessionSort::Backlog => figures.backlog_bytes as u64,
            SessionSort::Age => since(opened),
            SessionSort::Bytes => figures.sent.bytes,
            SessionSort::Gaps => figures.gaps,
            SessionSort::Stalled => figures.stalled.map_or(0, since),
        };
        match self.order {
            SortOrder::Descending => value,
            SortOrder::Ascending => u64::MAX - value,
        }
    }

    /// Puts the answers of several hubs together.
    pub fn merge(&self, answers: impl IntoIterator<Item = SurveyAnswer>) -> SurveyAnswer {
        let mut merged = SurveyAnswer::default();
        for SurveyAnswer { rows, matching, open } in answers {
            merged.rows.extend(rows);
            merged.matching += matching;
            merged.open += open;
        }
        // Rows keep the figures that they were ranked by; an age grows for all alike.
        merged.rows.sort_by_cached_key(|row| {
            let value = match self.sort {
                SessionSort::Backlog => row.figures.backlog_bytes as u64,
                SessionSort::Age => row.age.as_micros() as u64,
                SessionSort::Bytes => row.figures.sent.bytes,
                SessionSort::Gaps => row.figures.gaps,
                SessionSort::Stalled => row.stalled.as_micros() as u64,
            };
            let rank = if self.order == SortOrder::Descending { u64::MAX - value } else { value };
            (rank, row.id)
        });
        merged.rows.truncate(self.limit);
        merged
    }
}

/// The search for the first sessions of a hub, which goes on in slices so that ticks are sent in between.
#[derive(Debug)]
pub(super) struct Survey {
    query: SurveyQuery,
    /// The best until now, the worst on top.
    best: BinaryHeap<Reverse<Ranked>>,
    matching: usize,
    open: usize,
}

/// A session with its rank; the older one first if that is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked {
    rank: u64,
    number: Reverse<u64>,
    key: usize,
}

/// A session that a survey found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) key: SubscriberKey,
    pub(super) number: u64,
}

impl Survey {
    pub(super) fn new(query: SurveyQuery) -> Self {
        Self { query, best: BinaryHeap::new(), matching: 0, open: 0 }
    }

    /// Takes a session into account.
    pub(super) fn take(&mut self, found: Found, subscriber: &dyn Subscriber, now: Instant) {
        self.open += 1;
        let figures = subscriber.figures();
        if !self.query.matches(subscriber, &figures) {
            return;
        }
        self.matching += 1;
        let rank = self.query.rank(subscriber.identity().opened, &figures, now);
        let ranked = Ranked { rank, number: Reverse(found.number), key: found.key.0 };
        if self.best.len() < self.query.limit {
            self.best.push(Reverse(ranked));
        } else if self.best.peek().is_some_and(|Reverse(worst)| ranked > *worst) {
            self.best.pop();
            self.best.push(Reverse(ranked));
        }
    }

    /// The first sessions, and the answer without them.
    pub(super) fn finish(self) -> (Vec<Found>, SurveyAnswer) {
        let found =
            |Reverse(Ranked { number: Reverse(number), key, .. })| Found { key: SubscriberKey(key), number };
        let found = self.best.into_sorted_vec().into_iter().map(found).collect();
        (found, SurveyAnswer { rows: Vec::new(), matching: self.matching, open: self.open })
    }
}

#[cfg(test)]
impl SubscriberIdentity {
    /// The identity of a client of JSON that began now.
    pub(crate) fn for_tests() -> Self {
        let client = ClientFacts { address: IpAddr::from([203, 0, 113, 7]), user_agent: None, is_tls: false };
        Self {
            client,
            key: OnceCell::new(),
            codec: Codec::Json,
            is_deflated: false,
            opened: Instant::now(),
            opened_at: Timestamp::default(),
        }
    }
}
