//! The archive: the retained trades, quotes and bars of each instrument, and the messages of topics, for REST and for
//! sessions that resume.
//!
//! One writer, many readers. Writes append to a pending buffer that is applied in batches after the tick is sent, or by
//! the first reader that needs it: the tables of an instrument are in cold cache lines, and a tick does not wait for
//! these. A reader copies at most a few hundred rows before it releases the lock, and does all longer work, above all
//! encoding, on the copies. The writer never waits for a reader that holds the tables, so no load of readers delays a
//! tick.

mod bar_query;
mod bar_ring;
mod bar_row;
mod earlier_bars;
mod instrument;
mod packed_bars;
mod query;
mod read;
mod retention;
mod ring;
mod span;
mod timeframe;
mod topic_history;

use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustc_hash::FxHashSet;

use self::instrument::InstrumentArchive;
use self::topic_history::TopicHistory;
use crate::model::{
    Bar, BarOrigin, Body, Channel, CurrentTradeRules, Instrument, Object, Seq, StreamId, SymbolId, Timestamp,
    TradeRules, Universe,
};
use crate::topics::Namespaces;
use crate::wire::TopicMessage;

pub use self::earlier_bars::{EarlierBars, LatestBars};
pub use self::query::{OpenBars, Order, Place, Query};
pub use self::read::Summary;
pub use self::retention::Retention;
pub use self::ring::Numbered;
pub use self::span::Span;
pub use self::timeframe::{Timeframe, Unit};
pub use self::topic_history::{MessageState, RetainedObject};

/// The most recent trades, quotes and bars of each instrument.
pub struct Archive {
    /// The records that are not in the tables yet, in order. It is locked for no longer than a copy takes. A thread that
    /// locks both locks the tables first.
    pending: Mutex<Vec<Object>>,
    tables: RwLock<Tables>,
    /// Nanoseconds since 1970; see [`Self::advance`].
    watermark: AtomicI64,
    /// Those of the tables.
    rules: CurrentTradeRules,
    earlier: OnceLock<Box<dyn EarlierBars>>,
    history_revision: AtomicU64,
    topics: Mutex<TopicHistory>,
    /// How much of each topic is retained.
    namespaces: OnceLock<Arc<Namespaces>>,
}

#[derive(Debug)]
struct Tables {
    instruments: Vec<InstrumentArchive>,
    /// The instruments of which it is known where their bars come from.
    listed: Arc<Universe>,
    retention: Retention,
    rules: TradeRules,
    /// Where the minutes of instruments come from that say that the source gives them.
    given_minutes: BarOrigin,
    /// The number of instruments among which the byte budget is divided.
    budgeted_symbols: usize,
    /// The empty buffer that becomes the next pending buffer.
    spare: Vec<Object>,
}

/// Read access to one instrument, under the lock of the tables.
struct InstrumentReader<'a> {
    tables: RwLockReadGuard<'a, Tables>,
    symbol: SymbolId,
}

/// The most rows that a reader copies under one lock: some microseconds.
const ROWS_PER_LOCK: usize = 256;

/// The number of pending records that the writer applies together: some 30 µs.
const APPLY_AFTER: usize = 128;

impl Archive {
    /// An empty archive of this number of instruments. It takes memory only as rows come.
    pub fn new(symbols: usize, retention: Retention) -> Self {
        let mut tables = Tables {
            instruments: Vec::new(),
            listed: Arc::default(),
            retention,
            rules: TradeRules::default(),
            given_minutes: BarOrigin::Source,
            budgeted_symbols: symbols,
            spare: Vec::new(),
        };
        tables.grow(symbols);
        Self {
            pending: Mutex::default(),
            tables: RwLock::new(tables),
            watermark: AtomicI64::new(i64::MIN),
            rules: CurrentTradeRules::default(),
            earlier: OnceLock::new(),
            history_revision: AtomicU64::new(0),
            topics: Mutex::default(),
            namespaces: OnceLock::new(),
        }
    }

