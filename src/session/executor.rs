use std::rc::Rc;
use std::time::Instant;

use super::outbox::Pacing;
use super::protocol::{CommandOutcome, ResumePoint, SessionOptions};
use super::state::SessionState;
use super::subscriptions::Subscriptions;
use crate::feed::{FeedProgress, LastValues};
use crate::hub::{EncodedLastValues, SubscriptionChange};
use crate::model::{Channel, Object, Seq, StreamId};
use crate::wire::{ControlMessage, DeliveryKind, Gap};

/// Looks up what was published: the objects of a stream after one number and up to another, as far
/// back as they are retained. They are consecutive, and the last is the newest that was requested.
pub type ReplayLookup = Rc<dyn Fn(StreamId, Seq, Seq) -> Vec<Object>>;

/// Carries out the consequences of a command in the hub's index and in the outbox, in this order:
///
/// 1. What the hub has for the session under the old subscriptions is flushed, once.
/// 2. Subscriptions change.
/// 3. Options change. An interval moves the streams that conflate from the index to the outbox's
///    sampling.
/// 4. The acknowledgement is queued.
/// 5. Missed objects are replayed, or announced as a gap.
/// 6. Snapshots are queued.
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
        self.state.hub().with_last_values(|last_values| {
            self.state.change(now, |outbox| outbox.settle(last_values));
        });
        self.apply_changes(&outcome.changes, subscriptions, now);
        if outcome.changes.iter().any(|change| !change.is_addition()) {
            let is_subscribed = |stream| subscriptions.includes(stream, &universe);
            self.state.change(now, |outbox| outbox.retain(is_subscribed));
        }
        if let Some(options) = outcome.options {
            self.apply_options(options, subscriptions, now);
        }
        self.state.send_control(&outcome.response, now);
        self.state.hub().with_last_values(|last_values| {
            let mut requested = self.replay_missed(&outcome.resume, last_values, now);
            let newest = outcome.snapshot.iter().filter_map(|stream| last_values.last_values().of(*stream));
            requested.extend(newest.map(|object| (*object, DeliveryKind::Snapshot)));
            if !requested.is_empty() {
                self.state.change(now, |outbox| outbox.push_requested(&requested, last_values));
            }
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
        match after {
            Pacing::Interval => {
                let reversed: Vec<_> = conflating.iter().map(|change| change.reversed()).collect();
                self.change_index(&reversed);
            }
            // What the client does not have yet leaves before the objects that come one by one from now on.
            Pacing::Immediate => self.state.hub().with_last_values(|last_values| {
                self.state.change(now, |outbox| outbox.release_all(last_values));
            }),
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

    /// Announces as gaps what is no longer retained, and returns what is.
    fn replay_missed(
        &self,
        points: &[ResumePoint],
        last_values: &EncodedLastValues,
        now: Instant,
    ) -> Vec<(Object, DeliveryKind)> {
        let mut room = self.max_replayed;
        let mut gaps = Vec::new();
        let mut replayed = Vec::new();
        for ResumePoint { stream, last } in points.iter().copied() {
            let newest = last_values.last_values().seq(stream);
            let Some(last) = last else {
                gaps.extend(gap(last_values, stream, Seq(1), newest));
                continue;
            };
            if !self.may_have(last, newest, last_values.last_values()) {
                gaps.push(gap_of(last_values, stream, Seq(1), newest));
                continue;
            }
            if self.is_sampled(stream) {
                self.state.change(now, |outbox| outbox.set_sampled(stream, last));
            } else if last >= newest {
                // Another worker was ahead of this one: the client has the objects that come next.
                self.state.change(now, |outbox| outbox.set_ahead(stream, last));
            } else {
                let objects = self.missed(stream, last, last_values, room);
                room -= objects.len();
                let first =
                    objects.first().map_or(newest.next(), |(object, mark)| Seq(object.seq.0 - merged(*mark)));
                gaps.extend(gap(last_values, stream, last.next(), Seq(first.0 - 1)));
                replayed.extend(objects);
            }
        }
        self.state.send_controls(&gaps, now);
        replayed
    }

    /// The newest objects of a stream after `last`, without a hole; where they are not retained, the
    /// newest alone, which replaces the others if the stream conflates.
    fn missed(
        &self,
        stream: StreamId,
        last: Seq,
        last_values: &EncodedLastValues,
        room: usize,
    ) -> Vec<(Object, DeliveryKind)> {
        let last_values = last_values.last_values();
        let newest = last_values.seq(stream);
        let mut objects = (self.replay)(stream, last, newest);
        objects.drain(..objects.len().saturating_sub(room));
        let is_complete = objects.first().is_some_and(|first| first.seq == last.next());
        let conflates = stream.channel().conflates();
        if !is_complete && conflates || objects.is_empty() {
            let merged = if conflates { newest.0 - last.0 - 1 } else { 0 };
            let newest = last_values.of(stream).filter(|_| room > 0);
            return newest.map(|object| (*object, DeliveryKind::conflated(merged))).into_iter().collect();
        }
        objects.into_iter().map(|object| (object, DeliveryKind::Live)).collect()
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

/// The notice that these objects will not come, unless there are none.
fn gap(last_values: &EncodedLastValues, stream: StreamId, from: Seq, to: Seq) -> Option<ControlMessage> {
    (from <= to).then(|| gap_of(last_values, stream, from, to))
}

/// The notice that these objects will not come. From 1 to 0 nothing is missing; it says that the stream has no object
/// yet.
fn gap_of(last_values: &EncodedLastValues, stream: StreamId, from: Seq, to: Seq) -> ControlMessage {
    let symbol = &last_values.universe().instrument(stream.symbol()).symbol;
    ControlMessage::Gap(Gap::new(symbol, stream.channel(), from, to))
}

const fn pacing(options: SessionOptions) -> Pacing {
    match options.interval.is_zero() {
        true => Pacing::Immediate,
        false => Pacing::Interval,
    }
}

const fn merged(mark: DeliveryKind) -> u64 {
    match mark {
        DeliveryKind::Conflated(objects) => objects,
        DeliveryKind::Live | DeliveryKind::Snapshot => 0,
    }
}
