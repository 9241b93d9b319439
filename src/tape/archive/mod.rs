//! What is retained of what has happened, for those who ask later: REST, and sessions that resume.
//!
//! One thread writes, the tape's; every worker reads. Each instrument has a lock of its own, under
//! which a reader copies at most a few hundred rows before it lets the writer pass. Whatever takes
//! longer, above all encoding, happens on the copies: no load of readers delays a tick.

mod bar_ring;
mod bar_row;
mod history;
mod query;
mod read;
mod retention;
mod ring;
mod span;
mod timeframe;

use std::sync::{Mutex, MutexGuard};

use self::history::History;
use self::ring::{Dated, Ring};
use crate::model::{Bar, Body, Channel, Object, Seq, Stream, SymbolId};

pub use self::query::{Order, Place, Query};
pub use self::read::Summary;
pub use self::retention::Retention;
pub use self::ring::Numbered;
pub use self::span::Span;
pub use self::timeframe::{Timeframe, Unit};

/// The newest trades, quotes and bars of each instrument.
#[derive(Debug)]
pub struct Archive {
    histories: Vec<Mutex<History>>,
}

/// How many rows a reader copies before it lets the writer pass: some microseconds' worth.
const ROWS_AT_ONCE: usize = 256;

impl Archive {
    /// An empty archive of so many instruments. Takes memory only as rows come.
    pub fn new(symbols: usize, retention: Retention) -> Self {
        let depth = retention.depth(symbols);
        Self { histories: (0..symbols).map(|_| Mutex::new(History::new(&depth))).collect() }
    }

    /// Takes in the past of an instrument, before anything is recorded of it: complete days before
    /// today, today's complete minutes, and the newest seconds, those of the current minute included.
    /// All other bars, today's own too, are put together from these.
    pub fn seed(&self, symbol: SymbolId, days: &[Bar], minutes: &[Bar], seconds: &[Bar]) {
        self.history(symbol).seed(days, minutes, seconds);
    }

    /// Takes in an object that is about to be published. Only one thread may do so, in order.
    pub fn record(&self, object: &Object) {
        match &object.body {
            Body::Trade(trade) => self.history(trade.symbol).trade(object.seq, trade),
            Body::Quote(quote) => self.history(quote.symbol).quotes.push(object.seq, *quote),
            _ => {}
        }
    }

    /// The retained objects of a stream that come after one number, up to and with another, without
    /// a hole. They begin later than asked where older ones are gone; only trades and quotes are
    /// retained, other streams have none.
    pub fn since(&self, stream: Stream, after: Seq, up_to: Seq) -> Vec<Object> {
        fn objects<T>(rows: Vec<Numbered<T>>, body: fn(T) -> Body) -> Vec<Object> {
            rows.into_iter().map(|row| Object { seq: row.seq, body: body(row.value) }).collect()
        }
        let symbol = stream.symbol;
        match stream.channel {
            Channel::Trades => objects(self.rows(symbol, after, up_to, |kept| &kept.trades), Body::Trade),
            Channel::Quotes => objects(self.rows(symbol, after, up_to, |kept| &kept.quotes), Body::Quote),
            _ => Vec::new(),
        }
    }

    /// Copies consecutive rows of a ring, chunk by chunk.
    fn rows<T: Dated>(
        &self,
        symbol: SymbolId,
        after: Seq,
        up_to: Seq,
        ring: impl Fn(&History) -> &Ring<T>,
    ) -> Vec<Numbered<T>> {
        let mut rows: Vec<Numbered<T>> = Vec::new();
        let mut after = after;
        loop {
            rows.reserve(ROWS_AT_ONCE);
            let known = rows.len();
            ring(&self.history(symbol)).copy(after, up_to, ROWS_AT_ONCE, &mut rows);
            let Some(last) = rows[known..].last() else { return rows };
            let next = last.seq;
            if known > 0 && rows[known].seq != after.next() {
                // The writer overtook us: what was copied so far is no longer connected.
                rows.drain(..known);
            }
            after = next;
        }
    }

    fn history(&self, symbol: SymbolId) -> MutexGuard<'_, History> {
        self.histories[symbol.index()].lock().expect("nobody panics with this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn trades() -> Stream {
        Stream { channel: Channel::Trades, symbol: SymbolId(0) }
    }

    fn numbered(object: Object, seq: u64) -> Object {
        Object { seq: Seq(seq), ..object }
    }

    fn archive_of(trades: u64, retention: Retention) -> Archive {
        let archive = Archive::new(2, retention);
        for seq in 1..=trades {
            archive.record(&numbered(fixtures::trade(), seq));
            archive.record(&numbered(fixtures::quote(), seq));
        }
        archive
    }

    fn seqs(objects: &[Object]) -> Vec<u64> {
        objects.iter().map(|object| object.seq.0).collect()
    }

    #[test]
    fn what_came_after_a_number_is_given_up_to_another() {
        let archive = archive_of(9, Retention::default());

        let objects = archive.since(trades(), Seq(3), Seq(6));

        assert_eq!(objects[0], numbered(fixtures::trade(), 4));
        assert_eq!(seqs(&objects), [4, 5, 6]);
        assert_eq!(archive.since(trades(), Seq(9), Seq(9)), []);
        assert_eq!(archive.since(trades(), Seq(9), Seq(100)), []);
    }

    #[test]
    fn what_is_gone_is_missing_at_the_beginning_only() {
        let archive = archive_of(2_000, Retention { trades: 700, ..Retention::default() });

        let objects = archive.since(trades(), Seq(3), Seq(2_000));

        assert_eq!(seqs(&objects), (1_301..=2_000).collect::<Vec<_>>());
    }

    #[test]
    fn only_trades_and_quotes_are_retained_one_by_one() {
        let archive = archive_of(3, Retention::default());
        let of = |channel| archive.since(Stream { channel, ..trades() }, Seq(0), Seq(9)).len();

        assert_eq!(Channel::ALL.map(of), [3, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
