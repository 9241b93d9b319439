//! Faults on purpose: what real feeds and networks do to a client, seeded and listed.
//!
//! A client's author tests reconnection and recovery with it. There are three layers, since they prove different
//! things. Faults of the *source* come before numbering and are ordinary data: late, repeated, out of order. Faults of
//! the *feed* come after it: the numbers tell the client what it missed. Faults of the *line* end or slow one connection.
//! The same seed gives the same faults of source and feed for the same events, and the same faults of the n-th session.
//! What was done is served at `/faults`.

mod faulty_feed;
mod faulty_source;
mod line_faults;
mod log;
mod slow_line;
mod spec;

pub use faulty_feed::FaultyFeed;
pub use faulty_source::FaultySource;
pub use line_faults::{LineFault, LineFaultPlan, LineFaults};
pub use log::{FaultLog, FaultRecord, Layer};
pub use slow_line::{LineCondition, LineControl, SlowLine};
pub use spec::{FaultSpec, FaultSpecError};

use crate::source::EventSource;

/// The faults of the service: what it needs to make them in each layer, and to list them.
#[derive(Clone, Debug)]
pub struct Faults {
    spec: FaultSpec,
    lines: Option<LineFaults>,
    log: FaultLog,
}

impl Faults {
    /// These faults.
    pub fn new(spec: FaultSpec) -> Self {
        let log = FaultLog::default();
        Self { spec, lines: LineFaults::new(&spec, log.clone()), log }
    }

    /// The faults that were made.
    pub const fn log(&self) -> &FaultLog {
        &self.log
    }

    /// This source with faults.
    pub fn distort(&self, source: Box<dyn EventSource>) -> Box<dyn EventSource> {
        Box::new(FaultySource::new(source, &self.spec, self.log.clone()))
    }

    /// The faults of delivery.
    pub fn feed(&self) -> FaultyFeed {
        FaultyFeed::new(&self.spec, self.log.clone())
    }

    /// The faults of the next session's connection, which has this name.
    pub fn line_plan(&self, label: Option<String>) -> Option<Box<LineFaultPlan>> {
        self.lines.as_ref().map(|lines| Box::new(lines.plan(label)))
    }
}
