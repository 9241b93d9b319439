//! What an administrator asks of the sessions of a hub, from another thread.

use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{AsyncContext, Context, Handler, Message, ResponseFuture};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::actor::reconnect_delay;
use super::survey::{Found, Survey};
use super::{Hub, HubActor, Inquiry, SessionId, SessionRow, SubscriberDetails, SurveyAnswer, SurveyQuery};
use crate::limits::ReactorTurn;
use crate::model::Feed;
use crate::wire::Close;

/// The most sessions that a survey looks at before ticks are sent. Each slice waits for a round of the reactor: with 1,024 a
/// list of 10,000 busy sessions took twice as long.
const SESSIONS_PER_SLICE: usize = 4_096;

/// The most rows that are written before ticks are sent.
const ROWS_PER_SLICE: usize = 256;

/// The longest time that a session may take to tell its details. One whose command waits in the fair queue takes longer,
/// and is described without them.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a drain closes sessions.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// Asks for the first sessions in an order. They are looked at in slices, between which ticks are sent.
#[derive(Message)]
#[rtype(result = "SurveyAnswer")]
pub(super) struct SurveySessions {
    pub(super) query: SurveyQuery,
    pub(super) feed: Feed,
}

/// Asks for one session.
#[derive(Message)]
#[rtype(result = "Option<DescribedSession>")]
pub(super) struct DescribeSession {
    pub(super) id: SessionId,
    pub(super) feed: Feed,
}

/// One session in detail.
#[derive(Clone, Debug)]
pub struct DescribedSession {
    /// As in a list.
    pub row: SessionRow,
    /// What its actor told, if it did in time.
    pub details: Option<SubscriberDetails>,
}

/// Closes a session; the answer is the session as it was.
#[derive(Message)]
#[rtype(result = "Option<SessionRow>")]
pub(super) struct DisconnectSession {
    pub(super) id: SessionId,
    pub(super) feed: Feed,
}

/// Sets whether a session may publish.
#[derive(Message)]
#[rtype(result = "Option<SessionRow>")]
pub(super) struct MuteSession {
    pub(super) id: SessionId,
    pub(super) feed: Feed,
    pub(super) is_muted: bool,
}

/// Closes all sessions as at a restart, spread evenly over this time.
#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct DrainSessions {
    pub(super) over: Duration,
}

/// Ends a drain: sessions that are open stay.
#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct EndDrain;

impl Handler<SurveySessions> for HubActor {
    type Result = ResponseFuture<SurveyAnswer>;

    fn handle(
        &mut self,
        SurveySessions { query, feed }: SurveySessions,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let hub = Rc::clone(&self.hub);
        Box::pin(async move {
            let mut survey = Survey::new(query);
            let mut from = Some(0);
            while let Some(slot) = from {
                let now = Instant::now();
                from = hub.visit(slot, SESSIONS_PER_SLICE, |found, subscriber| {
                    survey.take(found, subscriber, now);
                });
                ReactorTurn::wait().await;
            }
            let (found, mut answer) = survey.finish();
            for slice in found.chunks(ROWS_PER_SLICE) {
                answer.rows.extend(slice.iter().filter_map(|found| row(&hub, *found, feed)));
                ReactorTurn::wait().await;
            }
            answer
        })
    }
}

fn row(hub: &Hub, found: Found, feed: Feed) -> Option<SessionRow> {
    let id = SessionId { worker: hub.metrics().worker(), number: found.number };
    Some(SessionRow::of(id, feed, &*hub.session_found(found)?, Instant::now()))
}

impl Handler<DescribeSession> for HubActor {
    type Result = ResponseFuture<Option<DescribedSession>>;

    fn handle(
        &mut self,
        DescribeSession { id, feed }: DescribeSession,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let session = self.hub.session(id.number);
        Box::pin(async move {
            let (_, session) = session?;
            let row = SessionRow::of(id, feed, &*session, Instant::now());
            let (answer, told) = oneshot::channel();
            session.inquire(Inquiry::new(move |details| _ = answer.send(details)));
            // The inquiry does not keep a session alive that ends.
            drop(session);
            let details = timeout(DETAILS_TIMEOUT, told).await.ok().and_then(Result::ok);
            Some(DescribedSession { row, details })
        })
    }
}

impl Handler<DisconnectSession> for HubActor {
    type Result = Option<SessionRow>;

