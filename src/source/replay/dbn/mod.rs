//! Databento's DBN files, versions 1 to 3, through the crate `dbn`.
//!
//! The crate decodes records and upgrades old versions. In front of it stands [`Frames`], which checks the frame of
//! each record, so that a damaged one costs itself and not the rest of the file. Every time of a record is the one
//! that orders the file, `ts_recv` where it has one.

mod frames;
mod instruments;
mod status;
mod venues;

use std::io::{BufRead, Read};

use dbn::decode::{DbnMetadataDecoder, DbnRecordDecoder, DecodeRecordRef};
use dbn::record::{BidAskPair, ConsolidatedBidAskPair};
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, InstrumentDefMsg, Mbp1Msg, Metadata, OhlcvMsg, RecordRef, Schema, StatusMsg,
    SymbolMappingMsg, TradeMsg, UNDEF_PRICE, UNDEF_TIMESTAMP, VersionUpgradePolicy, rtype,
};

use self::frames::Frames;
use self::instruments::InstrumentNames;
use self::venues::venue;
use super::file_refusal::FileRefusal;
use super::record::{
    BarPeriod, RecordContent, Recorded, RecordedKind, RecordingReader, SkipReason, Skipped, bar,
};
use super::symbols::{Description, SymbolTable};
use crate::model::{
    Conditions, Event, Price, Quote, Status, SymbolId, Tape, Timestamp, Trade, TradingDay, Venue,
};

/// The first bytes of a file, before its version.
pub(super) const MAGIC: &[u8] = b"DBN";

/// The records of a DBN file.
pub(super) struct DbnReader<R> {
    decoder: DbnRecordDecoder<Frames<R>>,
    schema: Option<Schema>,
    names: InstrumentNames,
    role: DbnRole,
    records: u64,
    latest: Timestamp,
    /// The quote that comes before the trade of the same record.
    waiting: Option<Recorded>,
}

/// Which kinds of events a file contributes, when several files have the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DbnRole {
    gives_trades: bool,
    gives_quotes: bool,
    /// Whether a record with both has the quote before its trade (tbbo) or the one after it (mbp-1), which is complete
    /// only with the last record of an event.
    quote_is_before_trade: bool,
}

/// What the header of a file tells.
pub(super) struct DbnHeader {
    version: u8,
    metadata: Metadata,
}

/// The largest header read: that of a file with a million symbols is smaller.
const MAX_HEADER_BYTES: u32 = 256 << 20;

impl DbnHeader {
    /// Reads the header, up to the first record.
    pub(super) fn read(input: &mut impl BufRead) -> Result<Self, FileRefusal> {
        let mut bytes = vec![0; 8];
        let truncated = |_| FileRefusal::at(0, "the DBN header is truncated");
        input.read_exact(&mut bytes).map_err(truncated)?;
        let version = bytes[3];
        if !bytes.starts_with(MAGIC) || !(1..=3).contains(&version) {
            return Err(FileRefusal::at(0, format!("DBN version {version} is not supported: 1 to 3 are")));
        }
        let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        if length > MAX_HEADER_BYTES {
            return Err(FileRefusal::at(4, format!("the DBN header of {length} bytes is too long")));
        }
        let mut rest = input.by_ref().take(length.into());
        let count = rest.read_to_end(&mut bytes).map_err(|error| FileRefusal::at(8, error.to_string()))?;
        if count < length as usize {
            return Err(FileRefusal::at(8 + count as u64, "the DBN header is truncated"));
        }
        let mut decoder =
            DbnMetadataDecoder::with_upgrade_policy(bytes.as_slice(), VersionUpgradePolicy::UpgradeToV3);
        let metadata = decoder.decode().map_err(|error| FileRefusal::at(8, error.to_string()))?;
        Ok(Self { version, metadata })
    }

    /// Refuses what cannot be replayed.
    pub(super) fn check(&self) -> Result<(), FileRefusal> {
        let refused = |schema: Schema, why: &str| Err(FileRefusal::of(format!("the schema {schema} {why}")));
        match self.metadata.schema {
            Some(schema @ (Schema::Mbo | Schema::Mbp10)) => {
                refused(schema, "needs an order book, which is not built here: use mbp-1, tbbo or trades")
            }
            Some(schema @ (Schema::Imbalance | Schema::Statistics)) => {
                refused(schema, "has no trades, quotes or bars: use mbp-1, tbbo, trades or ohlcv-1m")
            }
            _ => Ok(()),
        }
    }

