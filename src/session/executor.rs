use std::rc::Rc;
use std::time::Instant;

use super::outbox::{AnswerKind, AnswerPoint, AnswerRequest, Outbox, Pacing, ReplayLookup};
use super::protocol::{CommandOutcome, ResumePoint, SessionOptions, SnapshotPart};
use super::state::SessionState;
use super::subscriptions::Subscriptions;
use crate::feed::{FeedProgress, LastValues};
use crate::hub::{EncodedLastValues, SubscriptionChange};
use crate::model::{Channel, Seq, StreamId};

/// Carries out the consequences of a command in the hub's index and in the outbox, in this order:
///
/// 1. What the hub has for the session under the old subscriptions is flushed, once.
/// 2. Subscriptions change.
/// 3. Options change. An interval moves the streams that conflate from the index to the outbox's
///    sampling.
/// 4. The acknowledgement is queued.
/// 5. Replays and snapshots are requested of the outbox, and the first piece of them is produced.
///
/// All of it happens between two batches, so nothing is sent twice and nothing is left out.
pub(super) struct CommandExecutor {
    state: Rc<SessionState>,
    replay: ReplayLookup,
    progress: FeedProgress,
    /// The most objects that one command replays.
    max_replayed: usize,
}

impl CommandExecutor {
    pub(super) fn new(
        state: Rc<SessionState>,
        replay: ReplayLookup,
        progress: FeedProgress,
        max_replayed: usize,
    ) -> Self {
        Self { state, replay, progress, max_replayed }
    }

    /// Subscribes to the streams of instruments that the market lists since `first` of them were known:
    /// those that the client named before, and those that are sampled. Whole channels in the hub's index
    /// include them already.
    pub(super) fn add_new_instruments(&self, first: usize, subscriptions: &Subscriptions, now: Instant) {
        let Some(key) = self.state.key() else { return };
        let universe = self.state.hub().universe();
        let new = universe.iter().skip(first);
        let streams = new.flat_map(|it| Channel::ALL.map(|channel| StreamId::new(channel, it.id)));
        let (sampled, indexed): (Vec<_>, Vec<_>) = streams
            .filter(|stream| subscriptions.includes(*stream, &universe))
            .partition(|stream| self.is_sampled(*stream));
        let is_named = |stream: &StreamId| !subscriptions.includes_all(stream.channel());
        let named: Vec<_> = indexed.into_iter().filter(is_named).map(SubscriptionChange::Add).collect();
        if !named.is_empty() {
            self.state.hub().flush(key, now);
            self.change_index(&named);
        }
        self.state.change(now, |outbox| {
            sampled.into_iter().for_each(|stream| outbox.start_sampling(stream, Seq::default()));
        });
    }

    pub(super) fn execute(&self, outcome: &CommandOutcome, subscriptions: &Subscriptions, now: Instant) {
        let Some(key) = self.state.key() else { return };
        let universe = self.state.hub().universe();
        self.state.hub().flush(key, now);
        self.apply_changes(&outcome.changes, subscriptions, now);
        if outcome.changes.iter().any(|change| !change.is_addition()) {
            let is_subscribed = |stream| subscriptions.includes(stream, &universe);
            self.state.change(now, |outbox| outbox.retain(is_subscribed));
        }
        if let Some(options) = outcome.options {
            self.apply_options(options, subscriptions, now);
        }
        self.state.send_control(&outcome.response, now);
        let is_crowded = self.state.hub().is_crowded(self.state.client());
        let is_adding = outcome.changes.iter().any(|change| change.is_addition());
        self.state.hub().with_last_values(|last_values| {
            self.state.change(now, |outbox| {
                if is_adding {
                    outbox.defer_lookups();
                }
                let request = self.answers(outcome, outbox, last_values);
                if !request.is_empty() {
                    outbox.set_crowded(is_crowded);
                    outbox.request(request, &self.replay, self.max_replayed);
                    if outbox.wants_answer() {
                        outbox.produce(last_values);
                    }
                }
            });
        });
    }

