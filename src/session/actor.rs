use std::cell::OnceCell;
use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, SpawnHandle, StreamHandler, WrapFuture};
use actix_web_actors::ws::{Message as UnusedMessage, ProtocolError as UnusedError, WebsocketContext};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::{Span, debug, debug_span};

use super::alert_desk::{AlertAccess, AlertDesk};
use super::authenticator::{Authenticator, EXPIRED};
use super::command_outcome::CommandOutcome;
use super::executor::{CommandExecution, CommandExecutor, StepResult};
use super::expiry::{Expiry, ExpiryStep};
use super::faulty_line::FaultyLine;
use super::incoming::{IncomingStream, SessionInput};
use super::limits::{Limits, OutboxLimits};
use super::outbox::{Outbox, ReplayLookup};
use super::pending_session::PendingSession;
use super::protocol::{CheckedCommand, Greeting, Protocol};
use super::state::{HubMembership, SessionState};
use super::task::SessionTask;
use super::topic_access::{SessionTopics, TopicAccess, answer as topic_answer, refusal};
use crate::auth::Credentials;
use crate::clock::wall_clock;
use crate::faults::LineFaultPlan;
use crate::feed::FeedProgress;
use crate::hub::{ChannelDetails, ClientFacts, Hub, SubscriberDetails, SubscriberIdentity, SubscriberKey};
use crate::limits::{ReactorTurn, TokenBucket, WorkPermit};
use crate::model::{Channel, Epoch, Timestamp};
use crate::source::SymbolInterest;
use crate::topics::PublishRefusal;
use crate::transport::SocketWriter;
use crate::wire::{
    Answered, Close, Codec, Command, Compression, ControlMessage, DecodeError, Decoder, Deflate, ErrorCode,
    Incoming, InvalidCommand, Opcode, PublishCommand, message_frame,
};

/// A command of this many bytes is long, some 300 names: it counts once more against the rate limit for
/// each as many bytes, and waits in the worker's fair queue. A message to the echo counts the same.
pub(super) const LONG_COMMAND_BYTES: usize = 2 << 10;

/// A short command that touches more streams and names than this, some 100 µs of work, waits there too.
const LONG_COMMAND_WORK: usize = 1_000;

/// A command counts once more against the rate limit for each as many bytes of names in its acknowledgement.
const ACKNOWLEDGED_BYTES_PER_TOKEN: usize = 32 << 10;

/// A command of this many bytes, 0.5 ms to parse, is parsed on another thread.
const PARSED_ELSEWHERE_BYTES: usize = 64 << 10;

/// The outcome of a command that touches more than this, 0.5 ms of work, is computed on another thread.
const ANSWERED_ELSEWHERE_WORK: usize = 2_000;

/// The longest time that a client waits for the number of a message. A feed that takes longer has ended, or has lost
/// its connection to the cluster.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);

const MUTED: &str = "an operator has muted this session: it may read, and publish nothing";

/// The most names of a channel that are told to an administrator.
const MOST_NAMES_TOLD: usize = 100;

const NO_PANIC: &str = "commands are read and answered without a panic, and the runtime outlives its tasks";

/// What a session is opened with.
pub struct SessionParams {
    /// The worker's hub.
    pub hub: Rc<Hub>,
    /// The client, under whose address its long work waits.
    pub client: ClientFacts,
    /// The epoch of the sequence numbers.
    pub epoch: Epoch,
    /// How far the feed is.
    pub progress: FeedProgress,
    /// Looks up what was published, as far back as it is retained.
    pub replay: ReplayLookup,
    /// What the session may request.
    pub limits: Limits,
    /// How much may be queued for it.
    pub outbox: OutboxLimits,
    /// How its objects are encoded.
    pub codec: Codec,
    /// How its messages may be compressed, if that was negotiated.
    pub deflate: Option<Deflate>,
    /// The client's own name for the session, for the log.
    pub label: Option<String>,
    /// Decides about credentials; `None` where the service is open.
    pub authenticator: Option<Authenticator>,
    /// The credentials of the upgrade request.
    pub credentials: Option<Credentials>,
    /// The symbols that the source gives for it, if it gives them on demand.
    pub interest: Option<SymbolInterest>,
    /// The topics, if there are any.
    pub topics: Option<TopicAccess>,
    /// The price alerts.
    pub alerts: AlertAccess,
    /// The symbols that the source gives for its alerts, if it gives them on demand.
    pub alert_interest: Option<SymbolInterest>,
    /// The faults of its connection, if it has any.
    pub line_faults: Option<Box<LineFaultPlan>>,
}

