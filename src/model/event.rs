use super::{Price, SymbolId, Timestamp};

/// What a market says: the one kind of value that leaves the market room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Shares changed hands.
    Trade(Trade),
    /// The best bid or the best ask changed.
    Quote(Quote),
}

impl Event {
    /// The instrument that the event is about.
    pub const fn symbol(&self) -> SymbolId {
        match self {
            Self::Trade(trade) => trade.symbol,
            Self::Quote(quote) => quote.symbol,
        }
    }

    /// When it happened, by the market's own clock.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Trade(trade) => trade.at,
            Self::Quote(quote) => quote.at,
        }
    }
}

/// A trade: so many shares at such a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The instrument traded.
    pub symbol: SymbolId,
    /// Rises with each trade of the same symbol, from 1.
    pub id: u64,
    /// The venue that reported it.
    pub venue: Venue,
    /// Price per share.
    pub price: Price,
    /// Shares, at least 1.
    pub size: u32,
    /// Sale conditions.
    pub conditions: Conditions,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// When it happened.
    pub at: Timestamp,
}

/// The best bid and the best ask of one instrument. `bid < ask` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The instrument quoted.
    pub symbol: SymbolId,
    /// The venue of the best bid.
    pub bid_venue: Venue,
    /// The highest price that somebody would pay.
    pub bid: Price,
    /// Shares wanted at the bid, at least 1.
    pub bid_size: u32,
    /// The venue of the best ask.
    pub ask_venue: Venue,
    /// The lowest price at which somebody would sell.
    pub ask: Price,
    /// Shares on offer at the ask, at least 1.
    pub ask_size: u32,
    /// Quote conditions.
    pub conditions: Conditions,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// When it became true.
    pub at: Timestamp,
}

/// A venue by its one-letter participant code of the consolidated tape (`V` is IEX, `Q` Nasdaq).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Venue(pub u8);

/// Up to two one-letter conditions of a trade or quote, in order; 0 marks an unused place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conditions(pub [u8; 2]);

impl Conditions {
    /// A regular sale (`@`).
    pub const REGULAR_SALE: Self = Self([b'@', 0]);
    /// A regular sale of fewer than 100 shares (`@`, `I`).
    pub const ODD_LOT: Self = Self([b'@', b'I']);
    /// A regular two-sided quote (`R`).
    pub const REGULAR_QUOTE: Self = Self([b'R', 0]);

    /// The letters in use, in order.
    pub fn letters(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied().take_while(|letter| *letter != 0)
    }
}

/// The consolidated tape of a listing: A for NYSE, B for the regional venues, C for Nasdaq.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tape {
    /// Listed on NYSE.
    A,
    /// Listed on NYSE Arca, Cboe or another regional venue.
    B,
    /// Listed on Nasdaq.
    C,
}

impl Tape {
    /// The letter used on the wire.
    pub const fn letter(self) -> u8 {
        match self {
            Self::A => b'A',
            Self::B => b'B',
            Self::C => b'C',
        }
    }
}
