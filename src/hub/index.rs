use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::ObjectRef;
use super::group::{ListId, SubscriberGroup};
use crate::model::{Channel, StreamId};

/// A subscriber's place in the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberKey(pub usize);

/// From a stream to all who want it, and back.
///
/// Those who want exactly the same are one audience, found by what it wants; a stream's list names
/// audiences. So a tick that five thousand want and nothing else is noted once.
///
/// Derived from the sessions' filters, which are the truth. A change costs what it changes where a
/// subscriber is alone with its wants, and as much as it wants where it has to part from others.
#[derive(Debug)]
pub struct Index {
    lists: Vec<Vec<GroupKey>>,
    audiences: Slab<SubscriberGroup>,
    /// The audiences by their fingerprint.
    alike: HashTable<GroupKey>,
    subscribers: Slab<Option<GroupPlace>>,
    /// Drawn anew for each index: nobody outside can choose wants whose fingerprints are alike.
    fingerprints: RandomState,
}

/// An audience's place in the index.
pub(super) type GroupKey = usize;

#[derive(Clone, Copy, Debug)]
struct GroupPlace {
    audience: GroupKey,
    /// Which of its members it is.
    place: usize,
}

/// What of a subscriber's wants is to be otherwise. The last word on a stream counts.
#[derive(Debug)]
pub struct Change {
    wanted: FxHashMap<ListId, bool>,
}

impl Change {
    /// This stream is wanted. Without effect if it is already.
    pub fn add(&mut self, stream: StreamId) {
        self.wanted.insert(list_of(stream), true);
    }

    /// This stream is no longer wanted by itself. Without effect if it was not.
    pub fn remove(&mut self, stream: StreamId) {
        self.wanted.insert(list_of(stream), false);
    }

    /// All symbols of this channel are wanted.
    pub fn add_all(&mut self, channel: Channel) {
        self.wanted.insert(list_of_all(channel), true);
    }

    /// No longer all symbols of this channel are wanted.
    pub fn remove_all(&mut self, channel: Channel) {
        self.wanted.insert(list_of_all(channel), false);
    }
}

impl Index {
    /// An index of nobody, over so many symbols.
    pub fn new(symbols: usize) -> Self {
        Self {
            lists: vec![Vec::new(); Channel::COUNT + StreamId::table_len(symbols)],
            audiences: Slab::new(),
            alike: HashTable::new(),
            subscribers: Slab::new(),
            fingerprints: RandomState::new(),
        }
    }

    /// A new subscriber who wants nothing yet.
    pub fn join(&mut self) -> SubscriberKey {
        SubscriberKey(self.subscribers.insert(None))
    }

    /// The subscriber and all its interests go. Its key may be given to another.
    pub fn leave(&mut self, key: SubscriberKey) {
        self.part(key);
        self.subscribers.remove(key.0);
    }

    /// The subscriber wants something else. Serve it first: what it has yet to get is forgotten.
    pub fn change(&mut self, key: SubscriberKey, make: impl FnOnce(&mut Change)) {
        let mut change = Change { wanted: FxHashMap::default() };
        make(&mut change);
        let known = self.subscribers[key.0].map(|at| &self.audiences[at.audience]);
        let is_wanted = |list: &ListId| known.is_some_and(|known| known.wants.contains_key(list));
        change.wanted.retain(|list, wanted| is_wanted(list) != *wanted);
        if change.wanted.is_empty() {
            return;
        }
        let audience = self.set_apart(key);
        for (list, is_wanted) in change.wanted {
            if is_wanted {
                self.put_in(audience, list);
            } else {
                self.take_out(audience, list);
            }
        }
        self.unite(key, audience);
    }

