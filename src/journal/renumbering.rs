use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::feed::LastValues;
use crate::model::{Body, Object, Seq, StreamId, Timestamp, TradingDay};

/// Continues the numbers of streams where a journal does not: after a jump and after a hole.
///
/// The first object of each stream gets the number after the last one that was published, and all that follow it
/// keep their distance from it.
#[derive(Debug, Default)]
pub(super) struct Renumbering {
    /// What is added to the recorded numbers, wrapping.
    offsets: HashMap<StreamId, u64>,
}

impl Renumbering {
    /// The object with its number after what was published.
    pub(super) fn apply(&mut self, object: Object, published: &LastValues) -> Object {
        let stream = object.stream();
        let offset = match self.offsets.entry(stream) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(published.seq(stream).next().0.wrapping_sub(object.seq.0)),
        };
        Object { seq: Seq(object.seq.0.wrapping_add(offset)), ..object }
    }
}

/// The object moved in time. The bar of a day is that of the day of `newest`, the moved watermark of its batch.
pub(super) fn moved(object: Object, nanos: i64, newest: Timestamp) -> Object {
    if nanos == 0 {
        return object;
    }
    let mut body = object.body;
    let time = match &mut body {
        Body::Trade(trade) => &mut trade.at,
        Body::Quote(quote) => &mut quote.at,
        Body::Status(status) => &mut status.at,
        Body::Luld(luld) => &mut luld.at,
        Body::Correction(correction) => &mut correction.at,
        Body::Cancel(cancel) => &mut cancel.at,
        Body::Bar(bar) | Body::UpdatedBar(bar) => &mut bar.start,
        Body::Ticker(ticker) => &mut ticker.at,
        Body::DailyBar(bar) => {
            bar.start = TradingDay::of(newest).start;
            return Object { body, ..object };
        }
    };
    *time = Timestamp::from_nanos(time.nanos().saturating_add(nanos));
    Object { body, ..object }
}