    /// Takes in the history of an instrument, before anything is recorded of it: complete days before today, today's
    /// complete minutes, and the latest seconds, including those of the current minute. All other bars, today's daily
    /// bar too, are derived from these.
    pub fn seed(&self, symbol: SymbolId, days: &[Bar], minutes: &[Bar], seconds: &[Bar]) {
        let tables = &mut *self.tables.write().expect(NO_PANIC);
        tables.instruments[symbol.index()].seed(days, minutes, seconds);
    }

    /// The bars that the source gives are not of minutes: from the next universe on, minutes are folded from trades,
    /// whatever instruments say.
    pub fn fold_minutes(&self) {
        self.tables.write().expect(NO_PANIC).given_minutes = BarOrigin::Folded;
    }

    /// Which trades change which figures.
    pub fn rules(&self) -> &CurrentTradeRules {
        &self.rules
    }

    /// Sets which trades change which figures of bars, from the next trade on; by default every trade changes all.
    pub fn set_rules(&self, rules: TradeRules) {
        if self.rules.get() == rules {
            return;
        }
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.rules = rules;
        self.rules.set(rules);
        tables.instruments.iter_mut().for_each(|instrument| instrument.set_rules(rules));
    }

    /// Takes in a universe: makes room for the instruments that are new in it, and from the next object on their bars
    /// come from where they [say](crate::model::BarOrigin). What is retained of the earlier ones stays, unless the byte
    /// budget must be divided anew.
    pub fn list(&self, universe: &Arc<Universe>) {
        if self.tables.read().expect(NO_PANIC).listed.len() >= universe.len() {
            return;
        }
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.grow(universe.len());
        for instrument in universe.iter().skip(tables.listed.len()) {
            let bars = tables.minutes_of(instrument);
            let listed = Instrument { bars, ..instrument.clone() };
            tables.instruments[instrument.id.index()].set_origin(&listed);
        }
        tables.listed = Arc::clone(universe);
    }

    /// Takes in a universe of which another node folds the bars: those that are published come from there, and what was
    /// before is [added](Self::add_history). Until this node [takes over](Self::take_over).
    pub fn follow(&self, universe: &Arc<Universe>) {
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.grow(universe.len());
        for instrument in universe.iter() {
            let (bars, daily_bars) = (tables.given_minutes, BarOrigin::Source);
            let followed = Instrument { bars, daily_bars, ..instrument.clone() };
            tables.instruments[instrument.id.index()].set_origin(&followed);
        }
        tables.listed = Arc::clone(universe);
    }

    /// From the next trade on, bars come from where the instruments say. Those that are open are folded from the trades
    /// that are retained.
    pub fn take_over(&self, universe: &Arc<Universe>) {
        let watermark = self.watermark();
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.grow(universe.len());
        for instrument in universe.iter() {
            tables.instruments[instrument.id.index()].take_over(instrument, watermark);
        }
        tables.listed = Arc::clone(universe);
    }

    /// The instruments that were taken in last.
    pub fn universe(&self) -> Arc<Universe> {
        Arc::clone(&self.tables.read().expect(NO_PANIC).listed)
    }

    /// The most minutes of an instrument that are retained.
    pub fn most_minutes(&self) -> usize {
        let tables = self.tables.read().expect(NO_PANIC);
        tables.retention.depth(tables.budgeted_symbols).bars[Span::Minute.index()]
    }

    /// Tells [readers](Self::history_revision) that all history that was asked for so far is added.
    pub fn complete_history(&self) {
        self.history_revision.fetch_add(1, Ordering::Release);
    }

    /// How often [history was completed](Self::complete_history).
    pub fn history_revision(&self) -> u64 {
        self.history_revision.load(Ordering::Acquire)
    }

    /// Takes in days and minutes of an instrument, in order, of which another node has told. Those that are not before all
    /// retained ones are known already.
    pub fn add_history(&self, symbol: SymbolId, days: &[Bar], minutes: &[Bar]) {
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        if let Some(instrument) = tables.instruments.get_mut(symbol.index()) {
            instrument.add_history(symbol, days, minutes);
        }
    }