    /// Whether the file holds definitions alone, which describe the instruments of other files.
    pub(super) fn is_definitions(&self) -> bool {
        self.metadata.schema == Some(Schema::Definition)
    }

    /// Whether there may be records of all kinds, as in files of live sessions.
    pub(super) fn is_mixed(&self) -> bool {
        self.metadata.schema.is_none()
    }

    /// The preference among files with the same trades; `None` without trades.
    fn trade_rank(&self) -> Option<u8> {
        match self.metadata.schema? {
            Schema::Trades => Some(0),
            Schema::Tbbo | Schema::Tcbbo => Some(1),
            Schema::Mbp1 | Schema::Cmbp1 => Some(2),
            _ => None,
        }
    }

    fn quote_rank(&self) -> Option<u8> {
        match self.metadata.schema? {
            Schema::Mbp1 | Schema::Cmbp1 => Some(0),
            Schema::Tbbo | Schema::Tcbbo => Some(1),
            Schema::Bbo1S | Schema::Cbbo1S => Some(2),
            Schema::Bbo1M | Schema::Cbbo1M => Some(3),
            _ => None,
        }
    }

    /// What this file contributes beside the others: a trade that is in the files of two schemas is published once.
    pub(super) fn role_among(&self, all: &[&Self]) -> DbnRole {
        let is_best = |rank: fn(&Self) -> Option<u8>| match rank(self) {
            None => true,
            Some(own) => {
                !all.iter().any(|other| rank(other).is_some_and(|rank| rank < own) && self.overlaps(other))
            }
        };
        DbnRole {
            gives_trades: is_best(Self::trade_rank),
            gives_quotes: is_best(Self::quote_rank),
            quote_is_before_trade: matches!(self.metadata.schema, Some(Schema::Tbbo | Schema::Tcbbo)),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let (own, others) = (&self.metadata, &other.metadata);
        let is_same_time = others.end.is_none_or(|end| own.start < end.get())
            && own.end.is_none_or(|end| others.start < end.get());
        let names = |metadata: &Metadata| -> Vec<_> {
            metadata.mappings.iter().map(|mapping| mapping.raw_symbol.clone()).collect()
        };
        let own_names = names(own);
        own.dataset == others.dataset
            && is_same_time
            && (own_names.is_empty()
                || others.mappings.is_empty()
                || names(others).iter().any(|name| own_names.contains(name)))
    }
}

impl<R: BufRead + Send> DbnReader<R> {
    /// A reader of the records behind this header.
    pub(super) fn new(input: R, header: &DbnHeader, role: DbnRole) -> Result<Self, FileRefusal> {
        let DbnHeader { version, metadata } = header;
        let frames = Frames::new(input, *version, metadata.schema, metadata.ts_out);
        let policy = VersionUpgradePolicy::UpgradeToV3;
        let decoder = DbnRecordDecoder::with_version(frames, *version, policy, metadata.ts_out);
        Ok(Self {
            decoder: decoder.map_err(|error| FileRefusal::of(error.to_string()))?,
            schema: metadata.schema,
            names: InstrumentNames::of(metadata),
            role,
            records: 0,
            latest: Timestamp::from_nanos(i64::MIN),
            waiting: None,
        })
    }

    fn skipped(&self, reason: SkipReason, detail: &'static str) -> Skipped {
        Skipped { reason, position: self.records, detail: detail.into() }
    }
}

impl<R: BufRead + Send> RecordingReader for DbnReader<R> {
    fn kind(&self) -> RecordedKind {
        match self.schema {
            Some(Schema::Ohlcv1S) => RecordedKind::Bars(BarPeriod::Second),
            Some(Schema::Ohlcv1M) => RecordedKind::Bars(BarPeriod::Minute),
            Some(Schema::Ohlcv1H) => RecordedKind::Bars(BarPeriod::Hour),
            Some(Schema::Ohlcv1D | Schema::OhlcvEod) => RecordedKind::Bars(BarPeriod::Day),
            _ => RecordedKind::Events,
        }
    }

    fn instruments(&self) -> Option<usize> {
        self.names.declared()
    }

    /// A file of a live session may have all kinds of records.
    fn reads_bars_alone(&mut self) -> bool {
        matches!(self.schema, None | Some(Schema::Ohlcv1S | Schema::Ohlcv1M))
    }

    fn declare(&mut self, symbols: &mut SymbolTable) {
        self.names.declare(symbols);
    }

