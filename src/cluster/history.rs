use bytes::Bytes;

use super::message::{BarHistory, NodeMessage, parts};
use crate::archive::{Archive, OpenBars, Order, Query, Timeframe, Unit};
use crate::model::{Bar, SymbolId, Timestamp};

/// The most minutes of all instruments together that a node is sent: 60 MB at 30 bytes each.
const MAX_MINUTES: usize = 2_000_000;

/// The retained bars of an instrument among this number of them.
pub(super) fn retained(archive: &Archive, symbol: SymbolId, instruments: usize) -> BarHistory {
    let most = (MAX_MINUTES / instruments.max(1)).clamp(60, Bar::MOST_MINUTES);
    let newest = |unit, limit| {
        let timeframe = Timeframe::new(1, unit).expect("a bar of one unit is allowed");
        let (from, to) = (Timestamp::from_nanos(0), Timestamp::from_nanos(i64::MAX - 1));
        let query = Query { from, to, order: Order::NewestFirst, after: None, limit };
        let mut bars = archive.bars(symbol, timeframe, OpenBars::Excluded, &query);
        bars.reverse();
        bars
    };
    BarHistory { days: newest(Unit::Day, Bar::MOST_DAYS), minutes: newest(Unit::Minute, most) }
}

/// The messages that carry a history.
pub(super) fn messages(request: u64, history: &BarHistory) -> impl Iterator<Item = Bytes> + use<> {
    parts(&history.to_bytes()).map(move |part| NodeMessage::HistoryPart(request, part).to_bytes())
}