    /// Everybody who wants this stream, by name or as one of all. Someone who asked for both is
    /// named twice: a filter asks for one or the other.
    pub fn who_wants(&self, stream: StreamId) -> impl Iterator<Item = SubscriberKey> + '_ {
        let audiences = lists_of(stream).into_iter().flat_map(|list| self.lists.get(list as usize)).flatten();
        audiences.flat_map(|key| self.audiences[*key].members())
    }

    /// How many interests there are: one for each subscriber in each list.
    pub fn len(&self) -> usize {
        self.audiences.iter().map(|(_, audience)| audience.wants.len() * audience.len()).sum()
    }

    /// Whether nobody wants anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes for all who want the stream that there is something for them; gives those audiences that
    /// are to be queued for it.
    pub(super) fn note(&mut self, stream: StreamId, pick: ObjectRef, mut queue: impl FnMut(GroupKey)) {
        for list in lists_of(stream) {
            for key in self.lists.get(list as usize).into_iter().flatten() {
                if self.audiences[*key].note(pick) {
                    queue(*key);
                }
            }
        }
    }

    /// The audience of this place, if there still is one.
    pub(super) fn audience(&mut self, key: GroupKey) -> Option<&mut SubscriberGroup> {
        self.audiences.get_mut(key)
    }

    /// Gives a subscriber what it has yet to get, if anything.
    pub(super) fn serve(&mut self, key: SubscriberKey, serve: impl FnOnce(&[ObjectRef])) {
        if let Some(at) = self.subscribers[key.0] {
            self.audiences[at.audience].serve(at.place, serve);
        }
    }

    /// The subscriber in an audience of its own, which wants the same and is not found by others.
    fn set_apart(&mut self, key: SubscriberKey) -> GroupKey {
        let mut wants = Vec::new();
        if let Some(at) = self.subscribers[key.0] {
            let known = &self.audiences[at.audience];
            if known.len() == 1 {
                self.hide(at.audience);
                return at.audience;
            }
            wants.extend(known.wants.keys().copied());
            self.part(key);
        }
        let own = self.audiences.insert(SubscriberGroup::default());
        wants.into_iter().for_each(|list| self.put_in(own, list));
        self.enter(key, own);
        own
    }

    /// The subscriber of this audience of its own goes to those who want the same, or waits for such;
    /// who wants nothing is in no audience.
    fn unite(&mut self, key: SubscriberKey, own: GroupKey) {
        let wanted = &self.audiences[own];
        let twin = self.alike.find(wanted.fingerprint, |other| self.audiences[*other].wants_as(wanted));
        let twin = twin.copied();
        if twin.is_none() && !wanted.wants.is_empty() {
            self.alike.insert_unique(wanted.fingerprint, own, |key| self.audiences[*key].fingerprint);
            return;
        }
        self.dissolve(own);
        self.subscribers[key.0] = None;
        if let Some(twin) = twin {
            self.enter(key, twin);
        }
    }

    fn enter(&mut self, key: SubscriberKey, audience: GroupKey) {
        let place = self.audiences[audience].join(key);
        self.subscribers[key.0] = Some(GroupPlace { audience, place });
    }

    /// The subscriber leaves its audience, which ends with its last member.
    fn part(&mut self, key: SubscriberKey) {
        let Some(at) = self.subscribers[key.0].take() else { return };
        let audience = &mut self.audiences[at.audience];
        if let Some(moved) = audience.leave(at.place) {
            self.subscribers[moved.0] = Some(at);
        }
        if audience.len() == 0 {
            self.hide(at.audience);
            self.dissolve(at.audience);
        }
    }

    /// Others do not find this audience any more.
    fn hide(&mut self, key: GroupKey) {
        if let Ok(entry) = self.alike.find_entry(self.audiences[key].fingerprint, |other| *other == key) {
            entry.remove();
        }
    }

    fn dissolve(&mut self, key: GroupKey) {
        for (list, place) in self.audiences.remove(key).wants {
            self.close_up(list, place);
        }
    }

    fn put_in(&mut self, key: GroupKey, list: ListId) {
        if self.lists.len() <= list as usize {
            self.lists.resize_with(list as usize + 1, Vec::new);
        }
        let entries = &mut self.lists[list as usize];
        entries.push(key);
        let audience = &mut self.audiences[key];
        audience.wants.insert(list, entries.len() as u32 - 1);
        audience.fingerprint = audience.fingerprint.wrapping_add(self.fingerprints.hash_one(list));
    }

    fn take_out(&mut self, key: GroupKey, list: ListId) {
        let audience = &mut self.audiences[key];
        if let Some(place) = audience.wants.remove(&list) {
            audience.fingerprint = audience.fingerprint.wrapping_sub(self.fingerprints.hash_one(list));
            self.close_up(list, place);
        }
    }

    /// A list loses an entry; the last one fills its place and is told so.
    fn close_up(&mut self, list: ListId, place: u32) {
        let entries = &mut self.lists[list as usize];
        entries.swap_remove(place as usize);
        if let Some(moved) = entries.get(place as usize) {
            self.audiences[*moved].wants.insert(list, place);
        }
        if entries.is_empty() {
            *entries = Vec::new();
        }
    }
}

