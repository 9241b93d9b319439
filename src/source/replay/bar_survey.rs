//! Finds out which instruments have bars in the part of a recording that is replayed, before it is.
//!
//! No bar of these is folded from trades, from the first minute to the last, wherever in the files their bars begin.

use super::record::{BarPeriod, RecordContent, RecordingReader};
use super::symbols::{RecordedBars, SymbolTable};
use crate::model::{Event, Timestamp};

/// The times at which bars of the replayed part are published.
#[derive(Clone, Copy, Debug)]
pub(super) struct PublishedTimes {
    pub(super) start: Timestamp,
    /// Bars that end here are of the time before, as in `--from`.
    pub(super) after: Option<Timestamp>,
    /// Bars that end here are the last, as in `--until`.
    pub(super) until: Option<Timestamp>,
}

impl PublishedTimes {
    fn holds(self, at: Timestamp) -> bool {
        at >= self.start && self.after.is_none_or(|after| at > after) && !self.is_over(at)
    }

    fn is_over(self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| at > until)
    }
}

/// The bars that an instrument has.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    minutes: bool,
    seconds: bool,
    days: bool,
}

/// Reads the bars of these files, each up to where all its instruments are known to have some.
///
/// Files of trades and quotes are not read. Of lines of JSON all are looked at, and only those with a bar are parsed.
pub(super) fn survey(
    readers: Vec<Box<dyn RecordingReader>>,
    times: PublishedTimes,
    symbols: &mut SymbolTable,
) -> RecordedBars {
    let mut found: Vec<Found> = Vec::new();
    for mut reader in readers {
        if reader.reads_bars_alone() {
            survey_file(&mut *reader, times, symbols, &mut found);
        }
    }
    let universe = symbols.publish();
    let with = |has: fn(&Found) -> bool| {
        let instruments = universe.iter().zip(&found).filter(|(_, found)| has(found));
        instruments.map(|(instrument, _)| instrument.symbol).collect()
    };
    RecordedBars {
        minutes: with(|found| found.minutes),
        seconds: with(|found| found.seconds),
        days: with(|found| found.days),
    }
}

fn survey_file(
    reader: &mut dyn RecordingReader,
    times: PublishedTimes,
    symbols: &mut SymbolTable,
    found: &mut Vec<Found>,
) {
    let declared = reader.instruments();
    let mut of_file: Vec<bool> = Vec::new();
    let mut count = 0;
    loop {
        let record = match reader.next(symbols) {
            Ok(Some(record)) => record,
            Ok(None) => return,
            // It is told when it is replayed.
            Err(_) => continue,
        };
        if times.is_over(record.at) {
            return;
        }
        let Some((length, bar)) = record.content.bar().filter(|_| times.holds(record.at)) else { continue };
        let symbol = bar.symbol.index();
        if symbol >= found.len() {
            found.resize(symbol + 1, Found::default());
        }
        let found = &mut found[symbol];
        match (record.content, length) {
            (RecordContent::FoldedMinute(_), _) => found.seconds = true,
            (_, BarPeriod::Minute) => found.minutes = true,
            (RecordContent::Event(Event::DailyBar(_)), _) => found.days = true,
            _ => continue,
        }
        if symbol >= of_file.len() {
            of_file.resize(symbol + 1, false);
        }
        count += usize::from(!std::mem::replace(&mut of_file[symbol], true));
        if declared == Some(count) {
            return;
        }
    }
}
