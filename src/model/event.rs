use super::{Body, Price, SymbolId, Timestamp};

macro_rules! declare_events {
    ($($(#[$doc:meta])* $event:ident,)*) => {
        /// An event of the market, before it is numbered: the output of every source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $event($event),)*
        }

        impl Event {
            /// The instrument that the event is about.
            pub const fn symbol(&self) -> SymbolId {
                match self {
                    $(Self::$event(event) => event.symbol,)*
                }
            }

            /// The time of the event, by the clock of the source.
            pub const fn at(&self) -> Timestamp {
                match self {
                    $(Self::$event(event) => event.at,)*
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
    Trade,
    /// A change of the best bid or the best ask.
    Quote,
    /// A trading halt or resumption.
    Status,
    /// A change of the price bands.
    Luld,
    /// A correction of a trade.
    Correction,
    /// A cancellation of a trade.
    Cancel,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// The instrument traded.
    pub symbol: SymbolId,
    /// The trade id, which rises with each trade of the same symbol from 1.
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
    /// The time of the trade.
    pub at: Timestamp,
}

/// The best bid and the best ask of one instrument. `bid < ask` always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The instrument quoted.
    pub symbol: SymbolId,
    /// The venue of the best bid.
    pub bid_venue: Venue,
    /// The highest price bid.
    pub bid: Price,
    /// Shares bid for, at least 1.
    pub bid_size: u32,
    /// The venue of the best ask.
    pub ask_venue: Venue,
    /// The lowest price asked.
    pub ask: Price,
    /// Shares offered, at least 1.
    pub ask_size: u32,
    /// Quote conditions.
    pub conditions: Conditions,
    /// The consolidated tape that carries the symbol.
    pub tape: Tape,
    /// The time from which the quote is valid.
    pub at: Timestamp,
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

/// Whether an instrument trades. Codes and messages are those of the UTP plan's trading action message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradingStatus {
    /// There are no trades and no quotes.
    Halted,
    /// Trading continues.
    Resumed,
}

impl TradingStatus {
    /// The status code on the wire (`sc`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Halted => "H",
            Self::Resumed => "T",
        }
    }

    /// The status as text (`sm`).
    pub const fn message(self) -> &'static str {
        match self {
            Self::Halted => "Trading Halt",
            Self::Resumed => "Trading Resumption",
        }
    }
}

impl From<TradingStatus> for &'static str {
    fn from(status: TradingStatus) -> Self {
        status.code()
    }
}

impl TryFrom<&str> for TradingStatus {
    type Error = UnknownCode;

    fn try_from(code: &str) -> Result<Self, UnknownCode> {
        [Self::Halted, Self::Resumed].into_iter().find(|known| known.code() == code).ok_or(UnknownCode)
    }
}

/// A code that the model does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown code")]
pub struct UnknownCode;

/// The reason of a status change, with the codes of the UTP plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusReason {
    /// News is pending.
    NewsPending,
    /// The price left its limit-up limit-down bands.
    VolatilityPause,
    /// The news was released, or the pause is over.
    Resumption,
}

impl StatusReason {
    /// The reason code on the wire (`rc`).
    pub const fn code(self) -> &'static str {
        match self {
            Self::NewsPending => "T1",
            Self::VolatilityPause => "LUDP",
            Self::Resumption => "T3",
        }
    }

    /// The reason as text (`rm`).
    pub const fn message(self) -> &'static str {
        match self {
            Self::NewsPending => "Halt News Pending",
            Self::VolatilityPause => "Volatility Trading Pause",
            Self::Resumption => "News and Resumption Times",
        }
    }
}

impl From<StatusReason> for &'static str {
    fn from(reason: StatusReason) -> Self {
        reason.code()
    }
}

impl TryFrom<&str> for StatusReason {
    type Error = UnknownCode;

    fn try_from(code: &str) -> Result<Self, UnknownCode> {
        let all = [Self::NewsPending, Self::VolatilityPause, Self::Resumption];
        all.into_iter().find(|known| known.code() == code).ok_or(UnknownCode)
    }
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
    pub size: u32,
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
    pub size: u32,
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

impl From<u8> for Venue {
    fn from(letter: u8) -> Self {
        Self(letter)
    }
}

/// Up to two one-letter conditions of a trade or quote, in order; 0 stands for none.
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

impl From<Tape> for u8 {
    fn from(tape: Tape) -> Self {
        tape.letter()
    }
}

impl TryFrom<u8> for Tape {
    type Error = UnknownCode;

    fn try_from(letter: u8) -> Result<Self, UnknownCode> {
        [Self::A, Self::B, Self::C].into_iter().find(|known| known.letter() == letter).ok_or(UnknownCode)
    }
}
