//! What is retained of what has happened, for those who ask later: REST, and sessions that resume.
//!
//! One thread writes, the tape's; every worker reads. The writer lays what it records on a pile, which
//! is put in order when the tick has left, some hundred objects at a time, or by the first reader who
//! comes: an object's place is in cache lines that are cold, and no tick waits for these. A reader
//! copies at most a few hundred rows before it lets others pass, and whatever takes longer, above all
//! encoding, happens on the copies. The writer waits for nobody: no load of readers delays a tick.

mod bar_ring;
mod bar_row;
mod instrument;
mod query;
mod read;
mod retention;
mod ring;
mod span;
mod timeframe;

use std::mem;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::instrument::InstrumentArchive;
use self::ring::{Dated, Ring};
use crate::model::{Bar, Body, Channel, Object, Seq, StreamId, SymbolId};

pub use self::query::{Order, Place, Query};
pub use self::read::Summary;
pub use self::retention::Retention;
pub use self::ring::Numbered;
pub use self::span::Span;
pub use self::timeframe::{Timeframe, Unit};

/// The newest trades, quotes and bars of each instrument.
#[derive(Debug)]
pub struct Archive {
    /// What is not in its place yet, in order. Locked for no longer than it takes to copy it, and by
    /// who puts it in order only when the shelves are its own.
    pile: Mutex<Vec<Object>>,
    shelves: RwLock<Shelves>,
}

#[derive(Debug)]
struct Shelves {
    histories: Vec<InstrumentArchive>,
    /// Room for the next pile.
    spare: Vec<Object>,
}

/// What is retained of one instrument, for as long as nothing is added.
struct Reading<'a> {
    shelves: RwLockReadGuard<'a, Shelves>,
    symbol: SymbolId,
}

/// How many rows a reader copies before it lets others pass: some microseconds' worth.
const ROWS_AT_ONCE: usize = 256;

/// The writer puts a pile of so many objects in order: some 30 µs' worth.
const HIGH_PILE: usize = 128;

impl Archive {
    /// An empty archive of so many instruments. Takes memory only as rows come.
    pub fn new(symbols: usize, retention: Retention) -> Self {
        let depth = retention.depth(symbols);
        let histories = (0..symbols).map(|_| InstrumentArchive::new(&depth)).collect();
        let shelves = Shelves { histories, spare: Vec::new() };
        Self { pile: Mutex::default(), shelves: RwLock::new(shelves) }
    }

    /// Takes in the past of an instrument, before anything is recorded of it: complete days before
    /// today, today's complete minutes, and the newest seconds, those of the current minute included.
    /// All other bars, today's own too, are put together from these.
    pub fn seed(&self, symbol: SymbolId, days: &[Bar], minutes: &[Bar], seconds: &[Bar]) {
        let shelves = &mut *self.shelves.write().expect(NO_PANIC);
        shelves.histories[symbol.index()].seed(days, minutes, seconds);
    }

    /// Takes in objects that are about to be published: who reads from now on finds them. Only one thread
    /// may do so, in order.
    pub fn record(&self, objects: &[Object]) {
        self.pile().extend_from_slice(objects);
    }

    /// Puts in order what was recorded, if it is enough to be worth it and nobody reads just now. Call it
    /// when there is time.
    pub fn settle(&self) {
        if self.pile().len() >= HIGH_PILE
            && let Ok(mut shelves) = self.shelves.try_write()
        {
            shelves.put_in_order(&self.pile);
        }
    }

