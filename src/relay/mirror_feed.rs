use std::mem;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value;
use tracing::{info, warn};

use super::command::resume;
use super::inbox::Arrival;
use super::instruments::UpstreamInstruments;
use super::outage::UpstreamOutage;
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::{Batch, FeedProgress, LastValues, Renumbering};
use crate::metrics::{FeedMetrics, UpstreamMetrics};
use crate::model::{
    Body, Channel, Epoch, FeedNotice, FeedState, Missed, Object, SECOND, Seq, StreamId, Symbol, Timestamp,
};
use crate::source::NewEpochs;
use crate::wire::{DecodedObject, DeliveryKind, ServerMessage};

/// The feed of an upstream that numbers its objects as this server does: they keep their numbers and their epoch, so
/// that a client may resume at any node of a chain.
///
/// Each message of the upstream becomes a batch. A connection that was lost is resumed after the last number of each
/// stream; what the upstream no longer has is told as missed.
///
/// An upstream that restarts without its journal begins to count anew. Here numbers never go back, so from then on
/// streams are renumbered, in epochs of this node.
pub(super) struct MirrorFeed {
    archive: Arc<Archive>,
    clock: Clock,
    metrics: FeedMetrics,
    upstream: UpstreamMetrics,
    progress: FeedProgress,
    epochs: NewEpochs,
    instruments: UpstreamInstruments,
    /// The epoch of the upstream, and the one that is published.
    upstream_epoch: Epoch,
    epoch: Epoch,
    /// The epoch that begins with the next batch.
    begins: Option<Epoch>,
    renumbering: Option<Renumbering>,
    /// Up to which number objects of a stream were told as missed.
    told: FxHashMap<StreamId, Seq>,
    first_snapshot: FirstSnapshot,
    notices: Vec<FeedNotice>,
    outage: UpstreamOutage,
    watermark: Timestamp,
}

/// Whether what holds when the relay starts may still come: nothing is missing before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstSnapshot {
    Expected,
    Over,
}

/// The parts of a node that a feed needs.
pub(super) struct FeedParts {
    pub(super) archive: Arc<Archive>,
    pub(super) clock: Clock,
    pub(super) metrics: FeedMetrics,
    pub(super) upstream: UpstreamMetrics,
    pub(super) progress: FeedProgress,
    pub(super) epochs: NewEpochs,
}

impl MirrorFeed {
    /// A feed in this epoch of an upstream.
    pub(super) fn new(parts: FeedParts, epoch: Epoch) -> Self {
        let FeedParts { archive, clock, metrics, upstream, progress, epochs } = parts;
        info!(%epoch, "the upstream numbers its objects: they keep their numbers");
        let mut outage = UpstreamOutage::default();
        outage.end(clock.now(), None);
        Self {
            archive,
            clock,
            metrics,
            upstream,
            progress,
            epochs,
            instruments: UpstreamInstruments::default(),
            upstream_epoch: epoch,
            epoch,
            begins: Some(epoch),
            renumbering: None,
            told: FxHashMap::default(),
            first_snapshot: FirstSnapshot::Expected,
            notices: Vec::new(),
            outage,
            watermark: Timestamp::default(),
        }
    }

    /// The epoch of the numbers that are published.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Where the upstream is to go on.
    pub(super) fn resume(&self, last_values: &LastValues) -> Value {
        let original = |stream, seq| match &self.renumbering {
            None => Some(seq),
            Some(renumbering) => renumbering.original(stream, seq),
        };
        resume(self.upstream_epoch, self.instruments.universe(), last_values, original)
    }

    /// Takes an arrival in; the batch that it makes, if it makes one.
    pub(super) fn take(&mut self, arrival: Arrival, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let (mut objects, mut missed) = (Vec::new(), Vec::new());
        match arrival {
            Arrival::Live(epoch) => self.go_live(epoch?),
            Arrival::Objects(decoded) => objects = self.accept(decoded, last_values, &mut missed),
            Arrival::Control(message) => missed.extend(self.control(message, last_values)),
            Arrival::Down(_) | Arrival::Stopped(_) => {
                self.notices.extend(self.outage.begin(self.clock.now()));
                self.first_snapshot = FirstSnapshot::Over;
            }
            Arrival::Ready => {}
        }
        self.batch(objects, missed, last_values)
    }