    /// Sets where the bars from before the [begin](Self::begin) come from. Only the first call has an effect.
    pub fn set_earlier(&self, earlier: Box<dyn EarlierBars>) {
        let _ = self.earlier.set(earlier);
    }

    /// The bars of an instrument begin at this time, before anything is recorded of it: these go on, and those before come
    /// from the [earlier ones](Self::set_earlier) whenever they are read, as long as nothing after them was removed.
    pub fn begin(&self, symbol: SymbolId, at: Timestamp, latest: &LatestBars) {
        self.tables.write().expect(NO_PANIC).instruments[symbol.index()].begin(at, latest);
    }

    /// Removes the bars that start after this time: the clock was set back to it, so they are of a time that has not
    /// been yet; moves the watermark there. Trades and quotes stay, with the times at which they were published. O(instruments),
    /// and the latest bars before it are made for each if the time is before the [begin](Self::begin).
    pub fn step_back(&self, to: Timestamp) {
        self.advance(to);
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        for (symbol, instrument) in (0..).map(SymbolId).zip(&mut tables.instruments) {
            instrument.step_back(to);
            if let Some(earlier) = self.earlier.get()
                && instrument.begins_after(to)
            {
                instrument.begin(to, &earlier.until(symbol, to));
            }
        }
    }

    /// Forgets the trades, quotes and messages, whose numbers begin again; their bars stay. Call it before anything of the new
    /// epoch is recorded. O(instruments).
    pub fn restart_numbers(&self) {
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.instruments.iter_mut().for_each(InstrumentArchive::restart_numbers);
        drop(tables);
        self.topics().clear();
    }

    /// Appends objects that are about to be published; every read from now on finds them. Only one thread may call this,
    /// in the order of publication.
    pub fn record(&self, objects: &[Object]) {
        self.pending().extend_from_slice(objects);
    }

    /// Records what is published up to this watermark. Where that is earlier than the last one, because a clock was set
    /// back or a replay goes on elsewhere, the archive [steps back](Self::step_back) first.
    pub fn record_until(&self, objects: &[Object], watermark: Timestamp) {
        if watermark < self.watermark() {
            self.step_back(watermark);
        }
        self.record(objects);
        self.advance(watermark);
    }

    /// Moves the watermark: all objects that were reported before this time are recorded. A bar is closed when its
    /// interval ends at the watermark or before.
    pub fn advance(&self, watermark: Timestamp) {
        // Readers that see the watermark see what was recorded before.
        self.watermark.store(watermark.nanos(), Ordering::Release);
    }

    /// The watermark.
    pub(crate) fn watermark(&self) -> Timestamp {
        Timestamp::from_nanos(self.watermark.load(Ordering::Acquire))
    }

    /// Applies the pending records if there are enough of them and no reader holds the tables. Call it when the tick has
    /// been sent.
    pub fn settle(&self) {
        if self.pending().len() >= APPLY_AFTER
            && let Ok(mut tables) = self.tables.try_write()
        {
            tables.apply_pending(&self.pending);
        }
    }

    /// The oldest retained objects of a stream with numbers from `after` (exclusive) to `up_to` (inclusive), without a
    /// hole: at most `most`, and at most 256. They start later where older ones are no longer retained. Only trades and
    /// quotes are retained one by one; other streams have none.
    pub fn since(&self, stream: StreamId, after: Seq, up_to: Seq, most: usize) -> Vec<Object> {
        fn objects<T>(rows: Vec<Numbered<T>>, body: fn(T) -> Body) -> Vec<Object> {
            rows.into_iter().map(|row| Object { seq: row.seq, body: body(row.value) }).collect()
        }
        let symbol = stream.symbol();
        let most = most.min(ROWS_PER_LOCK);
        match stream.channel() {
            Channel::Trades => {
                let mut rows = Vec::new();
                self.read(symbol).trades.copy(after, up_to, most, &mut rows);
                objects(rows, Body::Trade)
            }
            Channel::Quotes => {
                let mut rows = Vec::new();
                self.read(symbol).quotes.copy(after, up_to, most, &mut rows);
                objects(rows, Body::Quote)
            }
            _ => Vec::new(),
        }
    }