/// Opens a session that waits for its connection.
pub fn open(params: SessionParams) -> PendingSession {
    PendingSession::new(move |transport, head, early| {
        let now = Instant::now();
        let outbox = Outbox::new(params.codec, params.outbox);
        let universe = params.hub.universe();
        let epoch = params.hub.epoch().unwrap_or(params.epoch);
        let (transport, faulty_line) = FaultyLine::wrap(transport, params.line_faults);
        let identity = SubscriberIdentity {
            client: params.client,
            key: OnceCell::new(),
            codec: params.codec,
            is_deflated: params.deflate.is_some(),
            opened: now,
            opened_at: params.hub.clock().now(),
        };
        let state = Rc::new(SessionState::new(
            params.hub,
            identity,
            epoch,
            outbox.compressed(params.deflate),
            SocketWriter::new(transport, head),
            now,
        ));
        let membership = HubMembership::join(&state);
        let limits = params.limits;
        let protocol = Protocol::new(universe, epoch, limits, params.authenticator);
        let namespaces = params.topics.as_ref().map(|topics| Arc::clone(&topics.namespaces));
        let mut protocol = protocol.demanding(params.interest).with_topics(namespaces.unwrap_or_default());
        protocol = protocol.with_rules(params.alerts.rules.clone());
        let topics = params.topics.map(|access| SessionTopics::new(access, params.label.as_deref()));
        let Greeting { messages, close } = protocol.greet(params.credentials.as_ref());
        messages.iter().for_each(|message| state.send_control(message, now));
        if let Some(reason) = close {
            state.begin_close(reason, now);
        }
        let history = (Rc::clone(&params.replay), params.progress.clone());
        let max_walked = limits.replayed_objects;
        let (state_of_alerts, interest) = (Rc::clone(&state), params.alert_interest);
        let alerts = AlertDesk::new(state_of_alerts, params.alerts, interest, history, max_walked);
        let executor =
            CommandExecutor::new(Rc::clone(&state), params.replay, params.progress, limits.replayed_objects);
        let actor = SessionActor {
            protocol,
            executor,
            auth_timeout: limits.auth_timeout,
            commands: TokenBucket::new(limits.commands, now),
            pings: TokenBucket::new(limits.pings, now),
            codec: params.codec,
            state: Rc::clone(&state),
            key: membership.key(),
            label: params.label,
            span: None,
            topics,
            alerts,
            faulty_line,
            expiry: None,
        };
        let decoder = Decoder::new(limits.message_bytes).with(Compression::of(params.deflate));
        let incoming = IncomingStream::new(early, decoder, Rc::clone(&state), &limits, now);
        run(actor, incoming, state, membership)
    })
}

/// The task of an actor that reads `incoming` and sends through `state`.
///
/// The context's own stream of messages stays empty: its codec does not validate what ours does.
pub(super) fn run<A>(
    actor: A,
    incoming: IncomingStream,
    state: Rc<SessionState>,
    membership: HubMembership,
) -> LocalBoxFuture<'static, ()>
where
    A: Actor<Context = WebsocketContext<A>>
        + StreamHandler<SessionInput>
        + StreamHandler<Result<UnusedMessage, UnusedError>>,
{
    let context = WebsocketContext::with_factory(stream::pending(), |ctx: &mut WebsocketContext<A>| {
        ctx.add_stream(incoming);
        actor
    });
    Box::pin(SessionTask::new(Box::pin(context), state, membership))
}

/// The reading half of a session: it passes commands to the protocol state and has their consequences
/// carried out.
pub(super) struct SessionActor {
    protocol: Protocol,
    executor: CommandExecutor,
    auth_timeout: Duration,
    commands: TokenBucket,
    pings: TokenBucket,
    codec: Codec,
    pub(super) state: Rc<SessionState>,
    key: SubscriberKey,
    label: Option<String>,
    /// The trace of the connection, if there is a collector of traces.
    span: Option<Box<Span>>,
    topics: Option<SessionTopics>,
    alerts: AlertDesk,
    pub(super) faulty_line: Option<Box<FaultyLine>>,
    /// The wait for the end of the session's token.
    expiry: Option<SpawnHandle>,
}

