use std::mem;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;
use tracing::{info, warn};

use super::assets::AssetDirectory;
use super::command::resume;
use super::inbox::Arrival;
use super::instruments::UpstreamInstruments;
use super::outage::{UpstreamOutage, stamp};
use super::settings::UpstreamSymbols;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::{Batch, EarlierRun, FeedProgress, LastValues};
use crate::metrics::{FeedMetrics, UpstreamMetrics};
use crate::model::{
    BegunEpoch, Channel, Epoch, EpochNumbers, FeedNotice, FeedState, Missed, Object, Seq, StreamId, Symbol,
    Timestamp, TradeRules,
};
use crate::wire::{DecodedObject, DeliveryKind, ServerMessage};

/// The feed of an upstream that numbers its objects as this server does: they keep their numbers and their epoch, so
/// that a client may resume at any node of a chain.
///
/// Each message of the upstream becomes a batch. A connection that was lost is resumed after the last number of each
/// stream; what the upstream no longer has is told as missed.
///
/// An upstream that restarts without its journal begins another epoch, which begins here too: what was before is
/// forgotten, and each stream goes on with a snapshot.
pub(super) struct MirrorFeed {
    archive: Arc<Archive>,
    clock: Clock,
    metrics: FeedMetrics,
    upstream: UpstreamMetrics,
    progress: FeedProgress,
    instruments: UpstreamInstruments,
    epoch: Epoch,
    /// The epoch that begins with the next batch.
    begins: Option<BegunEpoch>,
    /// Up to which number objects of a stream were told as missed.
    told: FxHashMap<StreamId, Seq>,
    /// From which number on the upstream lost objects of a stream that has not begun. They are told with the object that
    /// begins it: the upstream may give the last of them again, as its snapshot.
    lost_before: FxHashMap<StreamId, Seq>,
    beginning: Beginning,
    /// The same when what holds at the start of the connection has come.
    later: Beginning,
    notices: Vec<FeedNotice>,
    outage: UpstreamOutage,
    watermark: Timestamp,
}

/// The greatest number of an object. No upstream gets there by counting, and one more fits as well.
const MAX_SEQ: Seq = Seq(1 << 62);

/// With which objects streams begin, so that nothing is missing before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// A snapshot: the connection begins, or the symbol was asked for.
    Snapshot,
    /// Any object: numbers began again while the connection lasted, which loses nothing silently.
    AnyObject,
    /// The one with number 1.
    FirstObject,
}

/// What else is to be done after an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MirrorRequest {
    /// Nothing.
    Nothing,
    /// Ask the upstream for what holds: its epoch is not the one that was resumed.
    Snapshot,
}

/// The parts of a node that a feed needs.
pub(super) struct FeedParts {
    pub(super) archive: Arc<Archive>,
    pub(super) clock: Clock,
    pub(super) metrics: FeedMetrics,
    pub(super) upstream: UpstreamMetrics,
    pub(super) progress: FeedProgress,
    pub(super) assets: AssetDirectory,
}

impl MirrorFeed {
    /// The feed of an upstream that is in this epoch, and was asked to go on where an earlier run ended, if there was one.
    pub(super) fn new(
        parts: FeedParts,
        epoch: Epoch,
        symbols: &UpstreamSymbols,
        earlier: &EarlierRun,
    ) -> Self {
        let FeedParts { archive, clock, metrics, upstream, progress, assets } = parts;
        progress.set_follows();
        let mut instruments = UpstreamInstruments::new(assets);
        instruments.begin_with(Arc::clone(&earlier.universe));
        info!(%epoch, "the upstream numbers its objects: they keep their numbers");
        let mut outage = UpstreamOutage::default();
        outage.end(clock.now(), None);
        let later = match symbols {
            UpstreamSymbols::OnDemand => Beginning::Snapshot,
            UpstreamSymbols::All | UpstreamSymbols::Listed(_) => Beginning::FirstObject,
        };
        let (begins, beginning) = match earlier.ended_in() {
            None => (Some(BegunEpoch { epoch, numbers: EpochNumbers::Restart }), Beginning::Snapshot),
            // The upstream gives the numbers, so its epoch needs no proof here.
            Some(ended_in) => {
                let resumed = BegunEpoch { epoch: ended_in, numbers: EpochNumbers::GoOn };
                ((ended_in != earlier.epoch).then_some(resumed), later)
            }
        };
        Self {
            archive,
            clock,
            metrics,
            upstream,
            progress,
            instruments,
            epoch: earlier.ended_in().unwrap_or(epoch),
            begins,
            told: FxHashMap::default(),
            lost_before: FxHashMap::default(),
            beginning,
            later,
            notices: Vec::new(),
            outage,
            watermark: earlier.last_values.watermark(),
        }
    }

