use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// The shortest time between a fetch and one that a token with an unknown key asks for.
const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// The longest time that a client waits for a fetch, which has its own, shorter deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The fetches of a set of keys, between those that need keys and the task that fetches.
///
/// A token with an unknown key may be one of a key that is new at its server, so it waits for a fetch. Made-up keys cause
/// one fetch in 10 s, together.
#[derive(Debug)]
pub struct KeyFetches {
    state: Mutex<FetchState>,
    wanted: Notify,
    /// The number of fetches that ended.
    ended: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug)]
struct FetchState {
    /// A fetch is under way, or asked for.
    is_pending: bool,
    /// When the last one began.
    began: Option<Instant>,
}

impl Default for KeyFetches {
    /// The first fetch is pending.
    fn default() -> Self {
        let state = Mutex::new(FetchState { is_pending: true, began: None });
        Self { state, wanted: Notify::new(), ended: watch::Sender::default() }
    }
}

impl KeyFetches {
    /// Asks for a fetch, however short ago the last one was.
    pub fn demand(&self) {
        self.state().is_pending = true;
        self.wanted.notify_one();
    }

    /// Asks for a fetch because of an unknown key: returns what to wait for, or `None` if it is too early for another one.
    pub(super) fn ask(&self, now: Instant) -> Option<impl Future<Output = ()> + use<>> {
        let mut ended = self.ended.subscribe();
        let mut state = self.state();
        let is_early = state.began.is_some_and(|began| now.saturating_duration_since(began) < MIN_INTERVAL);
        match (state.is_pending, is_early) {
            (true, _) => {}
            (false, true) => return None,
            (false, false) => {
                state.is_pending = true;
                self.wanted.notify_one();
            }
        }
        Some(async move {
            let _ = timeout(LONGEST_WAIT, ended.changed()).await;
        })
    }

    /// Waits until a fetch is asked for.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// A fetch begins.
    pub fn begin(&self, now: Instant) {
        *self.state() = FetchState { is_pending: true, began: Some(now) };
    }

    /// The fetch has ended, and its keys are installed if it succeeded.
    pub fn end(&self) {
        self.state().is_pending = false;
        self.ended.send_modify(|count| *count += 1);
    }

    fn state(&self) -> MutexGuard<'_, FetchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn unknown_keys_cause_one_fetch_in_ten_seconds_and_wait_for_it() {
        let (fetches, start) = (KeyFetches::default(), Instant::now());
        let mut first = Box::pin(fetches.ask(start).unwrap());
        assert!(first.as_mut().now_or_never().is_none(), "the first fetch is pending");
        assert!(fetches.wanted().now_or_never().is_none(), "and not asked for again");
        fetches.begin(start);
        fetches.end();
        assert!(first.now_or_never().is_some());

        let later = |seconds| start + Duration::from_secs(seconds);
        assert!(fetches.ask(later(9)).is_none());
        let [mut one, mut other] = [(); 2].map(|()| Box::pin(fetches.ask(later(10)).unwrap()));
        assert!(fetches.wanted().now_or_never().is_some());
        assert!(fetches.wanted().now_or_never().is_none(), "once for both");
        fetches.begin(later(11));
        assert!(one.as_mut().now_or_never().is_none() && other.as_mut().now_or_never().is_none());
        fetches.end();
        assert!(one.now_or_never().is_some() && other.now_or_never().is_some());
        assert!(fetches.ask(later(20)).is_none());
    }
}
