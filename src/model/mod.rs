//! The values of a stock market: symbols, prices, events, channels, streams. No clock, actor or wire format.
//!
//! A price is an integer number of billionths of a dollar and a time an integer number of nanoseconds; they become
//! text only at the edges of the program.

mod bar;
pub(crate) mod calendar;
mod channel;
mod event;
mod exchange_calendar;
mod feed;
mod feed_notice;
mod missed;
mod object;
mod price;
mod sale_conditions;
mod sequence;
mod stream_id;
mod symbol;
mod symbol_set;
mod ticker;
mod time;
mod topic;
mod topic_table;
mod trading_status;
mod universe;

pub use bar::Bar;
pub use calendar::{TradingDay, market_time, midnights};
pub use channel::Channel;
pub(crate) use channel::for_each_channel;
pub use event::{
    Cancel, CancelAction, Conditions, Correction, Event, Luld, Print, Quote, Status, Tape, Trade,
    UnknownCode, Venue, is_letter,
};
pub use exchange_calendar::{DayParts, ExchangeSession, MarketHours, SessionExceptions};
pub use feed::{Feed, FeedError};
pub use feed_notice::{FeedNotice, FeedState};
pub use missed::Missed;
pub use object::{Body, Object};
pub use price::Price;
pub use sale_conditions::{BarLength, CurrentTradeRules, LastEffect, TradeEffect, TradeRules};
pub use sequence::{BegunEpoch, Epoch, EpochNumbers, InvalidEpoch, Seq};
pub use stream_id::StreamId;
pub use symbol::{Symbol, SymbolError, SymbolId};
pub use symbol_set::SymbolSet;
pub use ticker::Ticker;
pub use time::{MILLISECOND, SECOND, Timestamp};
pub use topic::{MessageHead, Topic, TopicKind};
pub use topic_table::TopicTable;
pub use trading_status::{InvalidCode, StatusReason, TradingStatus};
pub use universe::{BarOrigin, Instrument, Universe, UniverseSize};
