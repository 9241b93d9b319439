//! QuantConnect's data of US equities, as in the folder `Data/equity/usa` of Lean: a CSV file without a header in each
//! zip archive, prices in units of 1e-4 dollars, times in milliseconds since midnight in New York.
//!
//! | rows | columns |
//! |---|---|
//! | tick trades | time, price, size, exchange, conditions (hexadecimal), suspicious |
//! | tick quotes | time, bid, bid size, ask, ask size, exchange, conditions, suspicious; one side a row, each the national best |
//! | second and minute trades | time, open, high, low, close, volume |
//! | second and minute quotes | time, four prices of the bid, last bid size, four of the ask, last ask size |
//! | hour and daily trades | `YYYYMMDD HH:MM`, open, high, low, close, volume |
//!
//! A bar of quotes becomes one quote, that of its end.

mod conditions;

use std::io::BufRead;
use std::path::Path;

use ::csv::ByteRecord;

use super::csv_rows::CsvRows;
use super::fixed::{decimal, whole};
use super::record::{
    BarPeriod, RecordContent, Recorded, RecordedKind, RecordingReader, SkipReason, Skipped, bar,
};
use super::symbols::SymbolTable;
use crate::model::{
    Event, MILLISECOND, MarketHours, Price, Quote, SymbolId, Tape, Timestamp, Trade, TradingDay, Venue,
    is_letter,
};

/// The rows of a file of Lean's.
pub(super) struct LeanReader<R> {
    rows: CsvRows<R>,
    row: ByteRecord,
    layout: LeanFile,
    id: Option<SymbolId>,
    latest: Timestamp,
    /// The national best bid and offer so far, of which a row of ticks changes one side.
    best: [LeanSide; 2],
    trades: u64,
}

/// What the names of a file and its folders tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeanFile {
    symbol: String,
    resolution: Resolution,
    kind: LeanKind,
    /// Midnight in New York; `None` where each row has a date.
    midnight: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    Tick,
    Second,
    Minute,
    Hour,
    Daily,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeanKind {
    Trade,
    Quote,
}

#[derive(Clone, Copy, Default)]
struct LeanSide {
    price: i64,
    size: u64,
    venue: Option<Venue>,
}

/// Prices are in units of 1e-4 dollars, ours in 1e-9.
const DECIMALS_LEFT: i32 = 5;

impl LeanFile {
    /// What this path of an archive, and the name of the file in it, tell; `None` if they are not Lean's.
    ///
    /// The inner name alone suffices for `20131007_spy_minute_trade.csv` and `20131007_ibm_Quote_Tick.csv`; hours and
    /// days are `spy.csv` in the folder `hour` or `daily`.
    pub(super) fn of(archive: &Path, inner: &str) -> Option<Self> {
        let stem = inner.rsplit('/').next()?.strip_suffix(".csv")?.to_ascii_lowercase();
        if let [date, symbol, first, second] = stem.split('_').collect::<Vec<_>>()[..] {
            // The order of the last two differs between resolutions.
            let (resolution, kind) = Resolution::named(first)
                .zip(LeanKind::named(second))
                .or_else(|| Resolution::named(second).zip(LeanKind::named(first)))?;
            let midnight = Some(midnight(date)?);
            return Some(Self { symbol: symbol.to_ascii_uppercase(), resolution, kind, midnight });
        }
        let folder = archive.parent()?.file_name()?.to_str()?;
        let resolution = match folder {
            "daily" => Resolution::Daily,
            "hour" => Resolution::Hour,
            _ => return None,
        };
        let (symbol, kind) = match stem.split_once('_') {
            None => (&*stem, LeanKind::Trade),
            Some((symbol, kind)) => (symbol, LeanKind::named(kind)?),
        };
        Some(Self { symbol: symbol.to_ascii_uppercase(), resolution, kind, midnight: None })
    }

    fn bar_length(&self) -> Option<BarPeriod> {
        match (self.kind, self.resolution) {
            (LeanKind::Quote, _) | (_, Resolution::Tick) => None,
            (_, Resolution::Second) => Some(BarPeriod::Second),
            (_, Resolution::Minute) => Some(BarPeriod::Minute),
            (_, Resolution::Hour) => Some(BarPeriod::Hour),
            (_, Resolution::Daily) => Some(BarPeriod::Day),
        }
    }
}

impl Resolution {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "tick" => Self::Tick,
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "daily" => Self::Daily,
            _ => return None,
        })
    }
}

