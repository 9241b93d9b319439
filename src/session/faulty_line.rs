use std::time::Instant;

use actix::{ActorContext, AsyncContext};
use actix_web_actors::ws::WebsocketContext;

use super::actor::SessionActor;
use crate::faults::{LineCondition, LineControl, LineFault, LineFaultPlan, SlowLine};
use crate::hub::{Now, Subscriber};
use crate::transport::Transport;
use crate::wire::{Close, ErrorCode};

/// The line of a session that has faults.
pub(super) struct FaultyLine {
    plan: Box<LineFaultPlan>,
    control: LineControl,
}

impl FaultyLine {
    /// This transport with these faults, if there are any.
    pub(super) fn wrap(
        transport: Box<dyn Transport>,
        plan: Option<Box<LineFaultPlan>>,
    ) -> (Box<dyn Transport>, Option<Box<Self>>) {
        let Some(plan) = plan else { return (transport, None) };
        let (line, control) = SlowLine::new(transport);
        (Box::new(line), Some(Box::new(Self { plan, control })))
    }
}

impl SessionActor {
    /// Makes the next fault of the line when its time has come.
    pub(super) fn await_line_fault(&mut self, ctx: &mut WebsocketContext<Self>) {
        let Some((after, fault)) = self.faulty_line.as_mut().and_then(|line| line.plan.next_fault()) else {
            return;
        };
        ctx.run_later(after, move |session, ctx| session.make_line_fault(fault, ctx));
    }

    fn make_line_fault(&mut self, fault: LineFault, ctx: &mut WebsocketContext<Self>) {
        let Some(line) = &self.faulty_line else { return };
        let Now { steady, wall } = Now::read(self.state.hub().clock());
        line.plan.record(fault, wall);
        match fault {
            LineFault::Cut => ctx.stop(),
            LineFault::Reset => self.state.abort(),
            LineFault::Stall(lasts) => {
                line.control.set(LineCondition::Stalled);
                self.recover_after(lasts, ctx);
            }
            LineFault::Trickle(lasts) => {
                line.control.set(LineCondition::Trickling);
                self.recover_after(lasts, ctx);
            }
            LineFault::Restart => self.end(Close::Restart, ctx),
            LineFault::Overload => self.end(Close::TryLater, ctx),
            LineFault::ConnectionLimit => self.fail(ErrorCode::ConnectionLimit, Close::TryLater, steady, ctx),
            LineFault::SlowClient => self.fail(ErrorCode::SlowClient, Close::SlowClient, steady, ctx),
        }
    }

    fn fail(&self, error: ErrorCode, close: Close, now: Instant, ctx: &mut WebsocketContext<Self>) {
        self.state.fail(error, close, now);
        ctx.stop();
    }

    fn recover_after(&self, lasts: std::time::Duration, ctx: &mut WebsocketContext<Self>) {
        ctx.run_later(lasts, |session, ctx| {
            if let Some(line) = &session.faulty_line {
                line.control.set(LineCondition::Good);
            }
            session.await_line_fault(ctx);
        });
    }
}
