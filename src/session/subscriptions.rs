use crate::hub::Change;
use crate::model::{Channel, StreamId, Symbol, SymbolSet, Universe};
use crate::wire::{Selection, SymbolSelection};

/// What one client wants: the truth from which the hub's index is derived.
///
/// Symbols that the market does not know are kept like the others, because the client is told its
/// whole state and expects them in it; they concern no stream.
#[derive(Debug, Default)]
pub struct Subscriptions {
    channels: [Symbols; Channel::COUNT],
}

#[derive(Debug, Default)]
struct Symbols {
    all: bool,
    named: SymbolSet,
}

/// A change of what the hub must send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// This stream is wanted by name.
    Begin(StreamId),
    /// This stream is no longer wanted by name.
    End(StreamId),
    /// Every symbol of this channel is wanted, and none by name.
    BeginAll(Channel),
    /// Not every symbol of this channel is wanted any more.
    EndAll(Channel),
}

impl SubscriptionChange {
    /// Makes the change in the hub's index.
    pub fn apply(self, change: &mut Change) {
        match self {
            Self::Begin(stream) => change.add(stream),
            Self::End(stream) => change.remove(stream),
            Self::BeginAll(channel) => change.add_all(channel),
            Self::EndAll(channel) => change.remove_all(channel),
        }
    }

    /// The change that takes this one back.
    pub const fn undone(self) -> Self {
        match self {
            Self::Begin(stream) => Self::End(stream),
            Self::End(stream) => Self::Begin(stream),
            Self::BeginAll(channel) => Self::EndAll(channel),
            Self::EndAll(channel) => Self::BeginAll(channel),
        }
    }

    /// The channel that it is about.
    pub const fn channel(self) -> Channel {
        match self {
            Self::Begin(stream) | Self::End(stream) => stream.channel(),
            Self::BeginAll(channel) | Self::EndAll(channel) => channel,
        }
    }

    /// The streams that it is about, all those of the market where it says all.
    pub fn streams(self, universe: &Universe) -> impl Iterator<Item = StreamId> + '_ {
        let (one, all) = match self {
            Self::Begin(stream) | Self::End(stream) => (Some(stream), None),
            Self::BeginAll(channel) | Self::EndAll(channel) => (None, Some(channel)),
        };
        let of_all =
            move |channel| universe.iter().map(move |instrument| StreamId::new(channel, instrument.id));
        one.into_iter().chain(all.into_iter().flat_map(of_all))
    }

    /// Whether something begins to be wanted.
    pub const fn begins(self) -> bool {
        matches!(self, Self::Begin(_) | Self::BeginAll(_))
    }

    /// The same change in each channel that follows this one's, itself included.
    fn with_followers(self) -> impl Iterator<Item = Self> {
        self.channel().with_followers().map(move |channel| match self {
            Self::Begin(stream) => Self::Begin(StreamId::new(channel, stream.symbol())),
            Self::End(stream) => Self::End(StreamId::new(channel, stream.symbol())),
            Self::BeginAll(_) => Self::BeginAll(channel),
            Self::EndAll(_) => Self::EndAll(channel),
        })
    }
}

impl Subscriptions {
    /// How many names there are, `*` included.
    pub fn len(&self) -> usize {
        self.channels.iter().map(|symbols| symbols.named.as_slice().len() + usize::from(symbols.all)).sum()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there would be at most so many names with these as well. They are compared one by one
    /// only where it matters.
    pub fn has_room_for(&self, more: &Selection, most: usize) -> bool {
        self.len() + more.len() <= most || self.len_with(more) <= most
    }

    /// How many names there would be with these as well.
    fn len_with(&self, more: &Selection) -> usize {
        let new = |channel: Channel| {
            let (has, wanted) = (&self.channels[channel.index()], more.of(channel));
            has.named.without(&wanted.symbols).len() + usize::from(wanted.all && !has.all)
        };
        self.len() + Channel::ALL.map(new).iter().sum::<usize>()
    }

    /// Wants these as well; what is wanted already stays so.
    pub fn add(&mut self, more: &Selection, universe: &Universe, mut change: impl FnMut(SubscriptionChange)) {
        let mut change = |interest: SubscriptionChange| interest.with_followers().for_each(&mut change);
        for channel in Channel::ALL {
            let (has, wanted) = (&mut self.channels[channel.index()], more.of(channel));
            if wanted.all && !has.all {
                has.all = true;
                has.streams(channel, universe).map(SubscriptionChange::End).for_each(&mut change);
                change(SubscriptionChange::BeginAll(channel));
            }
            let new = has.named.add(&wanted.symbols);
            if !has.all {
                streams_of(channel, &new, universe).map(SubscriptionChange::Begin).for_each(&mut change);
            }
        }
    }

    /// Wants these no more; what was not wanted stays so.
    pub fn remove(
        &mut self,
        less: &Selection,
        universe: &Universe,
        mut change: impl FnMut(SubscriptionChange),
    ) {
        let mut change = |interest: SubscriptionChange| interest.with_followers().for_each(&mut change);
        for channel in Channel::ALL {
            let (has, wanted) = (&mut self.channels[channel.index()], less.of(channel));
            let gone = has.named.remove(&wanted.symbols);
            if !has.all {
                streams_of(channel, &gone, universe).map(SubscriptionChange::End).for_each(&mut change);
            }
            if wanted.all && has.all {
                has.all = false;
                change(SubscriptionChange::EndAll(channel));
                has.streams(channel, universe).map(SubscriptionChange::Begin).for_each(&mut change);
            }
        }
    }

    /// All that is wanted, as changes from wanting nothing.
    pub fn interests(&self, universe: &Universe) -> Vec<SubscriptionChange> {
        let of_channel = |channel: Channel| {
            let symbols = &self.channels[channel.index()];
            let all = symbols.all.then_some(SubscriptionChange::BeginAll(channel));
            let named =
                symbols.streams(channel, universe).filter(|_| !symbols.all).map(SubscriptionChange::Begin);
            all.into_iter().chain(named).flat_map(SubscriptionChange::with_followers).collect::<Vec<_>>()
        };
        Channel::ALL.into_iter().flat_map(of_channel).collect()
    }

    /// The streams that these names are about.
    pub fn streams_of<'a>(
        named: &'a Selection,
        universe: &'a Universe,
    ) -> impl Iterator<Item = StreamId> + 'a {
        Channel::ALL.into_iter().flat_map(move |channel| {
            let wanted = named.of(channel);
            let all = wanted.all.then_some(SubscriptionChange::BeginAll(channel));
            let named = if wanted.all { &[][..] } else { &wanted.symbols };
            let by_name = streams_of(channel, named, universe);
            all.into_iter().flat_map(|all| all.streams(universe)).chain(by_name)
        })
    }

    /// Whether the client is to get this stream.
    pub fn wants(&self, stream: StreamId, universe: &Universe) -> bool {
        let symbols = &self.channels[stream.channel().leader().index()];
        symbols.all || symbols.named.contains(&universe.instrument(stream.symbol()).symbol)
    }

    /// The names for this channel; those that follow trades have theirs.
    pub fn of(&self, channel: Channel) -> SymbolSelection {
        let symbols = &self.channels[channel.leader().index()];
        SymbolSelection { all: symbols.all, symbols: symbols.named.as_slice().to_vec() }
    }
}

