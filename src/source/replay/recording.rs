use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use tracing::warn;

use super::bar_survey::{PublishedTimes, survey};
use super::file_refusal::FileRefusal;
use super::history::{PastBars, PastCollector, moved_day};
use super::input::OpenFile;
use super::merge::{Merge, SkippedIn};
use super::record::{BarPeriod, RecordContent, Recorded, RecordedKind, RecordingReader, SkipReason, shifted};
use super::settings::ReplaySettings;
use super::symbols::{SymbolNames, SymbolTable};
use crate::metrics::ReplayMetrics;
use crate::model::{Bar, Event, MILLISECOND, Quote, SymbolId, Timestamp, TradingDay, Universe};

/// The files of a replay, opened, checked and read up to the start.
pub struct Recording {
    settings: ReplaySettings,
    symbols: SymbolTable,
    merge: Merge,
    /// The time of the first record.
    start: Timestamp,
    history: Option<PastCollector>,
    /// The last quote of each instrument before the start.
    quotes: Vec<Option<Quote>>,
    /// The kind of file that sets the pace.
    pace: RecordedKind,
    /// The time of the latest record of that kind.
    latest: Timestamp,
    /// The end of the millisecond of the latest record of any kind, since the files were opened.
    read_until: Timestamp,
    skips: SkipLog,
}

/// A recording cannot be replayed.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// A file cannot be read, or is none that can be replayed.
    #[error("cannot replay {}: {refusal}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, and where in the file.
        refusal: FileRefusal,
    },
    /// The file of `--symbols-map` cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    SymbolsMap {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There are more files than are merged.
    #[error("cannot replay {0} files: at most {MAX_FILES} are merged")]
    TooManyFiles(usize),
    /// No file has a record in the time that is asked for.
    #[error("there is nothing to replay: no trade, quote, status or bar between --from and --until in {}", Listed(.0))]
    Nothing(Vec<PathBuf>),
}

/// The first of these files, and the number of the others.
struct Listed<'f>(&'f [PathBuf]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.0.split_first() else { return Ok(()) };
        write!(out, "{}", first.display())?;
        match others.len() {
            0 => Ok(()),
            count => write!(out, " and {count} other files"),
        }
    }
}

/// The most files that are merged. Each takes a descriptor and up to 100 KiB.
const MAX_FILES: usize = 1_024;

impl Recording {
    /// Opens the files, and reads what is before the start.
    ///
    /// # Errors
    /// When a file cannot be read, is of no format that can be replayed, or begins with a record that cannot be read.
    pub fn open(settings: ReplaySettings, metrics: ReplayMetrics) -> Result<Self, ReplayError> {
        if settings.files.len() > MAX_FILES {
            return Err(ReplayError::TooManyFiles(settings.files.len()));
        }
        let names = match &settings.symbols_map {
            None => SymbolNames::default(),
            Some(path) => SymbolNames::read(path)
                .map_err(|error| ReplayError::SymbolsMap { path: path.clone(), reason: error.to_string() })?,
        };
        let mut symbols = SymbolTable::new(names.clone());
        let mut merge = Merge::new(open_files(&settings, &mut symbols)?);
        let mut skips = SkipLog::new(settings.files.len(), metrics);
        check_first_records(&settings, &mut merge, &mut symbols, &mut skips)?;
        let nothing = || ReplayError::Nothing(settings.files.clone());
        let pace = merge.finest_kind().ok_or_else(nothing)?;
        let start = Timestamp::from_nanos(i64::MIN);
        let (history, quotes) = (Some(PastCollector::default()), Vec::new());
        let mut recording = Self {
            settings,
            symbols,
            merge,
            start,
            history,
            quotes,
            pace,
            latest: start,
            read_until: start,
            skips,
        };
        let start = recording.read_to_start();
        recording.start = start.ok_or_else(|| ReplayError::Nothing(recording.settings.files.clone()))?;
        let mut surveyed = SymbolTable::new(names);
        let readers = open_files(&recording.settings, &mut surveyed)?;
        let (after, until) = (recording.settings.from, recording.settings.until);
        let times = PublishedTimes { start: recording.start, after, until };
        recording.symbols.set_given(survey(readers, times, &mut surveyed));
        recording.symbols.publish();
        Ok(recording)
    }

