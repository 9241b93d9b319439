use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;

use super::nodes::Node;
use super::scenario::{HopKind, Line, SYMBOLS, Settings};
use super::socket::{ServerEnd, SimulatedSocket, WakeFlag};
use crate::hub::{ClientFacts, ConnectionHealth, Hub, Subscriber, SubscriberIdentity};
use crate::model::{Channel, Epoch, Seq, StreamId, SymbolId, Timestamp};
use crate::session::executor::{CommandExecution, CommandExecutor, StepResult};
use crate::session::state::{HubMembership, SessionState};
use crate::session::{Limits, Outbox, Protocol};
use crate::transport::SocketWriter;
use crate::wire::{
    Close, Codec, Command, Compression, Decoder, Deflate, Incoming, NegotiatedDeflate, Opcode, message_frame,
};

/// Reading pauses above this backlog, as `session/incoming.rs` has it.
const PAUSE_ABOVE: usize = 64 << 10;

/// The most objects that one command replays.
const MAX_REPLAYED: usize = 1_000;

/// The server's side of one connection: everything of a session but the runtime that drives it.
///
/// What `session/task.rs` and `session/actor.rs` do with sockets and clocks is done here in virtual time, and a task runs
/// only when something has woken it, so that a lost wake-up stays lost.
pub(super) struct Connection {
    pub(super) state: Rc<SessionState>,
    pub(super) socket: Rc<SimulatedSocket>,
    pub(super) codec: Codec,
    pub(super) hub: usize,
    membership: Option<HubMembership>,
    protocol: Protocol,
    executor: CommandExecutor,
    execution: Option<(CommandExecution, Rc<CommandWindow>)>,
    decoder: Decoder,
    /// Messages that came behind a command that is being carried out.
    messages: VecDeque<Incoming>,
    windows: Rc<RefCell<VecDeque<Rc<CommandWindow>>>>,
    woken: Arc<WakeFlag>,
    is_gateway: bool,
    /// Control messages that were queued since nothing waited: they count against no watermark.
    pub(super) controls: usize,
}

/// The numbers of all streams when a command began to be carried out, and when it was done: a stream that it adds begins
/// with a number between them.
pub(super) struct CommandWindow {
    /// Whether a stream may begin with any number: a gateway tells of no loss where a stream was empty.
    pub(super) is_open: bool,
    /// The number of instruments that were listed.
    pub(super) listed: usize,
    pub(super) began: Vec<Seq>,
    pub(super) done: OnceCell<Vec<Seq>>,
}

impl fmt::Debug for CommandWindow {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a command")
    }
}

/// All streams of the instruments, also of those that are yet to be listed.
pub(super) fn streams() -> impl Iterator<Item = StreamId> {
    let symbols = (0..SYMBOLS.len() as u32).map(SymbolId);
    symbols.flat_map(|symbol| Channel::MARKET.map(|channel| StreamId::new(channel, symbol)))
}

/// The newest numbers of all streams at a hub, by their indices.
fn numbers(hub: &Hub) -> Vec<Seq> {
    let mut numbers = vec![Seq(0); StreamId::table_len(SYMBOLS.len())];
    hub.with_last_values(|last_values| {
        streams().for_each(|stream| numbers[stream.index()] = last_values.seq(stream));
    });
    numbers
}

impl Line {
    pub(super) const fn codec(self) -> Codec {
        match self {
            Self::MsgPack => Codec::MsgPack,
            Self::Json | Self::Deflate | Self::Tls => Codec::Json,
        }
    }

    fn deflate(self) -> Option<Deflate> {
        let agreed = NegotiatedDeflate::from_offers(["permessage-deflate"]).map(NegotiatedDeflate::deflate);
        agreed.filter(|_| self == Self::Deflate)
    }
}

impl Connection {
    /// Opens a session, as `session::open` does.
    pub(super) fn open(node: &Node, hub: usize, line: Line, settings: &Settings, now: Instant) -> Self {
        let epoch = node.hub.epoch().unwrap_or(Epoch::new(36));
        let (codec, deflate) = (line.codec(), line.deflate());
        let socket = SimulatedSocket::new(settings.socket_buffer);
        let server_end = ServerEnd { socket: Rc::clone(&socket), is_tls: line == Line::Tls };
        let client = ClientFacts {
            address: IpAddr::from([203, 0, 113, 7]),
            user_agent: None,
            is_tls: line == Line::Tls,
        };
        let identity = SubscriberIdentity {
            client,
            key: OnceCell::new(),
            codec,
            is_deflated: deflate.is_some(),
            opened: now,
            opened_at: Timestamp::default(),
        };
        let outbox = Outbox::new(codec, settings.outbox).compressed(deflate);
        let writer = SocketWriter::new(Box::new(server_end), Bytes::new());
        let state = Rc::new(SessionState::new(Rc::clone(&node.hub), identity, epoch, outbox, writer, now));
        let membership = HubMembership::join(&state);
        let mut protocol = Protocol::new(node.hub.universe(), epoch, Limits::default(), None);
        protocol.greet(None).messages.iter().for_each(|message| state.send_control(message, now));
        let executor =
            CommandExecutor::new(Rc::clone(&state), node.replay(), node.progress.clone(), MAX_REPLAYED);
        Self {
            executor: executor.in_steps_of(settings.changes_per_step),
            state,
            socket,
            codec,
            hub,
            membership: Some(membership),
            protocol,
            execution: None,
            decoder: Decoder::new(1 << 20).with(Compression::of(deflate)),
            messages: VecDeque::new(),
            windows: Rc::default(),
            woken: WakeFlag::set(),
            is_gateway: hub == 1 && settings.hop == HopKind::Cluster,
            controls: 1,
        }
    }

