//! One session: moves bytes between a non-blocking socket and its [`SessionProtocol`].

use std::io::{self, Read, Write};

use mio::net::TcpStream;

use super::broker::{BrokerProtocol, BrokerSession, Dialect};
use super::context::SessionContext;
use super::frames::{self, Decoded, FrameError, MESSAGE_LIMIT, Opcode};
use super::protocol::{Command, ResumePoint, SessionProtocol};
use super::session_end::SessionEnd;
use super::target::{self, UpgradeResponse};
use super::timestamp::wall_clock_us;

/// The minimum buffer space offered to one `read`, in bytes.
const READ_SIZE: usize = 64 << 10;

/// The maximum number of reads of one session before other sessions are served.
const MAX_READS: usize = 8;

/// Whether a session consumes what it subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionKind {
    Reader,
    /// Stops reading once it has subscribed: a slow consumer in the extreme.
    Stalled,
}

/// The state of the socket after a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// Empty; the poll reports when it becomes readable again.
    Drained,
    /// There may be more data, which the edge-triggered poll does not report again.
    MoreToRead,
}

/// What a session hands over to its next connection.
pub(crate) struct ResumeState {
    pub(crate) number: usize,
    /// The reconnect delay that the server requested.
    pub(crate) reconnect_ms: Option<u64>,
    /// The number of reconnects before.
    pub(crate) reconnects: usize,
    /// Where the next `subscribe` resumes.
    pub(crate) resume: Option<ResumePoint>,
}

enum ConnectionState {
    Connecting,
    Upgrading,
    Open(SessionProtocol),
    /// The frames carry the packets of a broker.
    Brokered(BrokerSession),
}

/// When a read stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadPolicy {
    /// When the socket is empty; a stalled session does not read at all.
    UntilDrained,
    /// At the end of the stream: the server ended it, or the run is over. Stalled sessions read as well.
    UntilEof,
}

/// One session; it owns no buffer while it is idle.
pub(crate) struct Session {
    pub(crate) socket: TcpStream,
    state: ConnectionState,
    number: usize,
    kind: SessionKind,
    reconnects: usize,
    /// Where an earlier connection of this session ended, until this one is upgraded.
    resume: Option<ResumePoint>,
    has_subscribed: bool,
    read_policy: ReadPolicy,
    /// The start of a frame whose remainder has not arrived.
    partial_frame: Vec<u8>,
    /// The fragments of a message that has not ended.
    partial_message: Option<Vec<u8>>,
    /// Bytes that the socket has not accepted.
    write_buffer: Vec<u8>,
}

impl Session {
    /// Creates a session on a socket that is still connecting.
    pub(crate) fn new(socket: TcpStream, number: usize, kind: SessionKind) -> Self {
        Self {
            socket,
            state: ConnectionState::Connecting,
            number,
            kind,
            reconnects: 0,
            resume: None,
            has_subscribed: false,
            read_policy: ReadPolicy::UntilDrained,
            partial_frame: Vec::new(),
            partial_message: None,
            write_buffer: Vec::new(),
        }
    }

    /// Creates a reader that resumes the streams of an earlier connection.
    pub(crate) fn resumed(socket: TcpStream, earlier: ResumeState) -> Self {
        let ResumeState { number, reconnects, resume, .. } = earlier;
        Self { reconnects, resume, ..Self::new(socket, number, SessionKind::Reader) }
    }

    /// The state that the next connection of this session needs.
    pub(crate) fn into_resume_state(self) -> ResumeState {
        let Self { number, reconnects, .. } = self;
        let (reconnect_ms, resume) = match self.state {
            ConnectionState::Open(protocol) => (protocol.reconnect_ms(), protocol.into_resume_point()),
            _ => (None, self.resume),
        };
        ResumeState { number, reconnect_ms, reconnects, resume }
    }

    /// Whether the subscription is acknowledged or, for a stalled session, sent.
    pub(crate) fn is_open(&self) -> bool {
        match (&self.state, self.kind) {
            (ConnectionState::Open(_) | ConnectionState::Brokered(_), SessionKind::Stalled) => {
                self.is_stalled()
            }
            (ConnectionState::Open(protocol), SessionKind::Reader) => protocol.is_live(),
            (ConnectionState::Brokered(broker), SessionKind::Reader) => broker.is_subscribed(),
            _ => false,
        }
    }

    /// Whether the session has sent its last command and must not read any more.
    pub(crate) fn is_stalled(&self) -> bool {
        self.kind == SessionKind::Stalled && self.has_subscribed && self.write_buffer.is_empty()
    }

    pub(crate) fn kind(&self) -> SessionKind {
        self.kind
    }

