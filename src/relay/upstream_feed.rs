use std::mem;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tracing::error;

use super::assets::AssetDirectory;
use super::background::BackgroundParts;
use super::command::{change, resume, subscribe};
use super::connection::{UpstreamCommand, start};
use super::inbox::{Arrival, Inbox};
use super::instruments::UpstreamInstruments;
use super::mirror_feed::{FeedParts, MirrorFeed, MirrorRequest};
use super::relay_source::{AskUpstream, RelaySource, UpstreamRequest};
use super::settings::{UpstreamNumbers, UpstreamSettings};
use crate::archive::Archive;
use crate::clock::Clock;
use crate::feed::{
    BarSpans, Batch, BatchSource, EarlierRun, FeedProgress, LastValues, SequencedFeed, Sequencer,
};
use crate::metrics::{FeedMetrics, UpstreamMetrics};
use crate::model::{Epoch, TradeRules, Universe};
use crate::source::{MarketClock, Readers, SymbolDemand, Ticks, Wake};
use crate::transport::TlsError;

/// The feed of an upstream. What kind of feed it is becomes clear with the first acknowledgement: one with an epoch is
/// of an upstream that numbers its objects.
pub struct UpstreamFeed {
    settings: Arc<UpstreamSettings>,
    inbox: Inbox,
    wake: Wake,
    commands: UnboundedSender<UpstreamCommand>,
    stage: UpstreamStage,
    clock: Clock,
    spans: BarSpans,
    upstream: UpstreamMetrics,
    /// Why no session can be served: the upstream has not answered yet, or there is no use in asking it again.
    outage: Option<String>,
    /// What holds before anything is known of the upstream.
    earlier: EarlierRun,
    /// Dropped with the feed, which ends the requests in the background.
    _background: watch::Sender<()>,
}

/// What is known of the upstream.
enum UpstreamStage {
    Unknown(Box<FeedParts>),
    Mirror(Box<MirrorFeed>),
    Foreign(Box<SequencedFeed>),
    /// Between two stages.
    Changing,
}

/// What a node gives to the feed of an upstream.
pub struct UpstreamParts {
    /// The archive of the feed, which is empty or that of the earlier run.
    pub archive: Arc<Archive>,
    /// Where the history before the start goes: the archive of the node.
    pub history: Arc<Archive>,
    /// When the market is open, as the upstream tells.
    pub market_clock: MarketClock,
    /// The clock of time stamps.
    pub clock: Clock,
    /// The length of bars.
    pub spans: BarSpans,
    /// The counts of the feed.
    pub metrics: FeedMetrics,
    /// The counts of the upstream.
    pub upstream: UpstreamMetrics,
    /// The symbols that clients want, if they are subscribed to on demand.
    pub demand: Option<SymbolDemand>,
    /// What an earlier run has left.
    pub earlier: EarlierRun,
}

impl UpstreamFeed {
    /// Begins to connect, on a thread of its own.
    ///
    /// # Errors
    /// When the file of authorities cannot be used.
    pub fn start(settings: UpstreamSettings, parts: UpstreamParts) -> Result<Self, TlsError> {
        let UpstreamParts {
            archive,
            history,
            market_clock,
            clock,
            spans,
            metrics,
            upstream,
            demand,
            earlier,
        } = parts;
        let settings = Arc::new(settings);
        let wake = Wake::default();
        let inbox = Inbox::new(wake.clone());
        let assets = AssetDirectory::default();
        let background = BackgroundParts {
            assets: assets.clone(),
            history,
            demand: demand.clone(),
            market_clock,
            clock: clock.clone(),
            metrics: upstream.clone(),
        };
        let (stop_background, on_stop) = watch::channel(());
        let commands = start(Arc::clone(&settings), inbox.clone(), demand, background, on_stop)?;
        let progress = FeedProgress::default();
        let parts = FeedParts {
            archive,
            clock: clock.clone(),
            metrics,
            upstream: upstream.clone(),
            progress,
            assets,
        };
        let stage = UpstreamStage::Unknown(Box::new(parts));
        let outage = Some("the upstream has not answered yet".to_owned());
        Ok(Self {
            settings,
            inbox,
            wake,
            commands,
            stage,
            clock,
            spans,
            upstream,
            outage,
            earlier,
            _background: stop_background,
        })
    }

