use std::borrow::Cow;

use super::symbols::SymbolTable;
use crate::model::{Bar, Event, SECOND, SymbolId, Timestamp, TradingDay};

/// A record of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Recorded {
    /// When it is published, by the time of the recording. Never before the previous record of the same file; the
    /// event itself may be older, as a late trade is.
    pub(super) at: Timestamp,
    pub(super) content: RecordContent,
}

/// What a record tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RecordContent {
    Event(Event),
    /// A bar that the source folded. It is published when its interval is over.
    Bar(BarPeriod, Bar),
    /// A minute folded from the seconds of the same file.
    FoldedMinute(Bar),
}

impl RecordContent {
    /// The bar that this tells, and its length.
    pub(super) const fn bar(&self) -> Option<(BarPeriod, &Bar)> {
        match self {
            Self::Event(Event::Bar(bar) | Event::UpdatedBar(bar)) | Self::FoldedMinute(bar) => {
                Some((BarPeriod::Minute, bar))
            }
            Self::Event(Event::DailyBar(bar)) => Some((BarPeriod::Day, bar)),
            Self::Bar(length, bar) => Some((*length, bar)),
            Self::Event(_) => None,
        }
    }
}

/// The length of a recorded bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BarPeriod {
    Second,
    Minute,
    Hour,
    /// From midnight to midnight in New York.
    Day,
}

impl BarPeriod {
    /// When a bar that starts at this time is over.
    pub(super) fn end(self, start: Timestamp) -> Timestamp {
        let nanos = match self {
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3_600 * SECOND,
            Self::Day => return TradingDay::of(start).end,
        };
        Timestamp::from_nanos(start.nanos().saturating_add(nanos))
    }
}

/// Whether the files of a reader hold the events themselves or bars of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordedKind {
    Events,
    Bars(BarPeriod),
}

/// A record that is not replayed.
#[derive(Clone, Debug)]
pub(super) struct Skipped {
    pub(super) reason: SkipReason,
    /// Where it is: a line, or the number of the record.
    pub(super) position: u64,
    pub(super) detail: Cow<'static, str>,
}

/// Why a record is not replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SkipReason {
    /// It cannot be decoded, or has a value that no event can have.
    Broken,
    /// It is of a kind that is not replayed.
    Unknown,
    /// The vendor marked it as wrong.
    Suspicious,
    /// Its instrument has no name, or none that fits a [`Symbol`](crate::model::Symbol).
    Unnamed,
}

impl SkipReason {
    /// The label in metrics and logs.
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::Suspicious => "suspicious",
            Self::Unnamed => "unnamed",
        }
    }
}

/// Reads the records of one file in order.
pub(super) trait RecordingReader: Send {
    /// What most records of the file are.
    fn kind(&self) -> RecordedKind;

    /// The number of instruments, if the file names them before its first record.
    fn instruments(&self) -> Option<usize> {
        None
    }

    /// Whether there may be minutes or seconds. Other records need not be read from now on.
    fn reads_bars_alone(&mut self) -> bool {
        matches!(self.kind(), RecordedKind::Bars(BarPeriod::Second | BarPeriod::Minute))
    }

    /// Enters the symbols that the file names before its first record into the table.
    fn declare(&mut self, _: &mut SymbolTable) {}

    /// The next record; `None` at the end. After an error the next call goes on behind the record that was skipped.
    ///
    /// Symbols are entered into the table when they first occur.
    fn next(&mut self, symbols: &mut SymbolTable) -> Result<Option<Recorded>, Skipped>;
}

/// The event moved in time, as `--clock shift` does.
pub(super) fn shifted(mut event: Event, nanos: i64) -> Event {
    let at = match &mut event {
        Event::Trade(trade) => &mut trade.at,
        Event::Quote(quote) => &mut quote.at,
        Event::Status(status) => &mut status.at,
        Event::Luld(luld) => &mut luld.at,
        Event::Correction(correction) => &mut correction.at,
        Event::Cancel(cancel) => &mut cancel.at,
        Event::Bar(bar) | Event::UpdatedBar(bar) | Event::DailyBar(bar) => &mut bar.start,
    };
    *at = Timestamp::from_nanos(at.nanos().saturating_add(nanos));
    event
}

/// A bar of prices and volume alone, as files have it.
pub(super) fn bar(
    symbol: SymbolId,
    start: Timestamp,
    [open, high, low, close]: [i64; 4],
    volume: u64,
) -> Bar {
    let price = crate::model::Price::from_nanos;
    let middle = (i128::from(high) + i128::from(low) + i128::from(close)) / 3;
    Bar {
        symbol,
        start,
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        volume,
        trades: 0,
        // Files without an average price: the usual estimate.
        notional: middle * i128::from(volume),
    }
}
