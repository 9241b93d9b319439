use bytes::{Buf, Bytes};

use super::Close;
use super::deflate::{Deflate, RSV1, inflate};
use super::frame::{FIN, Opcode};
use super::utf8::{NotUtf8, Utf8Check};

/// What the far side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message of text; it is UTF-8.
    Text(Vec<u8>),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// Asks for a pong with this payload, at most 125 bytes.
    Ping(Vec<u8>),
    /// Answers a ping.
    Pong,
    /// The far side says goodbye, with a code or without; answer in kind and send nothing more.
    Close(Option<u16>),
}

/// Why the conversation cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// A frame against RFC 6455.
    Protocol(&'static str),
    /// Text that is not UTF-8.
    BadUtf8,
    /// A compressed message that is no deflate stream.
    BadDeflate,
    /// A message over the limit, as it came or inflated.
    TooBig,
}

impl DecodeError {
    /// The goodbye that this fault deserves.
    pub const fn close(self) -> Close {
        match self {
            Self::Protocol(_) => Close::ProtocolError,
            Self::BadUtf8 => Close::BadUtf8,
            Self::BadDeflate => Close::BadDeflate,
            Self::TooBig => Close::TooBig,
        }
    }
}

impl From<NotUtf8> for DecodeError {
    fn from(_: NotUtf8) -> Self {
        Self::BadUtf8
    }
}

/// Turns a client's bytes into messages, strictly by RFC 6455, and by RFC 7692 where that is agreed.
///
/// A declared length is checked before anything of it is kept, UTF-8 is checked as it streams, and
/// memory follows the bytes that came, not those that were announced. A compressed message is kept as
/// it came until it is whole, and then inflated at once, within the same limit: what is in the making
/// costs no zlib state. After the first [`DecodeError`] or Close the decoder is fused: it swallows whatever
/// follows and says nothing more.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    compression: Compression,
    state: State,
    message: Option<Message>,
    control: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Header { bytes: [u8; MAX_HEADER], have: usize },
    Payload(Payload),
    Fused,
}

/// Whether messages may come compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// They may not: nothing was agreed.
    None,
    /// By permessage-deflate, each for itself.
    PermessageDeflate,
}

impl Compression {
    /// What the client may do where we may compress so: it is agreed for both directions or for none.
    pub const fn of(deflate: Option<Deflate>) -> Self {
        match deflate {
            Some(_) => Self::PermessageDeflate,
            None => Self::None,
        }
    }
}

/// The longest header of a masked frame.
const MAX_HEADER: usize = 14;

#[derive(Debug)]
struct Payload {
    opcode: Opcode,
    is_final: bool,
    form: Form,
    mask: [u8; 4],
    left: u64,
}

#[derive(Debug)]
struct Message {
    kind: Kind,
    form: Form,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Compressed,
}

#[derive(Debug)]
enum Kind {
    Text(Utf8Check),
    Binary,
}

impl Decoder {
    /// A decoder that takes messages of up to `max_message` bytes, fragmented or not.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            compression: Compression::None,
            state: State::start(),
            message: None,
            control: Vec::new(),
        }
    }

    /// The same decoder, for what the handshake agreed on.
    #[must_use]
    pub fn with(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// Eats from `input` until a message is whole; `None` when all is eaten.
    ///
    /// # Errors
    /// The fault for which to close, once.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Incoming>, DecodeError> {
        let outcome = self.advance(input);
        if matches!(outcome, Err(_) | Ok(Some(Incoming::Close(_)))) {
            self.state = State::Fused;
            self.message = None;
        }
        outcome
    }

    fn advance(&mut self, input: &mut Bytes) -> Result<Option<Incoming>, DecodeError> {
        loop {
            match &mut self.state {
                State::Fused => {
                    input.clear();
                    return Ok(None);
                }
                State::Header { bytes, have } => {
                    while *have < header_len(&bytes[..*have]) {
                        if !input.has_remaining() {
                            return Ok(None);
                        }
                        bytes[*have] = input.get_u8();
                        *have += 1;
                        check_head(&bytes[..*have], self.compression)?;
                    }
                    let payload = Payload::parse(&bytes[..*have]);
                    self.begin(payload)?;
                }
                State::Payload(payload) => {
                    let here = payload.left.min(input.len() as u64) as usize;
                    payload.left -= here as u64;
                    let part = input.split_to(here);
                    let (kept, opcode) = match (payload.opcode.is_control(), &mut self.message) {
                        (false, Some(message)) => (&mut message.bytes, payload.opcode),
                        _ => (&mut self.control, payload.opcode),
                    };
                    let fresh = kept.len();
                    kept.extend_from_slice(&part);
                    unmask(&mut kept[fresh..], &mut payload.mask);
                    if let (false, Some(Message { kind: Kind::Text(check), form: Form::Plain, bytes })) =
                        (opcode.is_control(), &mut self.message)
                    {
                        check.feed(&bytes[fresh..])?;
                    }
                    if payload.left > 0 {
                        return Ok(None);
                    }
                    let is_final = payload.is_final;
                    self.state = State::start();
                    if let Some(incoming) = self.end(opcode, is_final)? {
                        return Ok(Some(incoming));
                    }
                }
            }
        }
    }

    /// A header is whole: may such a frame stand here, and does its payload fit?
    fn begin(&mut self, payload: Payload) -> Result<(), DecodeError> {
        match (payload.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(DecodeError::Protocol("nothing to continue")),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(DecodeError::Protocol("a message began within another"));
            }
            (Opcode::Text, None) => {
                self.message = Some(Message::new(Kind::Text(Utf8Check::default()), payload.form));
            }
            (Opcode::Binary, None) => self.message = Some(Message::new(Kind::Binary, payload.form)),
            _ => self.control.clear(),
        }
        if !payload.opcode.is_control() {
            let so_far = self.message.as_ref().map_or(0, |message| message.bytes.len());
            if payload.left > (self.max_message - so_far) as u64 {
                return Err(DecodeError::TooBig);
            }
        }
        self.state = State::Payload(payload);
        Ok(())
    }

    /// A frame is whole: what does it say?
    fn end(&mut self, opcode: Opcode, is_final: bool) -> Result<Option<Incoming>, DecodeError> {
        Ok(Some(match opcode {
            Opcode::Ping => Incoming::Ping(std::mem::take(&mut self.control)),
            Opcode::Pong => Incoming::Pong,
            Opcode::Close => Incoming::Close(close_code(&self.control)?),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let Some(message) = self.message.take_if(|_| is_final) else { return Ok(None) };
                message.whole(self.max_message)?
            }
        }))
    }
}

