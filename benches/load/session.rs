//! One connection: moves bytes between a socket that never blocks and a [`Conversation`].

use std::io::{self, Read, Write};

use flate2::{Decompress, FlushDecompress};
use mio::net::TcpStream;
use serde_json::Value;

use super::config::Load;
use super::conversation::{Books, Command, Conversation};
use super::end::End;
use super::frames::{self, Decoded, Fault, MESSAGE_LIMIT, Opcode};
use super::plan::Plan;
use super::stamp::wall_clock_us;
use super::target::{self, Upgrade};

/// The least room offered to one `read`.
const READ_ROOM: usize = 64 << 10;

/// Reads in one turn, after which other sessions get theirs.
const READS_PER_TURN: usize = 8;

/// What all sessions of a thread share.
pub(crate) struct Desk<'a> {
    pub(crate) load: &'a Load,
    pub(crate) books: Books,
    /// Every read of every session lands here; only what is left of a frame is kept by the session.
    pub(crate) scratch: Vec<u8>,
    masks: u32,
    /// Each compressed message stands for itself, so one serves all sessions.
    inflater: Decompress,
    inflated: Vec<u8>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(load: &'a Load) -> Self {
        Self {
            load,
            books: Books::default(),
            scratch: Vec::new(),
            masks: 0x9E37_79B9,
            inflater: Decompress::new(false),
            inflated: Vec::new(),
        }
    }

    /// The next masking key: xorshift, for a mask need only differ, not be secret, on our own machine.
    fn mask(&mut self) -> [u8; 4] {
        self.masks ^= self.masks << 13;
        self.masks ^= self.masks >> 17;
        self.masks ^= self.masks << 5;
        self.masks.to_le_bytes()
    }
}

/// What a session does with what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Reads,
    /// Stops reading for good once it has subscribed.
    Stalls,
}

/// How a turn left the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing more to read until the poll says so.
    Drained,
    /// There may be more, and the poll will not say so again.
    More,
}

/// What a session leaves to its successor.
pub(crate) struct Legacy {
    pub(crate) number: usize,
    pub(crate) reconnect_ms: Option<u64>,
    pub(crate) resume: Option<Value>,
}

enum Link {
    Connecting,
    Upgrading,
    Talking(Conversation),
}

/// One session; idle it owns no buffer.
pub(crate) struct Session {
    pub(crate) socket: TcpStream,
    link: Link,
    number: usize,
    manner: Manner,
    /// Where an earlier session of this number stood.
    resume: Option<Value>,
    has_subscribed: bool,
    /// The server has ended the stream, or we are about to: a stalled session may be read again.
    reads_to_the_end: bool,
    /// The beginning of a frame whose rest has not come yet.
    carry: Vec<u8>,
    /// The parts so far of a message sent in several frames.
    parts: Option<Vec<u8>>,
    /// What the socket would not take yet.
    outgoing: Vec<u8>,
}

impl Session {
    /// A session over a socket that is still connecting.
    pub(crate) fn new(socket: TcpStream, number: usize, manner: Manner) -> Self {
        Self {
            socket,
            link: Link::Connecting,
            number,
            manner,
            resume: None,
            has_subscribed: false,
            reads_to_the_end: false,
            carry: Vec::new(),
            parts: None,
            outgoing: Vec::new(),
        }
    }

    /// A session that goes on where an earlier one stood.
    pub(crate) fn resuming(self, resume: Option<Value>) -> Self {
        Self { resume, ..self }
    }

    /// What its successor is to know: where it stood, and when the server asked to see it again.
    pub(crate) fn legacy(mut self, plan: &Plan) -> Legacy {
        match &mut self.link {
            Link::Talking(conversation) => Legacy {
                number: self.number,
                reconnect_ms: conversation.reconnect_ms(),
                resume: conversation.standing(plan, self.number).or(self.resume),
            },
            _ => Legacy { number: self.number, reconnect_ms: None, resume: self.resume },
        }
    }