    /// The epoch of the numbers that are published.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Which trades are the last price, as the upstream says.
    pub(super) fn trade_rules(&self) -> TradeRules {
        self.archive.rules().get()
    }

    /// Where the upstream is to go on.
    pub(super) fn resume(&self, last_values: &LastValues) -> Value {
        let instruments: Vec<_> = self.instruments.universe().iter().collect();
        resume(self.epoch, &instruments, last_values)
    }

    /// Where the upstream is to go on with these symbols.
    pub(super) fn resume_of(&self, symbols: &[Symbol], last_values: &LastValues) -> Value {
        let universe = self.instruments.universe();
        let known = symbols.iter().filter_map(|symbol| universe.find(symbol));
        let known: Vec<_> = known.map(|id| universe.instrument(id)).collect();
        resume(self.epoch, &known, last_values)
    }

    /// Whether an upstream that goes live in this epoch has to be asked for what holds.
    pub(super) fn request_at(&self, epoch: Option<Epoch>) -> MirrorRequest {
        match epoch == Some(self.epoch) {
            true => MirrorRequest::Nothing,
            false => MirrorRequest::Snapshot,
        }
    }

    /// Takes an arrival in; the batch that it makes, if it makes one.
    pub(super) fn take(&mut self, arrival: Arrival, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let (mut objects, mut missed) = (Vec::new(), Vec::new());
        match arrival {
            Arrival::Live(feed) => {
                self.archive.set_rules(feed.rules);
                self.go_live(feed.epoch?, last_values);
            }
            Arrival::Objects(decoded) => objects = self.accept(decoded, last_values, &mut missed),
            Arrival::Control(message) => missed.extend(self.control(message, last_values)),
            Arrival::Down(_) | Arrival::Stopped(_) => {
                self.notices.extend(self.outage.begin(self.clock.now()));
                self.beginning = self.later;
            }
            Arrival::Demand(change) => {
                // Listed before their objects come, so that sessions that wait for them miss none.
                change.subscribe.into_iter().for_each(|symbol| _ = self.instruments.id(symbol));
            }
            Arrival::Ready | Arrival::Trades { .. } => {}
        }
        self.batch(objects, missed, last_values)
    }

    fn go_live(&mut self, epoch: Epoch, last_values: &mut LastValues) {
        let continues = epoch == self.epoch;
        let filled = (!continues).then_some(false);
        if let Some((back, seconds)) = self.outage.end(self.clock.now(), filled) {
            self.upstream.gap_seconds.inc_by(seconds);
            // What is told as lost need not be told again.
            if let Some(from) = if continues { back.from } else { back.to } {
                self.outage.resume(from);
            }
            self.notices.push(back);
        }
        if continues {
            return;
        }
        warn!(%epoch, was = %self.epoch, "the upstream began another epoch: so does this node");
        self.restart_numbers(epoch, last_values);
        self.beginning = Beginning::Snapshot;
    }

    fn restart_numbers(&mut self, epoch: Epoch, last_values: &mut LastValues) {
        self.epoch = epoch;
        self.begins = Some(BegunEpoch { epoch, numbers: EpochNumbers::Restart });
        self.told.clear();
        self.lost_before.clear();
        self.archive.restart_numbers();
        last_values.restart(epoch);
    }

    fn control(&mut self, message: ServerMessage, last_values: &mut LastValues) -> Option<Missed> {
        match message {
            // The next object of a stream that conflates tells the same.
            ServerMessage::Gap { symbol, channel, from, to } if !channel.conflates() && to <= MAX_SEQ => {
                let stream = self.stream(channel, symbol)?;
                let last = self.last(stream, last_values);
                if last.0 == 0 {
                    let first = self.lost_before.entry(stream).or_insert(from);
                    *first = from.min(*first);
                    return None;
                }
                (to > last).then(|| {
                    self.told.insert(stream, to);
                    Missed { stream, from: last.next(), to }
                })
            }
            // All that the upstream was asked for has come.
            ServerMessage::Heartbeat { watermark } => {
                self.outage.settle();
                if self.beginning == Beginning::Snapshot {
                    self.beginning = self.later;
                }
                if let Some(watermark) = watermark.filter(|at| *at > self.watermark) {
                    self.watermark = watermark;
                    self.archive.advance(watermark);
                }
                None
            }
            // The clock of the upstream is its own affair; its sources are those of the clients here too.
            ServerMessage::Feed(notice) if notice.state != FeedState::Clock => {
                self.notices.push(notice);
                None
            }
            ServerMessage::Epoch(begun) if begun.epoch != self.epoch => {
                match begun.numbers {
                    EpochNumbers::GoOn => (self.epoch, self.begins) = (begun.epoch, Some(begun)),
                    EpochNumbers::Restart => {
                        self.restart_numbers(begun.epoch, last_values);
                        self.beginning = Beginning::AnyObject;
                    }
                }
                None
            }
            _ => None,
        }
    }