    /// The same as [`since`](Self::since) for any stream: the messages of a topic come with their contents.
    pub fn replay(&self, stream: StreamId, after: Seq, up_to: Seq, most: usize) -> Vec<RetainedObject> {
        match stream.is_of_topic() {
            true => self.topics().since(stream, after, up_to, most.min(ROWS_PER_LOCK)),
            false => self.since(stream, after, up_to, most).into_iter().map(RetainedObject::from).collect(),
        }
    }

    /// Retains messages as these namespaces say; without a call none. Only the first call has an effect.
    pub fn retain_topics(&self, namespaces: Arc<Namespaces>) {
        let _ = self.namespaces.set(namespaces);
    }

    /// Appends messages that are about to be published, as far as their topics retain any. One that takes back another one
    /// removes the content of that.
    pub fn record_messages<'a>(
        &self,
        universe: &Universe,
        messages: impl Iterator<Item = (&'a Object, &'a Arc<TopicMessage>)>,
    ) {
        let Some(namespaces) = self.namespaces.get() else { return };
        for (object, message) in messages {
            if let Some(namespace) = namespaces.of(universe.name_of(object.stream()), universe) {
                self.topics().record(*object, message, namespace.history);
            }
        }
    }

    /// What is known of the message of this number of a topic.
    pub fn message_state(&self, stream: StreamId, seq: Seq) -> MessageState {
        self.topics().state_of(stream, seq)
    }

    /// The newest retained messages of all topics, up to a number of each and up to this number of bytes, in the order of
    /// publication. The lock is held for some messages at a time.
    pub fn retained_messages(
        &self,
        up_to: impl Fn(StreamId) -> Seq,
        most_bytes: usize,
    ) -> Vec<(Object, Arc<TopicMessage>)> {
        let order = self.topics().order();
        let (mut retained, mut bytes) = (Vec::new(), 0);
        for some in order.rchunks(ROWS_PER_LOCK) {
            let topics = self.topics();
            for (stream, seq) in some.iter().rev().filter(|(stream, seq)| *seq <= up_to(*stream)) {
                let Some((object, message)) = topics.find(*stream, *seq) else { continue };
                bytes += message.bytes();
                if bytes > most_bytes {
                    retained.reverse();
                    return retained;
                }
                retained.push((object, message));
            }
        }
        retained.reverse();
        retained
    }

    /// Takes in what another node [retains](Self::retained_messages). Of a topic of which messages are missing in between,
    /// those that this archive has are forgotten.
    pub fn restore_messages(&self, universe: &Universe, messages: &[(Object, Arc<TopicMessage>)]) {
        universe.topics().iter().for_each(|topic| self.topics().has_begun(topic.stream()));
        let mut begun = FxHashSet::default();
        for (object, _) in messages.iter().filter(|(object, _)| begun.insert(object.stream())) {
            self.topics().forget_before_hole(object.stream(), object.seq);
        }
        self.record_messages(universe, messages.iter().map(|(object, message)| (object, message)));
    }

    fn topics(&self) -> MutexGuard<'_, TopicHistory> {
        self.topics.lock().expect(NO_PANIC)
    }

    /// Read access to an instrument, with all records up to now applied.
    fn read(&self, symbol: SymbolId) -> InstrumentReader<'_> {
        let tables = self.tables.read().expect(NO_PANIC);
        if self.pending().is_empty() && !tables.instruments[symbol.index()].is_unfolded() {
            return InstrumentReader { tables, symbol };
        }
        drop(tables);
        let mut tables = self.tables.write().expect(NO_PANIC);
        tables.apply_pending(&self.pending);
        tables.instruments[symbol.index()].fold();
        InstrumentReader { tables: RwLockWriteGuard::downgrade(tables), symbol }
    }

    fn pending(&self) -> MutexGuard<'_, Vec<Object>> {
        self.pending.lock().expect(NO_PANIC)
    }
}

