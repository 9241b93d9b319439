use crate::model::{Body, Object, Timestamp, TradingDay};

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
        Body::Message(head) | Body::State(head) => &mut head.at,
        Body::DailyBar(bar) => {
            bar.start = TradingDay::of(newest).start;
            return Object { body, ..object };
        }
    };
    *time = Timestamp::from_nanos(time.nanos().saturating_add(nanos));
    Object { body, ..object }
}
