use std::sync::Arc;

use super::inbox::{Arrival, Inbox};
use super::instruments::UpstreamInstruments;
use super::outage::UpstreamOutage;
use crate::clock::Clock;
use crate::metrics::UpstreamMetrics;
use crate::model::{Body, Event, FeedNotice, Timestamp, Universe};
use crate::source::{DemandChange, EventSource, Ticks, Wake};
use crate::wire::{DecodedObject, DeliveryKind};

/// An upstream whose objects are numbered here: it gives no numbers, or they are ignored.
///
/// Bars and statuses come from it like trades and quotes; tickers are made here.
pub(super) struct RelaySource {
    inbox: Inbox,
    wake: Wake,
    clock: Clock,
    metrics: UpstreamMetrics,
    instruments: UpstreamInstruments,
    outage: UpstreamOutage,
    notices: Vec<FeedNotice>,
    /// The objects of the arrival that was taken last.
    taken: Vec<DecodedObject>,
    on_command: OnCommand,
    is_live: bool,
}

/// Sends the subscription, or what changes in it.
pub(super) type OnCommand = Box<dyn FnMut(Option<&DemandChange>) + Send>;

impl RelaySource {
    /// The source of what arrives here; `on_command` sends the upstream what it is to give.
    pub(super) fn new(
        inbox: Inbox,
        wake: Wake,
        clock: Clock,
        metrics: UpstreamMetrics,
        on_command: OnCommand,
    ) -> Self {
        let mut outage = UpstreamOutage::default();
        outage.end(clock.now(), None);
        Self {
            inbox,
            wake,
            clock,
            metrics,
            instruments: UpstreamInstruments::default(),
            outage,
            notices: Vec::new(),
            taken: Vec::new(),
            on_command,
            is_live: true,
        }
    }

    /// Takes the next arrival. Its notices are told before its events.
    fn take(&mut self) {
        match self.inbox.take() {
            Some(Arrival::Objects(objects)) => self.taken = objects,
            Some(Arrival::Ready) => (self.on_command)(None),
            Some(Arrival::Demand(change)) => {
                // Listed before their objects come, so that sessions that wait for them miss none.
                change.subscribe.iter().for_each(|symbol| _ = self.instruments.id(*symbol));
                (self.on_command)(Some(&change));
            }
            Some(Arrival::Live(_)) => {
                self.is_live = true;
                // What happened meanwhile is not asked for.
                if let Some((back, seconds)) = self.outage.end(self.clock.now(), Some(false)) {
                    self.metrics.gap_seconds.inc_by(seconds);
                    self.notices.push(back);
                }
            }
            Some(Arrival::Down(_) | Arrival::Stopped(_)) => {
                self.is_live = false;
                self.notices.extend(self.outage.begin(self.clock.now()));
            }
            Some(Arrival::Control(_)) | None => {}
        }
        for object in &self.taken {
            self.instruments.id(object.symbol);
        }
        self.instruments.publish();
    }
}

impl EventSource for RelaySource {
    fn name(&self) -> &'static str {
        "upstream"
    }

    fn universe(&self) -> &Arc<Universe> {
        self.instruments.universe()
    }

    fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
        self.clock.now()
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        self.take();
        std::mem::take(&mut self.notices)
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        for object in std::mem::take(&mut self.taken) {
            let Some(symbol) = self.instruments.id(object.symbol) else {
                self.metrics.invalid.inc();
                continue;
            };
            // What holds at the start is no event.
            if object.delivery != DeliveryKind::Snapshot {
                out.extend(event(object.body(symbol)));
            }
        }
        self.is_live.then(|| self.clock.now())
    }

    fn ticks(&mut self) -> Ticks {
        self.wake.ticks()
    }

    /// The upstream waits, or conflates.
    fn hold_back(&mut self) -> bool {
        true
    }

    fn skip_idle_ticks(&mut self) {
        self.wake.skip_idle_ticks();
    }
}

/// The event that an object tells of; `None` for a ticker, which is made of others.
fn event(body: Body) -> Option<Event> {
    Some(match body {
        Body::Trade(trade) => Event::Trade(trade),
        Body::Quote(quote) => Event::Quote(quote),
        Body::Bar(bar) => Event::Bar(bar),
        Body::UpdatedBar(bar) => Event::UpdatedBar(bar),
        Body::DailyBar(bar) => Event::DailyBar(bar),
        Body::Status(status) => Event::Status(status),
        Body::Luld(luld) => Event::Luld(luld),
        Body::Correction(correction) => Event::Correction(correction),
        Body::Cancel(cancel) => Event::Cancel(cancel),
        Body::Ticker(_) => return None,
    })
}
