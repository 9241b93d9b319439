use super::{Bar, Channel, Event, Quote, Seq, Stream, SymbolId, Trade};

/// One numbered object of a stream, as the tape publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its number in the stream.
    pub seq: Seq,
    /// What it says.
    pub body: Body,
}

impl Object {
    /// The stream that it is numbered in.
    pub const fn stream(&self) -> Stream {
        self.body.stream()
    }
}

/// What an object says; the variant decides its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Of [`Channel::Trades`].
    Trade(Trade),
    /// Of [`Channel::Quotes`].
    Quote(Quote),
    /// Of [`Channel::Bars`].
    Bar(Bar),
    /// Of [`Channel::UpdatedBars`].
    UpdatedBar(Bar),
    /// Of [`Channel::DailyBars`].
    DailyBar(Bar),
}

impl Body {
    /// The stream in which it belongs.
    pub const fn stream(&self) -> Stream {
        Stream { channel: self.channel(), symbol: self.symbol() }
    }

    /// What kind of data it is.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Trade(_) => Channel::Trades,
            Self::Quote(_) => Channel::Quotes,
            Self::Bar(_) => Channel::Bars,
            Self::UpdatedBar(_) => Channel::UpdatedBars,
            Self::DailyBar(_) => Channel::DailyBars,
        }
    }

    /// The instrument that it is about.
    pub const fn symbol(&self) -> SymbolId {
        match self {
            Self::Trade(trade) => trade.symbol,
            Self::Quote(quote) => quote.symbol,
            Self::Bar(bar) | Self::UpdatedBar(bar) | Self::DailyBar(bar) => bar.symbol,
        }
    }
}

impl From<Event> for Body {
    fn from(event: Event) -> Self {
        match event {
            Event::Trade(trade) => Self::Trade(trade),
            Event::Quote(quote) => Self::Quote(quote),
        }
    }
}
