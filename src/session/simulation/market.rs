use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::scenario::{EventKind, LISTED_AT_START, MarketEvent, SYMBOLS};
use crate::feed::Batch;
use crate::model::{
    Cancel, CancelAction, Conditions, Correction, Epoch, Event, FeedNotice, FeedState, Luld, Object, Price,
    Print, Quote, Seq, Status, StatusReason, StreamId, SymbolId, Tape, Timestamp, Trade, TradingStatus,
    Universe, Venue,
};
use crate::source::{EventSource, Ticks};
use crate::wire::fixtures;

/// What the source reports next, shared with the world that decides it.
pub(super) type Script = Arc<Mutex<Scripted>>;

/// What the source reports when it is polled next.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    pub(super) events: Vec<MarketEvent>,
    pub(super) now: Timestamp,
    pub(super) epoch: Option<Epoch>,
    pub(super) notices: Vec<FeedNotice>,
    pub(super) is_listed: bool,
    /// Makes each event different.
    pub(super) count: u64,
}

/// A source of the events of a script.
pub(super) struct ScriptedSource {
    script: Script,
    universe: Arc<Universe>,
}

impl ScriptedSource {
    pub(super) fn new(script: Script) -> Self {
        Self { script, universe: Arc::new(fixtures::universe_of(&SYMBOLS[..LISTED_AT_START])) }
    }
}

impl EventSource for ScriptedSource {
    fn name(&self) -> &'static str {
        "script"
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
        self.script.lock().unwrap().now
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let mut script = self.script.lock().unwrap();
        if script.is_listed && self.universe.len() == LISTED_AT_START {
            self.universe = Arc::new(fixtures::universe_of(&SYMBOLS));
        }
        for event in std::mem::take(&mut script.events) {
            script.count += 1;
            if event.symbol < self.universe.len() {
                out.push(event.to_event(script.count, script.now));
            }
        }
        Some(script.now)
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        std::mem::take(&mut self.script.lock().unwrap().notices)
    }

    fn take_epoch(&mut self) -> Option<Epoch> {
        self.script.lock().unwrap().epoch.take()
    }

    fn ticks(&mut self) -> Ticks {
        stream::pending().boxed_local()
    }
}

impl MarketEvent {
    /// The event with values that no other one has.
    fn to_event(self, count: u64, now: Timestamp) -> Event {
        let (symbol, tape, at) = (SymbolId(self.symbol as u32), Tape::C, now);
        let price = Price::from_cents(10_000 + count as i64);
        let trade = Trade {
            symbol,
            id: count,
            venue: Venue(b'V'),
            price,
            size: 1 + count % 500,
            conditions: Conditions::ODD_LOT,
            tape,
            at,
        };
        match self.kind {
            EventKind::Trade => Event::Trade(Trade { conditions: Conditions::REGULAR_QUOTE, ..trade }),
            EventKind::LateTrade => {
                let late = Timestamp::from_nanos(at.nanos() - Duration::from_millis(40).as_nanos() as i64);
                Event::Trade(Trade { at: late, ..trade })
            }
            EventKind::Quote => Event::Quote(Quote {
                symbol,
                bid_venue: Venue(b'V'),
                bid: price,
                bid_size: count,
                ask_venue: Venue(b'Q'),
                ask: Price::from_cents(10_001 + count as i64),
                ask_size: 300,
                conditions: Conditions::REGULAR_QUOTE,
                tape,
                at,
            }),
            EventKind::Status => Event::Status(Status {
                symbol,
                status: TradingStatus::HALTED,
                reason: StatusReason::NEWS_PENDING,
                tape,
                at,
            }),
            EventKind::Luld => {
                Event::Luld(Luld { symbol, up: price, down: Price::from_cents(1), indicator: b'B', tape, at })
            }
            EventKind::Cancel => Event::Cancel(Cancel {
                symbol,
                id: count,
                venue: Venue(b'V'),
                price,
                size: 1,
                action: CancelAction::Error,
                tape,
                at,
            }),
            EventKind::Correction => Event::Correction(Correction {
                symbol,
                venue: Venue(b'V'),
                original: Print::of(&trade),
                corrected: Print { price: Price::from_cents(1), ..Print::of(&trade) },
                tape,
                at,
            }),
        }
    }
}

/// A notice that clients that opted in are told.
pub(super) fn notice() -> FeedNotice {
    FeedNotice::of_source(FeedState::Live, "script")
}

/// Everything that the feed has published, to compare with what clients receive.
#[derive(Debug)]
pub(super) struct Published {
    /// All instruments, also those that are not listed yet.
    pub(super) universe: Universe,
    streams: HashMap<StreamId, Vec<(Object, u64)>>,
    count: u64,
}

impl Default for Published {
    fn default() -> Self {
        Self { universe: fixtures::universe_of(&SYMBOLS), streams: HashMap::new(), count: 0 }
    }
}

impl Published {
    pub(super) fn add(&mut self, batch: &Batch) {
        for object in batch.objects() {
            let stream = self.streams.entry(object.stream()).or_default();
            assert_eq!(object.seq, Seq(stream.len() as u64 + 1), "the feed numbers without a hole");
            self.count += 1;
            stream.push((*object, self.count));
        }
    }

    /// The object of this number.
    pub(super) fn object(&self, stream: StreamId, seq: u64) -> Option<Object> {
        self.entry(stream, seq).map(|(object, _)| object)
    }

    /// The place of the object of this number among all that were published.
    pub(super) fn place(&self, stream: StreamId, seq: u64) -> Option<u64> {
        self.entry(stream, seq).map(|(_, place)| place)
    }

    fn entry(&self, stream: StreamId, seq: u64) -> Option<(Object, u64)> {
        let place = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.streams.get(&stream)?.get(place).copied()
    }
}