    fn stream(&mut self, channel: Channel, symbol: Symbol) -> Option<StreamId> {
        self.instruments.id(symbol).map(|id| StreamId::new(channel, id))
    }

    /// The number up to which everything of a stream was published or told as missed.
    fn last(&self, stream: StreamId, last_values: &LastValues) -> Seq {
        self.told.get(&stream).copied().unwrap_or_default().max(last_values.seq(stream))
    }

    /// The objects that are new, which are entered in the last values, and what is missing before them.
    fn accept(
        &mut self,
        decoded: Vec<DecodedObject>,
        last_values: &mut LastValues,
        missed: &mut Vec<Missed>,
    ) -> Vec<Object> {
        let mut objects = Vec::with_capacity(decoded.len());
        for object in decoded {
            let seq = object.seq.filter(|seq| *seq <= MAX_SEQ);
            let Some((seq, symbol)) = seq.zip(self.instruments.id(object.symbol)) else {
                self.upstream.invalid.inc();
                continue;
            };
            let accepted = Object { seq, body: object.body(symbol) };
            let stream = accepted.stream();
            let last = self.last(stream, last_values);
            // A resumed connection gives the newest objects again.
            if accepted.seq <= last {
                continue;
            }
            let may_begin = match self.beginning {
                Beginning::Snapshot => object.delivery == DeliveryKind::Snapshot,
                Beginning::AnyObject => true,
                Beginning::FirstObject => false,
            };
            let begins = may_begin && last.0 == 0;
            let lost_before = self.lost_before.remove(&stream);
            let first_missing = if begins { lost_before } else { Some(last.next()) };
            if let Some(from) = first_missing.filter(|from| *from < accepted.seq) {
                let to = Seq(accepted.seq.0 - 1);
                self.upstream.missed.inc_by(accepted.seq.0 - from.0);
                missed.push(Missed { stream, from, to });
            }
            self.watermark = self.watermark.max(stamp(&accepted.body));
            self.outage.observe(&accepted.body);
            last_values.put(accepted);
            objects.push(accepted);
        }
        objects
    }

    /// Publishes these objects, with the notices and the epoch that wait.
    fn batch(
        &mut self,
        objects: Vec<Object>,
        missed: Vec<Missed>,
        last_values: &mut LastValues,
    ) -> Option<Arc<Batch>> {
        let listed = self.instruments.universe().len();
        let universe = Arc::clone(self.instruments.publish());
        let has_grown = universe.len() > listed;
        self.archive.list(&universe);
        let (tickers, events): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| object.stream().channel() == Channel::Tickers);
        let begun = self.begins.take();
        // The first batch may come before any object; a journal and its replay need a time of it.
        let is_known = self.watermark > Timestamp::default();
        let watermark = if is_known { self.watermark } else { self.clock.now() };
        let batch = Batch::new(universe, watermark, events, tickers)
            .with_notices(mem::take(&mut self.notices))
            .with_missed(missed)
            .beginning(begun.map(|begun| begun.epoch))
            .with_epoch_numbers(begun.map(|begun| begun.numbers).unwrap_or_default());
        if batch.is_empty() && !has_grown {
            return None;
        }
        // Recorded before it is published, as in the sequenced feed.
        self.archive.record(batch.events());
        if is_known {
            self.archive.advance(watermark);
        }
        let number = last_values.batch() + 1;
        last_values.set_batch(number);
        last_values.set_watermark(batch.watermark());
        last_values.set_epoch(self.epoch);
        self.progress.set(last_values.published());
        self.metrics.published(batch.len(), batch.watermark());
        Some(Arc::new(batch.numbered(number)))
    }

    /// Does the work that can wait until the batch has been sent.
    pub(super) fn settle(&self) {
        self.archive.settle();
    }
}

#[cfg(test)]
#[path = "mirror_feed_tests.rs"]
mod tests;
