use std::fmt;

use super::{Channel, SymbolId};

/// The dense number of a stream: one channel of one symbol or topic, the unit that is subscribed to and numbered.
///
/// Objects of a stream carry `sq`, rising by 1, and `cf`, how many earlier ones were merged into
/// this one; for any two that a client receives in succession `sq_now − sq_prev = cf + 1`.
///
/// Ids are given in the order of symbols: each symbol takes [`LANES`](Self::LANES) consecutive ids, one
/// for each channel it has or may get. So tables are indexed by [`index`](Self::index), grow at their end
/// when a symbol is appended to the universe, and no id ever changes. Topics have ids from 0 too; their channels are
/// no channels of symbols, so the streams differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u32);

impl StreamId {
    /// Ids per symbol. A power of two, so that an id is taken apart by shifts.
    pub const LANES: usize = 16;

    /// The stream of this channel and symbol.
    pub const fn new(channel: Channel, symbol: SymbolId) -> Self {
        Self(symbol.0 * Self::LANES as u32 + channel as u32)
    }

    /// The channel of the stream.
    pub const fn channel(self) -> Channel {
        Channel::ALL[self.0 as usize % Self::LANES]
    }

    /// Whether it is of a topic and not of an instrument.
    pub const fn is_of_topic(self) -> bool {
        self.channel().is_of_topics()
    }

    /// The instrument or topic of the stream.
    pub const fn symbol(self) -> SymbolId {
        SymbolId(self.0 / Self::LANES as u32)
    }

    /// The index of this stream in a table of all streams.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The length of a table of all streams of this number of symbols.
    pub const fn table_len(symbols: usize) -> usize {
        symbols * Self::LANES
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}/{}", self.channel(), self.symbol().0)
    }
}

const _: () = assert!(Channel::COUNT <= StreamId::LANES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_its_channel_and_symbol() {
        for channel in Channel::ALL {
            for symbol in [0, 1, 9_999].map(SymbolId) {
                let stream = StreamId::new(channel, symbol);
                assert_eq!((stream.channel(), stream.symbol()), (channel, symbol));
            }
        }
    }

    #[test]
    fn a_new_symbol_lengthens_a_table_and_moves_no_entry() {
        let last = StreamId::new(Channel::Tickers, SymbolId(4));
        assert!(last.index() < StreamId::table_len(5));
        assert!(StreamId::new(Channel::Trades, SymbolId(5)).index() >= StreamId::table_len(5));
    }
}
