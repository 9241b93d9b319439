use smallvec::SmallVec;

use super::group_lists::GroupLists;
use super::{ObjectRef, SubscriberKey};

/// A list of the index: those of whole channels first, then those of streams.
pub(super) type ListId = u32;

/// Subscribers with identical subscriptions, and the objects matched for them that not all have received.
///
/// A match is recorded once for the group, and each member has received the record up to a point of its
/// own: members that are due get the same slice, and the others have more to come.
#[derive(Debug, Default)]
pub(super) struct SubscriberGroup {
    /// The lists of the index that contain the group, and its position in each.
    pub(super) lists: GroupLists,
    /// Equal for equal subscriptions, in whatever order they were made; rarely equal for others.
    pub(super) fingerprint: u64,
    members: SmallVec<[Member; 1]>,
    matched: Vec<ObjectRef>,
    /// How many objects were matched before those of `matched`.
    base: u64,
    /// How many members have yet to receive some of `matched`.
    behind: usize,
    /// The member at which the round was interrupted.
    cursor: usize,
    is_queued: bool,
}

#[derive(Debug)]
struct Member {
    key: SubscriberKey,
    /// How many matched objects it has received, or missed because it joined later.
    received: u64,
}

/// What became of a member's delivery in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It has everything.
    Sent,
    /// It is not due, and waits for the next round.
    Deferred,
    /// The fan-out may call no more subscribers: the round is interrupted, and goes on with this member.
    BudgetExhausted,
}

/// Capacity for matched objects that a group keeps from one fan-out to the next.
const KEPT_CAPACITY: usize = 64;

impl SubscriberGroup {
    pub(super) fn has_same_subscriptions(&self, other: &Self) -> bool {
        self.lists.len() == other.lists.len() && self.lists.ids().all(|list| other.lists.contains(list))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = SubscriberKey> + '_ {
        self.members.iter().map(|member| member.key)
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds a member, which receives what is matched from now on; returns its position.
    pub(super) fn join(&mut self, key: SubscriberKey) -> usize {
        self.members.push(Member { key, received: self.end() });
        self.members.len() - 1
    }

    /// Removes the member at this position; returns the member that takes its position.
    pub(super) fn leave(&mut self, position: usize) -> Option<SubscriberKey> {
        let gone = self.members.swap_remove(position);
        if gone.received < self.end() {
            self.caught_up(1);
        }
        self.members.get(position).map(|moved| moved.key)
    }

    /// Records a match; returns whether the group must be queued for delivery.
    pub(super) fn record(&mut self, object: ObjectRef) -> bool {
        self.matched.push(object);
        self.behind = self.members.len();
        !std::mem::replace(&mut self.is_queued, true)
    }

    /// Visits each member that has yet to receive something, once, from where the last round was
    /// interrupted. Returns whether the round was completed.
    pub(super) fn deliver_round(
        &mut self,
        mut deliver: impl FnMut(SubscriberKey, &[ObjectRef]) -> Delivery,
    ) -> bool {
        let end = self.end();
        let mut sent = 0;
        while let Some(member) = self.members.get_mut(self.cursor) {
            if member.received < end {
                match deliver(member.key, &self.matched[(member.received - self.base) as usize..]) {
                    Delivery::Sent => {
                        member.received = end;
                        sent += 1;
                    }
                    Delivery::Deferred => {}
                    Delivery::BudgetExhausted => break,
                }
            }
            self.cursor += 1;
        }
        let is_complete = self.cursor >= self.members.len();
        if is_complete {
            self.cursor = 0;
        }
        self.caught_up(sent);
        is_complete
    }

    /// Forgets the matched objects that every member has received; returns the oldest of the others.
    pub(super) fn trim(&mut self) -> Option<ObjectRef> {
        let received = self.members.iter().map(|member| member.received).min()?;
        self.matched.drain(..(received - self.base) as usize);
        self.base = received;
        self.matched.first().copied()
    }

    /// Whether a round was interrupted.
    pub(super) fn is_interrupted(&self) -> bool {
        self.cursor > 0
    }

    /// Whether the group stays in the queue; if not, the next match queues it again.
    pub(super) fn stays_queued(&mut self) -> bool {
        self.is_queued = self.behind > 0;
        self.is_queued
    }

    /// Whether the member at this position has yet to receive something.
    pub(super) fn is_behind(&self, position: usize) -> bool {
        self.members[position].received < self.end()
    }

    /// Delivers to the member at this position what it has yet to receive, if anything.
    pub(super) fn deliver_to(&mut self, position: usize, deliver: impl FnOnce(&[ObjectRef])) {
        let end = self.end();
        let member = &mut self.members[position];
        if member.received < end {
            deliver(&self.matched[(member.received - self.base) as usize..]);
            member.received = end;
            self.caught_up(1);
        }
    }

    /// How many objects were matched in all.
    fn end(&self) -> u64 {
        self.base + self.matched.len() as u64
    }

    /// This many more members have everything. Once all have, nothing is kept.
    fn caught_up(&mut self, members: usize) {
        self.behind -= members;
        if self.behind == 0 {
            self.base = self.end();
            self.matched.clear();
            self.matched.shrink_to(KEPT_CAPACITY);
        }
    }
}
