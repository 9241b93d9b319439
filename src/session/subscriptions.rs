use crate::hub::SubscriptionChange;
use crate::model::{Channel, StreamId, Symbol, SymbolSet, Universe};
use crate::wire::{SymbolList, SymbolsByChannel};

/// What one client subscribes to: the truth from which the hub's index is derived.
///
/// Symbols that the market does not know are kept like the others, because acknowledgements repeat
/// the whole state and clients expect them there; they match no stream.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Of the channels that have any: few clients subscribe to many channels.
    channels: Vec<ChannelSubscription>,
}

#[derive(Debug)]
struct ChannelSubscription {
    channel: Channel,
    all: bool,
    named: SymbolSet,
}

impl Subscriptions {
    fn get(&self, channel: Channel) -> Option<&ChannelSubscription> {
        self.channels.iter().find(|current| current.channel == channel)
    }

    fn get_mut(&mut self, channel: Channel) -> &mut ChannelSubscription {
        let place = self.channels.iter().position(|current| current.channel == channel);
        let place = place.unwrap_or_else(|| {
            self.channels.reserve_exact(1);
            self.channels.push(ChannelSubscription { channel, all: false, named: SymbolSet::default() });
            self.channels.len() - 1
        });
        &mut self.channels[place]
    }

    /// The number of names, `*` included.
    pub fn len(&self) -> usize {
        let names = |channel: &ChannelSubscription| channel.named.as_slice().len() + usize::from(channel.all);
        self.channels.iter().map(names).sum()
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there would be at most `limit` names with these added. Names are compared one by one only
    /// where the plain sum exceeds the limit.
    pub fn has_room_for(&self, added: &SymbolsByChannel, limit: usize) -> bool {
        self.len() + added.len() <= limit || self.len_with(added) <= limit
    }

    /// The number of names with these added.
    fn len_with(&self, added: &SymbolsByChannel) -> usize {
        let new = |channel: Channel| {
            let added = added.of(channel);
            let new = self.new_names(channel, &added.symbols).len();
            new + usize::from(added.all && !self.has_all(channel))
        };
        self.len() + Channel::ALL.map(new).iter().sum::<usize>()
    }

    /// The bytes of all names in an acknowledgement, once for each channel that lists them.
    pub fn acknowledged_bytes(&self) -> usize {
        self.channels.iter().map(|current| listed_bytes(current.channel, current.named.as_slice())).sum()
    }

    /// The bytes of all names in an acknowledgement, with these added. New names are told from those that
    /// are subscribed only where the plain sum exceeds `limit`.
    pub fn acknowledged_bytes_with(&self, added: &SymbolsByChannel, limit: usize) -> usize {
        let current = self.acknowledged_bytes();
        let plain = |channel: Channel| listed_bytes(channel, &added.of(channel).symbols);
        let sum = current + Channel::ALL.map(plain).iter().sum::<usize>();
        if sum <= limit {
            return sum;
        }
        let new =
            |channel: Channel| listed_bytes(channel, &self.new_names(channel, &added.of(channel).symbols));
        current + Channel::ALL.map(new).iter().sum::<usize>()
    }

    /// Adds subscriptions; existing ones stay. Returns what changes for the hub.
    pub fn add(&mut self, added: &SymbolsByChannel, universe: &Universe) -> Vec<SubscriptionChange> {
        let mut changes = Vec::new();
        for channel in Channel::ALL {
            let added = added.of(channel);
            if !added.all && added.symbols.is_empty() {
                continue;
            }
            let current = self.get_mut(channel);
            if added.all && !current.all {
                current.all = true;
                changes.extend(current.streams(channel, universe).map(SubscriptionChange::Remove));
                changes.push(SubscriptionChange::AddAll(channel));
            }
            let new = current.named.add(&added.symbols);
            if !current.all {
                changes.extend(streams_of(channel, &new, universe).map(SubscriptionChange::Add));
            }
        }
        with_followers(&changes)
    }

    /// Removes subscriptions; the others stay. Returns what changes for the hub.
    pub fn remove(&mut self, removed: &SymbolsByChannel, universe: &Universe) -> Vec<SubscriptionChange> {
        let mut changes = Vec::new();
        for channel in Channel::ALL {
            let removed = removed.of(channel);
            let Some(current) = self.channels.iter_mut().find(|current| current.channel == channel) else {
                continue;
            };
            let gone = current.named.remove(&removed.symbols);
            if !current.all {
                changes.extend(streams_of(channel, &gone, universe).map(SubscriptionChange::Remove));
            }
            if removed.all && current.all {
                current.all = false;
                changes.push(SubscriptionChange::RemoveAll(channel));
                changes.extend(current.streams(channel, universe).map(SubscriptionChange::Add));
            }
        }
        self.channels.retain(|current| current.all || !current.named.as_slice().is_empty());
        with_followers(&changes)
    }

    /// All subscriptions, as changes from none.
    pub fn to_changes(&self, universe: &Universe) -> Vec<SubscriptionChange> {
        let mut changes = Vec::new();
        for current in Channel::ALL.into_iter().filter_map(|channel| self.get(channel)) {
            let channel = current.channel;
            match current.all {
                true => changes.push(SubscriptionChange::AddAll(channel)),
                false => changes.extend(current.streams(channel, universe).map(SubscriptionChange::Add)),
            }
        }
        with_followers(&changes)
    }

    /// Whether the client receives this stream.
    pub fn includes(&self, stream: StreamId, universe: &Universe) -> bool {
        let current = self.get(stream.channel().leader());
        current.is_some_and(|it| it.all || it.named.contains(universe.name_of(stream)))
    }

    /// Whether the client subscribes to this symbol by name.
    pub fn names(&self, channel: Channel, symbol: &Symbol) -> bool {
        self.get(channel.leader()).is_some_and(|current| current.named.contains(symbol))
    }

    /// The names of this channel without `*`, sorted.
    pub fn named(&self, channel: Channel) -> &[Symbol] {
        self.get(channel.leader()).map(|current| current.named.as_slice()).unwrap_or_default()
    }

    /// Whether the client receives all symbols of this channel.
    pub fn includes_all(&self, channel: Channel) -> bool {
        self.has_all(channel.leader())
    }

    /// The names of this channel; a channel that follows trades has theirs.
    pub fn of(&self, channel: Channel) -> SymbolList {
        SymbolList { all: self.includes_all(channel), symbols: self.named(channel).to_vec() }
    }

    fn has_all(&self, channel: Channel) -> bool {
        self.get(channel).is_some_and(|current| current.all)
    }

    /// The symbols of a list that are not subscribed to, in order, each once.
    fn new_names(&self, channel: Channel, list: &[Symbol]) -> Vec<Symbol> {
        match self.get(channel) {
            Some(current) => current.named.without(list),
            None => SymbolSet::default().without(list),
        }
    }
}

impl ChannelSubscription {
    fn streams<'a>(
        &'a self,
        channel: Channel,
        universe: &'a Universe,
    ) -> impl Iterator<Item = StreamId> + 'a {
        streams_of(channel, self.named.as_slice(), universe)
    }
}