impl SessionActor {
    /// Takes a command. JSON may come in binary frames, as the C# SDK sends it; MessagePack never comes
    /// in text frames.
    ///
    /// What takes long waits in the fair queue, and so do the messages behind it: 20,000 names take 3 ms of the
    /// worker, which other sessions need for their ticks; so does a short command of a client that
    /// subscribes to much.
    fn receive(&mut self, codec: Codec, bytes: Vec<u8>, ctx: &mut WebsocketContext<Self>) {
        let now = Instant::now();
        self.state.hub().metrics().commands.inc();
        let answered = self.protocol.subscriptions().acknowledged_bytes();
        let counts_as = 1 + bytes.len() / LONG_COMMAND_BYTES + answered / ACKNOWLEDGED_BYTES_PER_TOKEN;
        if !self.commands.take_many(counts_as as u32, now) {
            self.reply(&ErrorCode::TooManyCommands.into());
            return self.end(Close::TooManyCommands, ctx);
        }
        if bytes.len() >= LONG_COMMAND_BYTES {
            return self.execute_in_turn(read(codec, bytes), ctx);
        }
        let command = Command::read(codec, &bytes);
        if let Some(ready) = self.keys_of_token(&command) {
            return self.execute_behind(ready, command, ctx);
        }
        // To evaluate an alert for thousands of trades takes long too.
        if matches!(&command, Ok(Command::Alert(alert)) if alert.since.is_some()) {
            return self.execute_in_turn(ready(command), ctx);
        }
        match self.protocol.work_of(command.as_ref().ok()) <= LONG_COMMAND_WORK {
            true => self.execute(command, None, ctx),
            false => self.execute_in_turn(ready(command), ctx),
        }
    }

    /// Executes a command when it is this client's turn in the fair queue.
    fn execute_in_turn(
        &self,
        command: impl Future<Output = Result<Command, InvalidCommand>> + 'static,
        ctx: &mut WebsocketContext<Self>,
    ) {
        let Ok(permit) = self.state.hub().fair_queue().acquire(self.state.client()) else {
            self.state.hub().metrics().refused_work.inc();
            return self.end(Close::TryLater, ctx);
        };
        self.state.set_waiting(true);
        let work = async move {
            let permit = permit.await;
            (permit, command.await)
        };
        ctx.wait(work.into_actor(self).map(|(permit, command), session, ctx| {
            session.state.set_waiting(false);
            if let Some(ready) = session.keys_of_token(&command) {
                return session.execute_behind(ready, command, ctx);
            }
            match session.protocol.work_of(command.as_ref().ok()) >= ANSWERED_ELSEWHERE_WORK {
                true => session.execute_elsewhere(command, permit, ctx),
                false => session.execute(command, Some(permit), ctx),
            }
        }));
    }

