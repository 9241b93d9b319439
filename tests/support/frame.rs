//! Frames that the server sends (RFC 6455), and permessage-deflate (RFC 7692).

use serde_json::Value;

/// One unfragmented message or control frame from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The opcode: 1 text, 2 binary, 8 Close, 9 Ping, 10 Pong.
    pub opcode: u8,
    /// The payload, inflated if it was compressed.
    pub payload: Vec<u8>,
    /// The payload as it was sent, if it was compressed.
    pub compressed: Option<Vec<u8>>,
}

impl Frame {
    /// Decodes the first frame in `bytes`, and returns it with its length including the header; `None`
    /// when it is incomplete.
    ///
    /// # Panics
    /// When the server sends a fragment, a mask or a reserved bit.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (first, start, len) = match *bytes {
            [first, 126, a, b, ..] => (first, 4, usize::from(u16::from_be_bytes([a, b]))),
            [first, 127, a, b, c, d, e, f, g, h, ..] => {
                (first, 10, u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize)
            }
            [first, len @ 0..=125, ..] => (first, 2, usize::from(len)),
            _ => return None,
        };
        assert_eq!(first & 0xB0, 0x80, "the server sends whole messages, compressed or not");
        let payload = bytes.get(start..start + len)?.to_vec();
        let opcode = first & 0x0F;
        let frame = match first & 0x40 {
            0 => Self { opcode, payload, compressed: None },
            _ => Self { opcode, payload: inflate(&payload), compressed: Some(payload) },
        };
        Some((frame, start + len))
    }

    /// The objects of a text frame.
    pub fn json(&self) -> Vec<Value> {
        serde_json::from_slice(&self.payload).expect("each text frame is a JSON array")
    }

    /// The code of a Close frame, if it has one.
    pub fn close_code(&self) -> Option<u16> {
        assert_eq!(self.opcode, 8, "not a Close: {self:?}");
        Some(u16::from_be_bytes(*self.payload.first_chunk()?))
    }
}

/// The compressed form of a message by RFC 7692, section 7.2.1.
pub fn deflate(message: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(message.len() + 64);
    let mut deflater = flate2::Compress::new(flate2::Compression::best(), false);
    deflater.compress_vec(message, &mut compressed, flate2::FlushCompress::Sync).unwrap();
    compressed.truncate(compressed.len() - 4);
    compressed
}

/// The message of a compressed form, by RFC 7692, section 7.2.2.
fn inflate(compressed: &[u8]) -> Vec<u8> {
    let whole = [compressed, &[0, 0, 0xFF, 0xFF]].concat();
    let mut message = Vec::with_capacity(32 << 20);
    let mut inflater = flate2::Decompress::new(false);
    inflater.decompress_vec(&whole, &mut message, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(inflater.total_in(), whole.len() as u64, "the server's message is one deflate stream");
    message
}
