//! A feed for tests: the simulator, numbered, without a clock.

use std::sync::Arc;

use crate::feed::{BarSpans, Batch, LastValues, Sequencer};
use crate::model::{Epoch, Event, MILLISECOND, Timestamp, Universe};
use crate::source::{Listings, SimulationSettings, Simulator};

/// Batches of a simulated market, one for each millisecond in which something happens.
pub(super) struct TestFeed {
    pub(super) universe: Arc<Universe>,
    pub(super) last_values: LastValues,
    simulator: Simulator,
    sequencer: Sequencer,
    now: Timestamp,
}

impl TestFeed {
    /// A busy market of a few symbols that opens a second before midnight in New York.
    pub(super) fn new(epoch: Epoch) -> Self {
        Self::starting_at(epoch, Timestamp::from_nanos(1_700_024_399_000_000_000))
    }

    pub(super) fn starting_at(epoch: Epoch, now: Timestamp) -> Self {
        Self::with_bars(epoch, now, BarSpans { bar_nanos: 200 * MILLISECOND })
    }

    pub(super) fn with_bars(epoch: Epoch, now: Timestamp, spans: BarSpans) -> Self {
        let settings = SimulationSettings { trades_per_second: 1_500.0, ..SimulationSettings::EVENTFUL };
        let listings = Listings::new(5, settings.seed);
        let universe = Arc::clone(listings.universe());
        let sequencer = Sequencer::new(Arc::clone(&universe), spans, epoch, now);
        let simulator = Simulator::new(&listings, settings);
        Self { last_values: LastValues::new(universe.len()), universe, simulator, sequencer, now }
    }

    /// Goes on with this sequencer and these last values, as after a restart.
    pub(super) fn restart(&mut self, sequencer: Sequencer, last_values: LastValues) {
        (self.sequencer, self.last_values) = (sequencer, last_values);
    }

    /// The time up to which it has come.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The next batches.
    pub(super) fn batches(&mut self, count: usize) -> Vec<Arc<Batch>> {
        let mut batches = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        while batches.len() < count {
            self.simulator.step(self.now, &mut events);
            self.now = Timestamp::from_nanos(self.now.nanos() + MILLISECOND);
            let batch = self.sequencer.sequence(&mut self.last_values, &events, self.now);
            events.clear();
            if !batch.is_empty() {
                let number = self.last_values.batch() + 1;
                self.last_values.set_batch(number);
                self.last_values.set_watermark(self.now);
                batches.push(Arc::new(batch.numbered(number)));
            }
        }
        batches
    }
}

/// Asserts that batches are equal: objects with their numbers, borders, watermarks and instruments.
pub(super) fn assert_equal(found: &[Arc<Batch>], expected: &[Arc<Batch>]) {
    assert_eq!(found.len(), expected.len(), "the number of batches");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!((found.number(), found.watermark()), (expected.number(), expected.watermark()));
        assert_eq!((found.events(), found.tickers()), (expected.events(), expected.tickers()));
        let symbols = |batch: &Batch| batch.universe().iter().map(|listed| listed.symbol).collect::<Vec<_>>();
        assert_eq!(symbols(found), symbols(expected));
    }
}

/// Asserts that two tables hold the same objects and numbers.
pub(super) fn assert_same_values(found: &LastValues, expected: &LastValues) {
    assert_eq!((found.batch(), found.watermark()), (expected.batch(), expected.watermark()));
    assert!(found.iter().eq(expected.iter()));
}
