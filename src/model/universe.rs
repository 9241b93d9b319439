use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Channel, MarketHours, Price, StreamId, Symbol, SymbolId, Tape, Topic, TopicKind, TopicTable};

/// Where the bars of an instrument come from: of one stream never from both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BarOrigin {
    /// The feed folds them from what is shorter: minutes from trades, days from trades or from the source's minutes.
    #[default]
    Folded,
    /// The source gives them.
    Source,
}

/// The static data of one listed stock.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// The position in the universe.
    pub id: SymbolId,
    /// The ticker symbol.
    pub symbol: Symbol,
    /// The company's name, if the source knows it.
    pub name: Option<Box<str>>,
    /// The listing exchange as Alpaca names it: `NASDAQ`, `NYSE`, `ARCA`, `BATS`. `None` if the source does not know it.
    pub exchange: Option<Box<str>>,
    /// The consolidated tape that carries it.
    pub tape: Tape,
    /// The close of the previous trading day, if the source knows it.
    pub previous_close: Option<Price>,
    /// Where its minute bars come from, and their updates.
    pub bars: BarOrigin,
    /// Where the bar of its day so far comes from.
    pub daily_bars: BarOrigin,
    /// Which of its minutes set the prices of its day, where that is their sum.
    pub hours: MarketHours,
}

/// All instruments of a market, in order of their [`SymbolId`], and the topics beside them.
///
/// A universe is immutable and append-only: [`with`](Self::with) and [`with_topics`](Self::with_topics) make a larger
/// one in which every id of the smaller one is the same. It grows at run time as follows: a source replaces its
/// `Arc<Universe>` by the larger one before it emits the first event of a new instrument, the feed extends its tables,
/// and each batch carries the universe in which its ids are valid.
///
/// Instruments and topics are shared by the universes that do not differ in them: a topic is appended without a copy of
/// ten thousand instruments.
#[derive(Clone, Debug, Default)]
pub struct Universe {
    instruments: Arc<[Instrument]>,
    by_symbol: Arc<FxHashMap<Symbol, SymbolId>>,
    topics: Arc<TopicTable>,
}

/// How much a universe has. It has grown since if this differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniverseSize {
    /// The number of instruments.
    pub instruments: usize,
    /// The number of topics.
    pub topics: usize,
}

impl Universe {
    /// A universe of these instruments; their ids are set to their positions.
    ///
    /// # Panics
    /// If two instruments have the same symbol.
    pub fn new(instruments: Vec<Instrument>) -> Self {
        let count = instruments.len();
        let universe = Self::default().with(instruments);
        assert_eq!(universe.len(), count, "two instruments have the same symbol");
        universe
    }

    /// This universe with more instruments at its end. Those whose symbol it has already are left out.
    ///
    /// Copies all instruments: append many at once.
    #[must_use]
    pub fn with(&self, instruments: Vec<Instrument>) -> Self {
        let mut by_symbol = FxHashMap::clone(&self.by_symbol);
        let mut all = Vec::with_capacity(self.len() + instruments.len());
        all.extend_from_slice(&self.instruments);
        by_symbol.reserve(instruments.len());
        for instrument in instruments {
            let id = SymbolId(all.len() as u32);
            if let Entry::Vacant(place) = by_symbol.entry(instrument.symbol) {
                place.insert(id);
                all.push(Instrument { id, ..instrument });
            }
        }
        Self { instruments: all.into(), by_symbol: Arc::new(by_symbol), topics: Arc::clone(&self.topics) }
    }

    /// This universe with more topics at its end. Those whose name it has already are left out.
    ///
    /// Takes some µs for the first, however many there are, and less for the others.
    #[must_use]
    pub fn with_topics(&self, topics: impl IntoIterator<Item = (Symbol, TopicKind)>) -> Self {
        let mut table = TopicTable::clone(&self.topics);
        for (name, kind) in topics {
            table.push(name, kind);
        }
        Self { topics: Arc::new(table), ..self.clone() }
    }

    /// The instruments of this universe with the topics of another one.
    #[must_use]
    pub fn with_topics_of(&self, other: &Self) -> Self {
        Self { topics: Arc::clone(&other.topics), ..self.clone() }
    }

    /// Whether this universe begins with the instruments and topics of an earlier one, so that all ids of that are
    /// valid.
    pub fn begins_with(&self, earlier: &Self) -> bool {
        self.has_instruments_of(earlier) && self.topics().starts_with(earlier.topics())
    }

