use std::sync::Arc;

use super::Batch;
use crate::model::{
    BarOrigin, Instrument, MarketHours, Object, Price, Symbol, SymbolId, Tape, Timestamp, Universe,
};
use crate::wire::varint::{push_i64, push_u64, take, take_i64, take_u64};
use crate::wire::{InvalidRow, take_row, write_row};

/// Encodes batches for a reader that decodes all of them, in order: the journal, or another node.
///
/// The form: the number of the batch, its watermark, the instruments that the reader does not know yet, the number of
/// events and of tickers, and a row for each object (`wire/binary_row.rs`). So an instrument goes with the batch that first
/// needs it, and nothing is lost: numbers, order, and the border between two batches.
#[derive(Clone, Debug, Default)]
pub struct BatchEncoder {
    /// The number of instruments that the reader knows.
    known: usize,
}

impl BatchEncoder {
    /// An encoder for a reader that knows the first instruments already.
    pub const fn knowing(instruments: usize) -> Self {
        Self { known: instruments }
    }

    /// Appends a batch.
    pub fn encode(&mut self, out: &mut Vec<u8>, batch: &Batch) {
        let rows = ObjectRows { events: batch.events(), tickers: batch.tickers() };
        self.encode_rows(out, batch.number(), batch.watermark(), batch.universe(), rows);
    }

    /// Appends objects that are no published batch, such as a snapshot, in the form of one.
    pub fn encode_objects<'a>(
        &mut self,
        out: &mut Vec<u8>,
        number: u64,
        watermark: Timestamp,
        universe: &Universe,
        objects: impl Iterator<Item = &'a Object>,
    ) {
        let events: Vec<_> = objects.copied().collect();
        self.encode_rows(out, number, watermark, universe, ObjectRows { events: &events, tickers: &[] });
    }

    fn encode_rows(
        &mut self,
        out: &mut Vec<u8>,
        number: u64,
        watermark: Timestamp,
        universe: &Universe,
        rows: ObjectRows<'_>,
    ) {
        push_u64(out, number);
        push_i64(out, watermark.nanos());
        push_u64(out, self.known as u64);
        push_u64(out, universe.len().saturating_sub(self.known) as u64);
        universe.iter().skip(self.known).for_each(|instrument| push_instrument(out, instrument));
        self.known = self.known.max(universe.len());
        push_u64(out, rows.events.len() as u64);
        push_u64(out, rows.tickers.len() as u64);
        for object in rows.events.iter().chain(rows.tickers) {
            write_row(out, object, watermark);
        }
    }
}

struct ObjectRows<'a> {
    events: &'a [Object],
    tickers: &'a [Object],
}

/// Decodes what a [`BatchEncoder`] encoded.
#[derive(Clone, Debug, Default)]
pub struct BatchDecoder {
    universe: Arc<Universe>,
}

impl BatchDecoder {
    /// A decoder that knows these instruments already.
    pub const fn knowing(universe: Arc<Universe>) -> Self {
        Self { universe }
    }

