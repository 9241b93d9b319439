use super::{
    Bar, Cancel, Channel, Correction, Event, Luld, Quote, Seq, Status, StreamId, SymbolId, Ticker, Trade,
};

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
    pub const fn stream(&self) -> StreamId {
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
    /// Of [`Channel::Statuses`].
    Status(Status),
    /// Of [`Channel::Lulds`].
    Luld(Luld),
    /// Of [`Channel::CancelErrors`].
    Cancel(Cancel),
    /// Of [`Channel::Corrections`].
    Correction(Correction),
    /// Of [`Channel::Tickers`].
    Ticker(Ticker),
}

impl Body {
    /// The stream in which it belongs.
    pub const fn stream(&self) -> StreamId {
        StreamId::new(self.channel(), self.symbol())
    }

    /// What kind of data it is.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Trade(_) => Channel::Trades,
            Self::Quote(_) => Channel::Quotes,
            Self::Bar(_) => Channel::Bars,
            Self::UpdatedBar(_) => Channel::UpdatedBars,
            Self::DailyBar(_) => Channel::DailyBars,
            Self::Status(_) => Channel::Statuses,
            Self::Luld(_) => Channel::Lulds,
            Self::Cancel(_) => Channel::CancelErrors,
            Self::Correction(_) => Channel::Corrections,
            Self::Ticker(_) => Channel::Tickers,
        }
    }

    /// The instrument that it is about.
    pub const fn symbol(&self) -> SymbolId {
        match self {
            Self::Trade(trade) => trade.symbol,
            Self::Quote(quote) => quote.symbol,
            Self::Bar(bar) | Self::UpdatedBar(bar) | Self::DailyBar(bar) => bar.symbol,
            Self::Status(status) => status.symbol,
            Self::Luld(luld) => luld.symbol,
            Self::Cancel(cancel) => cancel.symbol,
            Self::Correction(correction) => correction.symbol,
            Self::Ticker(ticker) => ticker.symbol,
        }
    }
}

impl From<Event> for Body {
    fn from(event: Event) -> Self {
        match event {
            Event::Trade(trade) => Self::Trade(trade),
            Event::Quote(quote) => Self::Quote(quote),
            Event::Status(status) => Self::Status(status),
            Event::Luld(luld) => Self::Luld(luld),
            Event::Correction(correction) => Self::Correction(correction),
            Event::Cancel(cancel) => Self::Cancel(cancel),
        }
    }
}