impl LeanKind {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "trade" => Self::Trade,
            "quote" => Self::Quote,
            _ => return None,
        })
    }
}

/// Midnight in New York of a date such as `20131007`.
fn midnight(date: &str) -> Option<Timestamp> {
    let is_date = date.len() == 8 && date.bytes().all(|digit| digit.is_ascii_digit());
    is_date
        .then(|| format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]))
        .and_then(|date| TradingDay::named(&date).map(|day| day.start))
}

impl<R: BufRead + Send> LeanReader<R> {
    /// A reader of these rows.
    pub(super) fn new(input: R, layout: LeanFile) -> Self {
        Self {
            rows: CsvRows::new(input, b','),
            row: ByteRecord::new(),
            layout,
            id: None,
            latest: Timestamp::from_nanos(i64::MIN),
            best: Default::default(),
            trades: 0,
        }
    }

    fn read_row(&mut self, symbol: SymbolId) -> Result<(Timestamp, RecordContent), Skip> {
        let at = self.time(0)?;
        Ok(match (self.layout.kind, self.layout.bar_length()) {
            (LeanKind::Trade, None) => (at, self.trade(symbol, at)?),
            (LeanKind::Quote, None) if self.layout.resolution == Resolution::Tick => {
                (at, self.quote(symbol, at)?)
            }
            (LeanKind::Quote, _) => self.quote_of_bar(symbol, at)?,
            (LeanKind::Trade, Some(length)) => {
                let prices = self.prices(1)?;
                let bar = bar(symbol, at, prices, self.whole(5)?);
                (length.end(at), RecordContent::Bar(length, bar))
            }
        })
    }

    fn trade(&mut self, symbol: SymbolId, at: Timestamp) -> Result<RecordContent, Skip> {
        self.check_suspicious(5)?;
        let flags = self.hex(4)?;
        self.trades += 1;
        let (price, size) = (self.price(1)?, self.whole(2)?);
        if size == 0 {
            return Err((SkipReason::Broken, "a trade has no size"));
        }
        Ok(RecordContent::Event(Event::Trade(Trade {
            symbol,
            id: self.trades,
            venue: self.venue(3)?,
            price: Price::from_nanos(price),
            size,
            conditions: conditions::of_trade(flags),
            tape: Tape::NONE,
            at,
        })))
    }

    fn quote(&mut self, symbol: SymbolId, at: Timestamp) -> Result<RecordContent, Skip> {
        self.check_suspicious(7)?;
        let venue = Some(self.venue(5)?);
        let flags = self.hex(6)?;
        let sides = [(self.price(1)?, self.whole(2)?), (self.price(3)?, self.whole(4)?)];
        for (side, (price, size)) in self.best.iter_mut().zip(sides) {
            // The other side of the row is zero.
            if price != 0 || size != 0 {
                *side = LeanSide { price, size, venue };
            }
        }
        Ok(self.best_quote(symbol, at, conditions::of_quote(flags)))
    }

    /// The quote at the end of a bar, by the last column of each side.
    fn quote_of_bar(&mut self, symbol: SymbolId, at: Timestamp) -> Result<(Timestamp, RecordContent), Skip> {
        let side = |first: usize| -> Result<LeanSide, Skip> {
            // Without a quote of the side in the interval its columns are empty.
            if self.row.get(first + 3).is_none_or(<[u8]>::is_empty) {
                return Ok(LeanSide::default());
            }
            Ok(LeanSide { price: self.price(first + 3)?, size: self.whole(first + 4)?, venue: None })
        };
        self.best = [side(1)?, side(6)?];
        let end = match self.layout.resolution {
            Resolution::Second => BarPeriod::Second,
            Resolution::Hour => BarPeriod::Hour,
            Resolution::Daily => BarPeriod::Day,
            Resolution::Minute | Resolution::Tick => BarPeriod::Minute,
        };
        // The last instant of the interval, so that the quote is in it.
        let at = Timestamp::from_nanos(end.end(at).nanos() - 1);
        Ok((at, self.best_quote(symbol, at, conditions::of_quote(1))))
    }

