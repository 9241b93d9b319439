use bytes::Bytes;

use super::Close;

/// The type of a frame (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// Continues the fragmented message.
    Continuation = 0x0,
    /// Begins a text message.
    Text = 0x1,
    /// Begins a binary message.
    Binary = 0x2,
    /// Closes the connection.
    Close = 0x8,
    /// Requests a pong with the same payload.
    Ping = 0x9,
    /// Answers a ping, or is an unsolicited keep-alive.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode in the first byte of a frame; `None` if it is reserved.
    pub(crate) const fn from_first_byte(byte: u8) -> Option<Self> {
        Some(match byte & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Whether the frame is a control frame, which may come between the fragments of a message.
    pub(super) const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

pub(super) const FIN: u8 = 0x80;

/// The longest header of an unmasked frame.
pub(super) const MAX_HEADER: usize = 10;

/// The header of one unmasked, final frame, right-aligned: it begins at the returned position.
pub(super) fn header(opcode: Opcode, len: usize) -> ([u8; MAX_HEADER], usize) {
    let mut bytes = [0; MAX_HEADER];
    let first = FIN | opcode as u8;
    let start = match len {
        0..=125 => {
            bytes[9] = len as u8;
            8
        }
        126..=0xFFFF => {
            bytes[7] = 126;
            bytes[8..].copy_from_slice(&(len as u16).to_be_bytes());
            6
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(len as u64).to_be_bytes());
            0
        }
    };
    bytes[start] = first;
    (bytes, start)
}

/// A message in one frame, final and unmasked as servers send it.
pub fn message_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let (header, start) = header(opcode, payload.len());
    let mut frame = Vec::with_capacity(MAX_HEADER - start + payload.len());
    frame.extend_from_slice(&header[start..]);
    frame.extend_from_slice(payload);
    frame.into()
}

/// A message in one frame, final and masked as clients send it; `mask` must be random (RFC 6455 section 5.3).
pub fn masked_frame(opcode: Opcode, payload: &[u8], mask: [u8; 4]) -> Bytes {
    const MASKED: u8 = 0x80;
    let (mut header, start) = header(opcode, payload.len());
    header[start + 1] |= MASKED;
    let mut frame = Vec::with_capacity(MAX_HEADER - start + mask.len() + payload.len());
    frame.extend_from_slice(&header[start..]);
    frame.extend_from_slice(&mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame.into()
}

/// The position of the payload in a frame of ours, which is unmasked.
pub(super) fn payload_start(frame: &[u8]) -> usize {
    match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

/// A Close frame with the code and the reason of this close.
pub fn close_frame(close: &Close) -> Bytes {
    let mut payload = [0; 125];
    let Some(code) = close.code() else { return message_frame(Opcode::Close, &[]) };
    let reason = close.reason().as_bytes();
    payload[..2].copy_from_slice(&code.to_be_bytes());
    payload[2..2 + reason.len()].copy_from_slice(reason);
    message_frame(Opcode::Close, &payload[..2 + reason.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_encoded_in_the_shortest_of_its_three_forms() {
        let lengths = [0, 125, 126, 0xFFFF, 0x1_0000];

        let headers = lengths.map(|len| {
            let (bytes, start) = header(Opcode::Text, len);
            bytes[start..].to_vec()
        });

        assert_eq!(headers.each_ref().map(|header| payload_start(header)), [2, 2, 4, 4, 10]);
        assert_eq!(headers[0], [0x81, 0]);
        assert_eq!(headers[1], [0x81, 125]);
        assert_eq!(headers[2], [0x81, 126, 0, 126]);
        assert_eq!(headers[3], [0x81, 126, 0xFF, 0xFF]);
        assert_eq!(headers[4], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn every_close_fits_a_control_frame() {
        for close in Close::ALL {
            let frame = close_frame(close);

            assert!(frame.len() <= 2 + 125, "{close:?}");
            assert_eq!(frame[0], 0x88);
        }
    }
}
