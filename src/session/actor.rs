use std::rc::Rc;
use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web::body::BoxBody;
use actix_web::web::Payload;
use actix_web_actors::ws::{Message as Unused, ProtocolError, WebsocketContext};
use futures_util::stream;
use tracing::debug;

use super::body::Body;
use super::incoming::IncomingStream;
use super::link::{Link, Membership, Sever};
use super::{Conversation, Limits, Outbox, OutboxLimits};
use crate::hub::{Hub, SubscriberKey};
use crate::model::Universe;
use crate::wire::{Close, Codec, Command, Decoder, Fault, Incoming, Opcode, message_frame};

/// What a session is opened with.
pub struct Door {
    /// The worker's hub.
    pub hub: Rc<Hub>,
    /// The market's instruments.
    pub universe: Arc<Universe>,
    /// What the session may ask for.
    pub limits: Limits,
    /// How much may wait for it.
    pub outbox: OutboxLimits,
    /// How its objects are written.
    pub codec: Codec,
    /// The client's own name for it, for the log.
    pub label: Option<String>,
    /// Whether the upgrade request brought credentials.
    pub is_authenticated: bool,
    /// Breaks the connection off.
    pub sever: Sever,
}

/// Opens a session over an upgraded connection: what the client sends is `payload`, the answer is the
/// body of the response.
pub fn open(door: Door, payload: Payload) -> BoxBody {
    let outbox = Outbox::new(door.codec, Arc::clone(&door.universe), door.outbox);
    let link = Rc::new(Link::new(door.hub, door.codec, outbox, door.sever));
    let membership = Membership::of(&link);
    let conversation = Conversation::new(Arc::clone(&door.universe), door.limits, door.is_authenticated);
    conversation.greeting().iter().for_each(|notice| link.notify(notice));
    let actor = SessionActor {
        conversation,
        universe: door.universe,
        codec: door.codec,
        link: Rc::clone(&link),
        key: membership.key(),
        label: door.label,
    };
    let decoder = Decoder::new(door.limits.message_bytes);
    run(actor, IncomingStream::new(payload, decoder, Rc::clone(&link)), link, Some(membership))
}

/// Puts an actor that listens to `incoming` into a body that pulls from `link`.
///
/// The context's own stream of messages stays empty: its codec does not check what ours does.
pub(super) fn run<A>(
    actor: A,
    incoming: IncomingStream,
    link: Rc<Link>,
    membership: Option<Membership>,
) -> BoxBody
where
    A: Actor<Context = WebsocketContext<A>>
        + StreamHandler<Result<Incoming, Fault>>
        + StreamHandler<Result<Unused, ProtocolError>>,
{
    let context = WebsocketContext::with_factory(stream::pending(), |ctx: &mut WebsocketContext<A>| {
        ctx.add_stream(incoming);
        actor
    });
    BoxBody::new(Body::new(Box::pin(context), link, membership))
}

/// The part of a session that reads: it carries commands to the conversation and answers away.
struct SessionActor {
    conversation: Conversation,
    universe: Arc<Universe>,
    codec: Codec,
    link: Rc<Link>,
    key: SubscriberKey,
    label: Option<String>,
}

impl SessionActor {
    fn command(&mut self, text: &[u8]) {
        let hub = Rc::clone(self.link.hub());
        hub.metrics().commands.inc();
        let command = Command::read(self.codec, text);
        let takes_away = matches!(command, Ok(Command::Unsubscribe(..)));
        let mut changes = Vec::new();
        let notice = self.conversation.answer(command, |change| changes.push(change));
        hub.change_interests(|index| changes.iter().for_each(|change| change.apply(index, self.key)));
        if takes_away {
            self.link.retain(|stream| self.conversation.filter().wants(stream, &self.universe));
        }
        self.link.notify(&notice);
    }
}

impl Actor for SessionActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        debug!(session = self.key.0, label = self.label, "session opened");
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let why = self.link.parting().map_or("gone", Close::name);
        debug!(session = self.key.0, label = self.label, why, "session ended");
    }
}

impl StreamHandler<Result<Incoming, Fault>> for SessionActor {
    fn handle(&mut self, said: Result<Incoming, Fault>, ctx: &mut Self::Context) {
        match said {
            Ok(Incoming::Text(text) | Incoming::Binary(text)) => self.command(&text),
            Ok(other) => answer_control(&self.link, other, ctx),
            Err(fault) => break_off(&self.link, fault, ctx),
        }
    }
}

/// What every endpoint answers to a control frame.
pub(super) fn answer_control<A>(link: &Link, said: Incoming, ctx: &mut WebsocketContext<A>)
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
pub(super) fn break_off<A>(link: &Link, fault: Fault, ctx: &mut WebsocketContext<A>)
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