const NO_PANIC: &str = "no thread panics while it holds this lock";

impl Tables {
    /// Moves the pending records into the tables. The buffer is taken under the write lock, so that the next thread with
    /// that lock takes later records.
    fn apply_pending(&mut self, pending: &Mutex<Vec<Object>>) {
        mem::swap(&mut self.spare, &mut *pending.lock().expect(NO_PANIC));
        for Object { seq, body } in &self.spare {
            match body {
                Body::Trade(trade) => self.instruments[trade.symbol.index()].trade(*seq, trade),
                Body::Quote(quote) => self.instruments[quote.symbol.index()].quotes.push(*seq, *quote),
                Body::Bar(bar) => self.instruments[bar.symbol.index()].minute(bar),
                Body::UpdatedBar(bar) => self.instruments[bar.symbol.index()].updated_minute(bar),
                Body::DailyBar(bar) => self.instruments[bar.symbol.index()].day(bar),
                _ => {}
            }
        }
        self.spare.clear();
        self.spare.shrink_to(2 * APPLY_AFTER);
    }

    /// Where the minutes of an instrument come from.
    fn minutes_of(&self, instrument: &Instrument) -> BarOrigin {
        match instrument.bars {
            BarOrigin::Source => self.given_minutes,
            BarOrigin::Folded => BarOrigin::Folded,
        }
    }

    /// Adds instruments up to this number.
    ///
    /// Each instrument gets an even share of the byte budget. When there are more than it was divided among, it is
    /// divided anew with an eighth to spare, so that instruments that come one by one do not shrink all tables each
    /// time.
    fn grow(&mut self, symbols: usize) {
        if symbols > self.budgeted_symbols {
            self.budgeted_symbols = symbols + symbols / 8;
            let depth = self.retention.depth(self.budgeted_symbols);
            self.instruments.iter_mut().for_each(|instrument| instrument.limit(&depth));
        }
        let depth = self.retention.depth(self.budgeted_symbols);
        let symbols = symbols.max(self.instruments.len());
        let rules = self.rules;
        self.instruments.resize_with(symbols, || {
            let mut instrument = InstrumentArchive::new(&depth);
            instrument.set_rules(rules);
            instrument
        });
    }
}