    /// What the client may know of the commands that it sent.
    pub(super) fn windows(&self) -> Rc<RefCell<VecDeque<Rc<CommandWindow>>>> {
        Rc::clone(&self.windows)
    }

    /// Whether the session has ended: the server has closed the connection.
    pub(super) const fn has_ended(&self) -> bool {
        self.membership.is_none()
    }

    /// Whether a command is being carried out.
    pub(super) const fn is_busy(&self) -> bool {
        self.execution.is_some()
    }

    pub(super) fn health(&self, now: Instant) -> ConnectionHealth {
        self.state.health(now)
    }

    pub(super) fn close_reason(&self) -> Option<Close> {
        self.state.close_reason()
    }

    /// Whether the runtime would run the session's task.
    pub(super) fn is_ready(&self) -> bool {
        !self.has_ended() && (self.woken.is_set() || self.socket.is_ready())
    }

    /// Runs the session's task once: what `poll_serve` does, with one piece of an answer and one step of a command at
    /// most, so that batches come in between.
    pub(super) fn run(&mut self, now: Instant) {
        self.woken.clear();
        self.socket.begin_turn();
        if self.state.is_aborted() {
            self.state.writer().abort();
            self.membership = None;
            return;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut has_answered = false;
        loop {
            let written = self.state.poll_write(&mut Context::from_waker(&waker), now);
            if matches!(written, Poll::Ready(Err(_))) {
                self.membership = None;
                return;
            }
            let has_acted = self.state.close_reason().is_none() && self.act(now);
            if has_acted || (written.is_ready() && self.state.has_backlog()) {
                continue;
            }
            if self.state.wants_answer() && !std::mem::replace(&mut has_answered, true) {
                self.state.produce_answer(now);
                continue;
            }
            if written.is_ready() && self.state.close_reason().is_some() {
                self.membership = None;
                return;
            }
            self.state.set_waker(&waker);
            if self.is_busy() || !self.messages.is_empty() || (self.state.wants_answer() && has_answered) {
                waker.wake();
            }
            return;
        }
    }

    /// What the actor does: it reads, unless too much waits, and carries commands out. Says whether it may do more at once.
    fn act(&mut self, now: Instant) -> bool {
        if let Some((execution, window)) = self.execution.take() {
            self.step(execution, window, now);
            return !self.is_busy();
        }
        if self.state.take_universe_grew() {
            let known = self.protocol.extend_universe(self.state.hub().universe());
            self.executor.add_new_instruments(known, self.protocol.subscriptions(), now);
        }
        if self.state.backlog_bytes() > PAUSE_ABOVE {
            self.state.set_heard(now);
            return false;
        }
        if self.messages.is_empty() {
            let mut received = Bytes::from(self.socket.take_received());
            if !received.is_empty() {
                self.state.set_heard(now);
            }
            while let Some(message) = self.decoder.decode(&mut received).expect("the client is correct") {
                self.messages.push_back(message);
            }
        }
        match self.messages.pop_front() {
            Some(Incoming::Text(text)) => self.execute(Codec::Json, &text, now),
            Some(Incoming::Binary(bytes)) => self.execute(self.codec, &bytes, now),
            Some(Incoming::Ping(payload)) => {
                self.controls += 1;
                self.state.send_urgent(message_frame(Opcode::Pong, &payload), now);
            }
            Some(Incoming::Close(code)) => self.state.begin_close(Close::Goodbye(code), now),
            Some(Incoming::Pong) => {}
            None => return false,
        }
        !self.is_busy()
    }

    fn execute(&mut self, codec: Codec, text: &[u8], now: Instant) {
        self.protocol.set_epoch(self.state.epoch());
        let outcome = self.protocol.answer(Command::read(codec, text));
        let response = outcome.response.to_frame(self.codec);
        let hub = self.state.hub();
        let window = CommandWindow {
            is_open: self.is_gateway,
            listed: hub.universe().len(),
            began: numbers(hub),
            done: OnceCell::new(),
        };
        let window = Rc::new(window);
        self.windows.borrow_mut().push_back(Rc::clone(&window));
        self.controls += 2;
        let execution = self.executor.begin(outcome, response);
        self.step(execution, window, now);
    }

    /// Carries out a step of a command; the next one comes when the task runs again.
    fn step(&mut self, mut execution: CommandExecution, window: Rc<CommandWindow>, now: Instant) {
        let step = self.executor.step(&mut execution, self.protocol.subscriptions(), now);
        self.state.set_waiting(step == StepResult::More);
        match step {
            StepResult::More => self.execution = Some((execution, window)),
            StepResult::Done => {
                let _ = window.done.set(numbers(self.state.hub()));
            }
        }
    }
}
