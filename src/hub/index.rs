use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::group::{ListId, SubscriberGroup};
use super::{ObjectRef, SubscriptionChange};
use crate::model::{Channel, Missed, StreamId};

/// A subscriber's key in its hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberKey(pub usize);

/// Maps streams to subscribers and back.
///
/// Subscribers with identical subscriptions share one group, found by its fingerprint, and a stream's
/// list names groups: a tick that 5,000 identical sessions subscribe to is recorded once.
/// Recording an object is O(groups of the stream).
///
/// Derived from the sessions' subscriptions, which are the truth. A change costs O(changes) for a
/// subscriber that is alone in its group, and O(subscriptions) where it leaves a shared one. Tables grow
/// with the universe.
#[derive(Debug)]
pub struct Index {
    lists: Lists,
    groups: Slab<SubscriberGroup>,
    /// The groups by their fingerprint.
    by_fingerprint: HashTable<GroupKey>,
    subscribers: Slab<Option<GroupPlace>>,
    /// Groups without members that are still in many lists.
    dissolving: Vec<GroupKey>,
    /// Seeded at random for each index, so that no client can choose subscriptions that collide.
    hasher: RandomState,
}

/// The groups of each list. An instrument has a list for each channel, a topic one stream: so they have tables of their own.
#[derive(Debug)]
struct Lists {
    of_market: Vec<Vec<GroupKey>>,
    of_topics: Vec<Vec<GroupKey>>,
}

/// The lists that a group without members is removed from in one piece: 0.2 ms.
const LISTS_PER_PIECE: usize = 1_024;

/// A group's key in the index.
pub(super) type GroupKey = u32;

#[derive(Clone, Copy, Debug)]
struct GroupPlace {
    group: GroupKey,
    /// The subscriber's position among the members.
    position: u32,
}

