use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::log::{FaultLog, Layer};
use super::spec::{FaultSpec, SourceFaults};
use crate::model::{Body, Epoch, Event, FeedNotice, Quote, Timestamp, TradeRules, Universe};
use crate::source::{ControlRefusal, EventSource, Readers, ReplayCommand, ReplayStatus, Ticks};

/// How long nothing comes before a burst.
const BURST_HOLDS: Duration = Duration::from_millis(500);

/// How long a frozen source reports nothing.
const FREEZE: Duration = Duration::from_secs(5);

/// A source with faults: what is late, repeated or out of order before it is numbered.
pub struct FaultySource {
    source: Box<dyn EventSource>,
    faults: SourceFaults,
    random: StdRng,
    log: FaultLog,
    /// Trades that are reported when this time has come.
    late: Vec<(Timestamp, Event)>,
    burst: Outage,
    freeze: Outage,
    /// The events of the current poll, and those that wait for the end of a burst's silence.
    events: Vec<Event>,
}

/// A state that begins now and then and lasts for a while.
#[derive(Debug)]
struct Outage {
    mean: Option<Duration>,
    lasts: Duration,
    /// When it begins, or ends.
    next: Option<Timestamp>,
    is_on: bool,
}

/// What an outage does at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Off,
    Begins,
    On,
    Ends,
}

impl Outage {
    const fn new(mean: Option<Duration>, lasts: Duration) -> Self {
        Self { mean, lasts, next: None, is_on: false }
    }

    fn at(&mut self, now: Timestamp, random: &mut StdRng) -> Phase {
        let Some(mean) = self.mean else { return Phase::Off };
        // After a step back of the clock the next one is no further away than at the start.
        let pause = exponential(mean, random);
        let next = *self.next.get_or_insert(now + pause);
        let latest = if self.is_on { self.lasts } else { mean.saturating_mul(100) };
        match now >= next || next > now + latest {
            false if self.is_on => Phase::On,
            false => Phase::Off,
            true => {
                self.is_on = !self.is_on;
                self.next = Some(now + if self.is_on { self.lasts } else { pause });
                if self.is_on { Phase::Begins } else { Phase::Ends }
            }
        }
    }
}

/// A time until the next event of a Poisson process with this mean.
pub(super) fn exponential(mean: Duration, random: &mut StdRng) -> Duration {
    let uniform: f64 = 1.0 - random.random::<f64>();
    mean.mul_f64((-uniform.ln()).min(100.0))
}

impl FaultySource {
    /// This source with these faults, which are recorded in this log.
    pub fn new(source: Box<dyn EventSource>, spec: &FaultSpec, log: FaultLog) -> Self {
        Self {
            source,
            faults: spec.source,
            random: StdRng::seed_from_u64(spec.seed),
            log,
            late: Vec::new(),
            burst: Outage::new(spec.source.burst, BURST_HOLDS),
            freeze: Outage::new(spec.source.freeze, FREEZE),
            events: Vec::new(),
        }
    }

    fn hits(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random_bool(probability)
    }

    fn record(&self, kind: &'static str, at: Timestamp, event: Option<&Event>) {
        let name = |event: &Event| {
            let symbol = self.source.universe().instrument(event.symbol()).symbol;
            (format!("{}/{symbol}", Body::from(*event).channel().name()), (0, 0))
        };
        self.log.record(
            at,
            Layer::Source,
            kind,
            event.map(name).into_iter().collect::<BTreeMap<_, _>>(),
            None,
        );
    }

    /// Appends what becomes of the events up to `watermark`.
    fn distort(&mut self, events: &[Event], watermark: Timestamp, out: &mut Vec<Event>) {
        let start = out.len();
        for event in events {
            let mut event = *event;
            if matches!(event, Event::Trade(_)) && self.hits(self.faults.late) {
                self.record("late", watermark, Some(&event));
                let delay = Duration::from_millis(self.random.random_range(2_000..5_000));
                self.late.push((watermark + delay, event));
                continue;
            }
            if let Event::Quote(quote) = &mut event
                && quote.has_bid()
                && quote.has_ask()
                && self.hits(self.faults.crossed)
            {
                *quote = crossed(quote);
                self.record("crossed", watermark, Some(&event));
            }
            out.push(event);
            if self.hits(self.faults.duplicate) {
                out.push(event);
                self.record("duplicate", watermark, Some(&event));
            }
            if out.len() >= start + 2 && self.hits(self.faults.disorder) {
                let last = out.len() - 1;
                out.swap(last - 1, last);
                self.record("disorder", watermark, Some(&event));
            }
        }
        self.late.retain(|(due, event)| {
            let is_due = *due <= watermark;
            if is_due {
                out.push(*event);
            }
            !is_due
        });
    }
}

fn crossed(quote: &Quote) -> Quote {
    let Quote { bid, bid_size, bid_venue, ask, ask_size, ask_venue, .. } = *quote;
    Quote {
        bid: ask,
        bid_size: ask_size,
        bid_venue: ask_venue,
        ask: bid,
        ask_size: bid_size,
        ask_venue: bid_venue,
        ..*quote
    }
}

impl EventSource for FaultySource {
    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn universe(&self) -> &Arc<Universe> {
        self.source.universe()
    }

    fn open(&mut self, out: &mut Vec<Event>) -> Timestamp {
        self.source.open(out)
    }

    fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
        let mut events = mem::take(&mut self.events);
        let held = events.len();
        let Some(watermark) = self.source.poll(&mut events) else {
            self.events = events;
            return None;
        };
        match self.freeze.at(watermark, &mut self.random) {
            Phase::Off => {}
            phase => {
                if phase == Phase::Begins {
                    self.record("freeze", watermark, None);
                }
                events.truncate(held);
                if phase != Phase::Ends {
                    self.events = events;
                    return None;
                }
            }
        }
        match self.burst.at(watermark, &mut self.random) {
            Phase::Off | Phase::Ends => {}
            phase => {
                if phase == Phase::Begins {
                    self.record("burst", watermark, None);
                }
                self.events = events;
                return None;
            }
        }
        self.distort(&events, watermark, out);
        events.clear();
        self.events = events;
        Some(watermark)
    }

    fn trade_rules(&self) -> TradeRules {
        self.source.trade_rules()
    }

    fn take_notices(&mut self) -> Vec<FeedNotice> {
        self.source.take_notices()
    }

    fn control(&mut self, command: ReplayCommand) -> Result<(), ControlRefusal> {
        self.source.control(command)
    }

    fn replay_status(&self) -> Option<ReplayStatus> {
        self.source.replay_status()
    }

    fn take_epoch(&mut self) -> Option<Epoch> {
        self.source.take_epoch()
    }

    fn hold_back(&mut self) -> bool {
        self.source.hold_back()
    }

    fn ticks(&mut self) -> Ticks {
        self.source.ticks()
    }

    fn skip_ticks(&mut self, readers: Readers) {
        self.source.skip_ticks(readers);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::stream;

    use super::*;
    use crate::model::MILLISECOND;
    use crate::wire::fixtures;

    /// A trade and a quote each millisecond.
    struct Steady {
        universe: Arc<Universe>,
        step: i64,
    }

    impl EventSource for Steady {
        fn name(&self) -> &'static str {
            "steady"
        }

        fn universe(&self) -> &Arc<Universe> {
            &self.universe
        }

        fn open(&mut self, _: &mut Vec<Event>) -> Timestamp {
            Timestamp::default()
        }

        fn poll(&mut self, out: &mut Vec<Event>) -> Option<Timestamp> {
            let (Body::Trade(trade), Body::Quote(quote)) = (fixtures::trade().body, fixtures::quote().body)
            else {
                unreachable!()
            };
            self.step += 1;
            let at = Timestamp::from_nanos(self.step * MILLISECOND);
            out.push(Event::Trade(crate::model::Trade { at, id: self.step as u64, ..trade }));
            out.push(Event::Quote(Quote { at, ..quote }));
            Some(at)
        }

        fn ticks(&mut self) -> Ticks {
            stream::pending().boxed_local()
        }
    }

    /// Polls a source for some milliseconds: the events, the number of polls without a watermark, and the faults by kind.
    fn run(spec: &str, millis: usize) -> (Vec<Event>, usize, Vec<&'static str>) {
        let log = FaultLog::default();
        let steady = Steady { universe: Arc::new(fixtures::universe()), step: 0 };
        let mut source = FaultySource::new(Box::new(steady), &spec.parse().unwrap(), log.clone());
        let (mut out, mut silent) = (Vec::new(), 0);
        for _ in 0..millis {
            silent += usize::from(source.poll(&mut out).is_none());
        }
        (out, silent, log.since(0).0.iter().map(|fault| fault.kind).collect())
    }

    #[test]
    fn without_a_rate_nothing_changes() {
        let (events, silent, faults) = run("seed=1", 1_000);

        assert_eq!((events.len(), silent, faults.len()), (2_000, 0, 0));
        assert!(events.is_sorted_by_key(Event::at));
    }

    #[test]
    fn a_late_trade_comes_seconds_later_with_its_own_time() {
        let (events, _, faults) = run("late=0.01", 10_000);

        assert!(faults.len() > 50 && faults.iter().all(|kind| *kind == "late"), "{}", faults.len());
        let mut newest = Timestamp::default();
        let late: Vec<_> = events
            .iter()
            .filter_map(|event| {
                let behind = newest.nanos_since(event.at());
                newest = newest.max(event.at());
                (behind > 0).then_some(behind)
            })
            .collect();
        assert!(
            late.len() > 20 && late.iter().all(|behind| (1_999..=5_001).contains(&(behind / MILLISECOND)))
        );
    }

    #[test]
    fn each_kind_does_what_it_says_as_often_as_it_is_listed() {
        let (events, _, faults) = run("duplicate=0.01", 5_000);
        assert_eq!(events.len(), 10_000 + faults.len());

        let (events, _, faults) = run("disorder=0.01", 5_000);
        assert!(!faults.is_empty());
        assert_eq!(events.len(), 10_000);

        let (events, _, faults) = run("crossed=0.01", 5_000);
        let crossed = |event: &&Event| matches!(event, Event::Quote(quote) if quote.is_crossed());
        assert_eq!(events.iter().filter(crossed).count(), faults.len());
        assert!(!faults.is_empty());
    }

    #[test]
    fn a_burst_loses_nothing_and_a_freeze_does() {
        let (events, silent, faults) = run("burst=1s", 20_000);
        assert!(silent > 1_000 && faults.len() > 5, "{silent} {faults:?}");
        assert!(events.len() >= 40_000 - 1_002);

        let (events, silent, faults) = run("freeze=10s", 60_000);
        assert!(silent >= 4_999 && !faults.is_empty(), "{silent} {faults:?}");
        assert!(events.len() <= 120_000 - 2 * silent);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let all = "late=0.01,duplicate=0.01,disorder=0.01,crossed=0.01,burst=2s,freeze=20s";
        let of = |seed: u64| run(&format!("seed={seed},{all}"), 10_000);

        assert!(of(3) == of(3));
        assert!(of(3).2 != of(4).2);
    }
}
