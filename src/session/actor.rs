use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web_actors::ws::{Message as Unused, ProtocolError, WebsocketContext};
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use tracing::debug;

use super::authenticator::Authenticator;
use super::executor::{CommandExecutor, Replay};
use super::incoming::IncomingStream;
use super::limits::OutboxLimits;
use super::outbox::Outbox;
use super::pending::PendingSession;
use super::protocol::Greeting;
use super::state::{HubMembership, SessionState};
use super::task::SessionTask;
use super::{Limits, Protocol};
use crate::auth::Credentials;
use crate::hub::{Hub, SubscriberKey};
use crate::limits::TokenBucket;
use crate::model::{Epoch, Universe};
use crate::transport::SocketWriter;
use crate::wire::{
    Close, Codec, Command, Compression, ControlMessage, DecodeError, Decoder, Deflate, ErrorCode, Incoming,
    Opcode, message_frame,
};

/// From so many bytes on a command is long: for each as many it counts once more, and it waits for its
/// turn. Some 300 names are not.
const LONG_COMMAND: usize = 2 << 10;

/// What a session is opened with.
pub struct SessionParams {
    /// The worker's hub.
    pub hub: Rc<Hub>,
    /// The market's instruments.
    pub universe: Arc<Universe>,
    /// What numbers the server gives.
    pub epoch: Epoch,
    /// What was published, as far back as it is kept.
    pub replay: Replay,
    /// What the session may ask for.
    pub limits: Limits,
    /// How much may wait for it.
    pub outbox: OutboxLimits,
    /// How its objects are written.
    pub codec: Codec,
    /// How its messages may be compressed, where that is agreed.
    pub deflate: Option<Deflate>,
    /// The client's own name for it, for the log.
    pub label: Option<String>,
    /// Who looks at credentials; `None` where the service is open.
    pub guard: Option<Authenticator>,
    /// The credentials that the upgrade request brought.
    pub shown: Option<Credentials>,
}

/// Opens a session on the connection that the opening gets.
pub fn open(door: SessionParams) -> PendingSession {
    PendingSession::new(move |wire, head, early| {
        let outbox =
            Outbox::new(door.codec, Arc::clone(&door.universe), door.outbox).compressed(door.deflate);
        let line = SocketWriter::new(wire, head);
        let link = Rc::new(SessionState::new(door.hub, door.codec, door.epoch, outbox, line));
        let membership = HubMembership::of(&link);
        let limits = door.limits;
        let mut conversation = Protocol::new(Arc::clone(&door.universe), door.epoch, limits, door.guard);
        let Greeting { notices, close } = conversation.greet(door.shown.as_ref());
        notices.iter().for_each(|notice| link.notify(notice));
        if let Some(close) = close {
            link.part(close);
        }
        let now = Instant::now();
        let actor = SessionActor {
            conversation,
            delivery: CommandExecutor::new(
                Rc::clone(&link),
                door.universe,
                door.replay,
                limits.replayed_objects,
            ),
            limits,
            commands: TokenBucket::new(limits.commands, now),
            pings: TokenBucket::new(limits.pings, now),
            codec: door.codec,
            link: Rc::clone(&link),
            key: membership.key(),
            label: door.label,
        };
        let decoder = Decoder::new(limits.message_bytes).with(Compression::of(door.deflate));
        run(actor, IncomingStream::new(early, decoder, Rc::clone(&link)), link, membership)
    })
}

/// The task of an actor that listens to `incoming` and speaks through `link`.
///
/// The context's own stream of messages stays empty: its codec does not check what ours does.
pub(super) fn run<A>(
    actor: A,
    incoming: IncomingStream,
    link: Rc<SessionState>,
    membership: HubMembership,
) -> LocalBoxFuture<'static, ()>
where
    A: Actor<Context = WebsocketContext<A>>
        + StreamHandler<Result<Incoming, DecodeError>>
        + StreamHandler<Result<Unused, ProtocolError>>,
{
    let context = WebsocketContext::with_factory(stream::pending(), |ctx: &mut WebsocketContext<A>| {
        ctx.add_stream(incoming);
        actor
    });
    Box::pin(SessionTask::new(Box::pin(context), link, membership))
}

/// The part of a session that reads: it carries commands to the conversation and sees to what
/// follows from them.
struct SessionActor {
    conversation: Protocol,
    delivery: CommandExecutor,
    limits: Limits,
    commands: TokenBucket,
    pings: TokenBucket,
    codec: Codec,
    link: Rc<SessionState>,
    key: SubscriberKey,
    label: Option<String>,
}

