use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::{Addr, Handler, Message};
use futures_util::future::join_all;

use super::requests::{
    DescribeSession, DisconnectSession, DrainSessions, EndDrain, MuteSession, SurveySessions,
};
use super::{CloseAll, DescribedSession, HubActor, SessionId, SessionRow, SurveyAnswer, SurveyQuery};
use crate::model::Feed;
use crate::wire::Close;

/// The hubs of all workers, to which any thread may send requests. Clones share it.
#[derive(Clone, Default)]
pub struct HubDirectory(Arc<Mutex<Vec<HubEntry>>>);

#[derive(Clone)]
struct HubEntry {
    worker: usize,
    feed: Feed,
    actor: Addr<HubActor>,
}

impl HubDirectory {
    /// Adds a hub.
    pub fn add(&self, worker: usize, feed: Feed, actor: Addr<HubActor>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(HubEntry { worker, feed, actor });
    }

    /// The actor of each hub.
    pub fn actors(&self) -> Vec<Addr<HubActor>> {
        self.entries().into_iter().map(|hub| hub.actor).collect()
    }

    fn entries(&self) -> Vec<HubEntry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks all workers to close their sessions.
    pub fn close_all(&self, reason: Close) {
        self.entries().iter().for_each(|hub| hub.actor.do_send(CloseAll(reason)));
    }

    /// Asks all workers to close their sessions as at a restart, spread evenly over this time.
    pub fn drain(&self, over: Duration) {
        self.entries().iter().for_each(|hub| hub.actor.do_send(DrainSessions { over }));
    }

    /// Ends a drain.
    pub fn end_drain(&self) {
        self.entries().iter().for_each(|hub| hub.actor.do_send(EndDrain));
    }

    /// The first sessions in the order of the query, of all workers.
    pub async fn survey(&self, query: SurveyQuery) -> SurveyAnswer {
        let filter = &query.filter;
        let is_meant = |hub: &HubEntry| {
            filter.worker.is_none_or(|worker| worker == hub.worker)
                && filter.feed.is_none_or(|feed| feed == hub.feed)
        };
        let (meant, others): (Vec<_>, Vec<_>) = self.entries().into_iter().partition(is_meant);
        let ask = |hub: HubEntry, query: SurveyQuery| async move {
            // A worker that has ended has no sessions.
            hub.actor.send(SurveySessions { query, feed: hub.feed }).await.unwrap_or_default()
        };
        let answers = join_all(meant.into_iter().map(|hub| ask(hub, query.clone()))).await;
        let none = SurveyQuery { limit: 0, ..query.clone() };
        let counts = join_all(others.into_iter().map(|hub| ask(hub, none.clone()))).await;
        let mut answer = query.merge(answers);
        answer.open += counts.iter().map(|answer| answer.open).sum::<usize>();
        answer
    }

    /// The session in detail; `None` if there is none of this id.
    pub async fn describe(&self, id: SessionId) -> Option<DescribedSession> {
        self.ask_for(id, |feed| DescribeSession { id, feed }).await
    }

    /// Closes a session, and returns it as it was.
    pub async fn disconnect(&self, id: SessionId) -> Option<SessionRow> {
        self.ask_for(id, |feed| DisconnectSession { id, feed }).await
    }

    /// Sets whether a session may publish, and returns it as it is now.
    pub async fn set_muted(&self, id: SessionId, is_muted: bool) -> Option<SessionRow> {
        self.ask_for(id, |feed| MuteSession { id, feed, is_muted }).await
    }

    /// The answer of that hub of the session's worker which has the session.
    async fn ask_for<R, T>(&self, id: SessionId, request: impl Fn(Feed) -> R) -> Option<T>
    where
        R: Message<Result = Option<T>> + Send + 'static,
        T: Send + 'static,
        HubActor: Handler<R>,
    {
        for hub in self.entries().into_iter().filter(|hub| hub.worker == id.worker) {
            if let Ok(Some(answer)) = hub.actor.send(request(hub.feed)).await {
                return Some(answer);
            }
        }
        None
    }
}
