use rustc_hash::FxHashMap;
use slab::Slab;

use crate::model::{Channel, Stream, SymbolId};

/// A subscriber's place in the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberKey(pub usize);

/// From a stream to all who want it, and back.
///
/// Derived from the sessions' filters, which are the truth. Adding and removing one interest are
/// O(1) however many others share the stream; removing a subscriber is O(its interests).
#[derive(Debug)]
pub struct Index {
    symbols: usize,
    lists: Vec<Vec<SubscriberKey>>,
    subscribers: Slab<FxHashMap<ListId, u32>>,
}

/// A list's place in `lists`: a channel's "all symbols" first, then its symbols.
type ListId = u32;

impl Index {
    /// An index of nobody, over so many symbols.
    pub fn new(symbols: usize) -> Self {
        let lists = vec![Vec::new(); Channel::COUNT * (symbols + 1)];
        Self { symbols, lists, subscribers: Slab::new() }
    }

    /// A new subscriber who wants nothing yet.
    pub fn join(&mut self) -> SubscriberKey {
        SubscriberKey(self.subscribers.insert(FxHashMap::default()))
    }

    /// The subscriber and all its interests go. Its key may be given to another.
    pub fn leave(&mut self, key: SubscriberKey) {
        for (list, place) in self.subscribers.remove(key.0) {
            self.take_out(list, place);
        }
    }

    /// The subscriber wants this stream. Without effect if it does already.
    pub fn add(&mut self, key: SubscriberKey, stream: Stream) {
        self.put_in(key, self.list_of(stream));
    }

    /// The subscriber no longer wants this stream by itself. Without effect if it did not.
    pub fn remove(&mut self, key: SubscriberKey, stream: Stream) {
        self.remove_from(key, self.list_of(stream));
    }

    /// The subscriber wants all symbols of this channel.
    pub fn add_all(&mut self, key: SubscriberKey, channel: Channel) {
        self.put_in(key, self.list_of_all(channel));
    }

    /// The subscriber no longer wants all symbols of this channel.
    pub fn remove_all(&mut self, key: SubscriberKey, channel: Channel) {
        self.remove_from(key, self.list_of_all(channel));
    }

    /// Everybody who wants this stream, by name or as one of all. Someone who asked for both is
    /// named twice: a filter asks for one or the other.
    pub fn who_wants(&self, stream: Stream) -> impl Iterator<Item = SubscriberKey> + '_ {
        let by_name = &self.lists[self.list_of(stream) as usize];
        let all = &self.lists[self.list_of_all(stream.channel) as usize];
        by_name.iter().chain(all).copied()
    }

    /// How many interests there are: one for each subscriber in each list.
    pub fn len(&self) -> usize {
        self.subscribers.iter().map(|(_, places)| places.len()).sum()
    }

    /// Whether nobody wants anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn list_of_all(&self, channel: Channel) -> ListId {
        (channel.index() * (self.symbols + 1)) as ListId
    }

    fn list_of(&self, Stream { channel, symbol: SymbolId(symbol) }: Stream) -> ListId {
        self.list_of_all(channel) + 1 + symbol
    }

    fn put_in(&mut self, key: SubscriberKey, list: ListId) {
        let entries = &mut self.lists[list as usize];
        self.subscribers[key.0].entry(list).or_insert_with(|| {
            entries.push(key);
            entries.len() as u32 - 1
        });
    }

    fn remove_from(&mut self, key: SubscriberKey, list: ListId) {
        if let Some(place) = self.subscribers[key.0].remove(&list) {
            self.take_out(list, place);
        }
    }

    /// Takes an entry out of a list; the last one fills its place and is told so.
    fn take_out(&mut self, list: ListId, place: u32) {
        let entries = &mut self.lists[list as usize];
        entries.swap_remove(place as usize);
        if let Some(moved) = entries.get(place as usize) {
            self.subscribers[moved.0].insert(list, place);
        }
        if entries.is_empty() {
            *entries = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};
    use std::collections::BTreeSet;

    fn trades(symbol: u32) -> Stream {
        Stream { channel: Channel::Trades, symbol: SymbolId(symbol) }
    }

    fn who(index: &Index, stream: Stream) -> Vec<usize> {
        let mut keys: Vec<_> = index.who_wants(stream).map(|key| key.0).collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn those_who_want_all_symbols_want_each() {
        let mut index = Index::new(3);
        let (one, all) = (index.join(), index.join());

        index.add(one, trades(1));
        index.add_all(all, Channel::Trades);

        assert_eq!(who(&index, trades(1)), [one.0, all.0]);
        assert_eq!(who(&index, trades(2)), [all.0]);
        assert_eq!(who(&index, Stream { channel: Channel::Quotes, symbol: SymbolId(1) }), [0; 0]);
    }

    #[test]
    fn wanting_twice_is_wanting_once() {
        let mut index = Index::new(1);
        let key = index.join();

        index.add(key, trades(0));
        index.add(key, trades(0));
        assert_eq!(who(&index, trades(0)), [key.0]);

        index.remove(key, trades(0));
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
                        index.add(key, trades(symbol));
                        truth.insert((key.0, symbol));
                    } else {
                        index.remove(key, trades(symbol));
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