    /// Whether this universe begins with the instruments of an earlier one, whatever topics that has.
    pub fn has_instruments_of(&self, earlier: &Self) -> bool {
        let mut pairs = earlier.iter().zip(self.iter());
        earlier.len() <= self.len() && pairs.all(|(earlier, later)| earlier.symbol == later.symbol)
    }

    /// How much it has.
    pub fn size(&self) -> UniverseSize {
        UniverseSize { instruments: self.len(), topics: self.topics().len() }
    }

    /// The number of instruments.
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// Whether the universe has no instrument.
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }

    /// The number of instruments, or of topics, whichever the streams of this channel are of.
    pub fn len_of(&self, channel: Channel) -> usize {
        if channel.is_of_topics() { self.topics().len() } else { self.len() }
    }

    /// The instrument with this id.
    ///
    /// # Panics
    /// If the id is of a larger universe.
    pub fn instrument(&self, id: SymbolId) -> &Instrument {
        &self.instruments[id.index()]
    }

    /// The name of the instrument or topic of this stream.
    ///
    /// # Panics
    /// If the stream is of a larger universe.
    pub fn name_of(&self, stream: StreamId) -> &Symbol {
        match stream.is_of_topic() {
            true => &self.topics()[stream.symbol().index()].name,
            false => &self.instrument(stream.symbol()).symbol,
        }
    }

    /// The id of this symbol; `None` if it is not in the universe.
    pub fn find(&self, symbol: &Symbol) -> Option<SymbolId> {
        self.by_symbol.get(symbol).copied()
    }

    /// The topic of this name, if there is one yet.
    pub fn find_topic(&self, name: &Symbol) -> Option<&Topic> {
        self.topics.find(name)
    }

    /// The stream that is meant by a name in the list of a channel: that of a topic is in the channel of its kind.
    pub fn find_stream(&self, channel: Channel, name: &Symbol) -> Option<StreamId> {
        match channel.is_of_topics() {
            true => self.find_topic(name).map(Topic::stream),
            false => self.find(name).map(|symbol| StreamId::new(channel, symbol)),
        }
    }

    /// All instruments, in order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.instruments.iter()
    }

    /// All topics, in order of their ids.
    pub fn topics(&self) -> &TopicTable {
        &self.topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(symbol: &str) -> Instrument {
        Instrument {
            id: SymbolId(99),
            symbol: symbol.parse().unwrap(),
            name: None,
            exchange: None,
            tape: Tape::A,
            previous_close: None,
            bars: BarOrigin::Folded,
            daily_bars: BarOrigin::Folded,
            hours: MarketHours::Continuous,
        }
    }

    #[test]
    fn a_universe_grows_at_its_end_and_no_id_changes() {
        let small = Universe::new(["B", "A"].map(instrument).to_vec());

        let large = small.with(["C", "A", "D", "C"].map(instrument).to_vec());

        let ids = |universe: &Universe, symbols: &[&str]| -> Vec<_> {
            symbols
                .iter()
                .map(|symbol| universe.find(&symbol.parse().unwrap()).map(SymbolId::index))
                .collect()
        };
        assert_eq!(ids(&small, &["B", "A", "C"]), [Some(0), Some(1), None]);
        assert_eq!(ids(&large, &["B", "A", "C", "D"]), [0, 1, 2, 3].map(Some));
        assert!(large.iter().enumerate().all(|(position, instrument)| instrument.id.index() == position));
    }

    #[test]
    fn topics_are_appended_beside_the_instruments() {
        let [chat, weather] = ["chat:A", "weather:london"].map(|name| name.parse().unwrap());
        let small = Universe::new(["A"].map(instrument).to_vec()).with_topics([(chat, TopicKind::Log)]);

        let large = small.with_topics([(weather, TopicKind::State), (chat, TopicKind::State)]);
        let larger = large.with(["B"].map(instrument).to_vec());

        assert_eq!(larger.size(), UniverseSize { instruments: 2, topics: 2 });
        assert!(larger.begins_with(&small) && larger.begins_with(&large) && !small.begins_with(&large));
        let streams = [chat, weather].map(|name| larger.find_stream(Channel::Messages, &name));
        let expected = [(Channel::Messages, 0), (Channel::States, 1)];
        assert_eq!(streams, expected.map(|(channel, id)| Some(StreamId::new(channel, SymbolId(id)))));
        assert_eq!(streams.map(|stream| *larger.name_of(stream.unwrap())), [chat, weather]);
        assert_eq!(larger.find_stream(Channel::Trades, &chat), None);
    }

    #[test]
    #[should_panic(expected = "the same symbol")]
    fn two_instruments_of_one_symbol_are_refused() {
        let _ = Universe::new(["A", "A"].map(instrument).to_vec());
    }
}