    /// What to wait for before a command is executed: the keys of its token are fetched.
    fn keys_of_token(
        &self,
        command: &Result<Command, InvalidCommand>,
    ) -> Option<LocalBoxFuture<'static, ()>> {
        self.protocol.prepare(command.as_ref().ok()?)
    }

    /// Executes a command when this has ended.
    fn execute_behind(
        &self,
        ready: LocalBoxFuture<'static, ()>,
        command: Result<Command, InvalidCommand>,
        ctx: &mut WebsocketContext<Self>,
    ) {
        self.state.set_waiting(true);
        ctx.wait(ready.into_actor(self).map(|(), session, ctx| {
            session.state.set_waiting(false);
            session.execute(command, None, ctx);
        }));
    }

    fn execute(
        &mut self,
        command: Result<Command, InvalidCommand>,
        permit: Option<WorkPermit>,
        ctx: &mut WebsocketContext<Self>,
    ) {
        match (command, &self.topics) {
            (Ok(Command::Publish(command)), Some(_)) if !self.protocol.awaits_key() => {
                self.publish(command, ctx);
            }
            (Ok(Command::Presence(query)), Some(topics)) if !self.protocol.awaits_key() => {
                self.reply(&topics.presence(query, self.protocol.grant(), &self.state.hub().universe()));
            }
            (Ok(Command::Alert(command)), _) if !self.protocol.awaits_key() => {
                self.alerts.set(command, self.protocol.grant(), Instant::now());
            }
            (Ok(Command::Unalert(command)), _) if !self.protocol.awaits_key() => {
                self.alerts.unset(command, Instant::now());
            }
            (command, _) => {
                let is_auth = matches!(command, Ok(Command::Auth { .. }));
                let (outcome, response) = self.answer(command, ctx);
                self.carry_out(outcome, response, permit, ctx);
                if let (true, Some(grant)) = (is_auth, self.protocol.grant()) {
                    // A newer token may include less.
                    self.alerts.restrict(|symbol| grant.key().allows_symbol(symbol), Instant::now());
                }
            }
        }
    }

    /// Publishes a message. The client's next command waits for the answer of the feed, so that its messages keep
    /// their order, and a client that floods waits.
    fn publish(&mut self, command: PublishCommand, ctx: &mut WebsocketContext<Self>) {
        if self.state.is_muted() {
            let refusal = ErrorCode::NotPermitted.because(MUTED);
            return self.reply(&refusal.answering(Answered::of(command.id)));
        }
        let Some(topics) = &mut self.topics else { return };
        let universe = self.state.hub().universe();
        let (grant, subscriptions) = (self.protocol.grant(), self.protocol.subscriptions());
        let checked = topics.check(&command, grant, subscriptions, &universe, Instant::now());
        let (topic, x) = (command.topic, Answered::of(command.id));
        let publication = match checked {
            Ok(publication) => publication,
            Err(refused) => return self.reply(&refusal(refused, x)),
        };
        let published = timeout(PUBLISH_TIMEOUT, topics.publish(publication));
        self.state.set_waiting(true);
        ctx.wait(published.into_actor(self).map(move |result, session, _| {
            session.state.set_waiting(false);
            let result = result.unwrap_or(Err(PublishRefusal::Unanswered));
            session.reply(&topic_answer(&topic, result, x));
        }));
    }

    /// The id of the client's key, once it has shown one.
    fn key_id(&self) -> Option<&str> {
        self.protocol.grant().map(|grant| grant.key().id())
    }

    /// Sends the answer to a command that changes nothing in the session.
    fn reply(&self, answer: &ControlMessage) {
        self.state.count_error(answer, self.key_id());
        self.state.send_control(answer, Instant::now());
    }

    fn answer(
        &mut self,
        command: Result<Command, InvalidCommand>,
        ctx: &mut WebsocketContext<Self>,
    ) -> (CommandOutcome, Bytes) {
        let connection = self.span.clone();
        let _connection = connection.as_ref().map(|span| span.enter());
        let _subscribe = matches!(command, Ok(Command::Subscribe(..)))
            .then(|| debug_span!(target: "tapecast::trace", "subscribe").entered());
        let awaited_key = self.protocol.awaits_key();
        let expired = self.expires();
        self.protocol.set_epoch(self.state.epoch());
        let outcome = self.protocol.answer(command);
        if awaited_key {
            self.watch_revocation(ctx);
            if let Some(key) = self.key_id() {
                debug!(session = self.key.0, key, "session authenticated");
            }
        }
        if self.expires() != expired {
            self.watch_expiry(ctx);
        }
        let response = outcome.response.to_frame(self.codec);
        (outcome, response)
    }

    /// Executes a command, of which another thread computes the outcome and encodes the response.
    fn execute_elsewhere(
        &mut self,
        command: Result<Command, InvalidCommand>,
        permit: WorkPermit,
        ctx: &mut WebsocketContext<Self>,
    ) {
        if matches!(command, Ok(Command::Auth { .. })) {
            return self.execute(command, Some(permit), ctx);
        }
        self.protocol.set_epoch(self.state.epoch());
        let (command, max_symbols) = match self.protocol.check(command) {
            CheckedCommand::Answered(outcome) => {
                let response = outcome.response.to_frame(self.codec);
                return self.carry_out(outcome, response, Some(permit), ctx);
            }
            CheckedCommand::Permitted { command, max_symbols } => (command, max_symbols),
        };
        let (mut subscription, codec) = (self.protocol.take_subscription(), self.codec);
        let work = spawn_blocking(move || {
            let outcome = subscription.answer(command, max_symbols);
            let response = outcome.response.to_frame(codec);
            (subscription, outcome, response)
        });
        self.state.set_waiting(true);
        ctx.wait(work.into_actor(self).map(move |done, session, ctx| {
            let (subscription, outcome, response) = done.expect(NO_PANIC);
            session.state.set_waiting(false);
            session.protocol.put_subscription(subscription);
            session.carry_out(outcome, response, Some(permit), ctx);
        }));
    }

    fn carry_out(
        &mut self,
        mut outcome: CommandOutcome,
        response: Bytes,
        permit: Option<WorkPermit>,
        ctx: &mut WebsocketContext<Self>,
    ) {
        self.state.count_error(&outcome.response, self.key_id());
        if let Some(topics) = &mut self.topics {
            let (grant, subscriptions) = (self.protocol.grant(), self.protocol.subscriptions());
            topics.attend(subscriptions, grant, &self.state.hub().universe());
        }
        self.state.set_symbols(self.protocol.subscriptions().len());
        if let Some(preface) = outcome.preface.take() {
            self.state.send_control(&preface, Instant::now());
        }
        let execution = self.executor.begin(outcome, response);
        self.step(execution, permit, ctx);
    }

    /// Carries out a step of a command; the next one comes when the reactor has run.
    fn step(
        &mut self,
        mut execution: CommandExecution,
        mut permit: Option<WorkPermit>,
        ctx: &mut WebsocketContext<Self>,
    ) {
        let step = self.executor.step(&mut execution, self.protocol.subscriptions(), Instant::now());
        if step == StepResult::Done {
            if let Some(reason) = execution.close() {
                self.end(reason, ctx);
            }
            return;
        }
        self.state.set_waiting(true);
        permit.iter_mut().for_each(WorkPermit::pause);
        ctx.wait(ReactorTurn::wait().into_actor(self).map(move |(), session, ctx| {
            session.state.set_waiting(false);
            permit.iter_mut().for_each(WorkPermit::resume);
            session.step(execution, permit, ctx);
        }));
    }

    /// Ends the session when its key is revoked. What is queued is discarded: the client is no longer
    /// entitled to it.
    fn watch_revocation(&self, ctx: &mut WebsocketContext<Self>) {
        let Some(grant) = self.protocol.grant() else { return };
        self.state.set_key_id(grant.key().id());
        let revoked = grant.key().revocation().revoked().into_actor(self);
        ctx.spawn(revoked.map(|(), session, ctx| {
            session.state.fail(ErrorCode::AuthFailed, Close::KeyRevoked, Instant::now());
            ctx.stop();
        }));
    }

    /// What an administrator is told of the session.
    fn details(&self) -> SubscriberDetails {
        let subscriptions = self.protocol.subscriptions();
        let of_channel = |channel: Channel| {
            let named = subscriptions.named(channel);
            let all = subscriptions.includes_all(channel).then(|| "*".to_owned());
            let names = named.iter().map(ToString::to_string);
            ChannelDetails {
                name: channel.name(),
                count: named.len() + usize::from(all.is_some()),
                names: all.into_iter().chain(names).take(MOST_NAMES_TOLD).collect(),
            }
        };
        let own = Channel::ALL.into_iter().filter(|channel| channel.leader() == *channel);
        let options = self.state.options();
        SubscriberDetails {
            channels: own.map(of_channel).filter(|channel| channel.count > 0).collect(),
            alerts: self.state.count_alerts(),
            interval: options.interval,
            heartbeat: options.heartbeat,
            has_opted_in: self.state.has_opted_in(),
        }
    }

    /// When the token of the session ends.
    fn expires(&self) -> Option<Timestamp> {
        self.protocol.grant().and_then(|grant| grant.key().expires())
    }

    /// Begins to wait for the end of the session's token, in place of that of an earlier one.
    fn watch_expiry(&mut self, ctx: &mut WebsocketContext<Self>) {
        if let Some(earlier) = self.expiry.take() {
            ctx.cancel_future(earlier);
        }
        let Some(expires) = self.expires() else { return };
        self.await_expiry(Expiry::new(expires, wall_clock()), ctx);
    }

    /// Waits for the next step. What is queued at the end is discarded: the client is no longer entitled to it.
    fn await_expiry(&mut self, mut expiry: Expiry, ctx: &mut WebsocketContext<Self>) {
        let mut step = expiry.step(wall_clock());
        if let ExpiryStep::Tell(left) = step {
            self.state.tell_expiry(left, Instant::now());
            step = expiry.step(wall_clock());
        }
        match step {
            ExpiryStep::Wait(time) | ExpiryStep::Tell(time) => {
                let wait = ctx.run_later(time, move |session, ctx| session.await_expiry(expiry, ctx));
                self.expiry = Some(wait);
            }
            ExpiryStep::End => {
                let error = ErrorCode::AuthFailed.because(EXPIRED);
                self.state.fail(error, Close::TokenExpired, Instant::now());
                ctx.stop();
            }
        }
    }

    pub(super) fn end(&self, reason: Close, ctx: &mut WebsocketContext<Self>) {
        self.state.begin_close(reason, Instant::now());
        ctx.stop();
    }
}

