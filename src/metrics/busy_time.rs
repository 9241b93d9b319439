use std::time::Duration;

use tokio::runtime::{Handle, RuntimeMetrics};

/// How long the runtime of a thread has been busy: not waiting for events. Unlike the CPU time of the thread it includes the
/// time in which another thread had the core, which makes it late as well.
#[derive(Clone, Debug, Default)]
pub struct BusyTime(Option<RuntimeMetrics>);

impl BusyTime {
    /// That of the calling thread; zero for ever on a thread without a runtime.
    pub fn of_this_thread() -> Self {
        Self(Handle::try_current().ok().map(|handle| handle.metrics()))
    }

    /// Since the start of the thread.
    pub fn total(&self) -> Duration {
        // Each worker and each feed has a runtime of one thread.
        self.0.as_ref().map_or(Duration::ZERO, |metrics| metrics.worker_total_busy_duration(0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_counts_and_waiting_does_not() {
        actix::System::new().block_on(async {
            let busy = BusyTime::of_this_thread();
            let wait = || actix::clock::sleep(Duration::from_millis(100));
            wait().await;
            let before = busy.total();
            wait().await;
            let waited = busy.total() - before;

            let work = Instant::now();
            while work.elapsed() < Duration::from_millis(100) {}
            tokio::task::yield_now().await;
            wait().await;

            let worked = busy.total() - before - waited;
            assert!(worked >= Duration::from_millis(100) && waited < worked, "{waited:?}, {worked:?}");
        });
    }
}
