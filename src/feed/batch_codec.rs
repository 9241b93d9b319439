use std::sync::Arc;

use super::Batch;
use crate::model::{
    BarOrigin, Body, Instrument, MarketHours, Object, Price, Seq, Symbol, SymbolId, Tape, Timestamp, Topic,
    TopicKind, TopicTable, Universe, UniverseSize,
};
use crate::wire::varint::{push_i64, push_u64, take, take_i64, take_u64};
use crate::wire::{InvalidRow, TopicMessage, take_row, write_row};

/// Encodes batches for a reader that decodes all of them, in order: the journal, or another node.
///
/// The form: the number of the batch, its watermark, the instruments that the reader does not know yet, the number of
/// events and of tickers, and a row for each object (`wire/binary_row.rs`). So an instrument goes with the batch that first
/// needs it, and nothing is lost: numbers, order, and the border between two batches.
///
/// Behind that are the topics that the reader does not know yet, and the messages, if there are any: a batch without has
/// the bytes that it had before there were topics.
#[derive(Clone, Debug, Default)]
pub struct BatchEncoder {
    /// What the reader knows.
    known: UniverseSize,
}

impl BatchEncoder {
    /// An encoder for a reader that knows the first instruments and topics already.
    pub const fn knowing(known: UniverseSize) -> Self {
        Self { known }
    }

    /// Appends a batch.
    pub fn encode(&mut self, out: &mut Vec<u8>, batch: &Batch) {
        let messages: Vec<_> = batch.messages().collect();
        let rows = ObjectRows { events: batch.events(), tickers: batch.tickers(), messages: &messages };
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
        messages: impl Iterator<Item = (&'a Object, &'a Arc<TopicMessage>)>,
    ) {
        let (events, messages): (Vec<_>, Vec<_>) = (objects.copied().collect(), messages.collect());
        let rows = ObjectRows { events: &events, tickers: &[], messages: &messages };
        self.encode_rows(out, number, watermark, universe, rows);
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
        let UniverseSize { instruments: known, topics: known_topics } = self.known;
        push_u64(out, known as u64);
        push_u64(out, universe.len().saturating_sub(known) as u64);
        universe.iter().skip(known).for_each(|instrument| push_instrument(out, instrument));
        push_u64(out, rows.events.len() as u64);
        push_u64(out, rows.tickers.len() as u64);
        for object in rows.events.iter().chain(rows.tickers) {
            write_row(out, object, watermark);
        }
        let fresh = universe.topics().len().saturating_sub(known_topics);
        if fresh > 0 || !rows.messages.is_empty() {
            push_u64(out, known_topics as u64);
            push_u64(out, fresh as u64);
            universe.topics().iter_from(known_topics).for_each(|topic| push_topic(out, topic));
            push_u64(out, rows.messages.len() as u64);
            rows.messages.iter().for_each(|(object, message)| push_message(out, object, message, watermark));
        }
        let topics = known_topics.max(universe.topics().len());
        self.known = UniverseSize { instruments: known.max(universe.len()), topics };
    }
}

/// A message of a topic and its content.
type MessageRef<'a> = (&'a Object, &'a Arc<TopicMessage>);