/// Reads a long command, on another thread if that takes the worker too long.
async fn read(codec: Codec, bytes: Vec<u8>) -> Result<Command, InvalidCommand> {
    if bytes.len() < PARSED_ELSEWHERE_BYTES {
        return Command::read(codec, &bytes);
    }
    let command = spawn_blocking(move || Command::read(codec, &bytes)).await;
    command.expect(NO_PANIC)
}

impl Actor for SessionActor {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (address, key) = (self.state.address(), self.key_id());
        debug!(session = self.key.0, label = self.label, %address, key, "session opened");
        let span = debug_span!(
            target: "tapecast::trace",
            parent: None,
            "connection",
            client.address = %address,
            tapecast.session = self.key.0,
        );
        self.span = (!span.is_disabled()).then(|| Box::new(span));
        self.watch_revocation(ctx);
        self.watch_expiry(ctx);
        self.await_line_fault(ctx);
        if self.protocol.awaits_key() {
            ctx.run_later(self.auth_timeout, |session, ctx| {
                if session.protocol.awaits_key() {
                    session.state.send_control(&ErrorCode::AuthTimeout.into(), Instant::now());
                    session.end(Close::AuthTimeout, ctx);
                }
            });
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let why = self.state.close_reason().map_or("gone", Close::name);
        let (address, key) = (self.state.address(), self.key_id());
        debug!(session = self.key.0, label = self.label, %address, key, why, "session ended");
    }
}