/// The lists whose subscribers get a stream: by name, and as one of all symbols of its channel.
fn lists_of(stream: StreamId) -> [ListId; 2] {
    [list_of(stream), list_of_all(stream.channel())]
}

fn list_of_all(channel: Channel) -> ListId {
    channel.index() as ListId
}

/// Behind the lists of whole channels, so that new symbols lengthen the table at its end.
fn list_of(stream: StreamId) -> ListId {
    (Channel::COUNT + stream.index()) as ListId
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SymbolId;
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    use std::collections::BTreeSet;

    fn trades(symbol: u32) -> StreamId {
        StreamId::new(Channel::Trades, SymbolId(symbol))
    }

    fn who(index: &Index, stream: StreamId) -> Vec<usize> {
        let mut keys: Vec<_> = index.who_wants(stream).map(|key| key.0).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn those_who_want_all_symbols_want_each() {
        let mut index = Index::new(3);
        let (one, all) = (index.join(), index.join());

        index.change(one, |change| change.add(trades(1)));
        index.change(all, |change| change.add_all(Channel::Trades));

        assert_eq!(who(&index, trades(1)), [one.0, all.0]);
        assert_eq!(who(&index, trades(2)), [all.0]);
        assert_eq!(who(&index, StreamId::new(Channel::Quotes, SymbolId(1))), [0; 0]);
    }

    #[test]
    fn wanting_twice_is_wanting_once() {
        let mut index = Index::new(1);
        let key = index.join();

        index.change(key, |change| change.add(trades(0)));
        index.change(key, |change| change.add(trades(0)));
        assert_eq!(who(&index, trades(0)), [key.0]);

        index.change(key, |change| change.remove(trades(0)));
        assert!(index.is_empty());
    }

    #[test]
    fn the_index_agrees_with_a_plain_set_whatever_happens() {
        let mut random = StdRng::seed_from_u64(7);
        let mut index = Index::new(5);
        let mut truth: BTreeSet<(usize, u32)> = BTreeSet::new();
        let mut present = Vec::new();

        for _ in 0..20_000 {
            match random.random_range(0..10) {
                0 => present.push(index.join()),
                1 if !present.is_empty() => {
                    let gone = present.swap_remove(random.random_range(0..present.len()));
                    index.leave(gone);
                    truth.retain(|(key, _)| *key != gone.0);
                }
                choice if !present.is_empty() => {
                    let key = present[random.random_range(0..present.len())];
                    let symbol = random.random_range(0..5);
                    if choice < 6 {
                        index.change(key, |change| change.add(trades(symbol)));
                        truth.insert((key.0, symbol));
                    } else {
                        index.change(key, |change| change.remove(trades(symbol)));
                        truth.remove(&(key.0, symbol));
                    }
                }
                _ => {}
            }
        }

        assert_eq!(index.len(), truth.len());
        for symbol in 0..5 {
            let expected: Vec<_> = truth.iter().filter(|(_, s)| *s == symbol).map(|(key, _)| *key).collect();
            assert_eq!(who(&index, trades(symbol)), expected);
        }
    }
}