    /// Begins anew at the beginning of the files. [`skip`](Self::skip) what is before the time to go on at.
    pub(super) fn reopen(&mut self) -> Result<(), ReplayError> {
        self.merge = Merge::new(open_files(&self.settings, &mut self.symbols)?);
        self.latest = Timestamp::from_nanos(i64::MIN);
        self.read_until = self.start;
        self.forget_quotes();
        Ok(())
    }

    /// Forgets the quotes that were passed over.
    pub(super) fn forget_quotes(&mut self) {
        self.quotes.clear();
    }

    /// Takes the record that was last seen without publishing it; a quote is remembered.
    pub(super) fn skip(&mut self, head: &Recorded) {
        if let RecordContent::Event(Event::Quote(quote)) = head.content {
            let symbol = quote.symbol.index();
            if symbol >= self.quotes.len() {
                self.quotes.resize(symbol + 1, None);
            }
            self.quotes[symbol] = Some(quote);
        }
        self.take();
    }

    /// How it is replayed.
    pub fn settings(&self) -> &ReplaySettings {
        &self.settings
    }

    /// The instruments known so far.
    pub fn universe(&self) -> &Arc<Universe> {
        self.symbols.universe()
    }

    /// The universe with the instruments of all records that were read.
    pub(super) fn publish_symbols(&mut self) -> &Arc<Universe> {
        self.symbols.publish()
    }

    /// The whole millisecond of the first record.
    pub(super) fn start(&self) -> Timestamp {
        self.start
    }

    /// The bars of the files before the start, moved in time by this much. To be taken once.
    pub(super) fn take_past(
        &mut self,
        shift_nanos: i64,
    ) -> impl Iterator<Item = (SymbolId, PastBars)> + use<> {
        self.history.take().unwrap_or_default().into_past(self.start, shift_nanos)
    }

    /// The last quote of each instrument before the start.
    pub(super) fn quotes(&self) -> impl Iterator<Item = Quote> {
        self.quotes.iter().flatten().copied()
    }

    /// The next record, which stays; `None` at the end.
    ///
    /// # Errors
    /// A record was skipped, and told. The next call goes on behind it.
    pub(super) fn peek(&mut self) -> Result<Option<Recorded>, SkippedRecord> {
        let head = match self.merge.peek(&mut self.symbols) {
            Ok(head) => head.copied(),
            Err(skipped) => {
                self.skips.tell(&self.settings, &skipped);
                return Err(SkippedRecord);
            }
        };
        Ok(head.filter(|head| !self.is_after_until(head) && !self.is_after_end(head)))
    }

    /// The event that a record is published as, moved in time by this much; `None` if it is none.
    pub(super) fn event(&self, record: &Recorded, shift_nanos: i64) -> Option<Event> {
        let event = match record.content {
            RecordContent::Event(Event::DailyBar(bar)) | RecordContent::Bar(BarPeriod::Day, bar) => {
                return Some(Event::DailyBar(self.moved_day(&bar, record.at, shift_nanos)));
            }
            RecordContent::Event(event) => event,
            RecordContent::Bar(BarPeriod::Minute, bar) => Event::Bar(bar),
            RecordContent::FoldedMinute(bar) if !self.symbols.has_minutes(bar.symbol) => Event::Bar(bar),
            RecordContent::FoldedMinute(_) | RecordContent::Bar(..) => return None,
        };
        Some(shifted(event, shift_nanos))
    }

    /// The bar of a day that is published at this time of the recording. It is of no later day of the service.
    fn moved_day(&self, bar: &Bar, at: Timestamp, shift_nanos: i64) -> Bar {
        if shift_nanos == 0 {
            return *bar;
        }
        let published = Timestamp::from_nanos(at.nanos().saturating_add(shift_nanos));
        let start = moved_day(bar.start, self.start, shift_nanos).min(TradingDay::of(published).start);
        Bar { start, ..*bar }
    }

    /// Whether a record is after `--until`. A bar that ends then is of the time before.
    fn is_after_until(&self, record: &Recorded) -> bool {
        let is_bar = record.content.bar().is_some();
        self.settings.until.is_some_and(|until| record.at > until || record.at == until && !is_bar)
    }

    /// Whether a record is of the replayed part. A bar that ends at `--from` is of the time before.
    fn is_start(&self, record: &Recorded) -> bool {
        match self.settings.from {
            Some(from) => record.at > from || record.at == from && record.content.bar().is_none(),
            None => self.merge.kind() == Some(self.pace),
        }
    }