    fn best_quote(
        &self,
        symbol: SymbolId,
        at: Timestamp,
        conditions: crate::model::Conditions,
    ) -> RecordContent {
        let [bid, ask] = self.best.map(|side| match side.size {
            0 => LeanSide::default(),
            _ => side,
        });
        RecordContent::Event(Event::Quote(Quote {
            symbol,
            bid_venue: bid.venue.unwrap_or(Venue::NONE),
            bid: Price::from_nanos(bid.price),
            bid_size: bid.size,
            ask_venue: ask.venue.unwrap_or(Venue::NONE),
            ask: Price::from_nanos(ask.price),
            ask_size: ask.size,
            conditions,
            tape: Tape::NONE,
            at,
        }))
    }

    fn column(&self, at: usize) -> Result<&[u8], Skip> {
        self.row.get(at).ok_or((SkipReason::Broken, "a row has too few columns"))
    }

    fn whole(&self, at: usize) -> Result<u64, Skip> {
        whole(self.column(at)?).ok_or((SkipReason::Broken, "a size is no whole number"))
    }

    fn price(&self, at: usize) -> Result<i64, Skip> {
        decimal(self.column(at)?, DECIMALS_LEFT).ok_or((SkipReason::Broken, "a price is no number"))
    }

    fn prices(&self, first: usize) -> Result<[i64; 4], Skip> {
        Ok([self.price(first)?, self.price(first + 1)?, self.price(first + 2)?, self.price(first + 3)?])
    }

    fn hex(&self, at: usize) -> Result<u64, Skip> {
        let text = std::str::from_utf8(self.column(at)?).unwrap_or_default();
        match text {
            "" => Ok(0),
            text => u64::from_str_radix(text, 16)
                .map_err(|_| (SkipReason::Broken, "conditions are not hexadecimal")),
        }
    }

    fn venue(&self, at: usize) -> Result<Venue, Skip> {
        match self.column(at)? {
            [letter] if is_letter(*letter) => Ok(Venue(*letter)),
            _ => Ok(Venue::NONE),
        }
    }

    fn check_suspicious(&self, at: usize) -> Result<(), Skip> {
        match self.row.get(at) {
            None | Some(b"" | b"0") => Ok(()),
            Some(_) => Err((SkipReason::Suspicious, "the vendor marked the row as suspicious")),
        }
    }

    fn time(&self, at: usize) -> Result<Timestamp, Skip> {
        const BROKEN: Skip = (SkipReason::Broken, "the time is not one of Lean's");
        let column = self.column(at)?;
        if let Some(midnight) = self.layout.midnight {
            let millis = whole(column).and_then(|millis| i64::try_from(millis).ok()).ok_or(BROKEN)?;
            let nanos = millis.checked_mul(MILLISECOND).and_then(|nanos| nanos.checked_add(midnight.nanos()));
            return nanos.map(Timestamp::from_nanos).ok_or(BROKEN);
        }
        let text = std::str::from_utf8(column).map_err(|_| BROKEN)?;
        let (date, time) = text.split_once(' ').ok_or(BROKEN)?;
        let midnight = midnight(date).ok_or(BROKEN)?;
        let (hour, minute) = time.split_once(':').ok_or(BROKEN)?;
        let [hour, minute]: [i64; 2] =
            [hour.parse().map_err(|_| BROKEN)?, minute.parse().map_err(|_| BROKEN)?];
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
            return Err(BROKEN);
        }
        Ok(Timestamp::from_nanos(midnight.nanos() + (hour * 60 + minute) * 60_000 * MILLISECOND))
    }
}

type Skip = (SkipReason, &'static str);

impl<R: BufRead + Send> RecordingReader for LeanReader<R> {
    fn kind(&self) -> RecordedKind {
        self.layout.bar_length().map_or(RecordedKind::Events, RecordedKind::Bars)
    }

    fn instruments(&self) -> Option<usize> {
        Some(1)
    }

    fn declare(&mut self, symbols: &mut SymbolTable) {
        self.id = symbols.id_with(&self.layout.symbol, MarketHours::Exchange).ok();
    }

    fn next(&mut self, _: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        if !self.rows.read(&mut self.row)? {
            return Ok(None);
        }
        let row = match self.id {
            Some(symbol) => self.read_row(symbol),
            None => Err((SkipReason::Unnamed, "the name of the file is no symbol")),
        };
        match row {
            Ok((at, content)) => {
                self.latest = self.latest.max(at);
                Ok(Some(Recorded { at: self.latest, content }))
            }
            Err((reason, detail)) => {
                let position = self.rows.line(&self.row);
                Err(Skipped { reason, position, detail: detail.into() })
            }
        }
    }
}

#[cfg(test)]
#[path = "lean_tests.rs"]
mod tests;