impl StreamHandler<SessionInput> for SessionActor {
    fn handle(&mut self, input: SessionInput, ctx: &mut Self::Context) {
        let message = match input {
            SessionInput::Message(message) => message,
            SessionInput::LimitExceeded(reason) => return self.end(reason, ctx),
            SessionInput::Inquired(inquiry) => return inquiry.answer(self.details()),
            SessionInput::UniverseGrew => {
                let known = self.protocol.extend_universe(self.state.hub().universe());
                self.alerts.add_new_instruments(Instant::now());
                let subscriptions = self.protocol.subscriptions();
                return self.executor.add_new_instruments(known, subscriptions, Instant::now());
            }
        };
        match message {
            Ok(Incoming::Text(text)) => self.receive(Codec::Json, text, ctx),
            Ok(Incoming::Binary(bytes)) => self.receive(self.codec, bytes, ctx),
            Ok(Incoming::Ping(_) | Incoming::Pong) if !self.pings.take(Instant::now()) => {
                self.end(Close::TooManyPings, ctx);
            }
            Ok(Incoming::Ping(payload)) => {
                self.state.send_urgent(message_frame(Opcode::Pong, &payload), Instant::now());
            }
            Ok(other) => answer_control(&self.state, other, ctx),
            Err(error) => close_on_error(&self.state, error, ctx),
        }
    }
}

/// Answers a control frame, on any endpoint.
pub(super) fn answer_control<A>(state: &SessionState, message: Incoming, ctx: &mut WebsocketContext<A>)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    match message {
        Incoming::Ping(payload) => state.send(message_frame(Opcode::Pong, &payload), Instant::now()),
        Incoming::Close(code) => {
            state.begin_close(Close::Goodbye(code), Instant::now());
            ctx.stop();
        }
        Incoming::Pong | Incoming::Text(_) | Incoming::Binary(_) => {}
    }
}

/// Closes the session of a client that violates RFC 6455, on any endpoint.
pub(super) fn close_on_error<A>(state: &SessionState, error: DecodeError, ctx: &mut WebsocketContext<A>)
where
    A: Actor<Context = WebsocketContext<A>>,
{
    debug!(?error, "closing");
    state.begin_close(error.close(), Instant::now());
    ctx.stop();
}

/// Required by the context, for a stream that never yields.
impl StreamHandler<Result<UnusedMessage, UnusedError>> for SessionActor {
    fn handle(&mut self, _: Result<UnusedMessage, UnusedError>, _: &mut Self::Context) {}

    fn finished(&mut self, _: &mut Self::Context) {}
}
