use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web_actors::ws::{Message as UnusedMessage, ProtocolError as UnusedError, WebsocketContext};

use super::actor::{answer_control, close_on_error, run};
use super::incoming::{IncomingStream, SessionInput};
use super::limits::{Limits, OutboxLimits};
use super::outbox::Outbox;
use super::pending_session::PendingSession;
use super::state::{HubMembership, SessionState};
use crate::auth::Revocation;
use crate::hub::{Hub, Subscriber};
use crate::model::Epoch;
use crate::transport::SocketWriter;
use crate::wire::{Close, Codec, Compression, Decoder, Deflate, Incoming, Opcode, message_frame};

/// The longest message that the echo returns: what the Autobahn suite sends (case 9.1.6).
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Opens an endpoint that returns each message as it came: text as text, binary as binary.
///
/// It is the tutorial's echo server, and the place where our frames are tested for conformance: it uses
/// the same frames, outbox and writer as the stream. It joins the hub without subscriptions, so that
/// its liveness is checked. It ends when the key that opened it, if any, is revoked.
pub fn open_echo(hub: Rc<Hub>, deflate: Option<Deflate>, key: Option<Revocation>) -> PendingSession {
    PendingSession::new(move |transport, head, early| {
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default()).compressed(deflate);
        let writer = SocketWriter::new(transport, head);
        let now = Instant::now();
        let state = Rc::new(SessionState::new(hub, Codec::Json, Epoch::default(), outbox, writer, now));
        let membership = HubMembership::join(&state);
        let decoder = Decoder::new(MAX_MESSAGE_BYTES).with(Compression::of(deflate));
        let incoming = IncomingStream::new(early, decoder, Rc::clone(&state), Limits::default().frames, now);
        run(EchoActor { state: Rc::clone(&state), key }, incoming, state, membership)
    })
}

struct EchoActor {
    state: Rc<SessionState>,
    key: Option<Revocation>,
}

impl Actor for EchoActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(key) = self.key.take() {
            ctx.spawn(key.revoked().into_actor(self).map(|(), echo, ctx| {
                echo.state.close(Close::KeyRevoked, Duration::ZERO, Instant::now());
                ctx.stop();
            }));
        }
    }
}

impl StreamHandler<SessionInput> for EchoActor {
    fn handle(&mut self, input: SessionInput, ctx: &mut Self::Context) {
        let now = Instant::now();
        let message = match input {
            SessionInput::Message(message) => message,
            SessionInput::UniverseGrew => return,
            SessionInput::TooManyFrames => {
                self.state.begin_close(Close::TooManyFrames, now);
                return ctx.stop();
            }
        };
        match message {
            Ok(Incoming::Text(text)) => self.state.send(message_frame(Opcode::Text, &text), now),
            Ok(Incoming::Binary(bytes)) => self.state.send(message_frame(Opcode::Binary, &bytes), now),
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
