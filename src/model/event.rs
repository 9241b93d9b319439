use super::{Bar, Body, Price, StatusReason, SymbolId, Timestamp, TradingStatus};

macro_rules! declare_events {
    ($($(#[$doc:meta])* $event:ident($payload:ident) at $at:ident,)*) => {
        /// An event of the market, before it is numbered: the output of every source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $event($payload),)*
        }

        impl Event {
            /// The instrument that the event is about.
            pub const fn symbol(&self) -> SymbolId {
                match self {
                    $(Self::$event(event) => event.symbol,)*
                }
            }

            /// The time of the event, by the clock of the source; of a bar its start.
            pub const fn at(&self) -> Timestamp {
                match self {
                    $(Self::$event(event) => event.$at,)*
                }
            }
        }

        impl Event {
            /// The event that a body tells of; `None` for a ticker, which is made of events, and for a message.
            pub const fn from_body(body: Body) -> Option<Self> {
                match body {
                    $(Body::$event(event) => Some(Self::$event(event)),)*
                    Body::Ticker(_) | Body::Message(_) | Body::State(_) => None,
                }
            }
        }

        impl From<Event> for Body {
            fn from(event: Event) -> Self {
                match event {
                    $(Event::$event(event) => Self::$event(event),)*
                }
            }
        }
    };
}

declare_events! {
    /// A trade.
    Trade(Trade) at at,
    /// A change of the best bid or the best ask.
    Quote(Quote) at at,
    /// The bar of a minute that is over, from a source that [gives them](super::BarOrigin).
    Bar(Bar) at start,
    /// The same again, after the source changed it.
    UpdatedBar(Bar) at start,
    /// The bar of a day so far, or of a whole one.
    DailyBar(Bar) at start,
    /// A trading halt or resumption.
    Status(Status) at at,
    /// A change of the price bands.
    Luld(Luld) at at,
    /// A correction of a trade.
    Correction(Correction) at at,
    /// A cancellation of a trade.
    Cancel(Cancel) at at,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The instrument traded.
    pub symbol: SymbolId,
    /// The trade id that the source gave: opaque, and unique for the symbol and day at best. The simulator's rises from 1.
    pub id: u64,
    /// The venue that reported it.
    pub venue: Venue,
    /// Price per share.
    pub price: Price,
    /// Shares, at least 1.
    pub size: u64,
    /// Sale conditions.
    pub conditions: Conditions,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// The time of the trade.
    pub at: Timestamp,
}

/// The best bid and the best ask of one instrument.
///
/// A side without an order has price 0, size 0 and [no venue](Venue::NONE), as Alpaca writes it. Real quotes are now
/// and then locked (bid = ask) or crossed (bid > ask).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The instrument quoted.
    pub symbol: SymbolId,
    /// The venue of the best bid.
    pub bid_venue: Venue,
    /// The highest price bid.
    pub bid: Price,
    /// Shares bid for; 0 without a bid.
    pub bid_size: u64,
    /// The venue of the best ask.
    pub ask_venue: Venue,
    /// The lowest price asked.
    pub ask: Price,
    /// Shares offered; 0 without an offer.
    pub ask_size: u64,
    /// Quote conditions.
    pub conditions: Conditions,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// The time from which the quote is valid.
    pub at: Timestamp,
}

impl Quote {
    /// Whether there is a bid.
    pub const fn has_bid(&self) -> bool {
        self.bid_size > 0
    }

    /// Whether there is an offer.
    pub const fn has_ask(&self) -> bool {
        self.ask_size > 0
    }

    /// Whether bid and ask are equal.
    pub fn is_locked(&self) -> bool {
        self.has_bid() && self.has_ask() && self.bid == self.ask
    }

    /// Whether the bid is above the ask.
    pub fn is_crossed(&self) -> bool {
        self.has_bid() && self.has_ask() && self.bid > self.ask
    }
}

/// A change of an instrument's trading status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The instrument.
    pub symbol: SymbolId,
    /// The new status.
    pub status: TradingStatus,
    /// The reason of the change.
    pub reason: StatusReason,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// The time from which it is valid.
    pub at: Timestamp,
}

/// The limit-up limit-down bands: the prices between which an instrument may trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luld {
    /// The instrument.
    pub symbol: SymbolId,
    /// The upper band.
    pub up: Price,
    /// The lower band.
    pub down: Price,
    /// The indicator, one letter: `B` when the bands change while neither side is at its limit.
    pub indicator: u8,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// The time from which it is valid.
    pub at: Timestamp,
}