    /// Whether its beginning is over: acknowledged or, for one that stalls, subscribed.
    pub(crate) fn is_open(&self) -> bool {
        match (&self.link, self.manner) {
            (Link::Talking(_), Manner::Stalls) => self.is_stalled(),
            (Link::Talking(conversation), Manner::Reads) => conversation.is_live(),
            _ => false,
        }
    }

    /// Whether it has said all it will ever say and must not be read any more.
    pub(crate) fn is_stalled(&self) -> bool {
        self.manner == Manner::Stalls && self.has_subscribed && self.outgoing.is_empty()
    }

    pub(crate) fn manner(&self) -> Manner {
        self.manner
    }

    /// The socket can be written to, or its connect has been decided.
    pub(crate) fn write_turn(&mut self, desk: &mut Desk<'_>) -> Result<(), End> {
        if matches!(self.link, Link::Connecting) {
            if let Some(error) = self.socket.take_error()? {
                return Err(error.into());
            }
            match self.socket.peer_addr() {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            self.socket.set_nodelay(true)?;
            self.link = Link::Upgrading;
            self.outgoing = desk.load.target.upgrade_request().into_bytes();
        }
        self.flush()
    }

    /// From here on, reads until there is an end of stream or nothing more.
    pub(crate) fn read_to_the_end(&mut self) {
        self.reads_to_the_end = true;
    }

    /// Reads what is there and takes it in.
    pub(crate) fn read_turn(&mut self, desk: &mut Desk<'_>) -> Result<Turn, End> {
        if matches!(self.link, Link::Connecting) {
            return Ok(Turn::Drained);
        }
        // What a stalled session finds in its buffer at last is late by its own fault.
        let kept = self.is_stalled().then(|| std::mem::take(&mut desk.books.tally));
        let mut scratch = std::mem::take(&mut desk.scratch);
        let turn = self.read_into(&mut scratch, desk);
        desk.scratch = scratch;
        if let Some(tally) = kept {
            desk.books.tally = tally;
        }
        turn
    }

    fn read_into(&mut self, scratch: &mut Vec<u8>, desk: &mut Desk<'_>) -> Result<Turn, End> {
        for _ in 0..READS_PER_TURN {
            if self.is_stalled() && !self.reads_to_the_end {
                return Ok(Turn::Drained);
            }
            let kept = self.carry.len();
            if scratch.len() < kept + READ_ROOM {
                scratch.resize(kept + READ_ROOM, 0);
            }
            scratch[..kept].copy_from_slice(&self.carry);
            let room = scratch.len() - kept;
            let count = match self.socket.read(&mut scratch[kept..]) {
                Ok(0) => return Err(End::Cut(io::ErrorKind::UnexpectedEof)),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Drained),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let bytes = &scratch[..kept + count];
            let used = self.take_in(bytes, count, desk)?;
            self.carry = if used < bytes.len() { bytes[used..].to_vec() } else { Vec::new() };
            self.flush()?;
            // A stream socket that gave less than it was asked for is empty (epoll(7), question 9),
            // which saves one fruitless read per turn.
            if count < room && !self.reads_to_the_end {
                return Ok(Turn::Drained);
            }
        }
        Ok(Turn::More)
    }

    /// Takes in whole frames, of which `fresh` bytes are new, and says how many bytes they were.
    fn take_in(&mut self, bytes: &[u8], fresh: usize, desk: &mut Desk<'_>) -> Result<usize, End> {
        let mut used = 0;
        if matches!(self.link, Link::Upgrading) {
            match target::upgrade(bytes) {
                Upgrade::Partial => return Ok(0),
                Upgrade::Refused { status } => return Err(End::NotUpgraded { status }),
                Upgrade::Granted { length } => used = length,
            }
            self.link = Link::Talking(Conversation::new(desk.load.auth.is_some()));
        }
        desk.books.tally.bytes += fresh as u64;
        let now_us = wall_clock_us();
        while let Decoded::Whole(frame) = frames::decode(&bytes[used..])? {
            used += frame.length;
            match frame.opcode {
                Opcode::Ping => {
                    let mask = desk.mask();
                    frames::encode(&mut self.outgoing, Opcode::Pong, frame.payload, mask);
                }
                Opcode::Pong => {}
                Opcode::Close => return Err(End::Closed { code: frames::close_code(frame.payload) }),
                Opcode::Text if frame.is_packed => {
                    desk.books.tally.frames += 1;
                    self.packed_message(frame.payload, now_us, desk)?;
                }
                opcode => {
                    desk.books.tally.frames += 1;
                    self.part(opcode, frame.is_final, frame.payload, now_us, desk)?;
                }
            }
        }
        Ok(used)
    }

    /// A data frame: usually a whole message, else the next part of one.
    #[inline]
    fn part(
        &mut self,
        opcode: Opcode,
        is_final: bool,
        payload: &[u8],
        now_us: i64,
        desk: &mut Desk<'_>,
    ) -> Result<(), End> {
        match (opcode, self.parts.take(), is_final) {
            (Opcode::Text, None, true) => self.message(payload, now_us, desk),
            (Opcode::Binary, None, _) => {
                desk.books.tally.unread += 1;
                Ok(())
            }
            (Opcode::Text, None, false) => {
                self.parts = Some(payload.to_vec());
                Ok(())
            }
            (Opcode::Continuation, Some(mut parts), _) => {
                if parts.len() + payload.len() > MESSAGE_LIMIT {
                    return Err(Fault::TooLong.into());
                }
                parts.extend_from_slice(payload);
                if is_final {
                    return self.message(&parts, now_us, desk);
                }
                self.parts = Some(parts);
                Ok(())
            }
            _ => Err(Fault::OutOfTurn.into()),
        }
    }

    /// A compressed message: this server sends each in one frame.
    fn packed_message(&mut self, payload: &[u8], now_us: i64, desk: &mut Desk<'_>) -> Result<(), End> {
        if !desk.load.target.offers_deflate || self.parts.is_some() {
            return Err(Fault::Reserved.into());
        }
        let mut message = std::mem::take(&mut desk.inflated);
        message.clear();
        message.reserve(MESSAGE_LIMIT);
        desk.inflater.reset(false);
        for part in [payload, &[0, 0, 0xFF, 0xFF]] {
            let whole = desk.inflater.total_in() + part.len() as u64;
            let outcome = desk.inflater.decompress_vec(part, &mut message, FlushDecompress::Sync);
            if outcome.is_err() || desk.inflater.total_in() != whole {
                return Err(Fault::BadDeflate.into());
            }
        }
        let heard = self.message(&message, now_us, desk);
        desk.inflated = message;
        heard
    }

    #[inline]
    fn message(&mut self, message: &[u8], now_us: i64, desk: &mut Desk<'_>) -> Result<(), End> {
        let Link::Talking(conversation) = &mut self.link else {
            unreachable!("frames are only read from an upgraded connection");
        };
        let command = match conversation.hear(message, now_us, &mut desk.books)? {
            None => return Ok(()),
            Some(Command::Authenticate) => desk.load.auth.clone().unwrap_or_default(),
            Some(Command::Subscribe) => {
                self.has_subscribed = true;
                desk.load.plan.subscribe(self.number, self.resume.as_ref())
            }
        };
        let mask = desk.mask();
        frames::encode(&mut self.outgoing, Opcode::Text, command.as_bytes(), mask);
        Ok(())
    }

    /// Says goodbye as far as the socket takes it at once.
    pub(crate) fn say_goodbye(&mut self, desk: &mut Desk<'_>) {
        if matches!(self.link, Link::Talking(_)) {
            let mask = desk.mask();
            frames::encode(&mut self.outgoing, Opcode::Close, &1000u16.to_be_bytes(), mask);
            // The session is over either way; a peer that cannot be told has its own clock.
            drop(self.flush());
        }
    }

    fn flush(&mut self) -> Result<(), End> {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match self.socket.write(&self.outgoing[sent..]) {
                Ok(count) => sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if sent == self.outgoing.len() {
            self.outgoing = Vec::new();
        } else {
            self.outgoing.drain(..sent);
        }
        Ok(())
    }
}
