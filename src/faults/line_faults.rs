use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::faulty_source::exponential;
use super::log::{FaultLog, Layer};
use super::spec::{FaultSpec, LineFaultRates};
use crate::model::Timestamp;

/// A fault of a session's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// The connection ends without a Close.
    Cut,
    /// The connection is reset.
    Reset,
    /// Nothing is sent for this long.
    Stall(Duration),
    /// Bytes are sent one by one for this long.
    Trickle(Duration),
    /// Close 1012.
    Restart,
    /// Close 1013.
    Overload,
    /// Error 406 and close 1013.
    ConnectionLimit,
    /// Error 407 and close 1013.
    SlowClient,
}

const STALL: Duration = Duration::from_secs(3);
const TRICKLE: Duration = Duration::from_secs(1);

impl LineFault {
    /// The name in `--faults` and in the list.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::Stall(_) => "stall",
            Self::Trickle(_) => "trickle",
            Self::Restart => "close-1012",
            Self::Overload => "close-1013",
            Self::ConnectionLimit => "error-406",
            Self::SlowClient => "error-407",
        }
    }
}

/// Plans the faults of the lines of all sessions.
#[derive(Clone, Debug)]
pub struct LineFaults {
    seed: u64,
    rates: LineFaultRates,
    sessions: Arc<AtomicU64>,
    log: FaultLog,
}

/// The faults to come of one session.
#[derive(Debug)]
pub struct LineFaultPlan {
    session: u64,
    label: Option<String>,
    rates: LineFaultRates,
    random: StdRng,
    log: FaultLog,
}

impl LineFaults {
    /// These faults, which are recorded in this log. `None` if lines have none.
    pub fn new(spec: &FaultSpec, log: FaultLog) -> Option<Self> {
        let is_any = spec.line != LineFaultRates::default();
        is_any.then(|| Self { seed: spec.seed, rates: spec.line, sessions: Arc::default(), log })
    }

    /// The plan of the next session, which has this name.
    pub fn plan(&self, label: Option<String>) -> LineFaultPlan {
        let session = 1 + self.sessions.fetch_add(1, Ordering::Relaxed);
        let seed = self.seed.wrapping_add(session.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let random = StdRng::seed_from_u64(seed);
        LineFaultPlan { session, label, rates: self.rates, random, log: self.log.clone() }
    }
}

impl LineFaultPlan {
    /// The next fault, and the time until it.
    pub fn next_fault(&mut self) -> Option<(Duration, LineFault)> {
        let rates = self.rates;
        let kinds = [
            (rates.cut, LineFault::Cut),
            (rates.reset, LineFault::Reset),
            (rates.stall, LineFault::Stall(STALL)),
            (rates.trickle, LineFault::Trickle(TRICKLE)),
            (rates.restart, LineFault::Restart),
            (rates.overload, LineFault::Overload),
            (rates.connection_limit, LineFault::ConnectionLimit),
            (rates.slow_client, LineFault::SlowClient),
        ];
        let of_kind =
            |(mean, kind): (Option<Duration>, _)| Some((exponential(mean?, &mut self.random), kind));
        kinds.into_iter().filter_map(of_kind).min_by_key(|(after, _)| *after)
    }

    /// Lists a fault that is made now.
    pub fn record(&self, fault: LineFault, now: Timestamp) {
        let session = (self.session, self.label.clone());
        self.log.record(now, Layer::Line, fault.name(), BTreeMap::new(), Some(session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(spec: &str) -> Option<LineFaults> {
        LineFaults::new(&spec.parse().unwrap(), FaultLog::default())
    }

    #[test]
    fn without_a_mean_time_there_is_no_plan() {
        assert!(faults("drop=1").is_none());
    }

    #[test]
    fn faults_come_as_often_as_their_mean_times_say() {
        let faults = faults("cut=30s,stall=10s").unwrap();
        let mut plan = faults.plan(None);
        let mut stalls = 0;
        let total: Duration = (0..4_000)
            .map(|_| {
                let (after, fault) = plan.next_fault().unwrap();
                stalls += usize::from(matches!(fault, LineFault::Stall(_)));
                after
            })
            .sum();

        assert!((2_850..3_150).contains(&stalls), "{stalls}");
        assert!((28_000..32_000).contains(&total.as_secs()), "{total:?}");
    }

    #[test]
    fn the_nth_session_has_the_same_faults_in_each_run() {
        let first_two = || {
            let faults = faults("seed=5,cut=30s,error-407=10s").unwrap();
            [(); 2].map(|()| faults.plan(None).next_fault().unwrap())
        };

        assert_eq!(first_two(), first_two());
        assert_ne!(first_two()[0], first_two()[1]);
    }
}
