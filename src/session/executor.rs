use std::rc::Rc;
use std::time::Instant;
use std::{mem, vec};

use bytes::Bytes;

use super::command_outcome::{CommandOutcome, ResumePoint, SessionOptions, SnapshotPart};
use super::outbox::{AnswerKind, AnswerPoint, AnswerRequest, Pacing, ReplayLookup};
use super::state::SessionState;
use super::subscriptions::Subscriptions;
use crate::feed::{FeedProgress, LastValues};
use crate::hub::{EncodedLastValues, SubscriptionChange};
use crate::model::{Channel, Seq, StreamId, Topic, UniverseSize};
use crate::wire::Close;

/// Carries out the consequences of a command in the hub's index and in the outbox, in this order:
///
/// 1. What the hub has for the session under the old subscriptions is flushed.
/// 2. Subscriptions change.
/// 3. Options change. An interval moves the streams that conflate from the index to the outbox's
///    sampling.
/// 4. The acknowledgement is queued.
/// 5. Replays and snapshots are requested of the outbox, and the first piece of them is produced.
///
/// All of it happens between two batches, so nothing is sent twice and nothing is left out. A command with many
/// changes takes several steps, with batches in between: then subscriptions end before the acknowledgement and
/// begin behind it, so that it precedes their objects; answers wait for the last step, and find what was
/// published before a stream was in the index. Streams that change between their names and `*`, which the client
/// receives all the time, change in one step.
pub(super) struct CommandExecutor {
    state: Rc<SessionState>,
    replay: ReplayLookup,
    progress: FeedProgress,
    /// The most objects that one command replays.
    max_replayed: usize,
    changes_per_step: usize,
}

/// A command that is being carried out, in one step or in several.
pub(super) struct CommandExecution {
    outcome: CommandOutcome,
    response: Bytes,
    /// The changes of the step of the acknowledgement.
    at_once: Vec<SubscriptionChange>,
    /// The subscriptions that end, before the acknowledgement.
    removals: vec::IntoIter<SubscriptionChange>,
    /// The subscriptions that begin, behind the acknowledgement.
    additions: vec::IntoIter<SubscriptionChange>,
    is_ending: bool,
    is_beginning: bool,
    is_acknowledged: bool,
}

/// How far a step of a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepResult {
    /// Other tasks should run before the next step.
    More,
    /// The command is carried out.
    Done,
}

/// The most changes of the index in one step: 1 ms.
const CHANGES_PER_STEP: usize = 1_024;

impl CommandExecution {
    /// How the session ends after the command, if it does.
    pub(super) fn close(&self) -> Option<Close> {
        self.outcome.close
    }
}

impl CommandExecutor {
    pub(super) fn new(
        state: Rc<SessionState>,
        replay: ReplayLookup,
        progress: FeedProgress,
        max_replayed: usize,
    ) -> Self {
        Self { state, replay, progress, max_replayed, changes_per_step: CHANGES_PER_STEP }
    }

    /// The same executor, which takes more steps.
    #[cfg(test)]
    pub(super) fn in_steps_of(self, changes_per_step: usize) -> Self {
        Self { changes_per_step, ..self }
    }