/// The bytes of these names in an acknowledgement: each in quotes and with a comma, in the channel's list
/// and in those of the channels that follow it.
fn listed_bytes(channel: Channel, names: &[Symbol]) -> usize {
    let once: usize = names.iter().map(|name| name.as_str().len() + 3).sum();
    once * channel.with_followers().filter(|channel| channel.is_listed()).count()
}

fn with_followers(changes: &[SubscriptionChange]) -> Vec<SubscriptionChange> {
    changes.iter().flat_map(|change| change.with_followers()).collect()
}

/// The streams of these symbols or topics, as far as they are known.
fn streams_of<'a>(
    channel: Channel,
    symbols: &'a [Symbol],
    universe: &'a Universe,
) -> impl Iterator<Item = StreamId> + 'a {
    let known = symbols.iter().filter_map(move |name| universe.find_stream(channel, name));
    // Named by the channel of the list: its followers are added.
    known.map(move |stream| StreamId::new(channel, stream.symbol()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Index;
    use crate::model::SymbolId;
    use crate::wire::{Codec, Command, fixtures};
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn selection(text: &str) -> SymbolsByChannel {
        match Command::read(Codec::Json, format!(r#"{{"action":"subscribe",{text}}}"#).as_bytes()) {
            Ok(Command::Subscribe(selection, _)) => selection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_repeated_subscription_changes_nothing() {
        let universe = fixtures::universe();
        let mut subscriptions = Subscriptions::default();
        subscriptions.add(&selection(r#""trades":["AAPL","ZZZZ"]"#), &universe);

        assert_eq!(subscriptions.add(&selection(r#""trades":["ZZZZ","AAPL"]"#), &universe), []);

        assert!(subscriptions.of(Channel::Trades).names().eq(["AAPL", "ZZZZ"]));
        assert_eq!(subscriptions.len(), 2);
    }

    #[test]
    fn a_name_is_counted_once_however_often_it_is_given() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.add(&selection(r#""trades":["AAPL"]"#), &fixtures::universe());

        let more = selection(r#""trades":["AAPL","MSFT","MSFT"],"bars":["*"]"#);
        assert_eq!(subscriptions.len_with(&more), 3);
    }

    #[test]
    fn a_name_takes_the_bytes_of_every_list_that_holds_it() {
        let universe = fixtures::universe();
        let mut subscriptions = Subscriptions::default();
        subscriptions.add(&selection(r#""trades":["AAPL"],"quotes":["AAPL"]"#), &universe);
        let more = selection(r#""trades":["AAPL","ABCDE"]"#);

        assert_eq!(subscriptions.acknowledged_bytes(), 3 * 7 + 7);
        assert_eq!(subscriptions.acknowledged_bytes_with(&more, 0), 28 + 3 * 8);
    }

    #[test]
    fn the_index_agrees_with_the_subscriptions_after_any_sequence_of_commands() {
        let universe = fixtures::universe();
        let mut random = StdRng::seed_from_u64(11);
        let mut index = Index::new(universe.len());
        let key = index.join();
        let mut subscriptions = Subscriptions::default();
        let names = ["AAPL", "MSFT", "ZZZZ", "*"];

        for _ in 0..2_000 {
            let mut some = || {
                let count = random.random_range(0..4);
                let list: Vec<_> = (0..count).map(|_| names[random.random_range(0..names.len())]).collect();
                serde_json::to_string(&list).unwrap()
            };
            let named = selection(&format!(r#""trades":{},"quotes":{}"#, some(), some()));
            let changes = match random.random() {
                true => subscriptions.add(&named, &universe),
                false => subscriptions.remove(&named, &universe),
            };
            index.change(key, &changes);

            for channel in Channel::MARKET {
                for symbol in [SymbolId(0), SymbolId(1)] {
                    let stream = StreamId::new(channel, symbol);
                    let times = index.subscribers_of(stream).count();
                    let expected = usize::from(subscriptions.includes(stream, &universe));
                    assert_eq!(times, expected, "{stream:?} {subscriptions:?}");
                }
            }
        }
    }
}