impl Index {
    /// An empty index, with capacity for the streams of this number of symbols.
    pub fn new(symbols: usize) -> Self {
        Self {
            lists: Lists {
                of_market: vec![Vec::new(); Channel::COUNT + StreamId::table_len(symbols)],
                of_topics: Vec::new(),
            },
            groups: Slab::new(),
            by_fingerprint: HashTable::new(),
            subscribers: Slab::new(),
            dissolving: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Adds a subscriber without subscriptions.
    pub fn join(&mut self) -> SubscriberKey {
        SubscriberKey(self.subscribers.insert(None))
    }

    /// Removes a subscriber and its subscriptions. Its key may be given to another.
    pub fn leave(&mut self, key: SubscriberKey) {
        self.leave_group(key);
        self.subscribers.remove(key.0);
    }

    /// Changes a subscriber's subscriptions; the last change of a stream counts. Deliver to it first:
    /// what it has yet to receive is forgotten.
    pub fn change(&mut self, key: SubscriberKey, changes: &[SubscriptionChange]) {
        self.change_in_part(key, changes);
        self.settle(key);
    }

    /// Makes a part of a long change; [`settle`](Self::settle) at the end. Until then the subscriber shares no
    /// group: to leave it again for the next part would cost as much as all parts together.
    pub(super) fn change_in_part(&mut self, key: SubscriberKey, changes: &[SubscriptionChange]) {
        let mut wanted: FxHashMap<ListId, bool> =
            changes.iter().map(|change| (list_of_change(*change), change.is_addition())).collect();
        let current = self.subscribers[key.0].map(|place| &self.groups[place.group as usize]);
        let has = |list: &ListId| current.is_some_and(|group| group.lists.contains(*list));
        wanted.retain(|list, is_wanted| has(list) != *is_wanted);
        if wanted.is_empty() {
            return;
        }
        let group = self.isolate(key);
        for (list, is_wanted) in wanted {
            if is_wanted {
                self.add_to_list(group, list);
            } else {
                self.remove_from_list(group, list);
            }
        }
    }

    /// Ends a change: merges the subscriber's group into the one with the same subscriptions, unless nothing
    /// changed.
    pub(super) fn settle(&mut self, key: SubscriberKey) {
        let Some(GroupPlace { group, .. }) = self.subscribers[key.0] else { return };
        let fingerprint = self.groups[group as usize].fingerprint;
        if self.by_fingerprint.find(fingerprint, |other| *other == group).is_none() {
            self.merge(key, group);
        }
    }

    /// The subscribers of a stream, by name or as one of all symbols. One that has both is returned
    /// twice; a session has one or the other.
    pub fn subscribers_of(&self, stream: StreamId) -> impl Iterator<Item = SubscriberKey> + '_ {
        let groups = lists_of(stream).into_iter().flat_map(move |list| self.lists.get(list));
        groups.flat_map(move |key| self.groups[*key as usize].members())
    }

    /// The number of subscriptions of all subscribers.
    pub fn len(&self) -> usize {
        self.groups.iter().map(|(_, group)| group.lists.len() * group.len()).sum()
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The members of each group that subscribes to some of these streams, with what they miss.
    pub(super) fn groups_missing(&self, missed: &[Missed]) -> Vec<(Vec<SubscriberKey>, Vec<Missed>)> {
        let missing = |group: &SubscriberGroup| -> Vec<Missed> {
            let is_wanted =
                |missed: &&Missed| lists_of(missed.stream).into_iter().any(|list| group.lists.contains(list));
            missed.iter().filter(is_wanted).copied().collect()
        };
        let groups = self.groups.iter().map(|(_, group)| (group.members().collect(), missing(group)));
        groups.filter(|(_, missed)| !missed.is_empty()).collect()
    }

    /// Records an object for all groups that subscribe to its stream; passes those groups to `enqueue`
    /// that must be queued for delivery.
    pub(super) fn record(&mut self, stream: StreamId, object: ObjectRef, mut enqueue: impl FnMut(GroupKey)) {
        for list in lists_of(stream) {
            for key in self.lists.get(list) {
                if self.groups[*key as usize].record(object) {
                    enqueue(*key);
                }
            }
        }
    }

    /// The group with this key, if it still exists.
    pub(super) fn group(&mut self, key: GroupKey) -> Option<&mut SubscriberGroup> {
        self.groups.get_mut(key as usize)
    }

    /// Whether a subscriber has yet to receive something.
    pub(super) fn is_behind(&self, key: SubscriberKey) -> bool {
        self.subscribers[key.0]
            .is_some_and(|place| self.groups[place.group as usize].is_behind(place.position as usize))
    }

    /// Delivers to a subscriber what it has yet to receive, if anything.
    pub(super) fn deliver_to(&mut self, key: SubscriberKey, deliver: impl FnOnce(&[ObjectRef])) {
        if let Some(place) = self.subscribers[key.0] {
            self.groups[place.group as usize].deliver_to(place.position as usize, deliver);
        }
    }

    /// Moves a subscriber into a group of its own with the same subscriptions, which is not found by its
    /// fingerprint.
    fn isolate(&mut self, key: SubscriberKey) -> GroupKey {
        let mut lists = Vec::new();
        if let Some(place) = self.subscribers[key.0] {
            let shared = &self.groups[place.group as usize];
            if shared.len() == 1 {
                self.unregister(place.group);
                return place.group;
            }
            lists.extend(shared.lists.ids());
            self.leave_group(key);
        }
        let own = self.groups.insert(SubscriberGroup::default()) as GroupKey;
        lists.into_iter().for_each(|list| self.add_to_list(own, list));
        self.join_group(key, own);
        own
    }

    /// Merges a subscriber's own group into the one with the same subscriptions, or registers it. A
    /// subscriber without subscriptions is in no group.
    fn merge(&mut self, key: SubscriberKey, own: GroupKey) {
        let group = &self.groups[own as usize];
        let is_same = |other: &GroupKey| self.groups[*other as usize].has_same_subscriptions(group);
        let same = self.by_fingerprint.find(group.fingerprint, is_same).copied();
        if same.is_none() && !group.lists.is_empty() {
            self.groups[own as usize].lists.shrink();
            let group = &self.groups[own as usize];
            self.by_fingerprint
                .insert_unique(group.fingerprint, own, |key| self.groups[*key as usize].fingerprint);
            return;
        }
        self.groups[own as usize].leave(0);
        self.abandon(own);
        self.subscribers[key.0] = None;
        if let Some(same) = same {
            self.join_group(key, same);
        }
    }

    fn join_group(&mut self, key: SubscriberKey, group: GroupKey) {
        let position = self.groups[group as usize].join(key) as u32;
        self.subscribers[key.0] = Some(GroupPlace { group, position });
    }

    /// Removes a subscriber from its group, which is dissolved with its last member.
    fn leave_group(&mut self, key: SubscriberKey) {
        let Some(place) = self.subscribers[key.0].take() else { return };
        let group = &mut self.groups[place.group as usize];
        if let Some(moved) = group.leave(place.position as usize) {
            self.subscribers[moved.0] = Some(place);
        }
        if group.len() == 0 {
            self.unregister(place.group);
            self.abandon(place.group);
        }
    }

    /// Dissolves a group without members: at once if it is in few lists, else in pieces, since 50,000 take
    /// 10 ms. Until then what is recorded for it is forgotten at its next round.
    fn abandon(&mut self, key: GroupKey) {
        match self.groups[key as usize].lists.len() <= LISTS_PER_PIECE {
            true => self.dissolve(key),
            false => self.dissolving.push(key),
        }
    }

    /// Dissolves a piece of the groups without members. Call it regularly.
    pub(super) fn dissolve_piece(&mut self) {
        let Some(key) = self.dissolving.last().copied() else { return };
        let lists: Vec<_> = self.groups[key as usize].lists.ids().take(LISTS_PER_PIECE).collect();
        lists.into_iter().for_each(|list| self.remove_from_list(key, list));
        if self.groups[key as usize].lists.is_empty() {
            self.groups.remove(key as usize);
            self.dissolving.pop();
        }
    }

    /// Makes a group impossible to find by its fingerprint.
    fn unregister(&mut self, key: GroupKey) {
        let fingerprint = self.groups[key as usize].fingerprint;
        if let Ok(entry) = self.by_fingerprint.find_entry(fingerprint, |other| *other == key) {
            entry.remove();
        }
    }

    fn dissolve(&mut self, key: GroupKey) {
        for (list, position) in self.groups.remove(key as usize).lists.iter() {
            self.remove_entry(list, position);
        }
    }

    fn add_to_list(&mut self, key: GroupKey, list: ListId) {
        let entries = self.lists.get_mut(list);
        entries.push(key);
        let group = &mut self.groups[key as usize];
        group.lists.set(list, entries.len() as u32 - 1);
        group.fingerprint = group.fingerprint.wrapping_add(self.hasher.hash_one(list));
    }

    fn remove_from_list(&mut self, key: GroupKey, list: ListId) {
        let group = &mut self.groups[key as usize];
        if let Some(position) = group.lists.remove(list) {
            group.fingerprint = group.fingerprint.wrapping_sub(self.hasher.hash_one(list));
            self.remove_entry(list, position);
        }
    }

    /// Removes an entry of a list; the last one takes its position.
    fn remove_entry(&mut self, list: ListId, position: u32) {
        let entries = self.lists.get_mut(list);
        entries.swap_remove(position as usize);
        if let Some(moved) = entries.get(position as usize) {
            self.groups[*moved as usize].lists.set(list, position);
        }
        if entries.is_empty() {
            *entries = Vec::new();
        }
    }
}

impl Lists {
    /// The list of this id.
    fn get(&self, list: ListId) -> &[GroupKey] {
        let found = match list.checked_sub(FIRST_TOPIC_LIST) {
            Some(place) => self.of_topics.get(place as usize),
            None => self.of_market.get(list as usize),
        };
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// The same, to be changed. Its table grows up to it.
    fn get_mut(&mut self, list: ListId) -> &mut Vec<GroupKey> {
        let (lists, place) = match list.checked_sub(FIRST_TOPIC_LIST) {
            Some(place) => (&mut self.of_topics, place as usize),
            None => (&mut self.of_market, list as usize),
        };
        if lists.len() <= place {
            lists.resize_with(place + 1, Vec::new);
        }
        &mut lists[place]
    }
}

/// The lists whose groups receive a stream: by name, and as one of all symbols of its channel.
fn lists_of(stream: StreamId) -> [ListId; 2] {
    [list_of_stream(stream), list_of_channel(stream.channel())]
}

/// The channel whose lists are those of this one too. A subscription brings the followers of its channel, so that one list
/// tells of all; but those that conflate leave the index by themselves when they are sampled.
const fn listed_as(channel: Channel) -> Channel {
    let leader = channel.leader();
    if channel.conflates() == leader.conflates() { leader } else { channel }
}

fn list_of_channel(channel: Channel) -> ListId {
    listed_as(channel).index() as ListId
}

/// The ids of the lists of topics begin here: two for each, since a name does not say which stream a topic has.
const FIRST_TOPIC_LIST: ListId = 1 << 31;

/// Behind the lists of whole channels, so that new symbols lengthen the table at its end.
fn list_of_stream(stream: StreamId) -> ListId {
    match stream.is_of_topic() {
        true => FIRST_TOPIC_LIST + 2 * stream.symbol().0 + u32::from(stream.channel() == Channel::States),
        false => {
            let stream = StreamId::new(listed_as(stream.channel()), stream.symbol());
            (Channel::COUNT + stream.index()) as ListId
        }
    }
}

fn list_of_change(change: SubscriptionChange) -> ListId {
    match change {
        SubscriptionChange::Add(stream) | SubscriptionChange::Remove(stream) => list_of_stream(stream),
        SubscriptionChange::AddAll(channel) | SubscriptionChange::RemoveAll(channel) => {
            list_of_channel(channel)
        }
    }
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

    fn keys_of(index: &Index, stream: StreamId) -> Vec<usize> {
        let mut keys: Vec<_> = index.subscribers_of(stream).map(|key| key.0).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn a_subscription_to_all_symbols_includes_each() {
        let mut index = Index::new(3);
        let (one, all) = (index.join(), index.join());

        index.change(one, &[SubscriptionChange::Add(trades(1))]);
        index.change(all, &[SubscriptionChange::AddAll(Channel::Trades)]);

        assert_eq!(keys_of(&index, trades(1)), [one.0, all.0]);
        assert_eq!(keys_of(&index, trades(2)), [all.0]);
        assert_eq!(keys_of(&index, StreamId::new(Channel::Quotes, SymbolId(1))), [0; 0]);
    }

    #[test]
    fn cancels_and_corrections_are_in_the_list_of_trades() {
        let mut index = Index::new(3);
        let key = index.join();
        let streams = Channel::Trades.with_followers().map(|it| StreamId::new(it, SymbolId(1)));
        let streams: Vec<_> = streams.collect();
        let changes: Vec<_> = streams.iter().copied().map(SubscriptionChange::Add).collect();

        index.change(key, &changes);

        assert_eq!(streams.len(), 3);
        assert!(streams.iter().all(|stream| keys_of(&index, *stream) == [key.0]));
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn a_repeated_subscription_counts_once() {
        let mut index = Index::new(1);
        let key = index.join();

        index.change(key, &[SubscriptionChange::Add(trades(0))]);
        index.change(key, &[SubscriptionChange::Add(trades(0))]);
        assert_eq!(keys_of(&index, trades(0)), [key.0]);

        index.change(key, &[SubscriptionChange::Remove(trades(0))]);
        assert!(index.is_empty());
    }

    #[test]
    fn the_index_agrees_with_a_plain_set_after_any_sequence_of_changes() {
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
                        index.change(key, &[SubscriptionChange::Add(trades(symbol))]);
                        truth.insert((key.0, symbol));
                    } else {
                        index.change(key, &[SubscriptionChange::Remove(trades(symbol))]);
                        truth.remove(&(key.0, symbol));
                    }
                }
                _ => {}
            }
        }

        assert_eq!(index.len(), truth.len());
        for symbol in 0..5 {
            let expected: Vec<_> = truth.iter().filter(|(_, s)| *s == symbol).map(|(key, _)| *key).collect();
            assert_eq!(keys_of(&index, trades(symbol)), expected);
        }
    }

    #[test]
    fn a_large_group_is_dissolved_in_pieces_and_receives_nothing_meanwhile() {
        const SYMBOLS: u32 = 3 * LISTS_PER_PIECE as u32 + 7;
        let mut index = Index::new(SYMBOLS as usize);
        let (gone, stays) = (index.join(), index.join());
        let all: Vec<_> = (0..SYMBOLS).map(|symbol| SubscriptionChange::Add(trades(symbol))).collect();
        index.change(gone, &all);
        index.change(stays, &[SubscriptionChange::Add(trades(5))]);

        index.leave(gone);
        assert_eq!(keys_of(&index, trades(5)), [stays.0]);
        let again = index.join();
        index.change(again, &all);
        (0..9).for_each(|_| index.dissolve_piece());

        assert_eq!(index.groups.len(), 2);
        assert_eq!(
            keys_of(&index, trades(5)),
            if again < stays { [again.0, stays.0] } else { [stays.0, again.0] }
        );
        assert_eq!(index.lists.of_market.iter().map(Vec::len).sum::<usize>(), SYMBOLS as usize + 1);
    }

    #[test]
    fn identical_subscribers_that_change_in_parts_share_a_group_in_the_end() {
        let mut index = Index::new(3_000);
        let all: Vec<_> = (0..3_000).map(|symbol| SubscriptionChange::Add(trades(symbol))).collect();
        let keys = [index.join(), index.join()];
        for key in keys {
            all.chunks(500).for_each(|part| index.change_in_part(key, part));
            index.settle(key);
        }
        (0..9).for_each(|_| index.dissolve_piece());

        assert_eq!((index.groups.len(), keys_of(&index, trades(2_999))), (1, vec![keys[0].0, keys[1].0]));
        assert_eq!(index.lists.of_market.iter().map(Vec::len).sum::<usize>(), 3_000);
    }

    #[test]
    fn a_symbol_beyond_the_first_universe_can_be_subscribed_to() {
        let mut index = Index::new(1);
        let (named, all) = (index.join(), index.join());
        index.change(named, &[SubscriptionChange::Add(trades(7))]);
        index.change(all, &[SubscriptionChange::AddAll(Channel::Trades)]);

        assert_eq!(keys_of(&index, trades(7)), [named.0, all.0]);
        assert_eq!(keys_of(&index, trades(9)), [all.0]);
    }
}