    /// Subscribes to the streams of instruments and topics that are listed since this size was `known`: those that
    /// the client named before, and those that are sampled. Whole channels in the hub's index include them already.
    /// Of a topic the client gets everything from its first message on.
    pub(super) fn add_new_instruments(
        &self,
        known: UniverseSize,
        subscriptions: &Subscriptions,
        now: Instant,
    ) {
        let Some(key) = self.state.key() else { return };
        let universe = self.state.hub().universe();
        let new = universe.iter().skip(known.instruments);
        let instruments = new.flat_map(|it| Channel::MARKET.map(|channel| StreamId::new(channel, it.id)));
        let topics = universe.topics().iter_from(known.topics).map(Topic::stream);
        let streams = instruments.chain(topics);
        let (sampled, indexed): (Vec<_>, Vec<_>) = streams
            .filter(|stream| subscriptions.includes(*stream, &universe))
            .partition(|stream| self.is_sampled(*stream));
        let is_named = |stream: &StreamId| !subscriptions.includes_all(stream.channel());
        let named: Vec<_> = indexed.into_iter().filter(is_named).map(SubscriptionChange::Add).collect();
        if !named.is_empty() {
            self.state.hub().flush(key, now);
            self.state.hub().change_subscriptions(key, &named);
        }
        // The first message of a topic comes with the topic, before it is in the index.
        let missed = named.iter().flat_map(|change| change.streams(&universe));
        let missed = missed.filter(|stream| stream.is_of_topic());
        let points = missed.map(|stream| AnswerPoint { stream, kind: AnswerKind::Replay { after: Seq(0) } });
        let request = AnswerRequest { points: points.collect(), channels: Vec::new() };
        let sampled: Vec<_> = sampled.into_iter().map(|stream| (stream, self.before_first(stream))).collect();
        self.state.change(now, |outbox| {
            sampled.into_iter().for_each(|(stream, before)| outbox.start_sampling(stream, before));
            if !request.is_empty() {
                outbox.request(request, &self.replay, self.max_replayed);
            }
        });
    }

    /// The number before the first one of a stream that is new: 0 for an instrument; those of a topic begin with any in a
    /// cluster, and what was never given is not counted as merged.
    fn before_first(&self, stream: StreamId) -> Seq {
        if !stream.is_of_topic() {
            return Seq::default();
        }
        let newest = self.state.hub().with_last_values(|last_values| last_values.seq(stream));
        let oldest = (self.replay)(stream, Seq::default(), newest, 1).into_iter().next();
        let first = oldest.filter(|oldest| oldest.is_first);
        first.map_or(Seq::default(), |first| Seq(first.object.seq.0.saturating_sub(1)))
    }

    /// Begins to carry out a command; `response` is the frame of its response.
    pub(super) fn begin(&self, mut outcome: CommandOutcome, response: Bytes) -> CommandExecution {
        let changes = mem::take(&mut outcome.changes);
        let is_ending = changes.iter().any(|change| !change.is_addition());
        let is_beginning = changes.iter().any(|change| change.is_addition());
        let (mut at_once, mut removals, mut additions) = (changes, Vec::new(), Vec::new());
        if at_once.len() > self.changes_per_step {
            let is_whole = |change: &SubscriptionChange| {
                matches!(change, SubscriptionChange::AddAll(_) | SubscriptionChange::RemoveAll(_))
            };
            let whole: Vec<_> = at_once.iter().filter(|it| is_whole(it)).map(|it| it.channel()).collect();
            let (atomic, by_name): (Vec<_>, Vec<_>) =
                at_once.into_iter().partition(|change| whole.contains(&change.channel()));
            (additions, removals) = by_name.into_iter().partition(|change| change.is_addition());
            at_once = atomic;
        }
        let removals = removals.into_iter();
        let additions = additions.into_iter();
        CommandExecution {
            outcome,
            response,
            at_once,
            removals,
            additions,
            is_ending,
            is_beginning,
            is_acknowledged: false,
        }
    }