    /// The instruments of the batches so far.
    pub const fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// Decodes a batch.
    ///
    /// # Errors
    /// When the bytes are no batch, or one was left out before that added instruments.
    pub fn decode(&mut self, mut bytes: &[u8]) -> Result<Batch, InvalidRow> {
        let bytes = &mut bytes;
        let number = take_u64(bytes)?;
        let watermark = Timestamp::from_nanos(take_i64(bytes)?);
        let known = take_u64(bytes)?;
        if known != self.universe.len() as u64 {
            return Err(InvalidRow);
        }
        let added = take_u64(bytes)?;
        if added > 0 {
            let instruments: Vec<_> = (0..added).map(|_| take_instrument(bytes)).collect::<Result<_, _>>()?;
            let universe = self.universe.with(instruments);
            if universe.len() as u64 != known + added {
                return Err(InvalidRow);
            }
            self.universe = Arc::new(universe);
        }
        let [events, tickers] = [take_u64(bytes)?, take_u64(bytes)?];
        let mut rows = |count| {
            (0..count)
                .map(|_| {
                    let object = take_row(bytes, watermark)?;
                    let is_listed = object.body.symbol().index() < self.universe.len();
                    if is_listed { Ok(object) } else { Err(InvalidRow) }
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let (events, tickers) = (rows(events)?, rows(tickers)?);
        if !bytes.is_empty() {
            return Err(InvalidRow);
        }
        Ok(Batch::new(Arc::clone(&self.universe), watermark, events, tickers).numbered(number))
    }
}

fn push_instrument(out: &mut Vec<u8>, instrument: &Instrument) {
    let mut text = |text: &str| {
        push_u64(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    };
    text(instrument.symbol.as_str());
    // No name of an instrument or an exchange is empty.
    text(instrument.name.as_deref().unwrap_or_default());
    text(instrument.exchange.as_deref().unwrap_or_default());
    out.push(instrument.tape.into());
    let flags = [
        (instrument.previous_close.is_some(), HAS_PREVIOUS_CLOSE),
        (instrument.bars == BarOrigin::Source, GIVES_BARS),
        (instrument.daily_bars == BarOrigin::Source, GIVES_DAILY_BARS),
        (instrument.hours == MarketHours::Exchange, HAS_EXCHANGE_HOURS),
    ];
    out.push(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum());
    if let Some(close) = instrument.previous_close {
        push_i64(out, close.nanos());
    }
}

const HAS_PREVIOUS_CLOSE: u8 = 1;
const GIVES_BARS: u8 = 2;
const GIVES_DAILY_BARS: u8 = 4;
const HAS_EXCHANGE_HOURS: u8 = 8;
const ALL_FLAGS: u8 = HAS_PREVIOUS_CLOSE | GIVES_BARS | GIVES_DAILY_BARS | HAS_EXCHANGE_HOURS;

fn take_instrument(bytes: &mut &[u8]) -> Result<Instrument, InvalidRow> {
    fn text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, InvalidRow> {
        let length = take_u64(bytes)?.try_into().map_err(|_| InvalidRow)?;
        str::from_utf8(take(bytes, length)?).map_err(|_| InvalidRow)
    }
    let optional = |text: &str| (!text.is_empty()).then(|| text.into());
    let symbol: Symbol = text(bytes)?.parse().map_err(|_| InvalidRow)?;
    let name = optional(text(bytes)?);
    let exchange = optional(text(bytes)?);
    let tape = Tape::try_from(take(bytes, 1)?[0]).map_err(|_| InvalidRow)?;
    let flags = take(bytes, 1)?[0];
    if flags & !ALL_FLAGS != 0 {
        return Err(InvalidRow);
    }
    let previous_close = match flags & HAS_PREVIOUS_CLOSE {
        0 => None,
        _ => Some(Price::from_nanos(take_i64(bytes)?)),
    };
    let origin = |flag| if flags & flag == 0 { BarOrigin::Folded } else { BarOrigin::Source };
    let (bars, daily_bars) = (origin(GIVES_BARS), origin(GIVES_DAILY_BARS));
    let hours = match flags & HAS_EXCHANGE_HOURS {
        0 => MarketHours::Continuous,
        _ => MarketHours::Exchange,
    };
    Ok(Instrument { id: SymbolId(0), symbol, name, exchange, tape, previous_close, bars, daily_bars, hours })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn watermark() -> Timestamp {
        Timestamp::from_nanos(1_700_000_000_000_000_007)
    }

    fn batch(number: u64, universe: &Arc<Universe>) -> Batch {
        let (tickers, events) = [fixtures::objects(), fixtures::varied_objects()]
            .concat()
            .into_iter()
            .partition(|object| object.stream().channel() == crate::model::Channel::Tickers);
        Batch::new(Arc::clone(universe), watermark(), events, tickers).numbered(number)
    }

    fn assert_equal(decoded: &Batch, batch: &Batch) {
        assert_eq!((decoded.number(), decoded.watermark()), (batch.number(), batch.watermark()));
        assert_eq!((decoded.events(), decoded.tickers()), (batch.events(), batch.tickers()));
        let instruments = |batch: &Batch| format!("{:?}", batch.universe().iter().collect::<Vec<_>>());
        assert_eq!(instruments(decoded), instruments(batch));
    }

    #[test]
    fn batches_are_decoded_as_they_were_encoded_with_their_instruments() {
        let first = Arc::new(fixtures::universe());
        let listed = fixtures::universe().iter().next().cloned().unwrap();
        let bare = Instrument {
            symbol: "NEW".parse().unwrap(),
            name: None,
            exchange: None,
            previous_close: None,
            bars: BarOrigin::Source,
            daily_bars: BarOrigin::Source,
            hours: MarketHours::Exchange,
            tape: Tape::NONE,
            ..listed
        };
        let second = Arc::new(first.with(vec![bare]));
        let (mut encoder, mut decoder) = (BatchEncoder::default(), BatchDecoder::default());
        let mut lengths = Vec::new();

        for (number, universe) in [(7, &first), (8, &first), (9, &second), (10, &second)] {
            let batch = batch(number, universe);
            let mut out = Vec::new();
            encoder.encode(&mut out, &batch);
            assert_equal(&decoder.decode(&out).unwrap(), &batch);
            lengths.push(out.len());
        }

        assert!(lengths[1] < lengths[0] && lengths[3] < lengths[2], "instruments go once: {lengths:?}");
        assert!(Arc::ptr_eq(decoder.universe(), decoder.clone().universe()));
    }

    #[test]
    fn a_batch_whose_instruments_were_left_out_is_refused() {
        let universe = Arc::new(fixtures::universe());
        let mut encoder = BatchEncoder::default();
        encoder.encode(&mut Vec::new(), &batch(1, &universe));
        let mut out = Vec::new();
        encoder.encode(&mut out, &batch(2, &universe));

        assert!(BatchDecoder::default().decode(&out).is_err());
    }

    #[test]
    fn bytes_that_are_cut_or_longer_are_refused() {
        let mut out = Vec::new();
        BatchEncoder::default().encode(&mut out, &batch(1, &Arc::new(fixtures::universe())));

        for cut in 0..out.len() {
            assert!(BatchDecoder::default().decode(&out[..cut]).is_err(), "{cut}");
        }
        out.push(0);
        assert!(BatchDecoder::default().decode(&out).is_err());
    }
}
