//! The client side of RFC 6455 framing: decodes unmasked frames, encodes masked ones.

/// The type of a frame (RFC 6455, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// One frame from the server, whose payload borrows the read buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    /// Whether this frame ends its message.
    pub(crate) is_final: bool,
    /// Whether the message is compressed (RFC 7692, 6).
    pub(crate) is_compressed: bool,
    pub(crate) payload: &'a [u8],
    /// Length of header and payload.
    pub(crate) length: usize,
}

/// The outcome of decoding the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decoded<'a> {
    Complete(Frame<'a>),
    /// The buffer must hold at least `needs` bytes before the next attempt can succeed.
    Incomplete {
        needs: usize,
    },
}

/// A protocol violation by the server; it ends the session and appears in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// A masked frame; only clients mask (5.1).
    Masked,
    /// RSV bits without a negotiated extension, or an opcode that 5.2 does not define.
    ReservedBits,
    /// A control frame that is fragmented or longer than 125 bytes (5.5).
    InvalidControlFrame,
    /// Longer than [`MESSAGE_LIMIT`].
    TooLong,
    /// A compressed message that cannot be inflated to at most [`MESSAGE_LIMIT`] bytes.
    InvalidDeflate,
    /// A continuation without a first frame, or a new message inside a fragmented one (5.4).
    InvalidFragmentation,
}

/// The longest accepted frame or message, in bytes; the protocol promises less than 1 MiB.
pub(crate) const MESSAGE_LIMIT: usize = 4 << 20;

/// Decodes one frame at the start of `bytes`.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, FrameError> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(Decoded::Incomplete { needs: 2 });
    };
    let is_final = first & 0x80 != 0;
    let is_compressed = first & 0x40 != 0;
    let opcode = match first & 0x3F {
        0 if !is_compressed => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 if !is_compressed => Opcode::Close,
        9 if !is_compressed => Opcode::Ping,
        10 if !is_compressed => Opcode::Pong,
        _ => return Err(FrameError::ReservedBits),
    };
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
    if is_control && (second > 125 || !is_final) {
        return Err(FrameError::InvalidControlFrame);
    }
    let (header, payload) = match second {
        126 => match rest.first_chunk() {
            Some(length) => (4, usize::from(u16::from_be_bytes(*length))),
            None => return Ok(Decoded::Incomplete { needs: 4 }),
        },
        127 => match rest.first_chunk() {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX)),
            None => return Ok(Decoded::Incomplete { needs: 10 }),
        },
        short => (2, usize::from(short)),
    };
    if payload > MESSAGE_LIMIT {
        return Err(FrameError::TooLong);
    }
    let length = header + payload;
    Ok(match bytes.get(header..length) {
        Some(payload) => Decoded::Complete(Frame { opcode, is_final, is_compressed, payload, length }),
        None => Decoded::Incomplete { needs: length },
    })
}

/// Appends one complete masked frame to `out`; clients must mask (5.3).
pub(crate) fn encode(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: [u8; 4]) {
    let code = match opcode {
        Opcode::Continuation => 0,
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 8,
        Opcode::Ping => 9,
        Opcode::Pong => 10,
    };
    out.push(0x80 | code);
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        medium @ 126..=0xFFFF => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The code of a close frame; 1005 if it has none (7.4.1).
pub(crate) fn close_code(payload: &[u8]) -> u16 {
    payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        let mut bytes = vec![0x81];
        match length {
            0..=125 => bytes.push(length as u8),
            126..=0xFFFF => bytes.extend([126, (length >> 8) as u8, length as u8]),
            _ => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.resize(bytes.len() + length, b'x');
        bytes
    }

    #[test]
    fn a_frame_of_each_length_encoding_is_decoded_only_when_complete() {
        for length in [0, 1, 125, 126, 0xFFFF, 0x1_0000] {
            let bytes = text(length);

            let Ok(Decoded::Complete(frame)) = decode(&bytes) else {
                panic!("{length} bytes were not decoded")
            };
            assert_eq!((frame.payload.len(), frame.length), (length, bytes.len()));
            for cut in [0, 1, 2, 3, 9, bytes.len() - 1] {
                let cut = cut.min(bytes.len() - 1);
                assert!(matches!(decode(&bytes[..cut]), Ok(Decoded::Incomplete { needs }) if needs > cut));
            }
        }
    }

    #[test]
    fn a_protocol_violation_is_a_frame_error() {
        assert_eq!(decode(&[0x81, 0x80]), Err(FrameError::Masked));
        assert_eq!(decode(&[0xC9, 0]), Err(FrameError::ReservedBits));
        assert_eq!(decode(&[0xA1, 0]), Err(FrameError::ReservedBits));
        assert_eq!(decode(&[0x83, 0]), Err(FrameError::ReservedBits));
        assert_eq!(decode(&[0x09, 0]), Err(FrameError::InvalidControlFrame));
        assert_eq!(decode(&[0x89, 126, 0, 126]), Err(FrameError::InvalidControlFrame));
        assert_eq!(decode(&[0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]), Err(FrameError::TooLong));
    }

    #[test]
    fn an_encoded_frame_is_masked_and_carries_its_length() {
        let mut short = Vec::new();
        encode(&mut short, Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        // The example of RFC 6455, 5.7.
        assert_eq!(short, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);

        let mut long = Vec::new();
        encode(&mut long, Opcode::Text, &[0; 70_000], [0; 4]);
        assert_eq!(long[..10], [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        assert_eq!(long.len(), 14 + 70_000);
    }

    #[test]
    fn a_close_frame_without_a_code_reads_as_1005() {
        assert_eq!(close_code(&[0x03, 0xF0, b'x']), 1008);
        assert_eq!(close_code(&[]), 1005);
    }
}