    /// Carries out a step of a command. Subscriptions are those after the command.
    pub(super) fn step(
        &self,
        execution: &mut CommandExecution,
        subscriptions: &Subscriptions,
        now: Instant,
    ) -> StepResult {
        let Some(key) = self.state.key() else { return StepResult::Done };
        let step = |changes: &mut vec::IntoIter<SubscriptionChange>| -> Vec<SubscriptionChange> {
            changes.take(self.changes_per_step).collect()
        };
        self.state.hub().flush(key, now);
        if execution.is_acknowledged {
            self.apply_changes(&step(&mut execution.additions), subscriptions, now);
        } else {
            self.apply_changes(&step(&mut execution.removals), subscriptions, now);
            if execution.removals.len() > 0 {
                return StepResult::More;
            }
            self.apply_changes(&mem::take(&mut execution.at_once), subscriptions, now);
            self.acknowledge(execution, subscriptions, now);
        }
        if execution.additions.len() > 0 {
            return StepResult::More;
        }
        self.state.hub().settle_subscriptions(key);
        let is_crowded = self.state.hub().is_crowded(self.state.client());
        self.state.hub().with_last_values(|last_values| {
            self.state.change(now, |outbox| {
                outbox.set_crowded(is_crowded);
                outbox.hold_answers(false);
                if outbox.wants_answer() {
                    self.state.answer(outbox, last_values);
                }
            });
        });
        StepResult::Done
    }

    /// Puts the options in force, queues the acknowledgement, and requests the answers.
    fn acknowledge(&self, execution: &mut CommandExecution, subscriptions: &Subscriptions, now: Instant) {
        execution.is_acknowledged = true;
        if execution.is_ending {
            let universe = self.state.hub().universe();
            let is_subscribed = |stream| subscriptions.includes(stream, &universe);
            self.state.change(now, |outbox| outbox.retain(is_subscribed));
        }
        let tickers = self.state.options().tickers;
        if let Some(options) = execution.outcome.options {
            self.apply_options(options, subscriptions, now);
        }
        let changes_tickers = self.state.options().tickers != tickers;
        self.state.send(mem::take(&mut execution.response), now);
        if let Some(told) = execution.outcome.epoch {
            self.state.tell_epoch_since(told, now);
        }
        self.state.hub().with_last_values(|last_values| {
            let request = self.answers(&execution.outcome, last_values);
            self.state.change(now, |outbox| {
                outbox.hold_answers(true);
                if execution.is_beginning || changes_tickers {
                    outbox.defer_lookups();
                }
                if !request.is_empty() {
                    outbox.request(request, &self.replay, self.max_replayed);
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
        if let (Some(key), false) = (self.state.key(), changes.is_empty()) {
            self.state.hub().change_subscriptions_in_part(key, changes);
        }
    }

    /// What the command requests of the outbox.
    fn answers(&self, outcome: &CommandOutcome, last_values: &EncodedLastValues) -> AnswerRequest {
        let mut request = AnswerRequest::default();
        for ResumePoint { stream, last } in outcome.resume.iter().copied() {
            let newest = last_values.seq(stream);
            // The epoch may have begun after the command was understood.
            let is_void = outcome.epoch.is_some_and(|told| self.state.are_numbers_void_since(told));
            let is_beginning = |last: &Seq| *last == Seq(0) && stream.is_of_topic();
            let kind = match last.filter(|last| !is_void || is_beginning(last)) {
                None => AnswerKind::Restart { newest },
                Some(last) if !self.may_have(last, newest, last_values.last_values()) => {
                    AnswerKind::Impossible { newest }
                }
                Some(last) => AnswerKind::Replay { after: last },
            };
            request.points.push(AnswerPoint { stream, kind });
        }
        for part in outcome.snapshot.iter().copied() {
            match part {
                SnapshotPart::Stream(stream, kind) => {
                    request.points.push(AnswerPoint { stream, kind: AnswerKind::Snapshot(kind) });
                }
                SnapshotPart::Channel(channel, kind) => {
                    request.channels.push((channel, kind, last_values.universe().len_of(channel)));
                }
            }
        }
        request
    }

    /// Whether a client may have this number of a stream whose newest number here is `newest`.
    ///
    /// Another worker may be ahead of this one, by no more than what the feed has published and this worker has yet to
    /// dispatch. A number beyond that was never given, unless by the node that this one follows.
    fn may_have(&self, last: Seq, newest: Seq, last_values: &LastValues) -> bool {
        self.progress.follows()
            || last.0.saturating_sub(newest.0)
                <= self.progress.published().saturating_sub(last_values.published())
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
