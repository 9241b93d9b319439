use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Waits until the reactor has run, so that sockets and timers of other tasks get their turn.
///
/// A task that only wakes itself runs again up to 61 times before the runtime looks at its sockets, and
/// `tokio::task::yield_now` ends with the next poll for whatever reason. This ends when the reactor has
/// run, however often its task is polled in between.
#[derive(Debug)]
pub struct ReactorTurn(Arc<TurnState>);

#[derive(Debug)]
struct TurnState {
    is_over: AtomicBool,
    task: Waker,
}

impl ReactorTurn {
    /// Begins to wait; the task of this context is woken at the end.
    pub fn begin(cx: &Context<'_>) -> Self {
        let state = Arc::new(TurnState { is_over: AtomicBool::new(false), task: cx.waker().clone() });
        let waker = Waker::from(Arc::clone(&state));
        // Its first poll has the waker woken behind the reactor's next run.
        let yielded = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        debug_assert!(yielded.is_pending());
        Self(state)
    }

    /// Whether the reactor has run.
    pub fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::Relaxed)
    }

    /// Waits for one run of the reactor.
    pub async fn wait() {
        let mut turn = None;
        poll_fn(|cx| match turn.get_or_insert_with(|| Self::begin(cx)).is_over() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

impl Wake for TurnState {
    fn wake(self: Arc<Self>) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;

    /// A timer that has expired before the turn begins fires within it, though the task keeps itself awake.
    #[actix_web::test]
    async fn a_timer_fires_within_the_turn_of_a_task_that_keeps_waking_itself() {
        let fired = Rc::new(Cell::new(false));
        let timer = Rc::clone(&fired);
        actix_web::rt::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            timer.set(true);
        });
        let mut turns = 0;
        while !fired.get() {
            let mut turn = None;
            poll_fn(|cx| {
                let turn = turn.get_or_insert_with(|| ReactorTurn::begin(cx));
                if turn.is_over() {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            turns += 1;
            assert!(turns < 1_000_000, "the timer never fires");
        }
        assert!(turns > 0);
    }
}
