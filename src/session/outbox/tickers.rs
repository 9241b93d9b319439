//! The form in which a client gets tickers: all of their fields, those that it selected, or those that changed.

use rustc_hash::FxHashSet;

use super::entry::append_with;
use super::{Outbox, Pacing};
use crate::hub::EncodedLastValues;
use crate::model::{Channel, Seq, StreamId, SymbolId};
use crate::wire::{DeliveryKind, NumberedTicker, TickerFields, TickerPart};

/// The form in which a client asked for tickers, with `fields` and `delta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickerForm {
    /// The fields that it selected.
    pub fields: TickerFields,
    /// What of them is sent.
    pub extent: TickerExtent,
}

/// Which of the selected fields of a ticker are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TickerExtent {
    /// All of them, each time.
    #[default]
    Whole,
    /// All of them once, then those that changed.
    Changes,
}

impl Default for TickerForm {
    fn default() -> Self {
        Self { fields: TickerFields::ALL, extent: TickerExtent::Whole }
    }
}

/// Decides which part of each ticker a client gets.
///
/// The object that the client was sent before needs no memory: its number follows from that of the next one and the number
/// of objects that this one replaces, as it does for the client. What is kept is of which tickers it has a whole object.
#[derive(Debug)]
pub(super) struct TickerParts {
    form: TickerForm,
    /// The tickers of which the client has a whole object, and all changes since.
    known: FxHashSet<SymbolId>,
}

impl TickerParts {
    /// The part of the next object of a stream, which replaces this number of older ones.
    fn next(
        &mut self,
        last_values: &EncodedLastValues,
        stream: StreamId,
        seq: Seq,
        replaced: u64,
    ) -> TickerPart {
        if self.form.extent == TickerExtent::Whole {
            return TickerPart::of(self.form.fields);
        }
        let before = Seq(seq.0.saturating_sub(replaced + 1));
        let changed = last_values.changed_fields(stream, before, seq);
        let is_known = !self.known.insert(stream.symbol());
        match changed.filter(|_| is_known) {
            Some(changed) => TickerPart::of(changed.within(self.form.fields)),
            None => TickerPart::full(self.form.fields),
        }
    }

    /// The part of an object with which a stream begins, or begins anew.
    fn first(&mut self, last_values: &EncodedLastValues, ticker: NumberedTicker<'_>) -> TickerPart {
        let stream = stream_of(ticker);
        self.known.remove(&stream.symbol());
        self.next(last_values, stream, ticker.seq, 0)
    }

    /// The fields of objects that are the same for every client of this form; `None` if that depends on what it had.
    pub(super) fn shared_fields(&self) -> Option<TickerFields> {
        (self.form.extent == TickerExtent::Whole).then_some(self.form.fields)
    }

    /// Forgets the streams that are no longer wanted.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(StreamId) -> bool) {
        self.known.retain(|symbol| is_wanted(StreamId::new(Channel::Tickers, *symbol)));
    }
}

impl Outbox {
    /// Changes the form of tickers. The next object of each is whole.
    pub fn set_ticker_form(&mut self, form: TickerForm) {
        let is_plain = form == TickerForm::default();
        self.tickers = (!is_plain).then(|| Box::new(TickerParts { form, known: FxHashSet::default() }));
    }

    /// The form of tickers.
    pub fn ticker_form(&self) -> TickerForm {
        self.tickers.as_ref().map(|tickers| tickers.form).unwrap_or_default()
    }

    /// Forgets what the client has of tickers: the next object of each is whole. What is to be looked up leaves behind all
    /// that is queued, so that the whole objects do too.
    pub fn forget_tickers(&mut self) {
        if let Some(tickers) = &mut self.tickers {
            tickers.known.clear();
            self.defer_lookups();
        }
    }

    /// The part of the newest object of a stream that the client gets; `None` if it gets all of it as every client does.
    pub(super) fn part_of_newest(
        &mut self,
        last_values: &EncodedLastValues,
        stream: StreamId,
        replaced: u64,
    ) -> Option<TickerPart> {
        let tickers = self.tickers.as_mut().filter(|_| stream.channel() == Channel::Tickers)?;
        Some(tickers.next(last_values, stream, last_values.seq(stream), replaced))
    }

    /// The part of an object of an answer, with the object; `None` if the client gets all of it as every client does.
    pub(super) fn part_of_answer<'a>(
        &mut self,
        last_values: &EncodedLastValues,
        ticker: Option<NumberedTicker<'a>>,
    ) -> Option<(NumberedTicker<'a>, TickerPart)> {
        let (tickers, ticker) = (self.tickers.as_mut()?, ticker?);
        Some((ticker, tickers.first(last_values, ticker)))
    }

    /// Queues a part of the next object of a stream.
    pub(super) fn append_ticker(&mut self, last_values: &EncodedLastValues, ticker: NumberedTicker<'_>) {
        let Self { codec, limits, .. } = *self;
        let Some(tickers) = &mut self.tickers else { return };
        let part = tickers.next(last_values, stream_of(ticker), ticker.seq, 0);
        let queue = match self.pacing {
            Pacing::Immediate => &mut self.queue,
            Pacing::Interval => &mut self.beside.get_or_insert_default().held,
        };
        let size = append_with(queue, codec, limits, 0, |out| {
            last_values.write_ticker(out, codec, ticker, DeliveryKind::Live, part);
        });
        self.bytes += size;
        if self.pacing == Pacing::Interval {
            self.held_bytes += size;
        }
    }
}

fn stream_of(NumberedTicker { ticker, .. }: NumberedTicker<'_>) -> StreamId {
    StreamId::new(Channel::Tickers, ticker.symbol)
}
