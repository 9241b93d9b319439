use std::rc::Rc;
use std::sync::Arc;

use super::protocol::{CommandOutcome, ResumePoint};
use super::state::SessionState;
use super::{SessionOptions, SubscriptionChange, Subscriptions};
use crate::feed::LastValues;
use crate::hub::Change;
use crate::model::{Object, Seq, StreamId, Universe};
use crate::wire::{ControlMessage, Gap, Mark};

/// Looks up what was published: the objects of a stream after one number and up to another, as far
/// back as they are kept. They follow each other and the last is the newest asked for.
pub type Replay = Rc<dyn Fn(StreamId, Seq, Seq) -> Vec<Object>>;

/// Does what follows from a command: in the index, in the outbox, in this order.
///
/// 1. What is wanted and what no more.
/// 2. New terms. A pace moves the streams that conflate from the index to the outbox's watch.
/// 3. The acknowledgement.
/// 4. What was missed, or the word that it is gone.
/// 5. Snapshots.
///
/// All of it happens between two batches, so nothing comes twice and nothing is left out.
pub(super) struct CommandExecutor {
    link: Rc<SessionState>,
    universe: Arc<Universe>,
    replay: Replay,
    /// The most objects that one command may have replayed.
    replayed_objects: usize,
}

impl CommandExecutor {
    pub(super) fn new(
        link: Rc<SessionState>,
        universe: Arc<Universe>,
        replay: Replay,
        replayed_objects: usize,
    ) -> Self {
        Self { link, universe, replay, replayed_objects }
    }

    pub(super) fn carry_out(&self, outcome: CommandOutcome, filter: &Subscriptions) {
        let hub = Rc::clone(self.link.hub());
        if let Some(key) = self.link.key() {
            hub.flush(key);
        }
        hub.with_latest(|latest| self.link.change(|outbox| outbox.settle(latest)));
        let takes_away = outcome.changes.iter().any(|change| !change.begins());
        self.make(outcome.changes, filter);
        if takes_away {
            self.link.change(|outbox| outbox.retain(|stream| filter.wants(stream, &self.universe)));
        }
        if let Some(terms) = outcome.terms {
            self.agree(terms, filter);
        }
        self.link.notify(&outcome.notice);
        hub.with_latest(|latest| {
            let mut asked_for = self.resume(&outcome.resume, latest);
            let newest = outcome.snapshot.iter().filter_map(|stream| latest.of(*stream));
            asked_for.extend(newest.map(|object| (*object, Mark::Snapshot)));
            if !asked_for.is_empty() {
                self.link.change(|outbox| outbox.push_asked_for(&asked_for));
            }
        });
    }

    /// Puts new terms in force for all that is wanted.
    fn agree(&self, terms: SessionOptions, filter: &Subscriptions) {
        let was_paced = !self.link.terms().pace.is_zero();
        let is_paced = !terms.pace.is_zero();
        self.link.set_terms(terms);
        if was_paced == is_paced {
            return;
        }
        let mut standing = filter.interests(&self.universe);
        standing.retain(|interest| interest.channel().conflates());
        let hub = Rc::clone(self.link.hub());
        if was_paced {
            // What the client does not have yet leaves before what comes one by one from now on.
            hub.with_latest(|latest| self.link.change(|outbox| outbox.release_all(latest)));
        } else {
            self.in_index(|change| standing.iter().for_each(|standing| standing.undone().apply(change)));
        }
        hub.with_latest(|latest| self.link.change(|outbox| outbox.set_paced(is_paced, latest)));
        self.make(standing, filter);
    }

    /// Makes these changes, in the watch for what conflates at the client's pace, else in the index.
    ///
    /// A stream that was wanted by name and is now one of all, or the other way round, stays watched:
    /// what the client does not have of it yet must not be forgotten.
    fn make(&self, changes: Vec<SubscriptionChange>, filter: &Subscriptions) {
        let is_paced = !self.link.terms().pace.is_zero();
        let (watched, indexed): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| is_paced && change.channel().conflates());
        self.in_index(|change| indexed.iter().for_each(|interest| interest.apply(change)));
        let hub = Rc::clone(self.link.hub());
        hub.with_latest(|latest| {
            for change in watched {
                for stream in change.streams(&self.universe) {
                    let is_wanted = filter.wants(stream, &self.universe);
                    let known = self.link.change(|outbox| outbox.forget_known(stream)).flatten();
                    let last = known.unwrap_or_default().max(latest.seq(stream));
                    self.link.change(|outbox| match outbox.watch() {
                        Some(watch) if is_wanted => watch.add(stream, last),
                        Some(watch) => watch.remove(stream),
                        None => {}
                    });
                }
            }
        });
    }

    fn in_index(&self, make: impl FnOnce(&mut Change)) {
        if let Some(key) = self.link.key() {
            self.link.hub().change_interests(key, make);
        }
    }

    /// Says what is gone, and gives what is not.
    fn resume(&self, known: &[ResumePoint], latest: &LastValues) -> Vec<(Object, Mark)> {
        let mut room = self.replayed_objects;
        let mut gaps = Vec::new();
        let mut found = Vec::new();
        for ResumePoint { stream, last } in known.iter().copied() {
            let newest = latest.seq(stream);
            let Some(last) = last else {
                gaps.extend(self.gap(stream, Seq(1), newest));
                continue;
            };
            if self.is_watched(stream) {
                self.link.change(|outbox| outbox.watch().map(|watch| watch.set_last(stream, last)));
            } else if last >= newest {
                // Another worker was ahead of this one: what comes next is no news.
                self.link.change(|outbox| outbox.knows(stream, last));
            } else {
                let objects = self.missed(stream, last, latest, room);
                room -= objects.len();
                let first =
                    objects.first().map_or(newest.next(), |(object, mark)| Seq(object.seq.0 - merged(*mark)));
                gaps.extend(self.gap(stream, last.next(), Seq(first.0 - 1)));
                found.extend(objects);
            }
        }
        self.link.notify_all(&gaps);
        found
    }

    /// The newest objects of a stream that come after `last`, without a hole among them; where they
    /// are not kept, the newest alone, and if it conflates in the place of all the others.
    fn missed(&self, stream: StreamId, last: Seq, latest: &LastValues, room: usize) -> Vec<(Object, Mark)> {
        let newest = latest.seq(stream);
        let mut objects = (self.replay)(stream, last, newest);
        objects.drain(..objects.len().saturating_sub(room));
        let is_complete = objects.first().is_some_and(|first| first.seq == last.next());
        if !is_complete && stream.channel().conflates() || objects.is_empty() {
            let merged = if stream.channel().conflates() { newest.0 - last.0 - 1 } else { 0 };
            let newest = latest.of(stream).filter(|_| room > 0);
            return newest.map(|object| (*object, Mark::merged(merged))).into_iter().collect();
        }
        objects.into_iter().map(|object| (object, Mark::Live)).collect()
    }

    fn is_watched(&self, stream: StreamId) -> bool {
        stream.channel().conflates() && !self.link.terms().pace.is_zero()
    }

    /// The word that these objects are gone, unless there are none.
    fn gap(&self, stream: StreamId, from: Seq, to: Seq) -> Option<ControlMessage> {
        let symbol = &self.universe.instrument(stream.symbol()).symbol;
        (from <= to).then(|| ControlMessage::Gap(Gap::new(symbol, stream.channel(), from, to)))
    }
}

const fn merged(mark: Mark) -> u64 {
    match mark {
        Mark::Merged(objects) => objects,
        Mark::Live | Mark::Snapshot => 0,
    }
}
