use std::collections::{BTreeMap, VecDeque};

use super::record::{BarPeriod, RecordContent, Recorded, RecordedKind, RecordingReader, Skipped};
use super::symbols::SymbolTable;
use crate::model::{Bar, SECOND, SymbolId, Timestamp, TradingDay};

/// A reader of seconds or hours that adds what they are published as: the minute of which the seconds are, when it is
/// over, and the day so far of which the hours are, at the end of each.
pub(super) struct FoldingReader {
    reader: Box<dyn RecordingReader>,
    /// The minute that is being folded, by instrument in the order of their ids.
    minutes: BTreeMap<SymbolId, Bar>,
    /// The start of that minute.
    minute: Timestamp,
    days: BTreeMap<SymbolId, Bar>,
    day: TradingDay,
    /// Records that come before those of the reader.
    ready: VecDeque<Recorded>,
    latest: Timestamp,
}

const MINUTE: i64 = 60 * SECOND;

impl FoldingReader {
    pub(super) fn new(reader: Box<dyn RecordingReader>) -> Self {
        let minute = Timestamp::from_nanos(i64::MIN);
        Self {
            reader,
            minutes: BTreeMap::new(),
            minute,
            days: BTreeMap::new(),
            day: TradingDay::default(),
            ready: VecDeque::new(),
            latest: minute,
        }
    }

    /// Hands out the minute that was folded.
    fn close_minute(&mut self) {
        let end = BarPeriod::Minute.end(self.minute).max(self.latest);
        let minutes = std::mem::take(&mut self.minutes).into_values();
        self.ready.extend(minutes.map(|bar| Recorded { at: end, content: RecordContent::FoldedMinute(bar) }));
    }

    fn second(&mut self, bar: &Bar) {
        let start = bar.start.floor_to(MINUTE);
        if start > self.minute {
            self.close_minute();
            self.minute = start;
        }
        if start == self.minute {
            fold(&mut self.minutes, start, bar);
        }
    }

    /// The day so far of which this is the latest hour.
    fn hour(&mut self, bar: &Bar) -> Bar {
        if !self.day.holds(bar.start) {
            self.day = TradingDay::of(bar.start);
            self.days.clear();
        }
        fold(&mut self.days, self.day.start, bar)
    }
}

/// Merges a bar into that of the same instrument, and returns it.
fn fold(bars: &mut BTreeMap<SymbolId, Bar>, start: Timestamp, bar: &Bar) -> Bar {
    let folded = bars.entry(bar.symbol).and_modify(|folded| folded.absorb(bar));
    *folded.or_insert(Bar { start, ..*bar })
}

impl RecordingReader for FoldingReader {
    fn kind(&self) -> RecordedKind {
        self.reader.kind()
    }

    fn instruments(&self) -> Option<usize> {
        self.reader.instruments()
    }

    fn reads_bars_alone(&mut self) -> bool {
        self.reader.reads_bars_alone()
    }

    fn declare(&mut self, symbols: &mut SymbolTable) {
        self.reader.declare(symbols);
    }

    fn next(&mut self, symbols: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        if let Some(ready) = self.ready.pop_front() {
            return Ok(Some(ready));
        }
        let Some(record) = self.reader.next(symbols)? else {
            self.close_minute();
            return Ok(self.ready.pop_front());
        };
        let mut content = record.content;
        match &content {
            RecordContent::Bar(BarPeriod::Second, bar) => self.second(bar),
            RecordContent::Bar(BarPeriod::Hour, bar) => {
                content = RecordContent::Bar(BarPeriod::Day, self.hour(bar));
            }
            _ if record.at > BarPeriod::Minute.end(self.minute) => self.close_minute(),
            _ => {}
        }
        self.latest = record.at;
        let record = Recorded { content, ..record };
        let Some(first) = self.ready.pop_front() else { return Ok(Some(record)) };
        self.ready.push_back(record);
        Ok(Some(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::replay::record::bar;

    /// Seconds or hours of two instruments with these starts and volumes, in seconds.
    struct Bars(BarPeriod, std::vec::IntoIter<(u32, i64, u64)>);

    impl RecordingReader for Bars {
        fn kind(&self) -> RecordedKind {
            RecordedKind::Bars(self.0)
        }

        fn next(&mut self, _: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
            Ok(self.1.next().map(|(symbol, start, volume)| {
                let start = Timestamp::from_nanos(start * SECOND);
                let price = volume as i64;
                let bar = bar(SymbolId(symbol), start, [price; 4], volume);
                Recorded { at: self.0.end(start), content: RecordContent::Bar(self.0, bar) }
            }))
        }
    }

    /// Instrument, time, start and volume of all records that are not of this length.
    fn folded(length: BarPeriod, bars: &[(u32, i64, u64)]) -> Vec<(u32, i64, i64, u64)> {
        let mut reader = FoldingReader::new(Box::new(Bars(length, Vec::from(bars).into_iter())));
        let (mut folded, mut latest) = (Vec::new(), Timestamp::from_nanos(i64::MIN));
        while let Ok(Some(record)) = reader.next(&mut SymbolTable::default()) {
            assert!(record.at >= latest);
            latest = record.at;
            if !matches!(record.content, RecordContent::Bar(own, _) if own == length) {
                let (_, bar) = record.content.bar().expect("only bars are folded");
                folded.push((bar.symbol.0, record.at.seconds(), bar.start.seconds(), bar.volume));
            }
        }
        folded
    }

    #[test]
    fn seconds_make_the_minute_that_is_published_at_its_end() {
        let seconds = [(1, 0, 1), (0, 59, 2), (1, 59, 4), (0, 60, 8), (0, 200, 16), (1, 239, 32)];

        let expected = [(0, 60, 0, 2), (1, 60, 0, 5), (0, 120, 60, 8), (0, 240, 180, 16), (1, 240, 180, 32)];
        assert_eq!(folded(BarPeriod::Second, &seconds), expected);
    }

    #[test]
    fn hours_make_the_day_so_far() {
        // Midnight in New York.
        const DAY: i64 = 1_614_056_400;
        let hours = [(0, DAY, 1), (1, DAY, 2), (0, DAY + 3_600, 4), (0, DAY + 86_400, 8)];

        let expected = [
            (0, DAY + 3_600, DAY, 1),
            (1, DAY + 3_600, DAY, 2),
            (0, DAY + 7_200, DAY, 5),
            (0, DAY + 90_000, DAY + 86_400, 8),
        ];
        assert_eq!(folded(BarPeriod::Hour, &hours), expected);
    }
}
