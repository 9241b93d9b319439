use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::log::{FaultLog, Layer, streams_of};
use super::spec::{FaultSpec, FeedFaults};
use crate::feed::Batch;
use crate::model::Timestamp;

/// By how much a batch, and those behind it, are late.
const DELAY: Duration = Duration::from_millis(250);

/// Makes faults of delivery: decides what becomes of each numbered batch on its way to the hubs.
///
/// The last values, the archive and the journal have the truth; a client that misses numbers finds them there.
#[derive(Debug)]
pub struct FaultyFeed {
    faults: FeedFaults,
    random: StdRng,
    log: FaultLog,
    /// The batch that waits to be delivered after the next one.
    swapped: Option<Arc<Batch>>,
    /// Batches that are late, each with the time at which it is delivered.
    delayed: VecDeque<(Timestamp, Arc<Batch>)>,
}

impl FaultyFeed {
    /// These faults, which are recorded in this log.
    pub fn new(spec: &FaultSpec, log: FaultLog) -> Self {
        // Another stream of numbers than that of the source.
        let random = StdRng::seed_from_u64(spec.seed ^ (1 << 32));
        Self { faults: spec.feed, random, log, swapped: None, delayed: VecDeque::new() }
    }

    /// The batches to deliver now, given the one that was published, if any, and the time.
    pub fn deliver(&mut self, batch: Option<Arc<Batch>>, now: Timestamp) -> Vec<Arc<Batch>> {
        let mut due = Vec::new();
        if let Some(batch) = batch {
            self.distort(batch, now, &mut due);
        }
        if self.delayed.is_empty() {
            return due;
        }
        // The order is kept: what comes now waits behind what is late.
        let last = self.delayed.back().map_or(now, |(at, _)| *at);
        self.delayed.extend(due.drain(..).map(|batch| (last, batch)));
        while let Some((_, batch)) = self.delayed.pop_front_if(|(at, _)| *at <= now || *at > now + DELAY) {
            due.push(batch);
        }
        due
    }

    fn distort(&mut self, batch: Arc<Batch>, now: Timestamp, due: &mut Vec<Arc<Batch>>) {
        if self.hits(self.faults.drop) {
            return self.record("drop", &batch);
        }
        let waiting = self.swapped.take();
        if waiting.is_none() && self.hits(self.faults.swap) {
            self.record("swap", &batch);
            self.swapped = Some(batch);
            return;
        }
        if self.delayed.is_empty() && self.hits(self.faults.delay) {
            self.record("delay", &batch);
            self.delayed.push_back((now + DELAY, batch));
            self.delayed.extend(waiting.map(|batch| (now + DELAY, batch)));
            return;
        }
        if self.hits(self.faults.repeat) {
            self.record("repeat", &batch);
            due.push(Arc::clone(&batch));
        }
        due.push(batch);
        due.extend(waiting);
    }

    fn hits(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random_bool(probability)
    }

    fn record(&self, kind: &'static str, batch: &Batch) {
        let streams = streams_of(batch.universe(), batch.all_objects());
        self.log.record(batch.watermark(), Layer::Feed, kind, streams, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MILLISECOND, Object, Seq};
    use crate::wire::fixtures;

    fn millis(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * MILLISECOND)
    }

    /// Passes batches of one trade each through the faults: the numbers of those delivered, and the log.
    fn run(spec: &str, batches: i64) -> (Vec<u64>, FaultLog) {
        let log = FaultLog::default();
        let mut feed = FaultyFeed::new(&spec.parse().unwrap(), log.clone());
        let universe = Arc::new(fixtures::universe());
        let mut delivered = Vec::new();
        for step in 1..=batches + 1_000 {
            let batch = (step <= batches).then(|| {
                let object = Object { seq: Seq(step as u64), ..fixtures::trade() };
                Arc::new(Batch::new(Arc::clone(&universe), millis(step), vec![object], vec![]))
            });
            let due = feed.deliver(batch, millis(step));
            delivered.extend(due.iter().flat_map(|batch| batch.objects().map(|object| object.seq.0)));
        }
        (delivered, log)
    }

    #[test]
    fn without_a_rate_every_batch_is_delivered_once_and_in_order() {
        let (delivered, log) = run("seed=1", 1_000);

        assert!(delivered.into_iter().eq(1..=1_000));
        assert_eq!(log.since(0).1, 0);
    }

    #[test]
    fn what_is_dropped_is_listed_with_its_numbers_and_all_else_is_delivered() {
        let (delivered, log) = run("drop=0.01", 10_000);

        let (faults, _) = log.since(0);
        assert!(faults.len() > 50);
        let missing: Vec<u64> = (1..=10_000).filter(|seq| !delivered.contains(seq)).collect();
        let listed: Vec<u64> = faults.iter().map(|fault| fault.streams["trades/AAPL"].0).collect();
        assert_eq!(missing, listed);
    }

    #[test]
    fn a_repeated_a_swapped_and_a_delayed_batch_lose_nothing() {
        for (spec, is_in_order) in [("repeat=0.01", true), ("delay=0.01", true), ("swap=0.01", false)] {
            let (mut delivered, log) = run(spec, 10_000);
            let faults = log.since(0).1 as usize;
            assert!(faults > 20, "{spec}");
            assert_eq!(delivered.is_sorted(), is_in_order, "{spec}");
            let repeated = if spec.starts_with("repeat") { faults } else { 0 };
            assert_eq!(delivered.len(), 10_000 + repeated, "{spec}");
            delivered.sort_unstable();
            delivered.dedup();
            assert!(delivered.into_iter().eq(1..=10_000), "{spec}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let of = |seed: u64| run(&format!("seed={seed},drop=0.01,repeat=0.01,swap=0.01,delay=0.01"), 3_000).0;

        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }
}