struct ObjectRows<'a> {
    events: &'a [Object],
    tickers: &'a [Object],
    messages: &'a [MessageRef<'a>],
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
        let (messages, contents) = self.take_messages(bytes, watermark)?;
        if !bytes.is_empty() {
            return Err(InvalidRow);
        }
        let batch = Batch::new(Arc::clone(&self.universe), watermark, events, tickers);
        Ok(batch.with_messages(messages, contents).numbered(number))
    }

    /// Takes the new topics and the messages, if there are any.
    fn take_messages(
        &mut self,
        bytes: &mut &[u8],
        watermark: Timestamp,
    ) -> Result<(Vec<Object>, Vec<Arc<TopicMessage>>), InvalidRow> {
        if bytes.is_empty() {
            return Ok(Default::default());
        }
        let known = take_u64(bytes)?;
        if known != self.universe.topics().len() as u64 {
            return Err(InvalidRow);
        }
        let added = take_u64(bytes)?;
        if added > 0 {
            let topics = (0..added).map(|_| take_topic(bytes)).collect::<Result<Vec<_>, _>>()?;
            let universe = self.universe.with_topics(topics);
            if universe.topics().len() as u64 != known + added {
                return Err(InvalidRow);
            }
            self.universe = Arc::new(universe);
        }
        let count = take_u64(bytes)?;
        let messages = (0..count).map(|_| take_message(bytes, self.universe.topics(), watermark));
        Ok(messages.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    push_u64(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, InvalidRow> {
    let length = take_u64(bytes)?.try_into().map_err(|_| InvalidRow)?;
    str::from_utf8(take(bytes, length)?).map_err(|_| InvalidRow)
}

fn push_topic(out: &mut Vec<u8>, topic: &Topic) {
    push_text(out, topic.name.as_str());
    out.push(match topic.kind {
        TopicKind::Log => LOG,
        TopicKind::State => STATE,
    });
}

const LOG: u8 = b'l';
const STATE: u8 = b's';

fn take_topic(bytes: &mut &[u8]) -> Result<(Symbol, TopicKind), InvalidRow> {
    let name = take_text(bytes)?.parse().map_err(|_| InvalidRow)?;
    match take(bytes, 1)?[0] {
        LOG => Ok((name, TopicKind::Log)),
        STATE => Ok((name, TopicKind::State)),
        _ => Err(InvalidRow),
    }
}

const HAS_DATA: u8 = 1;
const HAS_PUBLISHER: u8 = 2;
/// An older reader refuses it, so it is set where there is a key alone.
const HAS_KEY: u8 = 4;

fn push_message(out: &mut Vec<u8>, object: &Object, message: &TopicMessage, watermark: Timestamp) {
    push_u64(out, object.body.symbol().0.into());
    push_u64(out, object.seq.0);
    let at = match object.body {
        Body::Message(head) | Body::State(head) => head.at,
        _ => watermark,
    };
    push_i64(out, at.nanos().wrapping_sub(watermark.nanos()));
    push_content(out, message);
}

/// Appends the content of a message of a topic, in the form that a batch has.
pub fn push_content(out: &mut Vec<u8>, message: &TopicMessage) {
    let flags = [
        (message.data().is_some(), HAS_DATA),
        (message.by().is_some(), HAS_PUBLISHER),
        (message.idempotency_key().is_some(), HAS_KEY),
    ];
    out.push(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum());
    match message.data() {
        Some(data) => push_text(out, data),
        None => push_u64(out, message.deletes().unwrap_or_default().0),
    }
    for text in [message.by(), message.idempotency_key()].into_iter().flatten() {
        push_text(out, text);
    }
}

fn take_message(
    bytes: &mut &[u8],
    topics: &TopicTable,
    watermark: Timestamp,
) -> Result<(Object, Arc<TopicMessage>), InvalidRow> {
    let id = usize::try_from(take_u64(bytes)?).map_err(|_| InvalidRow)?;
    let topic = topics.get(id).ok_or(InvalidRow)?;
    let seq = Seq(take_u64(bytes)?);
    let at = Timestamp::from_nanos(watermark.nanos().wrapping_add(take_i64(bytes)?));
    let message = take_content(bytes)?;
    Ok((Object { seq, body: topic.message(at) }, Arc::new(message)))
}

/// Takes what [`push_content`] has appended.
///
/// # Errors
/// When the bytes are no content.
pub fn take_content(bytes: &mut &[u8]) -> Result<TopicMessage, InvalidRow> {
    let flags = take(bytes, 1)?[0];
    if flags & !(HAS_DATA | HAS_PUBLISHER | HAS_KEY) != 0 {
        return Err(InvalidRow);
    }
    let message = match flags & HAS_DATA {
        0 => TopicMessage::deleting(Seq(take_u64(bytes)?), None),
        _ => TopicMessage::from_json(take_text(bytes)?).map_err(|_| InvalidRow)?,
    };
    let message = match flags & HAS_PUBLISHER {
        0 => message,
        _ => message.published_by(take_text(bytes)?),
    };
    Ok(match flags & HAS_KEY {
        0 => message,
        _ => message.with_idempotency_key(take_text(bytes)?),
    })
}

fn push_instrument(out: &mut Vec<u8>, instrument: &Instrument) {
    let mut text = |text: &str| push_text(out, text);
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
    let text = take_text;
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

    /// A batch with messages of both kinds: with and without a publisher, and one that takes back another.
    fn batch_of_messages(number: u64, universe: &Universe) -> Batch {
        let data = serde_json::json!({"text": "h\"i", "n": [1, 2.5, null]});
        let messages = [
            (fixtures::chat_message(7), TopicMessage::new(&data, Some("anna"))),
            (fixtures::weather_message(1), TopicMessage::new(&serde_json::json!("rain"), None)),
            (fixtures::chat_message(8), TopicMessage::deleting(Seq(7), Some("mod"))),
            (fixtures::chat_message(9), TopicMessage::new(&data, None).with_idempotency_key("k")),
        ];
        let (objects, contents) =
            messages.map(|(object, message)| (object, Arc::new(message))).into_iter().unzip();
        batch(number, &Arc::new(universe.clone())).with_messages(objects, contents)
    }

    #[test]
    fn messages_are_decoded_as_they_were_encoded_with_their_topics() {
        let topics = fixtures::topics();
        let (mut encoder, mut decoder) = (BatchEncoder::default(), BatchDecoder::default());
        let mut lengths = Vec::new();

        for batch in [
            batch(1, &Arc::new(fixtures::universe())),
            batch_of_messages(2, &topics),
            batch_of_messages(3, &topics),
            batch(4, &Arc::new(topics)),
        ] {
            let mut out = Vec::new();
            encoder.encode(&mut out, &batch);
            let decoded = decoder.decode(&out).unwrap();
            assert_equal(&decoded, &batch);
            assert!(decoded.messages().eq(batch.messages()));
            assert!(decoded.universe().topics().iter().eq(batch.universe().topics().iter()));
            lengths.push(out.len());
        }

        assert!(lengths[2] < lengths[1], "topics go once: {lengths:?}");
    }

    #[test]
    fn a_batch_of_messages_that_is_cut_or_whose_topics_were_left_out_is_refused() {
        let mut encoder = BatchEncoder::default();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        encoder.encode(&mut first, &batch_of_messages(1, &fixtures::topics()));
        encoder.encode(&mut second, &batch_of_messages(2, &fixtures::topics()));
        let mut market = Vec::new();
        BatchEncoder::default().encode(&mut market, &batch(1, &Arc::new(fixtures::universe())));

        let mut decoder = BatchDecoder::knowing(Arc::new(fixtures::universe()));
        assert!(decoder.decode(&second).is_err());
        for cut in market.len() + 1..first.len() {
            assert!(BatchDecoder::default().decode(&first[..cut]).is_err(), "{cut}");
        }
    }
}