impl Deref for InstrumentReader<'_> {
    type Target = InstrumentArchive;

    fn deref(&self) -> &InstrumentArchive {
        &self.tables.instruments[self.symbol.index()]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::thread;

    use super::*;
    use crate::model::Trade;
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

    #[test]
    fn bars_that_are_not_of_minutes_are_not_taken_for_minutes() {
        let archive = Archive::new(0, Retention::default());
        archive.fold_minutes();
        let (bars, daily_bars) = (BarOrigin::Source, BarOrigin::Source);
        let instruments = fixtures::universe().iter().cloned().collect::<Vec<_>>();
        let given = |instrument| Instrument { bars, daily_bars, ..instrument };
        archive.list(&Arc::new(Universe::new(instruments.into_iter().map(given).collect())));
        let minute = || archive.latest_minute(SymbolId(0), OpenBars::Included);

        archive.record(&[fixtures::bar()]);
        assert_eq!(minute(), None);
        archive.record(&[fixtures::trade()]);
        assert_eq!(minute().unwrap().trades, 1);
    }

    /// All retained objects between two numbers, piece by piece.
    fn all_since(archive: &Archive, stream: StreamId, after: Seq, up_to: Seq) -> Vec<Object> {
        let mut all: Vec<Object> = Vec::new();
        loop {
            let after = all.last().map_or(after, |last| last.seq);
            let piece = archive.since(stream, after, up_to, usize::MAX);
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    fn seqs(objects: &[Object]) -> Vec<u64> {
        objects.iter().map(|object| object.seq.0).collect()
    }

    #[test]
    fn objects_between_two_numbers_are_returned() {
        let archive = archive_of(9, Retention::default());

        let objects = all_since(&archive, trades(), Seq(3), Seq(6));

        assert_eq!(objects[0], numbered(fixtures::trade(), 4));
        assert_eq!(seqs(&objects), [4, 5, 6]);
        assert_eq!(all_since(&archive, trades(), Seq(9), Seq(9)), []);
        assert_eq!(all_since(&archive, trades(), Seq(9), Seq(100)), []);
    }

    #[test]
    fn a_read_is_bounded_and_goes_on_where_the_last_one_ended() {
        let archive = archive_of(2_000, Retention::default());

        assert_eq!(seqs(&archive.since(trades(), Seq(1_500), Seq(2_000), 3)), [1_501, 1_502, 1_503]);
        assert_eq!(archive.since(trades(), Seq(1_000), Seq(2_000), usize::MAX).len(), ROWS_PER_LOCK);
        assert_eq!(
            seqs(&all_since(&archive, trades(), Seq(1_000), Seq(2_000))),
            Vec::from_iter(1_001..=2_000)
        );
    }

    #[test]
    fn removed_objects_are_missing_at_the_start_only() {
        let archive = archive_of(2_000, Retention { trades: 700, ..Retention::default() });

        let objects = all_since(&archive, trades(), Seq(3), Seq(2_000));

        assert_eq!(seqs(&objects), (1_301..=2_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_concurrent_reader_finds_every_record() {
        const TRADES: u64 = 20_000;
        let archive = Archive::new(1, Retention { trades: TRADES as usize, ..Retention::default() });
        let recorded = AtomicU64::new(0);
        let read = || {
            let last = recorded.load(Ordering::Acquire);
            let found = all_since(&archive, trades(), Seq(last.saturating_sub(3)), Seq(last));
            let expected = (last.saturating_sub(3) + 1..=last).collect::<Vec<_>>();
            assert_eq!(seqs(&found), expected);
            last
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
    fn the_writer_applies_the_pending_records_without_a_reader() {
        let archive = archive_of(9 * APPLY_AFTER as u64, Retention::default());

        archive.settle();

        assert!(archive.pending().is_empty());
        let latest = archive.tables.read().unwrap().instruments[0].trades.latest();
        assert_eq!(latest, archive.latest_trade(SymbolId(0)));
    }

    #[test]
    fn only_trades_and_quotes_are_retained_one_by_one() {
        let archive = archive_of(3, Retention::default());
        let of =
            |channel| all_since(&archive, StreamId::new(channel, trades().symbol()), Seq(0), Seq(9)).len();

        assert_eq!(Channel::MARKET.map(of), [3, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_instrument_that_is_added_later_is_recorded_and_the_others_keep_their_rows() {
        let archive = archive_of(3, Retention::default());
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let added = SymbolId(2);

        archive.list(&Arc::new(fixtures::universe_of(&["A", "B", "C"])));
        archive.record(&[Object { seq: Seq(1), body: Body::Trade(Trade { symbol: added, ..trade }) }]);

        let of = |symbol| all_since(&archive, StreamId::new(Channel::Trades, symbol), Seq(0), Seq(9));
        assert_eq!((seqs(&of(added)), seqs(&of(SymbolId(0)))), (vec![1], vec![1, 2, 3]));
    }

    #[test]
    fn more_instruments_share_the_same_budget() {
        let retention = Retention { bytes: 600_000, ..Retention::default() };
        let archive = archive_of(1_000, retention);
        let kept = |archive: &Archive| all_since(archive, trades(), Seq(0), Seq(1_000)).len();
        let before = kept(&archive);

        archive.list(&Arc::new(fixtures::universe_of(&["A", "B", "C", "D"])));

        assert_eq!((before, kept(&archive)), (retention.depth(2).trades, retention.depth(4).trades));
        assert!(before > kept(&archive), "the tables shrink");
        let last = all_since(&archive, trades(), Seq(0), Seq(1_000)).last().map(|object| object.seq);
        assert_eq!(last, Some(Seq(1_000)));
    }
}