/// The correction of a trade that was reported wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The instrument.
    pub symbol: SymbolId,
    /// The venue that reported the trade.
    pub venue: Venue,
    /// The trade as it was reported.
    pub original: Print,
    /// The corrected trade.
    pub corrected: Print,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// When the correction was reported.
    pub at: Timestamp,
}

/// The part of a trade that a correction repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// The trade's id.
    pub id: u64,
    /// Price per share.
    pub price: Price,
    /// Shares.
    pub size: u64,
    /// Sale conditions.
    pub conditions: Conditions,
}

impl Print {
    /// The print of a trade.
    pub const fn of(trade: &Trade) -> Self {
        Self { id: trade.id, price: trade.price, size: trade.size, conditions: trade.conditions }
    }
}

/// The cancellation of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// The instrument.
    pub symbol: SymbolId,
    /// The id of the trade.
    pub id: u64,
    /// The venue that reported the trade.
    pub venue: Venue,
    /// The trade's price.
    pub price: Price,
    /// The trade's shares.
    pub size: u64,
    /// The reason of the cancellation.
    pub action: CancelAction,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// When the cancel was reported.
    pub at: Timestamp,
}

/// The reason of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelAction {
    /// Cancelled by the parties.
    Cancelled,
    /// Reported in error.
    Error,
}

impl CancelAction {
    /// The letter used on the wire.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Cancelled => b'C',
            Self::Error => b'E',
        }
    }
}

/// A code that the model does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown code")]
pub struct UnknownCode;

impl From<CancelAction> for u8 {
    fn from(action: CancelAction) -> Self {
        action.letter()
    }
}

impl TryFrom<u8> for CancelAction {
    type Error = UnknownCode;

    fn try_from(letter: u8) -> Result<Self, UnknownCode> {
        [Self::Cancelled, Self::Error].into_iter().find(|known| known.letter() == letter).ok_or(UnknownCode)
    }
}

/// A venue, as its one-letter participant code on the consolidated tape (`V` is IEX, `Q` Nasdaq).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Venue(pub u8);

impl From<Venue> for u8 {
    fn from(Venue(letter): Venue) -> Self {
        letter
    }
}

impl TryFrom<u8> for Venue {
    type Error = UnknownCode;

    fn try_from(letter: u8) -> Result<Self, UnknownCode> {
        is_letter(letter).then_some(Self(letter)).ok_or(UnknownCode)
    }
}

impl Venue {
    /// No venue, or one that the source does not name.
    pub const NONE: Self = Self(b' ');
}

/// Up to four one-letter conditions of a trade or quote, in order; 0 stands for none. The first may be a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conditions([u8; 4]);

impl Conditions {
    /// A regular sale (`@`).
    pub const REGULAR_SALE: Self = Self::new(b"@");
    /// A regular sale of fewer than 100 shares (`@`, `I`).
    pub const ODD_LOT: Self = Self::new(b"@I");
    /// A regular two-sided quote (`R`).
    pub const REGULAR_QUOTE: Self = Self::new(b"R");

    /// These letters; those after the fourth are left out, and what [is no letter](is_letter) becomes `?`.
    pub const fn new(letters: &[u8]) -> Self {
        let mut places = [0; 4];
        let mut at = 0;
        while at < letters.len() && at < places.len() {
            places[at] = if is_letter(letters[at]) { letters[at] } else { b'?' };
            at += 1;
        }
        Self(places)
    }

    /// The letters in use, in order.
    pub fn letters(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied().take_while(|letter| *letter != 0)
    }
}

/// The letter of the consolidated tape that carries a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tape(pub u8);

impl Tape {
    /// Listed on NYSE.
    pub const A: Self = Self(b'A');
    /// Listed on NYSE Arca, Cboe or another regional venue.
    pub const B: Self = Self(b'B');
    /// Listed on Nasdaq.
    pub const C: Self = Self(b'C');
    /// On no consolidated tape, or on one that the source does not name.
    pub const NONE: Self = Self(b' ');
}

impl From<Tape> for u8 {
    fn from(Tape(letter): Tape) -> Self {
        letter
    }
}

impl TryFrom<u8> for Tape {
    type Error = UnknownCode;

    fn try_from(letter: u8) -> Result<Self, UnknownCode> {
        is_letter(letter).then_some(Self(letter)).ok_or(UnknownCode)
    }
}

/// Whether a letter may be a code of one letter: printable ASCII that needs no escape in JSON.
pub const fn is_letter(letter: u8) -> bool {
    matches!(letter, b' '..=b'~') && !matches!(letter, b'"' | b'\\')
}
