use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web_actors::ws::{Message as UnusedMessage, ProtocolError as UnusedError, WebsocketContext};

use super::actor::{LONG_COMMAND_BYTES, answer_control, close_on_error, run};
use super::expiry::{Expiry, ExpiryStep};
use super::incoming::{IncomingStream, SessionInput};
use super::limits::{Limits, OutboxLimits};
use super::outbox::Outbox;
use super::pending_session::PendingSession;
use super::state::{HubMembership, SessionState};
use crate::auth::Grant;
use crate::clock::wall_clock;
use crate::hub::{ClientFacts, Hub, Subscriber, SubscriberDetails, SubscriberIdentity};
use crate::limits::TokenBucket;
use crate::model::Epoch;
use crate::transport::SocketWriter;
use crate::wire::{Close, Codec, Compression, Decoder, Deflate, Incoming, Opcode, message_frame};

/// What an echo is opened with.
pub struct EchoParams {
    /// The worker's hub.
    pub hub: Rc<Hub>,
    /// The client, of whose address the sessions share a limit of what waits for them.
    pub client: ClientFacts,
    /// How messages may be compressed, if that was negotiated.
    pub deflate: Option<Deflate>,
    /// What the session may request: the same as on the stream, where a message counts as a command.
    pub limits: Limits,
    /// The right to use the key of the request, where keys are required.
    pub grant: Option<Grant>,
}

/// Opens an endpoint that returns each message as it came: text as text, binary as binary.
///
/// It is the tutorial's echo server, and the place where our frames are tested for conformance: it uses
/// the same frames, outbox and writer as the stream. It joins the hub without subscriptions, so that
/// its liveness is checked. It ends when the key that opened it, if any, is revoked.
pub fn open_echo(params: EchoParams) -> PendingSession {
    PendingSession::new(move |transport, head, early| {
        let EchoParams { hub, client, deflate, limits, grant } = params;
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default()).compressed(deflate);
        let writer = SocketWriter::new(transport, head);
        let now = Instant::now();
        let identity = SubscriberIdentity {
            client,
            key: OnceCell::new(),
            codec: Codec::Json,
            is_deflated: deflate.is_some(),
            opened: now,
            opened_at: hub.clock().now(),
        };
        let state = Rc::new(SessionState::new(hub, identity, Epoch::default(), outbox, writer, now));
        if let Some(grant) = &grant {
            state.set_key_id(grant.key().id());
        }
        let membership = HubMembership::join(&state);
        let decoder = Decoder::new(limits.message_bytes).with(Compression::of(deflate));
        let incoming = IncomingStream::new(early, decoder, Rc::clone(&state), &limits, now);
        let actor = EchoActor {
            state: Rc::clone(&state),
            messages: TokenBucket::new(limits.commands, now),
            pings: TokenBucket::new(limits.pings, now),
            grant,
        };
        run(actor, incoming, state, membership)
    })
}

struct EchoActor {
    state: Rc<SessionState>,
    messages: TokenBucket,
    pings: TokenBucket,
    grant: Option<Grant>,
}

impl EchoActor {
    fn end(&self, reason: Close, ctx: &mut WebsocketContext<Self>) {
        self.state.begin_close(reason, Instant::now());
        ctx.stop();
    }

    /// Returns a message, unless there were too many.
    fn answer(&mut self, opcode: Opcode, message: &[u8], ctx: &mut WebsocketContext<Self>) {
        let now = Instant::now();
        let counts_as = 1 + message.len() / LONG_COMMAND_BYTES;
        if !self.messages.take_many(counts_as as u32, now) {
            return self.end(Close::TooManyCommands, ctx);
        }
        self.state.send(message_frame(opcode, message), now);
    }
}

impl EchoActor {
    /// Ends the session with its token. The client is not told before, and cannot send a newer one.
    fn await_expiry(&mut self, mut expiry: Expiry, ctx: &mut WebsocketContext<Self>) {
        match expiry.step(wall_clock()) {
            ExpiryStep::Wait(time) | ExpiryStep::Tell(time) => {
                ctx.run_later(time, move |echo, ctx| echo.await_expiry(expiry, ctx));
            }
            ExpiryStep::End => {
                self.state.close(Close::TokenExpired, Duration::ZERO, Instant::now());
                ctx.stop();
            }
        }
    }
}

impl Actor for EchoActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(grant) = &self.grant {
            ctx.spawn(grant.key().revocation().revoked().into_actor(self).map(|(), echo, ctx| {
                echo.state.close(Close::KeyRevoked, Duration::ZERO, Instant::now());
                ctx.stop();
            }));
        }
        if let Some(expires) = self.grant.as_ref().and_then(|grant| grant.key().expires()) {
            self.await_expiry(Expiry::new(expires, wall_clock()), ctx);
        }
    }
}

impl StreamHandler<SessionInput> for EchoActor {
    fn handle(&mut self, input: SessionInput, ctx: &mut Self::Context) {
        let message = match input {
            SessionInput::Message(message) => message,
            SessionInput::UniverseGrew => return,
            SessionInput::Inquired(inquiry) => return inquiry.answer(SubscriberDetails::default()),
            SessionInput::LimitExceeded(reason) => return self.end(reason, ctx),
        };
        match message {
            Ok(Incoming::Text(text)) => self.answer(Opcode::Text, &text, ctx),
            Ok(Incoming::Binary(bytes)) => self.answer(Opcode::Binary, &bytes, ctx),
            Ok(Incoming::Ping(_) | Incoming::Pong) if !self.pings.take(Instant::now()) => {
                self.end(Close::TooManyPings, ctx);
            }
            Ok(other) => answer_control(&self.state, other, ctx),
            Err(error) => close_on_error(&self.state, error, ctx),
        }
    }
}

/// Required by the context, for a stream that never yields.
impl StreamHandler<Result<UnusedMessage, UnusedError>> for EchoActor {
    fn handle(&mut self, _: Result<UnusedMessage, UnusedError>, _: &mut Self::Context) {}

    fn finished(&mut self, _: &mut Self::Context) {}
}