    /// Handles a writable socket; the first time, the connect has succeeded or failed.
    pub(crate) fn on_writable(&mut self, context: &mut SessionContext<'_>) -> Result<(), SessionEnd> {
        if matches!(self.state, ConnectionState::Connecting) {
            if let Some(error) = self.socket.take_error()? {
                return Err(error.into());
            }
            match self.socket.peer_addr() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            self.socket.set_nodelay(true)?;
            self.state = ConnectionState::Upgrading;
            let suffix = context.config.dialect.path_suffix(&context.config.workload, self.number);
            let target = context.config.target(self.number, self.reconnects);
            self.write_buffer = target.upgrade_request(&suffix).into_bytes();
        }
        self.flush()
    }

    /// Makes later reads continue until the end of the stream.
    pub(crate) fn read_until_eof(&mut self) {
        self.read_policy = ReadPolicy::UntilEof;
    }

    /// Reads and processes available data.
    pub(crate) fn on_readable(
        &mut self,
        context: &mut SessionContext<'_>,
    ) -> Result<ReadOutcome, SessionEnd> {
        if matches!(self.state, ConnectionState::Connecting) {
            return Ok(ReadOutcome::Drained);
        }
        // Data that a stalled session reads at the end of the run is not measured: its latency is the
        // session's own.
        let measured = self.is_stalled().then(|| std::mem::take(&mut context.stats.received));
        let mut buffer = std::mem::take(&mut context.read_buffer);
        let outcome = self.read(&mut buffer, context);
        context.read_buffer = buffer;
        if let Some(received) = measured {
            context.stats.received = received;
        }
        outcome
    }

    fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        context: &mut SessionContext<'_>,
    ) -> Result<ReadOutcome, SessionEnd> {
        for _ in 0..MAX_READS {
            if self.is_stalled() && self.read_policy == ReadPolicy::UntilDrained {
                return Ok(ReadOutcome::Drained);
            }
            let kept = self.partial_frame.len();
            if buffer.len() < kept + READ_SIZE {
                buffer.resize(kept + READ_SIZE, 0);
            }
            buffer[..kept].copy_from_slice(&self.partial_frame);
            let room = buffer.len() - kept;
            let count = match self.socket.read(&mut buffer[kept..]) {
                Ok(0) => return Err(SessionEnd::ConnectionLost(io::ErrorKind::UnexpectedEof)),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(ReadOutcome::Drained),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let bytes = &buffer[..kept + count];
            let used = self.process(bytes, count, context)?;
            self.partial_frame = if used < bytes.len() { bytes[used..].to_vec() } else { Vec::new() };
            self.flush()?;
            // A stream socket that returned less than requested is empty (epoll(7), question 9), which
            // saves one `read` per event.
            if count < room && self.read_policy == ReadPolicy::UntilDrained {
                return Ok(ReadOutcome::Drained);
            }
        }
        Ok(ReadOutcome::MoreToRead)
    }

    /// Processes all complete frames in `bytes` and returns their length. The last `fresh` bytes are new.
    fn process(
        &mut self,
        bytes: &[u8],
        fresh: usize,
        context: &mut SessionContext<'_>,
    ) -> Result<usize, SessionEnd> {
        let mut used = 0;
        if matches!(self.state, ConnectionState::Upgrading) {
            match target::parse_upgrade(bytes) {
                UpgradeResponse::Incomplete => return Ok(0),
                UpgradeResponse::Rejected { status } => return Err(SessionEnd::UpgradeRejected { status }),
                UpgradeResponse::Accepted { length } => used = length,
            }
            self.on_upgraded(context);
        }
        context.stats.received.bytes += fresh as u64;
        let now_us = wall_clock_us();
        while let Decoded::Complete(frame) = frames::decode(&bytes[used..])? {
            used += frame.length;
            match frame.opcode {
                Opcode::Ping => {
                    let mask = context.next_mask();
                    frames::encode(&mut self.write_buffer, Opcode::Pong, frame.payload, mask);
                }
                Opcode::Pong => {}
                Opcode::Close => {
                    return Err(SessionEnd::Closed { code: frames::close_code(frame.payload) });
                }
                Opcode::Text if frame.is_compressed => {
                    context.stats.received.frames += 1;
                    self.on_compressed_message(frame.payload, now_us, context)?;
                }
                _ if matches!(self.state, ConnectionState::Brokered(_)) => {
                    context.stats.received.frames += 1;
                    self.on_broker_frame(frame.payload, now_us, context)?;
                }
                opcode => {
                    context.stats.received.frames += 1;
                    self.on_data_frame(opcode, frame.is_final, frame.payload, now_us, context)?;
                }
            }
        }
        Ok(used)
    }

    /// Chooses the protocol of the session; a broker is sent the subscription at once.
    fn on_upgraded(&mut self, context: &mut SessionContext<'_>) {
        let config = context.config;
        if let Some(protocol) = BrokerProtocol::of(config.dialect) {
            let greeting = protocol.greeting(&config.workload, self.number);
            let mask = context.next_mask();
            frames::encode(&mut self.write_buffer, Opcode::Binary, &greeting, mask);
            self.has_subscribed = true;
            self.state = ConnectionState::Brokered(BrokerSession::new(protocol));
            return;
        }
        let first_command = if config.auth.is_some() { Command::Authenticate } else { Command::Subscribe };
        let protocol = match config.dialect {
            Dialect::Nchan => SessionProtocol::subscribed(),
            _ => SessionProtocol::new(first_command).resuming(self.resume.take()),
        };
        self.state = ConnectionState::Open(protocol);
    }

    /// Handles the payload of a frame with packets of a broker.
    #[inline]
    fn on_broker_frame(
        &mut self,
        payload: &[u8],
        now_us: i64,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionEnd> {
        let ConnectionState::Brokered(broker) = &mut self.state else { return Ok(()) };
        let answer = broker.on_payload(payload, now_us, &mut context.stats)?;
        if !answer.is_empty() {
            let mask = context.next_mask();
            frames::encode(&mut self.write_buffer, Opcode::Binary, answer, mask);
        }
        Ok(())
    }

    /// Handles a data frame: usually a complete message, else the next fragment of one.
    #[inline]
    fn on_data_frame(
        &mut self,
        opcode: Opcode,
        is_final: bool,
        payload: &[u8],
        now_us: i64,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionEnd> {
        match (opcode, self.partial_message.take(), is_final) {
            (Opcode::Text, None, true) => self.on_message(payload, now_us, context),
            (Opcode::Binary, None, _) => {
                context.stats.received.undecoded += 1;
                Ok(())
            }
            (Opcode::Text, None, false) => {
                self.partial_message = Some(payload.to_vec());
                Ok(())
            }
            (Opcode::Continuation, Some(mut message), _) => {
                if message.len() + payload.len() > MESSAGE_LIMIT {
                    return Err(FrameError::TooLong.into());
                }
                message.extend_from_slice(payload);
                if is_final {
                    return self.on_message(&message, now_us, context);
                }
                self.partial_message = Some(message);
                Ok(())
            }
            _ => Err(FrameError::InvalidFragmentation.into()),
        }
    }

    /// Handles a compressed message; this server never fragments one.
    fn on_compressed_message(
        &mut self,
        payload: &[u8],
        now_us: i64,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionEnd> {
        if !context.config.targets[0].offers_deflate || self.partial_message.is_some() {
            return Err(FrameError::ReservedBits.into());
        }
        let mut message = std::mem::take(&mut context.inflate_buffer);
        context.inflate(payload, &mut message)?;
        let outcome = self.on_message(&message, now_us, context);
        context.inflate_buffer = message;
        outcome
    }

    #[inline]
    fn on_message(
        &mut self,
        message: &[u8],
        now_us: i64,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionEnd> {
        let ConnectionState::Open(protocol) = &mut self.state else {
            unreachable!("frames are only read from an upgraded connection");
        };
        let mut alerts = Vec::new();
        let command = match protocol.on_message(message, now_us, &mut context.stats)? {
            None => return Ok(()),
            Some(Command::Authenticate) => context.config.auth.clone().unwrap_or_default(),
            Some(Command::Subscribe) => {
                self.has_subscribed = true;
                let workload = &context.config.workload;
                let resume = protocol.resume_option(workload, self.number);
                alerts = workload.alert_commands(self.number).collect();
                workload.subscribe_command(self.number, resume)
            }
        };
        for command in std::iter::once(command).chain(alerts) {
            let mask = context.next_mask();
            frames::encode(&mut self.write_buffer, Opcode::Text, command.as_bytes(), mask);
        }
        Ok(())
    }

    /// Sends a close frame (1000) as far as the socket accepts it without blocking.
    pub(crate) fn close(&mut self, context: &mut SessionContext<'_>) {
        if matches!(self.state, ConnectionState::Open(_) | ConnectionState::Brokered(_)) {
            let mask = context.next_mask();
            frames::encode(&mut self.write_buffer, Opcode::Close, &1000u16.to_be_bytes(), mask);
            // The run is over; a server that does not get the frame sees the end of the connection.
            drop(self.flush());
        }
    }

    fn flush(&mut self) -> Result<(), SessionEnd> {
        let mut sent = 0;
        while sent < self.write_buffer.len() {
            match self.socket.write(&self.write_buffer[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if sent == self.write_buffer.len() {
            self.write_buffer = Vec::new();
        } else {
            self.write_buffer.drain(..sent);
        }
        Ok(())
    }
}