impl Symbols {
    fn streams<'a>(
        &'a self,
        channel: Channel,
        universe: &'a Universe,
    ) -> impl Iterator<Item = StreamId> + 'a {
        streams_of(channel, self.named.as_slice(), universe)
    }
}

/// The streams of these symbols, as far as the market knows them.
fn streams_of<'a>(
    channel: Channel,
    symbols: &'a [Symbol],
    universe: &'a Universe,
) -> impl Iterator<Item = StreamId> + 'a {
    let known = symbols.iter().filter_map(|symbol| universe.find(symbol));
    known.map(move |symbol| StreamId::new(channel, symbol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Index;
    use crate::model::SymbolId;
    use crate::wire::{Codec, Command, fixtures};
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn selection(text: &str) -> Selection {
        match Command::read(Codec::Json, format!(r#"{{"action":"subscribe",{text}}}"#).as_bytes()) {
            Ok(Command::Subscribe(selection, _)) => selection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wanting_again_changes_nothing() {
        let universe = fixtures::universe();
        let mut filter = Subscriptions::default();
        filter.add(&selection(r#""trades":["AAPL","ZZZZ"]"#), &universe, |_| {});

        filter.add(&selection(r#""trades":["ZZZZ","AAPL"]"#), &universe, |change| panic!("{change:?}"));

        assert!(filter.of(Channel::Trades).names().eq(["AAPL", "ZZZZ"]));
        assert_eq!(filter.len(), 2);
    }

    #[test]
    fn names_are_counted_once_however_often_they_are_given() {
        let mut filter = Subscriptions::default();
        filter.add(&selection(r#""trades":["AAPL"]"#), &fixtures::universe(), |_| {});

        assert_eq!(filter.len_with(&selection(r#""trades":["AAPL","MSFT","MSFT"],"bars":["*"]"#)), 3);
    }

    #[test]
    fn the_index_agrees_with_the_filter_whatever_is_asked_for() {
        let universe = fixtures::universe();
        let mut random = StdRng::seed_from_u64(11);
        let mut index = Index::new(universe.len());
        let key = index.join();
        let mut filter = Subscriptions::default();
        let names = ["AAPL", "MSFT", "ZZZZ", "*"];

        for _ in 0..2_000 {
            let mut some = || {
                let count = random.random_range(0..4);
                let list: Vec<_> = (0..count).map(|_| names[random.random_range(0..names.len())]).collect();
                serde_json::to_string(&list).unwrap()
            };
            let asked = selection(&format!(r#""trades":{},"quotes":{}"#, some(), some()));
            index.change(key, |change| {
                let apply = |interest: SubscriptionChange| interest.apply(change);
                if random.random() {
                    filter.add(&asked, &universe, apply);
                } else {
                    filter.remove(&asked, &universe, apply);
                }
            });

            for channel in Channel::ALL {
                for symbol in [SymbolId(0), SymbolId(1)] {
                    let stream = StreamId::new(channel, symbol);
                    let times = index.who_wants(stream).count();
                    assert_eq!(times, usize::from(filter.wants(stream, &universe)), "{stream:?} {filter:?}");
                }
            }
        }
    }
}