    /// Whether a feed of an upstream can continue an earlier run with these instruments: one of simulated ones has made
    /// their bars itself.
    pub fn can_continue(universe: &Universe) -> bool {
        UpstreamInstruments::may_begin_with(universe)
    }

    /// How far this feed is, now and later.
    pub fn progress(&self) -> FeedProgress {
        match &self.stage {
            UpstreamStage::Unknown(parts) => parts.progress.clone(),
            UpstreamStage::Foreign(feed) => feed.progress(),
            UpstreamStage::Mirror(_) | UpstreamStage::Changing => FeedProgress::default(),
        }
    }

    fn subscribe(&self, resume: Option<Value>) {
        // The thread of the connection ends with this feed.
        let _ = self.commands.send(UpstreamCommand::Send(subscribe(&self.settings, resume)));
    }

    /// Takes an arrival before anything is known of the upstream.
    fn begin(&mut self, arrival: Arrival, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        match arrival {
            Arrival::Ready => self.subscribe(self.earlier_position()),
            Arrival::Down(reason) => self.outage = Some(reason),
            Arrival::Stopped(reason) => {
                error!("the upstream is not asked again: {reason}");
                self.outage = Some(reason);
            }
            Arrival::Live(feed) => {
                let UpstreamStage::Unknown(parts) = mem::replace(&mut self.stage, UpstreamStage::Changing)
                else {
                    return None;
                };
                let epoch = feed.epoch.filter(|_| self.settings.numbers == UpstreamNumbers::Kept);
                let batch = match epoch {
                    Some(epoch) => {
                        let mirror = MirrorFeed::new(*parts, epoch, &self.settings.symbols, &self.earlier);
                        self.stage = UpstreamStage::Mirror(Box::new(mirror));
                        self.mirror(Arrival::Live(feed), last_values)
                    }
                    None => {
                        let mut feed = self.foreign(*parts, feed.rules);
                        let batch = feed.open(last_values);
                        self.stage = UpstreamStage::Foreign(Box::new(feed));
                        batch
                    }
                };
                self.outage = None;
                return batch;
            }
            Arrival::Objects(_) | Arrival::Control(_) | Arrival::Demand(_) | Arrival::Trades { .. } => {}
        }
        None
    }

    /// Where an upstream that numbers is to go on if the earlier run was one of it.
    fn earlier_position(&self) -> Option<Value> {
        let instruments: Vec<_> = self.earlier.universe.iter().collect();
        self.earlier.ended_in().map(|epoch| resume(epoch, &instruments, &self.earlier.last_values))
    }

    /// A feed that numbers what arrives.
    fn foreign(&self, parts: FeedParts, rules: TradeRules) -> SequencedFeed {
        let (settings, commands) = (Arc::clone(&self.settings), self.commands.clone());
        let ask: AskUpstream = Box::new(move |request| {
            let asked = match request {
                UpstreamRequest::Subscription => vec![UpstreamCommand::Send(subscribe(&settings, None))],
                UpstreamRequest::Change(demanded) => {
                    change(&settings, &demanded, None).into_iter().map(UpstreamCommand::Send).collect()
                }
                UpstreamRequest::Trades { hole, query } => {
                    vec![UpstreamCommand::FindTrades { hole, query }]
                }
            };
            asked.into_iter().for_each(|command| _ = commands.send(command));
        });
        let (inbox, wake) = (self.inbox.clone(), self.wake.clone());
        let FeedParts { archive, metrics, progress, assets, .. } = parts;
        let source = RelaySource::new(
            inbox,
            wake,
            self.clock.clone(),
            self.upstream.clone(),
            assets,
            ask,
            Instant::now,
        )
        .of_trades(rules);
        let earlier = &self.earlier;
        let universe = Arc::clone(&earlier.universe);
        let sequencer = |from| Sequencer::new(universe, self.spans, earlier.epoch, from);
        if earlier.ended_in().is_none() {
            let sequencer = sequencer(self.clock.now());
            return SequencedFeed::new(Box::new(source), sequencer, archive, metrics).reporting(progress);
        }
        let source = source.continuing(earlier, &archive, &self.settings.symbols);
        let last_values = earlier.last_values.clone();
        // Time begins where the earlier run ended, as after a restart of any other feed.
        let sequencer = sequencer(last_values.watermark()).resume(&archive).resume_last_values(&last_values);
        let feed = SequencedFeed::new(Box::new(source), sequencer, archive, metrics);
        feed.resume(last_values).reporting(progress)
    }