    /// Puts new options in force for all subscriptions.
    fn apply_options(&self, options: SessionOptions, subscriptions: &Subscriptions, now: Instant) {
        let before = pacing(self.state.options());
        let after = pacing(options);
        self.state.set_options(options, now);
        if before == after {
            return;
        }
        let mut conflating = subscriptions.to_changes(&self.state.hub().universe());
        conflating.retain(|change| change.channel().conflates());
        if after == Pacing::Interval {
            let reversed: Vec<_> = conflating.iter().map(|change| change.reversed()).collect();
            self.change_index(&reversed);
        }
        self.state.hub().with_last_values(|last_values| {
            self.state.change(now, |outbox| outbox.set_pacing(after, last_values));
        });
        self.apply_changes(&conflating, subscriptions, now);
    }

    /// Applies changes: with an interval, streams that conflate are sampled by the outbox; all others
    /// are in the hub's index.
    ///
    /// A stream that was subscribed by name and is now one of all symbols, or the reverse, stays
    /// sampled: what the client does not have of it yet must not be forgotten.
    fn apply_changes(&self, changes: &[SubscriptionChange], subscriptions: &Subscriptions, now: Instant) {
        let is_paced = pacing(self.state.options()) == Pacing::Interval;
        let (sampled, indexed): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| is_paced && change.channel().conflates());
        self.change_index(&indexed);
        if sampled.is_empty() {
            return;
        }
        self.state.hub().with_last_values(|last_values| {
            let universe = last_values.universe();
            self.state.change(now, |outbox| {
                for stream in sampled.iter().flat_map(|change| change.streams(universe)) {
                    match subscriptions.includes(stream, universe) {
                        true => outbox.start_sampling(stream, last_values.last_values().seq(stream)),
                        false => outbox.stop_sampling(stream),
                    }
                }
            });
        });
    }

    fn change_index(&self, changes: &[SubscriptionChange]) {
        if let Some(key) = self.state.key() {
            self.state.hub().change_subscriptions(key, changes);
        }
    }

    /// What the command requests of the outbox. Streams that the client has already, or has more of than this
    /// worker, need no replay.
    fn answers(
        &self,
        outcome: &CommandOutcome,
        outbox: &mut Outbox,
        last_values: &EncodedLastValues,
    ) -> AnswerRequest {
        let mut request = AnswerRequest::default();
        for ResumePoint { stream, last } in outcome.resume.iter().copied() {
            let newest = last_values.seq(stream);
            let kind = match last {
                None => AnswerKind::Restart { newest },
                Some(last) if !self.may_have(last, newest, last_values.last_values()) => {
                    AnswerKind::Impossible { newest }
                }
                Some(last) if self.is_sampled(stream) => {
                    outbox.set_sampled(stream, last);
                    continue;
                }
                Some(last) if last < newest => AnswerKind::Replay { after: last },
                Some(last) => {
                    outbox.set_ahead(stream, last);
                    continue;
                }
            };
            request.points.push(AnswerPoint { stream, kind });
        }
        for part in outcome.snapshot.iter().copied() {
            match part {
                SnapshotPart::Stream(stream, kind) => {
                    request.points.push(AnswerPoint { stream, kind: AnswerKind::Snapshot(kind) });
                }
                SnapshotPart::Channel(channel, kind) => {
                    request.channels.push((channel, kind, last_values.universe().len()));
                }
            }
        }
        request
    }

    /// Whether a client may have this number of a stream whose newest number here is `newest`.
    ///
    /// Another worker may be ahead of this one, by no more than what the feed has published and this worker has yet to
    /// dispatch. A number beyond that was never given.
    fn may_have(&self, last: Seq, newest: Seq, last_values: &LastValues) -> bool {
        last.0.saturating_sub(newest.0) <= self.progress.published().saturating_sub(last_values.published())
    }

    fn is_sampled(&self, stream: StreamId) -> bool {
        stream.channel().conflates() && pacing(self.state.options()) == Pacing::Interval
    }
}

const fn pacing(options: SessionOptions) -> Pacing {
    match options.interval.is_zero() {
        true => Pacing::Immediate,
        false => Pacing::Interval,
    }
}
