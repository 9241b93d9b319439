use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::client::Tally;
use super::scenario::Scenario;
use super::shrink::{run, shrink};
use super::violation::Violation;

/// A seed that breaks a promise.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) scenario: Scenario,
    pub(super) violation: Violation,
}

/// Runs these seeds on all cores. Returns the lowest seed that breaks a promise, or what all of them have tested.
pub(super) fn search(seeds: Range<u64>) -> Result<Tally, Box<Failure>> {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new((Tally::default(), None::<Box<Failure>>));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let scenario = Scenario::of(seed);
            let result = run(&scenario);
            let (tally, failure) = &mut *found.lock().unwrap();
            match result {
                Ok(report) => tally.add(&report.tally),
                Err(violation) => {
                    // The lower seeds are being run by the other threads.
                    next.fetch_max(seeds.end, Ordering::Relaxed);
                    if failure.as_ref().is_none_or(|it| it.scenario.seed > seed) {
                        *failure = Some(Box::new(Failure { scenario, violation }));
                    }
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
    let (tally, failure) = found.into_inner().unwrap();
    failure.map_or(Ok(tally), Err)
}

impl Failure {
    /// The failure after shrinking, and how to see it again.
    pub(super) fn explain(&self) -> String {
        let (smallest, Violation { invariant, detail }) = shrink(&self.scenario, &self.violation);
        let (seed, before) = (self.scenario.seed, self.scenario.steps.len());
        let first = &self.violation.detail;
        format!(
            "seed {seed} breaks {invariant}: {first}\n\
             shrunk from {before} to {} steps, which break it so: {detail}\n{smallest}\
             again: make simulate SEED={seed}",
            smallest.steps.len(),
        )
    }
}
