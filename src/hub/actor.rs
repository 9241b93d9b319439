use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, WrapFuture};

use super::Hub;
use crate::feed::{Batch, InlineFollower, LastValues, Published};
use crate::wire::Close;

/// All subscribers are to be told to go, for this reason.
#[derive(Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct CloseAll(pub Close);

/// What the hub hears of a tape on another thread, and its clock.
pub struct HubActor {
    hub: Rc<Hub>,
    waiting: VecDeque<Arc<Batch>>,
    /// Whether it will be told when those who wait have waited long enough.
    has_timer: bool,
    /// Whether its next turn comes by itself, because this one was not enough.
    is_going_on: bool,
}

/// How often the hub looks after the silent and the stalled.
const BEAT: Duration = Duration::from_secs(1);

/// How often the hub calls those who are due where no batch comes: a quiet market on another thread.
const QUIET_TURN: Duration = Duration::from_millis(10);

/// The most batches handed out in one turn; the loop turns between one turn and the next, so that a
/// hub that fell behind does not starve the worker's newcomers.
const BATCHES_PER_TURN: usize = 64;

impl HubActor {
    /// An actor for this hub.
    pub fn new(hub: Rc<Hub>) -> Self {
        Self { hub, waiting: VecDeque::new(), has_timer: false, is_going_on: false }
    }

    /// Hands out what has come in until now, in one turn.
    fn hand_out(&mut self, ctx: &mut Context<Self>) {
        let count = self.waiting.len().min(BATCHES_PER_TURN);
        self.waiting.make_contiguous();
        let now = Instant::now();
        self.hub.hand_out(&self.waiting.as_slices().0[..count], now);
        self.waiting.drain(..count);
        self.hub.call_due(now);
        if let (false, Some(flush_at)) = (self.has_timer, self.hub.flush_at()) {
            self.has_timer = true;
            ctx.run_later(flush_at.saturating_duration_since(now), |hub, ctx| {
                hub.has_timer = false;
                hub.hand_out(ctx);
            });
        }
        if !self.is_going_on && (self.hub.has_more() || !self.waiting.is_empty()) {
            self.is_going_on = true;
            let later = tokio::task::yield_now().into_actor(self);
            ctx.spawn(later.map(|(), hub, ctx| {
                hub.is_going_on = false;
                hub.hand_out(ctx);
            }));
        }
    }
}

impl Actor for HubActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(BEAT, |actor, _| actor.hub.beat(Instant::now()));
    }
}

impl Handler<Published> for HubActor {
    type Result = ();

    fn handle(&mut self, published: Published, ctx: &mut Self::Context) {
        match published {
            Published::AuthState(latest) => {
                self.hub.stand(LastValues::clone(&latest));
                ctx.run_interval(QUIET_TURN, |actor, _| actor.hub.call_due(Instant::now()));
            }
            Published::Batch(batch) => {
                self.waiting.push_back(batch);
                if self.waiting.len() == 1 {
                    ctx.notify(HandOut);
                }
            }
        }
    }
}

/// Comes to its turn when the mailbox is empty, so that batches which waited together in it are
/// handed out together.
#[derive(Message)]
#[rtype(result = "()")]
struct HandOut;

impl Handler<HandOut> for HubActor {
    type Result = ();

    fn handle(&mut self, _: HandOut, ctx: &mut Self::Context) {
        self.hand_out(ctx);
    }
}

/// The hub's ear for a tape on its own thread.
pub struct InlineHub {
    hub: Rc<Hub>,
    actor: Addr<HubActor>,
}

impl InlineHub {
    /// An ear for this hub; its actor goes on where one call was not enough.
    pub fn new(hub: Rc<Hub>, actor: Addr<HubActor>) -> Self {
        Self { hub, actor }
    }
}

/// A beat that brings nothing is of use, too, where somebody waits: it is their clock.
impl InlineFollower for InlineHub {
    fn beat(&self, tell: impl FnOnce(&mut LastValues) -> Option<Arc<Batch>>) {
        let batch = self.hub.enter(tell);
        let now = Instant::now();
        self.hub.pass_on(batch.as_slice(), now);
        self.hub.call_due(now);
        if self.hub.has_more() {
            self.actor.do_send(HandOut);
        }
    }

    fn may_rest(&self) -> bool {
        self.hub.awaits_nothing()
    }
}

impl Handler<CloseAll> for HubActor {
    type Result = ();

    fn handle(&mut self, CloseAll(why): CloseAll, _: &mut Self::Context) {
        self.hub.dismiss_all(why);
    }
}
