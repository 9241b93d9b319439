use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web_actors::ws::{Message as Unused, ProtocolError, WebsocketContext};

use super::actor::{answer_control, break_off, run};
use super::incoming::IncomingStream;
use super::limits::OutboxLimits;
use super::outbox::Outbox;
use super::pending::PendingSession;
use super::state::{HubMembership, SessionState};
use crate::auth::Revocation;
use crate::hub::{Hub, Subscriber};
use crate::model::{Epoch, Universe};
use crate::transport::SocketWriter;
use crate::wire::{
    Close, Codec, Compression, DecodeError, Decoder, Deflate, Incoming, Opcode, message_frame,
};

/// The longest message that the echo returns: what the conformance suite asks for (case 9.1.6).
const MAX_MESSAGE: usize = 16 << 20;

/// Opens an endpoint that returns each message as it came: text as text, binary as binary.
///
/// It is the tutorial's echo server, and the place where our frames are put to the test: all below
/// the message is what the ticker's sessions run on. It has a place in the hub, which has nothing for
/// it but a look at whether its client is there and takes what it asked for. It ends with the key that
/// opened it, where one did.
pub fn open_echo(
    hub: Rc<Hub>,
    universe: Arc<Universe>,
    deflate: Option<Deflate>,
    key: Option<Revocation>,
) -> PendingSession {
    PendingSession::new(move |wire, head, early| {
        let outbox = Outbox::new(Codec::Json, universe, OutboxLimits::default()).compressed(deflate);
        let line = SocketWriter::new(wire, head);
        let link = Rc::new(SessionState::new(hub, Codec::Json, Epoch::default(), outbox, line));
        let membership = HubMembership::of(&link);
        let decoder = Decoder::new(MAX_MESSAGE).with(Compression::of(deflate));
        let incoming = IncomingStream::new(early, decoder, Rc::clone(&link));
        run(EchoActor { link: Rc::clone(&link), key }, incoming, link, membership)
    })
}

struct EchoActor {
    link: Rc<SessionState>,
    key: Option<Revocation>,
}

impl Actor for EchoActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(key) = self.key.take() {
            ctx.spawn(key.comes().into_actor(self).map(|(), echo, ctx| {
                echo.link.dismiss(Close::KeyRevoked);
                ctx.stop();
            }));
        }
    }
}

impl StreamHandler<Result<Incoming, DecodeError>> for EchoActor {
    fn handle(&mut self, said: Result<Incoming, DecodeError>, ctx: &mut Self::Context) {
        match said {
            Ok(Incoming::Text(text)) => self.link.send(message_frame(Opcode::Text, &text)),
            Ok(Incoming::Binary(bytes)) => self.link.send(message_frame(Opcode::Binary, &bytes)),
            Ok(other) => answer_control(&self.link, other, ctx),
            Err(fault) => break_off(&self.link, fault, ctx),
        }
    }
}

/// Demanded by the context, for a stream that never speaks.
impl StreamHandler<Result<Unused, ProtocolError>> for EchoActor {
    fn handle(&mut self, _: Result<Unused, ProtocolError>, _: &mut Self::Context) {}

    fn finished(&mut self, _: &mut Self::Context) {}
}