    fn go_live(&mut self, epoch: Epoch) {
        let continues = epoch == self.upstream_epoch;
        let filled = (!continues).then_some(false);
        if let Some((back, seconds)) = self.outage.end(self.clock.now(), filled) {
            self.upstream.gap_seconds.inc_by(seconds);
            self.notices.push(back);
        }
        if continues {
            return;
        }
        self.upstream_epoch = epoch;
        self.renumbering = Some(Renumbering::default());
        self.epoch = (self.epochs)();
        self.begins = Some(self.epoch);
        warn!(
            upstream = %epoch, epoch = %self.epoch,
            "the upstream counts anew: objects are renumbered from now on, and clients cannot resume there"
        );
    }

    fn control(&mut self, message: ServerMessage, last_values: &LastValues) -> Option<Missed> {
        match message {
            ServerMessage::Gap { symbol, channel, from: _, to } => {
                let stream = self.stream(channel, symbol)?;
                let last = self.last(stream, last_values);
                let to = match &self.renumbering {
                    None => to,
                    Some(_) => return None,
                };
                (last.0 > 0 && to > last).then(|| {
                    self.told.insert(stream, to);
                    Missed { stream, from: last.next(), to }
                })
            }
            ServerMessage::Heartbeat { watermark } => {
                self.first_snapshot = FirstSnapshot::Over;
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
            ServerMessage::Epoch(epoch) if epoch != self.upstream_epoch => {
                self.upstream_epoch = epoch;
                self.epoch = if self.renumbering.is_none() { epoch } else { (self.epochs)() };
                self.begins = Some(self.epoch);
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
            let Some((seq, symbol)) = object.seq.zip(self.instruments.id(object.symbol)) else {
                self.upstream.invalid.inc();
                continue;
            };
            let mut accepted = Object { seq, body: object.body(symbol) };
            if let Some(renumbering) = &mut self.renumbering {
                accepted = renumbering.apply(accepted, last_values);
            }
            let stream = accepted.stream();
            let last = self.last(stream, last_values);
            // A resumed connection gives the newest objects again.
            if accepted.seq <= last {
                continue;
            }
            let begins = last.0 == 0
                && object.delivery == DeliveryKind::Snapshot
                && self.first_snapshot == FirstSnapshot::Expected;
            if accepted.seq > last.next() && !begins {
                let to = Seq(accepted.seq.0 - 1);
                self.upstream.missed.inc_by(to.0 - last.0);
                missed.push(Missed { stream, from: last.next(), to });
            }
            self.watermark = self.watermark.max(stamp(&accepted.body));
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
        let universe = Arc::clone(self.instruments.publish());
        self.archive.list(&universe);
        let (tickers, events): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| object.stream().channel() == Channel::Tickers);
        let batch = Batch::new(universe, self.watermark, events, tickers)
            .with_notices(mem::take(&mut self.notices))
            .with_missed(missed)
            .beginning(self.begins.take());
        if batch.is_empty() {
            return None;
        }
        // Recorded before it is published, as in the sequenced feed.
        self.archive.record(batch.events());
        self.archive.advance(batch.watermark());
        let number = last_values.batch() + 1;
        last_values.set_batch(number);
        last_values.set_watermark(batch.watermark());
        last_values.set_epoch(self.epoch);
        self.progress.set(last_values.published());
        self.metrics.batches.inc();
        self.metrics.objects.inc_by(batch.len() as u64);
        self.metrics.watermark.set(batch.watermark().nanos() as f64 / SECOND as f64);
        Some(Arc::new(batch.numbered(number)))
    }

    /// Does the work that can wait until the batch has been sent.
    pub(super) fn settle(&self) {
        self.archive.settle();
    }
}

/// The time of what an object tells; of a bar nothing is known but its start.
fn stamp(body: &Body) -> Timestamp {
    match body {
        Body::Trade(trade) => trade.at,
        Body::Quote(quote) => quote.at,
        Body::Status(status) => status.at,
        Body::Luld(luld) => luld.at,
        Body::Correction(correction) => correction.at,
        Body::Cancel(cancel) => cancel.at,
        Body::Ticker(ticker) => ticker.at,
        Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => bar.start,
    }
}

#[cfg(test)]
#[path = "mirror_feed_tests.rs"]
mod tests;