    /// Whether a record is passed over when the replay goes on at this time: a bar that ends then is of the time before,
    /// but for the first ones of the recording.
    pub(super) fn is_before(&self, record: &Recorded, to: Timestamp) -> bool {
        let border = if to == self.start { self.settings.from } else { Some(to) };
        record.at < to || Some(record.at) == border && record.content.bar().is_some()
    }

    /// Takes the record that was last seen.
    pub(super) fn take(&mut self) {
        if let Some((record, kind)) = self.merge.take() {
            self.read_until =
                Timestamp::from_nanos(record.at.floor_to(MILLISECOND).nanos().saturating_add(MILLISECOND));
            if kind == self.pace {
                self.latest = record.at;
            }
        }
    }

    /// Up to where the files were read: behind their last event at the end, and never before the start.
    pub(super) fn read_until(&self) -> Timestamp {
        self.read_until.max(self.start)
    }

    /// Whether a bar began after the last event: a file of the bars of many years does not prolong the replay of the
    /// trades of a day.
    fn is_after_end(&self, record: &Recorded) -> bool {
        match record.content {
            RecordContent::Bar(_, bar) | RecordContent::FoldedMinute(bar) => {
                bar.start > self.latest
                    && self.merge.kind() != Some(self.pace)
                    && !self.merge.has_more_of(self.pace)
            }
            RecordContent::Event(_) => false,
        }
    }

    /// Reads up to the first record to be replayed, and returns its time.
    fn read_to_start(&mut self) -> Option<Timestamp> {
        loop {
            let Ok(head) = self.peek() else { continue };
            let head = head?;
            if self.is_start(&head) {
                return Some(head.at.floor_to(MILLISECOND));
            }
            match (head.content, head.content.bar(), &mut self.history) {
                (RecordContent::FoldedMinute(bar), _, Some(history)) => history.push_folded(bar),
                (_, Some((length, bar)), Some(history)) => history.push(length, *bar),
                _ => {}
            }
            self.skip(&head);
        }
    }
}

/// A record was skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct SkippedRecord;

fn open_files(
    settings: &ReplaySettings,
    symbols: &mut SymbolTable,
) -> Result<Vec<Box<dyn RecordingReader>>, ReplayError> {
    let refused = |(number, refusal): (usize, FileRefusal)| {
        let path = settings.files[number].clone();
        ReplayError::File { path, refusal }
    };
    let open = |(number, path)| OpenFile::open(path, &settings.csv_map).map_err(|refusal| (number, refusal));
    let files = settings.files.iter().map(std::path::PathBuf::as_path).enumerate().map(open);
    let files = files.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    OpenFile::readers(files, &settings.csv_map, symbols).map_err(refused)
}

/// Reads the first record of each file. A file that begins with a record that cannot be read is foreign.
fn check_first_records(
    settings: &ReplaySettings,
    merge: &mut Merge,
    symbols: &mut SymbolTable,
    skips: &mut SkipLog,
) -> Result<(), ReplayError> {
    loop {
        match merge.peek(symbols) {
            Ok(_) => return Ok(()),
            Err(SkippedIn { file, skipped }) if skipped.reason == SkipReason::Broken => {
                let refusal = FileRefusal::at(skipped.position, skipped.detail);
                return Err(ReplayError::File { path: settings.files[file].clone(), refusal });
            }
            Err(skipped) => skips.tell(settings, &skipped),
        }
    }
}

/// Counts and logs skipped records.
struct SkipLog {
    by_file: Vec<u64>,
    metrics: ReplayMetrics,
}

impl SkipLog {
    /// The records of a file that are logged one by one. All are counted.
    const LOGGED: u64 = 10;

    fn new(files: usize, metrics: ReplayMetrics) -> Self {
        Self { by_file: vec![0; files], metrics }
    }

    fn tell(&mut self, settings: &ReplaySettings, SkippedIn { file, skipped }: &SkippedIn) {
        self.metrics.skipped(skipped.reason.label());
        let count = &mut self.by_file[*file];
        *count += 1;
        if *count > Self::LOGGED {
            return;
        }
        let (file, position) = (settings.files[*file].display(), skipped.position);
        warn!(%file, position, reason = skipped.reason.label(), "a record is skipped: {}", skipped.detail);
        if *count == Self::LOGGED {
            warn!(%file, "further skipped records of this file are counted and not logged");
        }
    }
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;
