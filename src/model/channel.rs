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
    /// Halts and resumptions of trading.
    Statuses,
    /// The limit-up limit-down price bands.
    Lulds,
    /// Trades that are void. Follows [`Channel::Trades`]: it cannot be subscribed to by itself.
    CancelErrors,
    /// Trades that were reported wrongly. Follows [`Channel::Trades`] likewise.
    Corrections,
    /// All that a board shows of a symbol, in one object. Ours.
    Tickers,
}

impl Channel {
    /// Every channel, in order.
    pub const ALL: [Self; 10] = [
        Self::Trades,
        Self::Quotes,
        Self::Bars,
        Self::UpdatedBars,
        Self::DailyBars,
        Self::Statuses,
        Self::Lulds,
        Self::CancelErrors,
        Self::Corrections,
        Self::Tickers,
    ];

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
        matches!(self, Self::Quotes | Self::Bars | Self::UpdatedBars | Self::DailyBars | Self::Tickers)
    }

    /// The channel whose subscription brings this one: itself, but for those that follow trades.
    pub const fn leader(self) -> Self {
        match self {
            Self::CancelErrors | Self::Corrections => Self::Trades,
            other => other,
        }
    }

    /// The channels that a subscription to this one brings, itself included.
    pub fn with_followers(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |channel| channel.leader() == self)
    }

    /// The name on the wire, as a key of subscriptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Quotes => "quotes",
            Self::Bars => "bars",
            Self::UpdatedBars => "updatedBars",
            Self::DailyBars => "dailyBars",
            Self::Statuses => "statuses",
            Self::Lulds => "lulds",
            Self::CancelErrors => "cancelErrors",
            Self::Corrections => "corrections",
            Self::Tickers => "tickers",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_numbers() {
        for (place, channel) in Channel::ALL.into_iter().enumerate() {
            assert_eq!(channel.index(), place);
        }
    }

    #[test]
    fn cancels_and_corrections_come_with_trades() {
        let brought: Vec<_> = Channel::Trades.with_followers().collect();

        assert_eq!(brought, [Channel::Trades, Channel::CancelErrors, Channel::Corrections]);
        assert_eq!(Channel::Corrections.with_followers().count(), 0);
    }
}