    /// Takes an arrival of an upstream that numbers.
    fn mirror(&mut self, arrival: Arrival, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        let UpstreamStage::Mirror(mirror) = &mut self.stage else { return None };
        if matches!(arrival, Arrival::Ready) {
            let resume = mirror.resume(last_values);
            self.subscribe(Some(resume));
            return None;
        }
        if let Arrival::Demand(demanded) = &arrival {
            let resume = mirror.resume_of(&demanded.subscribe, last_values);
            let sent = change(&self.settings, demanded, Some(resume));
            sent.into_iter().for_each(|command| _ = self.commands.send(UpstreamCommand::Send(command)));
        }
        if let Arrival::Stopped(reason) = &arrival {
            error!("the upstream is not asked again: {reason}");
            self.outage = Some(reason.clone());
        }
        if let Arrival::Live(feed) = &arrival
            && mirror.request_at(feed.epoch) == MirrorRequest::Snapshot
        {
            // What was resumed has no snapshot.
            let _ = self.commands.send(UpstreamCommand::Send(subscribe(&self.settings, None)));
        }
        mirror.take(arrival, last_values)
    }
}

impl BatchSource for UpstreamFeed {
    fn epoch(&self) -> Epoch {
        match &self.stage {
            UpstreamStage::Mirror(mirror) => mirror.epoch(),
            UpstreamStage::Foreign(feed) => feed.epoch(),
            UpstreamStage::Unknown(_) | UpstreamStage::Changing => self.earlier.epoch,
        }
    }

    fn trade_rules(&self) -> TradeRules {
        match &self.stage {
            UpstreamStage::Mirror(mirror) => mirror.trade_rules(),
            UpstreamStage::Foreign(feed) => feed.trade_rules(),
            UpstreamStage::Unknown(_) | UpstreamStage::Changing => TradeRules::default(),
        }
    }

    fn open(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        *last_values = self.earlier.last_values.clone();
        last_values.set_epoch(self.earlier.epoch);
        None
    }

    fn ticks(&mut self) -> Ticks {
        self.wake.ticks()
    }

    fn poll(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        if let UpstreamStage::Foreign(feed) = &mut self.stage {
            return feed.poll(last_values);
        }
        let arrival = self.inbox.take()?;
        match &self.stage {
            UpstreamStage::Mirror(_) => self.mirror(arrival, last_values),
            _ => self.begin(arrival, last_values),
        }
    }

    fn outage(&self) -> Option<&str> {
        self.outage.as_deref()
    }

    fn settle(&mut self) {
        match &mut self.stage {
            UpstreamStage::Mirror(mirror) => mirror.settle(),
            UpstreamStage::Foreign(feed) => feed.settle(),
            UpstreamStage::Unknown(_) | UpstreamStage::Changing => {}
        }
    }

    /// The upstream waits, or conflates.
    fn hold_back(&mut self) -> bool {
        true
    }

    fn skip_ticks(&mut self, _: Readers) {
        self.wake.skip_idle_ticks();
    }
}