    fn next(&mut self, symbols: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        if let Some(waiting) = self.waiting.take() {
            return Ok(Some(waiting));
        }
        loop {
            self.records += 1;
            let record = match self.decoder.decode_record_ref() {
                Ok(Some(record)) => record,
                // The end, or a record that is left out.
                Ok(None) => return self.decoder.get_mut().take_skipped().map_or(Ok(None), Err),
                // The frames are checked, so this does not occur; the decoder would repeat it.
                Err(error) => {
                    let detail = format!("the rest of the file is not read: {error}").into();
                    let position = self.records;
                    self.decoder.get_mut().end();
                    return Err(Skipped { reason: SkipReason::Broken, position, detail });
                }
            };
            let decoded = match decode(&record, &mut self.names, self.role, symbols) {
                Ok(decoded) => decoded,
                Err((reason, detail)) => return Err(self.skipped(reason, detail)),
            };
            let Decoded { at, first, second } = decoded;
            self.latest = self.latest.max(at);
            let at = self.latest;
            let recorded = |content| Recorded { at, content };
            self.waiting = second.map(recorded);
            if let Some(content) = first {
                return Ok(Some(recorded(content)));
            }
        }
    }
}

/// The one or two events of a record, or none.
struct Decoded {
    at: Timestamp,
    first: Option<RecordContent>,
    second: Option<RecordContent>,
}

type Skip = (SkipReason, &'static str);

fn decode(
    record: &RecordRef<'_>,
    names: &mut InstrumentNames,
    role: DbnRole,
    symbols: &mut SymbolTable,
) -> Result<Decoded, Skip> {
    let header = record.header();
    let instrument = header.instrument_id;
    let publisher = venue(header.publisher_id);
    let mut name = |at| {
        names.find(instrument, at, symbols).ok_or((SkipReason::Unnamed, "its instrument id has no symbol"))
    };
    if let Some(message) = record.get::<TradeMsg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let trade = match role.gives_trades {
            true => {
                Some(trade(name(at)?, publisher, at, message.price, message.size, message.sequence.into())?)
            }
            false => None,
        };
        return Ok(Decoded { at, first: trade, second: None });
    }
    if let Some(message) = record.get::<Mbp1Msg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let symbol = name(at)?;
        let is_complete = role.quote_is_before_trade || message.flags.is_last();
        let quote = (role.gives_quotes && is_complete)
            .then(|| quote(symbol, at, &sides_of(&message.levels[0], publisher)));
        let trade = match role.gives_trades && message.action as u8 == b'T' {
            true => Some(trade(symbol, publisher, at, message.price, message.size, message.sequence.into())?),
            false => None,
        };
        return Ok(in_order(role, at, trade, quote));
    }
    if let Some(message) = record.get::<Cmbp1Msg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let symbol = name(at)?;
        let quote = role.gives_quotes.then(|| quote(symbol, at, &consolidated_sides_of(&message.levels[0])));
        let trade = match role.gives_trades && message.action as u8 == b'T' {
            true => Some(trade(symbol, publisher, at, message.price, message.size, 0)?),
            false => None,
        };
        return Ok(in_order(role, at, trade, quote));
    }
    if let Some(message) = record.get::<BboMsg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let symbol = name(at)?;
        let quote = role.gives_quotes.then(|| quote(symbol, at, &sides_of(&message.levels[0], publisher)));
        return Ok(both(at, quote, None));
    }
    if let Some(message) = record.get::<CbboMsg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let symbol = name(at)?;
        let quote = role.gives_quotes.then(|| quote(symbol, at, &consolidated_sides_of(&message.levels[0])));
        return Ok(both(at, quote, None));
    }
    if let Some(message) = record.get::<OhlcvMsg>() {
        let length = match header.rtype {
            rtype::OHLCV_1S => BarPeriod::Second,
            rtype::OHLCV_1M => BarPeriod::Minute,
            rtype::OHLCV_1H => BarPeriod::Hour,
            _ => BarPeriod::Day,
        };
        let start = start_of_bar(time(UNDEF_TIMESTAMP, message.hd.ts_event)?, length);
        let prices = [message.open, message.high, message.low, message.close];
        if prices.contains(&UNDEF_PRICE) {
            return Err((SkipReason::Broken, "a price of the bar is undefined"));
        }
        let bar = bar(name(start)?, start, prices, message.volume);
        return Ok(both(length.end(start), Some(RecordContent::Bar(length, bar)), None));
    }
    if let Some(message) = record.get::<StatusMsg>() {
        let at = time(message.ts_recv, message.hd.ts_event)?;
        let symbol = name(at)?;
        let status = status::codes(message.action, message.reason)
            .ok_or((SkipReason::Unknown, "the status is of no kind that is replayed"))?;
        let (status, reason) = status;
        let event = Event::Status(Status { symbol, status, reason, tape: Tape::NONE, at });
        return Ok(both(at, Some(RecordContent::Event(event)), None));
    }
    let at = Timestamp::from_nanos(i64::MIN);
    if let Some(message) = record.get::<SymbolMappingMsg>() {
        names.map(message);
    } else if let Some(message) = record.get::<InstrumentDefMsg>() {
        describe(message, symbols);
    }
    Ok(both(at, None, None))
}

