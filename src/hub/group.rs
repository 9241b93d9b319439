use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{ObjectRef, SubscriberKey};

/// A list of the index: a channel's "all symbols" first, then its symbols.
pub(super) type ListId = u32;

/// Everybody who wants exactly the same streams, and what was found for them that not all have yet.
///
/// What is found is noted once, however many they are, and each has it up to a point of its own: those
/// whose time has come get it, in the same slice, and the rest have more to come.
#[derive(Debug, Default)]
pub(super) struct SubscriberGroup {
    /// The lists in which it stands, and at which place of each.
    pub(super) wants: FxHashMap<ListId, u32>,
    /// The same for the same wants, whatever came of them first; seldom for others.
    pub(super) fingerprint: u64,
    members: SmallVec<[Member; 1]>,
    picks: Vec<ObjectRef>,
    /// How many picks there were before these.
    base: u64,
    /// How many members have yet to get some of the picks.
    behind: usize,
    /// Where the lap broke off.
    cursor: usize,
    is_queued: bool,
}

#[derive(Debug)]
struct Member {
    key: SubscriberKey,
    /// How many picks it has got, or missed because it came later.
    has: u64,
}

/// What became of a member whom a lap came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Sent,
    /// It waits for the next lap.
    Deferred,
    /// It is not its fault: the lap is to go on with it.
    BudgetExhausted,
}

/// Room for picks that an audience may keep from turn to turn.
const KEPT_PICKS: usize = 64;

impl SubscriberGroup {
    pub(super) fn wants_as(&self, other: &Self) -> bool {
        self.wants.len() == other.wants.len() && self.wants.keys().all(|list| other.wants.contains_key(list))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = SubscriberKey> + '_ {
        self.members.iter().map(|member| member.key)
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Somebody comes, who is to get what is found from now on; its place among the members.
    pub(super) fn join(&mut self, key: SubscriberKey) -> usize {
        self.members.push(Member { key, has: self.end() });
        self.members.len() - 1
    }

    /// The member of this place goes; the one who takes its place is named.
    pub(super) fn leave(&mut self, place: usize) -> Option<SubscriberKey> {
        let gone = self.members.swap_remove(place);
        if gone.has < self.end() {
            self.caught_up(1);
        }
        self.members.get(place).map(|moved| moved.key)
    }

    /// Something was found; says whether the audience is to be queued for it.
    pub(super) fn note(&mut self, pick: ObjectRef) -> bool {
        self.picks.push(pick);
        self.behind = self.members.len();
        !std::mem::replace(&mut self.is_queued, true)
    }

    /// Comes by the members who have yet to get something, each once, and goes on where the last lap
    /// broke off. Says whether it came to its end.
    pub(super) fn lap(&mut self, mut serve: impl FnMut(SubscriberKey, &[ObjectRef]) -> Delivery) -> bool {
        let end = self.end();
        let mut served = 0;
        while let Some(member) = self.members.get_mut(self.cursor) {
            if member.has < end {
                match serve(member.key, &self.picks[(member.has - self.base) as usize..]) {
                    Delivery::Sent => {
                        member.has = end;
                        served += 1;
                    }
                    Delivery::Deferred => {}
                    Delivery::BudgetExhausted => break,
                }
            }
            self.cursor += 1;
        }
        let is_over = self.cursor >= self.members.len();
        if is_over {
            self.cursor = 0;
        }
        self.caught_up(served);
        is_over
    }

    /// Whether a lap broke off.
    pub(super) fn is_in_a_lap(&self) -> bool {
        self.cursor > 0
    }

    /// Whether it is to stay in the queue; if not, the next pick says so again.
    pub(super) fn stays_queued(&mut self) -> bool {
        self.is_queued = self.behind > 0;
        self.is_queued
    }

    /// Gives the member of this place what it has yet to get, if anything.
    pub(super) fn serve(&mut self, place: usize, serve: impl FnOnce(&[ObjectRef])) {
        let end = self.end();
        let member = &mut self.members[place];
        if member.has < end {
            serve(&self.picks[(member.has - self.base) as usize..]);
            member.has = end;
            self.caught_up(1);
        }
    }

    /// How many picks there were, in all.
    fn end(&self) -> u64 {
        self.base + self.picks.len() as u64
    }

    /// So many more members have everything. Where all have, nothing is kept.
    fn caught_up(&mut self, members: usize) {
        self.behind -= members;
        if self.behind == 0 {
            self.base = self.end();
            self.picks.clear();
            self.picks.shrink_to(KEPT_PICKS);
        }
    }
}