impl State {
    const fn start() -> Self {
        Self::Header { bytes: [0; MAX_HEADER], have: 0 }
    }
}

impl Message {
    const fn new(kind: Kind, form: Form) -> Self {
        Self { kind, form, bytes: Vec::new() }
    }

    /// The last frame was its last: what does it say?
    fn whole(mut self, max_message: usize) -> Result<Incoming, DecodeError> {
        if self.form == Form::Compressed {
            self.bytes = inflate(&self.bytes, max_message, |part| match &mut self.kind {
                Kind::Text(check) => Ok(check.feed(part)?),
                Kind::Binary => Ok(()),
            })?;
        }
        match self.kind {
            Kind::Binary => Ok(Incoming::Binary(self.bytes)),
            Kind::Text(mut check) => {
                check.finish()?;
                Ok(Incoming::Text(self.bytes))
            }
        }
    }
}

impl Payload {
    /// Reads a whole, checked header.
    fn parse(header: &[u8]) -> Self {
        let (rest, mask) = header.split_at(header.len() - 4);
        let left = match rest.len() {
            2 => u64::from(rest[1] & 0x7F),
            4 => u64::from(u16::from_be_bytes([rest[2], rest[3]])),
            _ => rest[2..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let opcode = Opcode::from_first_byte(header[0]).expect("check_head refused reserved opcodes");
        let form = if header[0] & RSV1 == 0 { Form::Plain } else { Form::Compressed };
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        Self { opcode, is_final: header[0] & FIN != 0, form, mask, left }
    }
}

/// How long the header is, as far as its first bytes tell: with length and mask.
fn header_len(head: &[u8]) -> usize {
    match head.get(1).map(|byte| byte & 0x7F) {
        None => 2,
        Some(126) => 2 + 2 + 4,
        Some(127) => 2 + 8 + 4,
        Some(_) => 2 + 4,
    }
}

/// Refuses a header as soon as its first bytes allow it, RFC 6455 sections 5.1 to 5.5. Of the reserved
/// bits the first may stand where a compressed message begins, RFC 7692 section 6.
fn check_head(head: &[u8], compression: Compression) -> Result<(), DecodeError> {
    let opcode = Opcode::from_first_byte(head[0]);
    let allowed = match (compression, opcode) {
        (Compression::PermessageDeflate, Some(Opcode::Text | Opcode::Binary)) => RSV1,
        _ => 0,
    };
    match *head {
        [first] if first & 0x70 & !allowed != 0 => Err(DecodeError::Protocol("a reserved bit is set")),
        [_] if opcode.is_none() => Err(DecodeError::Protocol("reserved opcode")),
        [first] if opcode.is_some_and(Opcode::is_control) && first & FIN == 0 => {
            Err(DecodeError::Protocol("a control frame is fragmented"))
        }
        [_, second] if second & 0x80 == 0 => Err(DecodeError::Protocol("frame is not masked")),
        [_, second] if opcode.is_some_and(Opcode::is_control) && second & 0x7F > 125 => {
            Err(DecodeError::Protocol("a control frame is too long"))
        }
        _ => Ok(()),
    }
}

/// The code in a Close with this payload, RFC 6455 sections 5.5.1 and 7.4.
fn close_code(payload: &[u8]) -> Result<Option<u16>, DecodeError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload.len() {
            0 => Ok(None),
            _ => Err(DecodeError::Protocol("half a close code")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(DecodeError::Protocol("no such close code"));
    }
    std::str::from_utf8(reason).map_err(|_| DecodeError::BadUtf8)?;
    Ok(Some(code))
}

/// Takes the mask off, RFC 6455 section 5.3, and turns the mask to where the next bytes go on.
fn unmask(bytes: &mut [u8], mask: &mut [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (words, tail) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (place, byte) in tail.iter_mut().enumerate() {
        *byte ^= mask[place % 4];
    }
    mask.rotate_left(tail.len() % 4);
}

#[cfg(test)]
#[path = "decoder_tests.rs"]
mod tests;