fn in_order(
    role: DbnRole,
    at: Timestamp,
    trade: Option<RecordContent>,
    quote: Option<RecordContent>,
) -> Decoded {
    if role.quote_is_before_trade { both(at, quote, trade) } else { both(at, trade, quote) }
}

/// What comes first of two, either of which may be absent.
fn both(at: Timestamp, first: Option<RecordContent>, second: Option<RecordContent>) -> Decoded {
    match first {
        None => Decoded { at, first: second, second: None },
        first => Decoded { at, first, second },
    }
}

/// The time that orders the file: when the record was received, else the event's.
fn time(ts_recv: u64, ts_event: u64) -> Result<Timestamp, Skip> {
    let nanos = if ts_recv == UNDEF_TIMESTAMP { ts_event } else { ts_recv };
    let nanos = i64::try_from(nanos).map_err(|_| (SkipReason::Broken, "the record has no time"))?;
    Ok(Timestamp::from_nanos(nanos))
}

/// A day of Databento is one in UTC; ours begins at midnight in New York of the same date.
fn start_of_bar(start: Timestamp, length: BarPeriod) -> Timestamp {
    const NOON: std::time::Duration = std::time::Duration::from_hours(12);
    match length {
        BarPeriod::Day => TradingDay::of(start + NOON).start,
        _ => start,
    }
}

fn trade(
    symbol: SymbolId,
    venue: Venue,
    at: Timestamp,
    price: i64,
    size: u32,
    id: u64,
) -> Result<RecordContent, Skip> {
    if price == UNDEF_PRICE || size == 0 {
        return Err((SkipReason::Broken, "a trade has no price or size"));
    }
    Ok(RecordContent::Event(Event::Trade(Trade {
        symbol,
        id,
        venue,
        price: Price::from_nanos(price),
        size: size.into(),
        conditions: Conditions::default(),
        tape: Tape::NONE,
        at,
    })))
}

/// One side of a quote.
#[derive(Clone, Copy)]
struct Side {
    price: i64,
    size: u32,
    venue: Venue,
}

impl Side {
    /// An undefined price is an empty side.
    fn fields(self) -> (Price, u64, Venue) {
        if self.price == UNDEF_PRICE || self.size == 0 {
            return (Price::default(), 0, Venue::NONE);
        }
        (Price::from_nanos(self.price), self.size.into(), self.venue)
    }
}

fn sides_of(level: &BidAskPair, venue: Venue) -> [Side; 2] {
    [
        Side { price: level.bid_px, size: level.bid_sz, venue },
        Side { price: level.ask_px, size: level.ask_sz, venue },
    ]
}

fn consolidated_sides_of(level: &ConsolidatedBidAskPair) -> [Side; 2] {
    [
        Side { price: level.bid_px, size: level.bid_sz, venue: venue(level.bid_pb) },
        Side { price: level.ask_px, size: level.ask_sz, venue: venue(level.ask_pb) },
    ]
}

fn quote(symbol: SymbolId, at: Timestamp, sides: &[Side; 2]) -> RecordContent {
    let [(bid, bid_size, bid_venue), (ask, ask_size, ask_venue)] = sides.map(Side::fields);
    RecordContent::Event(Event::Quote(Quote {
        symbol,
        bid_venue,
        bid,
        bid_size,
        ask_venue,
        ask,
        ask_size,
        conditions: Conditions::default(),
        tape: Tape::NONE,
        at,
    }))
}

fn describe(definition: &InstrumentDefMsg, symbols: &mut SymbolTable) {
    let Ok(symbol) = definition.raw_symbol() else { return };
    let exchange = definition.exchange().ok().filter(|exchange| !exchange.is_empty());
    symbols.describe(symbol, Description { name: None, exchange: exchange.map(Into::into) });
}

#[cfg(test)]
#[path = "dbn_tests.rs"]
mod tests;
