use bytes::{Buf, Bytes};

use super::decode_error::DecodeError;
use super::deflate::{Deflate, Inflation, InflationStep, RSV1};
use super::frame::{FIN, Opcode};
use super::utf8::Utf8Check;

/// A message or control frame of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete text message; it is UTF-8.
    Text(Vec<u8>),
    /// A complete binary message.
    Binary(Vec<u8>),
    /// A ping, to be answered by a pong with this payload of at most 125 bytes.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// A Close with a code or none; echo it and send nothing more.
    Close(Option<u16>),
}

impl Incoming {
    /// The memory in bytes that the payload takes.
    pub const fn payload_bytes(&self) -> usize {
        match self {
            Self::Text(payload) | Self::Binary(payload) | Self::Ping(payload) => payload.capacity(),
            Self::Pong | Self::Close(_) => 0,
        }
    }
}

/// Decodes the bytes of a client, or of a server, to messages, strictly by RFC 6455, and by RFC 7692 if it was
/// negotiated.
///
/// A declared length is checked before any payload is buffered, UTF-8 is validated while it streams, and
/// memory grows with the bytes received, not with those announced. A compressed message is buffered
/// compressed until it is complete and then inflated in steps, within the same limit: an incomplete message
/// needs no zlib state. After the first [`DecodeError`] or Close the decoder is fused: it discards all
/// further input.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    compression: Compression,
    masking: Masking,
    state: State,
    message: Option<Message>,
    control: Vec<u8>,
    /// Frames whose header was decoded and that were not asked for yet.
    frames: u32,
}

/// The result of one step of decoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeStep {
    /// A message or control frame is complete; the input may hold more.
    Message(Incoming),
    /// All input is consumed.
    NeedsInput,
    /// A long message is being inflated: take another step when other work of the worker has had a turn.
    Working,
}

#[derive(Debug)]
enum State {
    Header { bytes: [u8; MAX_HEADER], have: usize },
    Payload(Payload),
    Inflating(Box<InflatingMessage>),
    Fused,
}

/// Whether frames are masked: those of a client are, those of a server are not (RFC 6455 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Masking {
    Masked,
    Plain,
}

/// Whether the other side may send compressed messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// It may not: no extension was negotiated.
    None,
    /// With permessage-deflate, without context takeover.
    PermessageDeflate,
}

