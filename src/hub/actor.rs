use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, SpawnHandle, WrapFuture};

use super::{Hub, Now};
use crate::clock::Clock;
use crate::feed::{Batch, Published};
use crate::limits::ReactorTurn;
use crate::wire::Close;

/// Closes all sessions of the hub for this reason.
#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct CloseAll(pub Close);

/// Is answered when the thread of an actor runs.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct LivenessProbe;

/// Continues the dispatch when the mailbox is empty.
///
/// The actor sends it to itself when the first of several batches arrives, so that all batches in its mailbox are
/// dispatched together; a feed on the hub's thread sends it when one dispatch did not reach every subscriber.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Continue;

/// Receives the batches of a feed on another thread, and runs the hub's timers.
pub struct HubActor {
    pub(super) hub: Rc<Hub>,
    /// The drain that goes on.
    pub(super) drain: Option<SpawnHandle>,
    pending: VecDeque<Arc<Batch>>,
    /// A timer for the hub's next flush is set.
    has_flush_timer: bool,
    /// A task that continues the dispatch is spawned.
    is_continuing: bool,
    /// The interval that runs the hub's timers is started; with a feed on the hub's thread its ticks do that.
    has_timer_interval: bool,
}

/// The interval of the check for silent and stalled connections.
const LIVENESS_INTERVAL: Duration = Duration::from_secs(1);

/// The longest time that an expired timer of a subscriber waits while no batch arrives.
const TIMER_INTERVAL: Duration = Duration::from_millis(10);

/// The maximum number of batches in one dispatch. Between two dispatches other tasks run, so that a hub that is behind
/// does not starve new connections of the worker.
const MAX_BATCHES_PER_DISPATCH: usize = 64;

/// The delay that clients are asked to keep before they reconnect after a restart: spread, with jitter,
/// so that they do not all return at once.
const RECONNECT_MS: Range<u32> = 500..5_000;

/// Draws the delay.
pub(super) fn reconnect_delay() -> Duration {
    Duration::from_millis(rand::random_range(RECONNECT_MS).into())
}

impl Now {
    /// Reads both clocks.
    pub fn read(clock: &Clock) -> Self {
        Self { steady: Instant::now(), wall: clock.now() }
    }
}

impl HubActor {
    /// An actor for this hub.
    pub fn new(hub: Rc<Hub>) -> Self {
        Self {
            hub,
            drain: None,
            pending: VecDeque::new(),
            has_flush_timer: false,
            is_continuing: false,
            has_timer_interval: false,
        }
    }

    /// Dispatches the pending batches in one pass, and arranges for the next one where it is needed.
    fn dispatch(&mut self, ctx: &mut Context<Self>) {
        let count = self.pending.len().min(MAX_BATCHES_PER_DISPATCH);
        self.pending.make_contiguous();
        let now = Now::read(self.hub.clock());
        self.hub.ingest(&self.pending.as_slices().0[..count], now.steady);
        self.pending.drain(..count);
        self.hub.run_timers(now);
        if let (false, Some(flush_at)) = (self.has_flush_timer, self.hub.flush_at()) {
            self.has_flush_timer = true;
            ctx.run_later(flush_at.saturating_duration_since(now.steady), |actor, ctx| {
                actor.has_flush_timer = false;
                actor.dispatch(ctx);
            });
        }
        if !self.is_continuing && (self.hub.has_more() || !self.pending.is_empty()) {
            self.is_continuing = true;
            let later = ReactorTurn::wait().into_actor(self);
            ctx.spawn(later.map(|(), actor, ctx| {
                actor.is_continuing = false;
                actor.dispatch(ctx);
            }));
        }
    }
}

impl Actor for HubActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LIVENESS_INTERVAL, |actor, _| {
            actor.hub.check_liveness(Instant::now(), LIVENESS_INTERVAL);
        });
    }
}

impl Handler<Published> for HubActor {
    type Result = ();

    fn handle(&mut self, published: Published, ctx: &mut Self::Context) {
        match published {
            Published::Snapshot(snapshot) => {
                self.hub.load_snapshot(Arc::unwrap_or_clone(snapshot));
                if !std::mem::replace(&mut self.has_timer_interval, true) {
                    ctx.run_interval(TIMER_INTERVAL, |actor, _| {
                        actor.hub.run_timers(Now::read(actor.hub.clock()));
                    });
                }
            }
            Published::Batch(batch) => {
                self.pending.push_back(batch);
                if self.pending.len() == 1 {
                    ctx.notify(Continue);
                }
            }
        }
    }
}

impl Handler<Continue> for HubActor {
    type Result = ();

    fn handle(&mut self, _: Continue, ctx: &mut Self::Context) {
        self.dispatch(ctx);
    }
}

impl Handler<LivenessProbe> for HubActor {
    type Result = ();

    fn handle(&mut self, _: LivenessProbe, _: &mut Self::Context) {}
}

impl Handler<CloseAll> for HubActor {
    type Result = ();

    fn handle(&mut self, CloseAll(reason): CloseAll, _: &mut Self::Context) {
        self.hub.close_all(reason, Instant::now(), reconnect_delay);
    }
}
