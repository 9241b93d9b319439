use super::SymbolId;

/// One kind of data that a client can subscribe to.
///
/// The order is that of the keys in a subscription's acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// Every trade.
    Trades,
    /// Every change of the best bid or ask.
    Quotes,
    /// The minute's bar, once the minute is over.
    Bars,
    /// A minute's bar again, after a late trade changed it.
    UpdatedBars,
    /// The day's bar so far, once a minute.
    DailyBars,
}

impl Channel {
    /// Every channel, in order.
    pub const ALL: [Self; 5] = [Self::Trades, Self::Quotes, Self::Bars, Self::UpdatedBars, Self::DailyBars];

    /// How many channels there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The position in [`Channel::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether a newer object of a stream may take the place of an unsent older one.
    ///
    /// A trade is a fact of its own; a quote or a bar is a state, which its successor replaces.
    pub const fn conflates(self) -> bool {
        matches!(self, Self::Quotes | Self::Bars | Self::UpdatedBars | Self::DailyBars)
    }
}

/// One channel of one symbol: the unit that is subscribed to and numbered.
///
/// Objects of a stream carry `sq`, rising by 1, and `cf`, how many earlier ones were merged into
/// this one; for any two that a client receives in succession `sq_now − sq_prev = cf + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// What kind of data.
    pub channel: Channel,
    /// Of which instrument.
    pub symbol: SymbolId,
}