    fn handle(
        &mut self,
        DisconnectSession { id, feed }: DisconnectSession,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let (_, session) = self.hub.session(id.number)?;
        let now = Instant::now();
        let row = SessionRow::of(id, feed, &*session, now);
        session.close(Close::Disconnected, Duration::ZERO, now);
        Some(row)
    }
}

impl Handler<MuteSession> for HubActor {
    type Result = Option<SessionRow>;

    fn handle(
        &mut self,
        MuteSession { id, feed, is_muted }: MuteSession,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let (_, session) = self.hub.session(id.number)?;
        session.set_muted(is_muted);
        Some(SessionRow::of(id, feed, &*session, Instant::now()))
    }
}

impl Handler<DrainSessions> for HubActor {
    type Result = ();

    fn handle(&mut self, DrainSessions { over }: DrainSessions, ctx: &mut Context<Self>) {
        self.end_drain(ctx);
        let began = Instant::now();
        let mut plan = DrainPlan::new(over);
        self.hub.visit(0, usize::MAX, |found, _| plan.sessions.push(found));
        self.drain = Some(ctx.run_interval(DRAIN_INTERVAL, move |actor, ctx| {
            let now = Instant::now();
            for found in plan.due(now.saturating_duration_since(began)) {
                if let Some(session) = actor.hub.session_found(*found) {
                    actor.hub.flush(found.key, now);
                    session.close(Close::Restart, reconnect_delay(), now);
                }
            }
            if plan.is_over() {
                // Those whose handshake was under way when the drain began.
                actor.hub.close_all(Close::Restart, now, reconnect_delay);
                actor.end_drain(ctx);
            }
        }));
    }
}

impl Handler<EndDrain> for HubActor {
    type Result = ();

    fn handle(&mut self, _: EndDrain, ctx: &mut Context<Self>) {
        self.end_drain(ctx);
    }
}

impl HubActor {
    fn end_drain(&mut self, ctx: &mut Context<Self>) {
        if let Some(drain) = self.drain.take() {
            ctx.cancel_future(drain);
        }
    }
}

/// Which sessions of a hub a drain closes, and when.
#[derive(Debug)]
struct DrainPlan {
    sessions: Vec<Found>,
    closed: usize,
    over: Duration,
}

impl DrainPlan {
    fn new(over: Duration) -> Self {
        Self { sessions: Vec::new(), closed: 0, over }
    }

    /// The sessions that are due this long after the beginning and were not before.
    fn due(&mut self, elapsed: Duration) -> &[Found] {
        let share = match self.over.is_zero() {
            true => 1.0,
            false => (elapsed.as_secs_f64() / self.over.as_secs_f64()).min(1.0),
        };
        let until = (share * self.sessions.len() as f64).floor() as usize;
        let from = self.closed;
        self.closed = until.max(from);
        // A plan without sessions lasts as long as one with some.
        if share >= 1.0 {
            self.over = Duration::ZERO;
        }
        &self.sessions[from..self.closed]
    }

    /// Whether the time is over.
    fn is_over(&self) -> bool {
        self.over.is_zero() && self.closed == self.sessions.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::SubscriberKey;

    fn plan(sessions: usize, over: u64) -> DrainPlan {
        let found = |key| Found { key: SubscriberKey(key), number: key as u64 };
        DrainPlan {
            sessions: (0..sessions).map(found).collect(),
            ..DrainPlan::new(Duration::from_secs(over))
        }
    }

    #[test]
    fn a_drain_closes_sessions_evenly_and_each_once() {
        let mut plan = plan(10, 5);
        let mut due = |tenths: u64| plan.due(Duration::from_millis(tenths * 100)).len();

        assert_eq!([0, 5, 5, 24, 25].map(&mut due), [0, 1, 0, 3, 1]);
        assert_eq!([49, 50, 60].map(&mut due), [4, 1, 0]);
        assert!(plan.is_over());
    }

    #[test]
    fn a_drain_over_no_time_closes_all_at_once_and_one_without_sessions_lasts_its_time() {
        let mut at_once = plan(3, 0);
        assert_eq!(at_once.due(Duration::ZERO).len(), 3);
        assert!(at_once.is_over());

        let mut without = plan(0, 2);
        assert!(without.due(Duration::from_secs(1)).is_empty() && !without.is_over());
        assert!(without.due(Duration::from_secs(2)).is_empty() && without.is_over());
    }
}
