//! Event sources: where market events come from before they are numbered.
//!
//! An `EventSource` hands over events when its clock ticks; the feed numbers and publishes them. The
//! `SimulatedMarket` makes them up, the `ReplaySource` reads them from files.

mod demand;
mod market_clock;
mod pacer;
mod replay;
mod simulated_market;
pub mod simulator;
mod ticks;

use std::sync::Arc;

use futures_util::stream::LocalBoxStream;

pub use demand::{DemandChange, DemandLimits, ON_DEMAND, SymbolDemand, SymbolInterest};
pub use market_clock::{MarketClock, MarketSchedule};
pub use pacer::{DueSteps, Pacer};
pub use replay::{
    ClockSetting, ColumnMap, ColumnMapError, ControlRefusal, FileRefusal, NewEpochs, PastBars, Recording,
    RepeatLog, ReplayClock, ReplayCommand, ReplayError, ReplaySettings, ReplaySource, ReplaySpeed,
    ReplayState, ReplayStatus, ReplayTimeline, file_names, replay_ticks,
};
pub use simulated_market::SimulatedMarket;
pub use simulator::{
    ArrivalProcess, History, InstrumentHistory, Listings, MAX_LISTINGS, PastEnd, SimulationSettings,
    Simulator, universe,
};
pub use ticks::{ClockTick, Wake, millisecond_ticks};

use crate::model::{Epoch, Event, FeedNotice, Timestamp, TradeRules, Universe};

/// Wake-ups that tell when to poll a source.
pub type Ticks = LocalBoxStream<'static, ClockTick>;

/// A source of unnumbered market events: a simulator, the replay of a recording, the relay of another feed.
///
/// Its owner calls [`open`](Self::open) once and then [`poll`](Self::poll) at each of its
/// [`ticks`](Self::ticks), all on one thread. A source is made on another thread than it runs on, so it is
/// `Send`; its ticks need not be.
pub trait EventSource: Send {
    /// A short name for logs.
    fn name(&self) -> &'static str;

    /// The instruments of the events appended so far.
    ///
    /// An instrument says whether its minutes and days [come from the source](crate::model::BarOrigin), and never says
    /// otherwise later. These bars are events too: a minute is appended when it is over, after the trades in it. A bar
    /// that an instrument is not declared to get is not published.
    fn universe(&self) -> &Arc<Universe>;

    /// Which of its trades change which figures of bars and tickers, from the events of the next poll on.
    fn trade_rules(&self) -> TradeRules {
        TradeRules::EveryTrade
    }

    /// Appends the state before the first event, and returns the time at which it is true.
    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp;

    /// Appends the events since the last call, in the order in which they are to be published.
    ///
    /// Returns the watermark: all events reported before this time have been appended. `None` when it has
    /// not moved; then nothing is appended.
    ///
    /// The watermark goes back only when the system's clock was set back by much; then nothing is appended
    /// either, and later events are stamped with the new time.
    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp>;

    /// The changes of the feed's state since the last call, in order. They are told before the events of the next poll.
    fn take_notices(&mut self) -> Vec<FeedNotice> {
        Vec::new()
    }

    /// The epoch that begins with the events of the next poll, if one does: what follows is no continuation of what was.
    fn take_epoch(&mut self) -> Option<Epoch> {
        None
    }

    /// Changes a running replay. Call it between two polls.
    ///
    /// # Errors
    /// When the source is no replay, or the replay cannot follow.
    fn control(&mut self, _: ReplayCommand) -> Result<(), ControlRefusal> {
        Err(ControlRefusal::NoReplay)
    }

    /// Where the replay is; `None` if the source is no replay.
    fn replay_status(&self) -> Option<ReplayStatus> {
        None
    }

    /// The stream of wake-ups, to be taken once. Does not end by itself. Needs a running Tokio runtime.
    ///
    /// A tick does not promise events, and ticks that are not taken in time merge into one.
    fn ticks(&mut self) -> Ticks;

    /// Asks the source for no events before the next tick, because readers are behind. False if it cannot wait: then it
    /// is to be polled all the same.
    fn hold_back(&mut self) -> bool {
        false
    }

    /// A hint that the owner can wait for events like this: the source may skip ticks. Holds until the next tick.
    fn skip_ticks(&mut self, _: Readers) {}
}

/// Whether sessions wait for the events of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// A session is open: only ticks at which a poll would append nothing may be skipped.
    Waiting,
    /// No session is open: the source may append events some ticks late, the same ones in the same order, with their own
    /// times.
    Absent,
}