impl SessionActor {
    /// JSON may come in binary frames, as the C# SDK sends it; MessagePack never comes as text.
    ///
    /// A long command waits for its turn, and what comes after it waits as well: twenty thousand names
    /// are 3 ms of the worker, which others want for their ticks.
    fn hear(&mut self, codec: Codec, bytes: Vec<u8>, ctx: &mut WebsocketContext<Self>) {
        self.link.hub().metrics().commands.inc();
        let counts_as = 1 + bytes.len() / LONG_COMMAND;
        if !self.commands.take_many(counts_as as u32, Instant::now()) {
            self.link.hub().metrics().erred(ErrorCode::TooManyCommands as u16);
            self.link.notify(&ErrorCode::TooManyCommands.into());
            return self.end(Close::TooManyCommands, ctx);
        }
        if bytes.len() < LONG_COMMAND {
            return self.command(codec, &bytes, ctx);
        }
        let turn = Rc::clone(self.link.hub().chores()).turn().into_actor(self);
        ctx.wait(turn.map(move |_turn, session, ctx| session.command(codec, &bytes, ctx)));
    }

    fn command(&mut self, codec: Codec, bytes: &[u8], ctx: &mut WebsocketContext<Self>) {
        let awaited_key = self.conversation.awaits_key();
        let outcome = self.conversation.answer(Command::read(codec, bytes));
        if awaited_key {
            self.watch_key(ctx);
        }
        if let ControlMessage::Error { code, .. } = outcome.notice {
            self.link.hub().metrics().erred(code);
        }
        let close = outcome.close;
        self.delivery.carry_out(outcome, self.conversation.filter());
        if let Some(close) = close {
            self.end(close, ctx);
        }
    }

    /// Ends the session when the key is taken back that let it in. What waits is not its client's any more.
    fn watch_key(&self, ctx: &mut WebsocketContext<Self>) {
        let Some(pass) = self.conversation.pass() else { return };
        let revoked = pass.revocation().comes().into_actor(self);
        ctx.spawn(revoked.map(|(), session, ctx| {
            session.link.change(Outbox::clear);
            session.link.notify(&ErrorCode::AuthFailed.into());
            session.end(Close::KeyRevoked, ctx);
        }));
    }

    fn end(&self, why: Close, ctx: &mut WebsocketContext<Self>) {
        self.link.part(why);
        ctx.stop();
    }
}

impl Actor for SessionActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        debug!(session = self.key.0, label = self.label, "session opened");
        self.watch_key(ctx);
        if self.conversation.awaits_key() {
            ctx.run_later(self.limits.auth_timeout, |session, ctx| {
                if session.conversation.awaits_key() {
                    session.link.notify(&ErrorCode::AuthTimeout.into());
                    session.end(Close::AuthTimeout, ctx);
                }
            });
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let why = self.link.parting().map_or("gone", Close::name);
        debug!(session = self.key.0, label = self.label, why, "session ended");
    }
}

impl StreamHandler<Result<Incoming, DecodeError>> for SessionActor {
    fn handle(&mut self, said: Result<Incoming, DecodeError>, ctx: &mut Self::Context) {
        match said {
            Ok(Incoming::Text(text)) => self.hear(Codec::Json, text, ctx),
            Ok(Incoming::Binary(bytes)) => self.hear(self.codec, bytes, ctx),
            Ok(Incoming::Ping(_) | Incoming::Pong) if !self.pings.take(Instant::now()) => {
                self.end(Close::TooManyPings, ctx);
            }
            Ok(Incoming::Ping(payload)) => self.link.send_urgent(message_frame(Opcode::Pong, &payload)),
            Ok(other) => answer_control(&self.link, other, ctx),
            Err(fault) => break_off(&self.link, fault, ctx),
        }
    }
}

/// What every endpoint answers to a control frame.
pub(super) fn answer_control<A>(link: &SessionState, said: Incoming, ctx: &mut WebsocketContext<A>)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    match said {
        Incoming::Ping(payload) => link.send(message_frame(Opcode::Pong, &payload)),
        Incoming::Close(code) => {
            link.part(Close::Goodbye(code));
            ctx.stop();
        }
        Incoming::Pong | Incoming::Text(_) | Incoming::Binary(_) => {}
    }
}

/// What every endpoint does about a client that breaks the rules.
pub(super) fn break_off<A>(link: &SessionState, fault: DecodeError, ctx: &mut WebsocketContext<A>)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    debug!(?fault, "closing");
    link.part(fault.close());
    ctx.stop();
}

/// Demanded by the context, for a stream that never speaks.
impl StreamHandler<Result<Unused, ProtocolError>> for SessionActor {
    fn handle(&mut self, _: Result<Unused, ProtocolError>, _: &mut Self::Context) {}

    fn finished(&mut self, _: &mut Self::Context) {}
}