impl Compression {
    /// What the client may send, given how we compress: an extension holds for both directions.
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

/// A complete compressed message.
#[derive(Debug)]
struct InflatingMessage {
    kind: Kind,
    inflation: Inflation,
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
    /// A decoder of a client's messages of up to `max_message` bytes, fragmented or not.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            compression: Compression::None,
            masking: Masking::Masked,
            state: State::start(),
            message: None,
            control: Vec::new(),
            frames: 0,
        }
    }

    /// A decoder of a server's messages.
    pub fn of_server(max_message: usize) -> Self {
        Self { masking: Masking::Plain, ..Self::new(max_message) }
    }

    /// The same decoder with the compression that the handshake negotiated.
    #[must_use]
    pub fn with(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// The number of frames that were decoded since this was last asked.
    pub fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// The memory that the unfinished message takes.
    pub fn buffered_bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |message| message.bytes.capacity());
        match &self.state {
            State::Inflating(inflating) => message + inflating.inflation.bytes(),
            State::Header { .. } | State::Payload(_) | State::Fused => message,
        }
    }

    /// Consumes `input` until a message is complete; `None` if all is consumed.
    ///
    /// # Errors
    /// When the input violates the protocol or the limit; at most once.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Incoming>, DecodeError> {
        loop {
            match self.decode_step(input)? {
                DecodeStep::Message(message) => return Ok(Some(message)),
                DecodeStep::NeedsInput => return Ok(None),
                DecodeStep::Working => {}
            }
        }
    }

    /// Consumes `input` until a message is complete, all is consumed, or a long message has been inflated for
    /// a fraction of a millisecond.
    ///
    /// # Errors
    /// When the input violates the protocol or the limit; at most once.
    pub fn decode_step(&mut self, input: &mut Bytes) -> Result<DecodeStep, DecodeError> {
        let outcome = self.advance(input);
        if matches!(outcome, Err(_) | Ok(DecodeStep::Message(Incoming::Close(_)))) {
            self.state = State::Fused;
            self.message = None;
        }
        outcome
    }

    fn advance(&mut self, input: &mut Bytes) -> Result<DecodeStep, DecodeError> {
        loop {
            match &mut self.state {
                State::Fused => {
                    input.clear();
                    return Ok(DecodeStep::NeedsInput);
                }
                State::Inflating(inflating) => {
                    if inflating.step()? == InflationStep::More {
                        return Ok(DecodeStep::Working);
                    }
                    if let State::Inflating(inflating) = std::mem::replace(&mut self.state, State::start()) {
                        return Ok(DecodeStep::Message(inflating.finish()?));
                    }
                }
                State::Header { bytes, have } => {
                    while *have < header_len(&bytes[..*have], self.masking) {
                        if !input.has_remaining() {
                            return Ok(DecodeStep::NeedsInput);
                        }
                        bytes[*have] = input.get_u8();
                        *have += 1;
                        check_head(&bytes[..*have], self.compression, self.masking)?;
                    }
                    let payload = Payload::parse(&bytes[..*have], self.masking)?;
                    self.frames += 1;
                    self.begin(payload)?;
                }
                State::Payload(payload) => {
                    let here = payload.left.min(input.len() as u64) as usize;
                    payload.left -= here as u64;
                    let part = input.split_to(here);
                    let (buffer, opcode) = match (payload.opcode.is_control(), &mut self.message) {
                        (false, Some(message)) => (&mut message.bytes, payload.opcode),
                        _ => (&mut self.control, payload.opcode),
                    };
                    let fresh = buffer.len();
                    buffer.extend_from_slice(&part);
                    if self.masking == Masking::Masked {
                        unmask(&mut buffer[fresh..], &mut payload.mask);
                    }
                    if let (false, Some(Message { kind: Kind::Text(check), form: Form::Plain, bytes })) =
                        (opcode.is_control(), &mut self.message)
                    {
                        check.feed(&bytes[fresh..])?;
                    }
                    if payload.left > 0 {
                        return Ok(DecodeStep::NeedsInput);
                    }
                    let is_final = payload.is_final;
                    self.state = State::start();
                    if let Some(incoming) = self.end(opcode, is_final)? {
                        return Ok(DecodeStep::Message(incoming));
                    }
                }
            }
        }
    }

    /// Begins a frame whose header is complete, if it is allowed here and its payload fits.
    fn begin(&mut self, payload: Payload) -> Result<(), DecodeError> {
        match (payload.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(DecodeError::UnexpectedContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(DecodeError::InterleavedMessage),
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

    /// Ends a frame whose payload is complete; the result is a message if it was the final frame. A compressed
    /// message begins to be inflated.
    fn end(&mut self, opcode: Opcode, is_final: bool) -> Result<Option<Incoming>, DecodeError> {
        Ok(Some(match opcode {
            Opcode::Ping => Incoming::Ping(std::mem::take(&mut self.control)),
            Opcode::Pong => Incoming::Pong,
            Opcode::Close => Incoming::Close(close_code(&self.control)?),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let Some(Message { kind, form, bytes }) = self.message.take_if(|_| is_final) else {
                    return Ok(None);
                };
                if form == Form::Compressed {
                    let inflation = Inflation::new(bytes, self.max_message);
                    self.state = State::Inflating(Box::new(InflatingMessage { kind, inflation }));
                    return Ok(None);
                }
                kind.finish(bytes)?
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
}

impl InflatingMessage {
    /// Inflates and validates the next part.
    fn step(&mut self) -> Result<InflationStep, DecodeError> {
        let kind = &mut self.kind;
        self.inflation.step(|part| match kind {
            Kind::Text(check) => Ok(check.feed(part)?),
            Kind::Binary => Ok(()),
        })
    }

    fn finish(self) -> Result<Incoming, DecodeError> {
        self.kind.finish(self.inflation.finish())
    }
}

impl Kind {
    /// The message with this content, all of which was checked.
    fn finish(self, bytes: Vec<u8>) -> Result<Incoming, DecodeError> {
        match self {
            Self::Binary => Ok(Incoming::Binary(bytes)),
            Self::Text(mut check) => {
                check.finish()?;
                Ok(Incoming::Text(bytes))
            }
        }
    }
}

impl Payload {
    /// Parses a complete header that `check_head` accepted. A length must have its shortest form (RFC 6455
    /// section 5.2).
    fn parse(header: &[u8], masking: Masking) -> Result<Self, DecodeError> {
        let (rest, mask) = header.split_at(header.len() - masking.key_len());
        let (left, least) = match rest.len() {
            2 => (u64::from(rest[1] & 0x7F), 0),
            4 => (u64::from(u16::from_be_bytes([rest[2], rest[3]])), 126),
            _ => (rest[2..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 1 << 16),
        };
        if left < least {
            return Err(DecodeError::OverlongLength);
        }
        let opcode = Opcode::from_first_byte(header[0]).expect("check_head refused reserved opcodes");
        let form = if header[0] & RSV1 == 0 { Form::Plain } else { Form::Compressed };
        let mask = mask.try_into().unwrap_or_default();
        Ok(Self { opcode, is_final: header[0] & FIN != 0, form, mask, left })
    }
}

impl Masking {
    /// The length of the masking key in a header.
    const fn key_len(self) -> usize {
        match self {
            Self::Masked => 4,
            Self::Plain => 0,
        }
    }
}

/// The length of the header with length and mask, as far as its first bytes tell.
fn header_len(head: &[u8], masking: Masking) -> usize {
    let key = masking.key_len();
    match head.get(1).map(|byte| byte & 0x7F) {
        None => 2,
        Some(126) => 2 + 2 + key,
        Some(127) => 2 + 8 + key,
        Some(_) => 2 + key,
    }
}

/// Refuses a header as soon as a byte of it is invalid (RFC 6455 sections 5.1 to 5.5). The first reserved
/// bit is allowed in the first frame of a compressed message (RFC 7692 section 6).
fn check_head(head: &[u8], compression: Compression, masking: Masking) -> Result<(), DecodeError> {
    let opcode = Opcode::from_first_byte(head[0]);
    let allowed = match (compression, opcode) {
        (Compression::PermessageDeflate, Some(Opcode::Text | Opcode::Binary)) => RSV1,
        _ => 0,
    };
    match *head {
        [first] if first & 0x70 & !allowed != 0 => Err(DecodeError::ReservedBits(first & 0x70 & !allowed)),
        [first] if opcode.is_none() => Err(DecodeError::ReservedOpcode(first & 0x0F)),
        [first] if opcode.is_some_and(Opcode::is_control) && first & FIN == 0 => {
            Err(DecodeError::FragmentedControlFrame)
        }
        [_, second] if second & 0x80 == 0 && masking == Masking::Masked => Err(DecodeError::UnmaskedFrame),
        [_, second] if second & 0x80 != 0 && masking == Masking::Plain => Err(DecodeError::MaskedFrame),
        [_, second] if opcode.is_some_and(Opcode::is_control) && second & 0x7F > 125 => {
            Err(DecodeError::ControlFrameTooLong)
        }
        _ => Ok(()),
    }
}

/// The code in the payload of a Close (RFC 6455 sections 5.5.1 and 7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, DecodeError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload.len() {
            0 => Ok(None),
            _ => Err(DecodeError::TruncatedCloseCode),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(DecodeError::InvalidCloseCode(code));
    }
    std::str::from_utf8(reason).map_err(|_| DecodeError::BadUtf8)?;
    Ok(Some(code))
}

/// Removes the mask (RFC 6455 section 5.3) and rotates it to where the next bytes continue.
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