    /// The retained objects of a stream that come after one number, up to and with another, without
    /// a hole. They begin later than asked where older ones are gone; only trades and quotes are
    /// retained, other streams have none.
    pub fn since(&self, stream: StreamId, after: Seq, up_to: Seq) -> Vec<Object> {
        fn objects<T>(rows: Vec<Numbered<T>>, body: fn(T) -> Body) -> Vec<Object> {
            rows.into_iter().map(|row| Object { seq: row.seq, body: body(row.value) }).collect()
        }
        let symbol = stream.symbol();
        match stream.channel() {
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
        ring: impl Fn(&InstrumentArchive) -> &Ring<T>,
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

    /// What is retained of an instrument, with everything that was recorded before.
    fn history(&self, symbol: SymbolId) -> Reading<'_> {
        let shelves = self.shelves.read().expect(NO_PANIC);
        if self.pile().is_empty() && !shelves.histories[symbol.index()].is_unfolded() {
            return Reading { shelves, symbol };
        }
        drop(shelves);
        let mut shelves = self.shelves.write().expect(NO_PANIC);
        shelves.put_in_order(&self.pile);
        shelves.histories[symbol.index()].fold();
        Reading { shelves: RwLockWriteGuard::downgrade(shelves), symbol }
    }

    fn pile(&self) -> MutexGuard<'_, Vec<Object>> {
        self.pile.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "nobody panics with this lock";

impl Shelves {
    /// Puts everything in its place. The pile is taken when the shelves are ours, so that whoever has
    /// them next takes what came later.
    fn put_in_order(&mut self, pile: &Mutex<Vec<Object>>) {
        mem::swap(&mut self.spare, &mut *pile.lock().expect(NO_PANIC));
        for Object { seq, body } in &self.spare {
            match body {
                Body::Trade(trade) => self.histories[trade.symbol.index()].trade(*seq, trade),
                Body::Quote(quote) => self.histories[quote.symbol.index()].quotes.push(*seq, *quote),
                _ => {}
            }
        }
        self.spare.clear();
        self.spare.shrink_to(2 * HIGH_PILE);
    }
}

impl Deref for Reading<'_> {
    type Target = InstrumentArchive;

    fn deref(&self) -> &InstrumentArchive {
        &self.shelves.histories[self.symbol.index()]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;
    use crate::wire::fixtures;

    fn trades() -> StreamId {
        StreamId::new(Channel::Trades, SymbolId(0))
    }

    fn numbered(object: Object, seq: u64) -> Object {
        Object { seq: Seq(seq), ..object }
    }

    fn archive_of(trades: u64, retention: Retention) -> Archive {
        let archive = Archive::new(2, retention);
        for seq in 1..=trades {
            archive.record(&[numbered(fixtures::trade(), seq), numbered(fixtures::quote(), seq)]);
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
    fn whoever_reads_while_another_records_finds_all_that_was_recorded() {
        const TRADES: u64 = 20_000;
        let archive = Archive::new(1, Retention { trades: TRADES as usize, ..Retention::default() });
        let recorded = AtomicU64::new(0);
        let read = || {
            let known = recorded.load(Ordering::Acquire);
            let found = archive.since(trades(), Seq(known.saturating_sub(3)), Seq(known));
            let expected = (known.saturating_sub(3) + 1..=known).collect::<Vec<_>>();
            assert_eq!(seqs(&found), expected);
            known
        };
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| while read() < TRADES {});
            }
            for seq in 1..=TRADES {
                archive.record(&[numbered(fixtures::trade(), seq)]);
                recorded.store(seq, Ordering::Release);
                archive.settle();
            }
        });
    }

    #[test]
    fn what_nobody_reads_is_put_in_order_all_the_same() {
        let archive = archive_of(9 * HIGH_PILE as u64, Retention::default());

        archive.settle();

        assert!(archive.pile().is_empty());
        let newest = archive.shelves.read().unwrap().histories[0].trades.newest();
        assert_eq!(newest, archive.latest_trade(SymbolId(0)));
    }

    #[test]
    fn only_trades_and_quotes_are_retained_one_by_one() {
        let archive = archive_of(3, Retention::default());
        let of = |channel| archive.since(StreamId::new(channel, trades().symbol()), Seq(0), Seq(9)).len();

        assert_eq!(Channel::ALL.map(of), [3, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
