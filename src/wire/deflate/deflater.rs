use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

use super::{RSV1, TAIL};
use crate::wire::frame::{Opcode, header, payload_start};

/// How messages to a client are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deflate {
    window_bits: u8,
}

/// Below this a message grows, or what it saves is less than a packet's own headers.
const PAYS_FROM: usize = 300;

/// Longer messages are sent as they are: they would hold up all other sessions of the thread.
const PAYS_UP_TO: usize = 1 << 20;

/// Beyond this the room for a compressed message is given back after it.
const KEPT_ROOM: usize = 64 << 10;

const NO_ZLIB_HEADER: bool = false;

/// Of frames of 10 objects, 1.4 KB in JSON, it leaves 38 % in 11 µs; level 2 leaves 29 % in 32 µs and
/// level 6 27 % in 38 µs (2026-11-22, virtual machine).
const LEVEL: Compression = Compression::new(1);

/// zlib's windows, by their bits.
const WINDOWS: usize = 16;

thread_local! {
    /// One for each window that somebody asked for, 300 KiB at most; nothing of a message is left for
    /// the next.
    static DEFLATERS: RefCell<[Option<Deflater>; WINDOWS]> = RefCell::default();
}

struct Deflater {
    compress: Compress,
    room: Vec<u8>,
}

impl Deflate {
    /// With a window of so many bits, from 9 to 15.
    pub(super) const fn within(window_bits: u8) -> Self {
        Self { window_bits }
    }

    /// The same message in a compressed frame, where that is smaller; else the frame as it is.
    ///
    /// Takes any frame of ours, and leaves alone what is compressed already and what is about the
    /// connection. Costs 5 µs, to empty the hash table, and 4 ns a byte, about as much as handing the
    /// frame to a socket: so what several sessions get is to be compressed before it is shared.
    #[must_use]
    pub fn pack(self, frame: Bytes) -> Bytes {
        let start = payload_start(&frame);
        let opcode = Opcode::from_first_byte(frame[0]).filter(|opcode| !opcode.is_control());
        let pays = (PAYS_FROM..=PAYS_UP_TO).contains(&(frame.len() - start)) && frame[0] & RSV1 == 0;
        match opcode {
            Some(opcode) if pays => self.compressed_frame(opcode, &frame[start..]).unwrap_or(frame),
            _ => frame,
        }
    }

    fn compressed_frame(self, opcode: Opcode, payload: &[u8]) -> Option<Bytes> {
        DEFLATERS.with_borrow_mut(|deflaters| {
            let deflater = deflaters[usize::from(self.window_bits)].get_or_insert_with(|| Deflater {
                compress: Compress::new_with_window_bits(LEVEL, NO_ZLIB_HEADER, self.window_bits),
                room: Vec::new(),
            });
            let message = deflater.deflate(payload)?;
            let (mut header, from) = header(opcode, message.len());
            header[from] |= RSV1;
            let frame = [&header[from..], message].concat();
            deflater.room.clear();
            deflater.room.shrink_to(KEPT_ROOM);
            Some(frame.into())
        })
    }
}

impl Deflater {
    /// The compressed form of a message, unless it is no smaller (RFC 7692 section 7.2.1).
    fn deflate(&mut self, payload: &[u8]) -> Option<&[u8]> {
        self.room.clear();
        self.room.reserve(payload.len());
        self.compress.reset();
        self.compress.compress_vec(payload, &mut self.room, FlushCompress::Sync).ok()?;
        // A flush is complete when room is left over.
        let is_complete = self.compress.total_in() == payload.len() as u64
            && self.room.len() < self.room.capacity()
            && self.room.len() < payload.len();
        self.room.strip_suffix(&TAIL).filter(|_| is_complete)
    }
}

/// A message as a client would compress it.
#[cfg(test)]
pub(in crate::wire) fn compressed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut compress = Compress::new(Compression::best(), NO_ZLIB_HEADER);
    compress.compress_vec(message, &mut out, FlushCompress::Sync).unwrap();
    out.strip_suffix(&TAIL).unwrap().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::deflate::inflate;
    use crate::wire::message_frame;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    fn ticks(count: usize) -> Vec<u8> {
        (0..count)
            .flat_map(|n| format!("{{\"T\":\"t\",\"p\":{}.5,\"sq\":{n}}},", n * 7).into_bytes())
            .collect()
    }

    /// What a client reads in a compressed frame with a window of so many bits.
    fn read(frame: &[u8], window_bits: u8) -> Vec<u8> {
        assert_eq!(frame[0], 0xC1, "final, compressed text");
        let message = [&frame[payload_start(frame)..], &TAIL].concat();
        let mut out = Vec::with_capacity(1 << 20);
        let mut narrow = flate2::Decompress::new_with_window_bits(NO_ZLIB_HEADER, window_bits);
        for byte in message {
            narrow.decompress_vec(&[byte], &mut out, flate2::FlushDecompress::None).unwrap();
        }
        out
    }

    #[test]
    fn a_message_comes_out_as_it_went_in_within_every_window() {
        for count in [20, 100, 1_000, 10_000] {
            let message = ticks(count);
            let frame = message_frame(Opcode::Text, &message);
            for bits in 9..=15 {
                let packed = Deflate::within(bits).pack(frame.clone());
                assert!(packed.len() < frame.len());
                assert_eq!(read(&packed, bits), message, "{count} ticks, {bits} bits");
            }
        }
    }

    #[test]
    fn the_same_message_is_the_same_frame_whatever_came_before() {
        let frame = message_frame(Opcode::Text, &ticks(40));
        let first = Deflate::within(15).pack(frame.clone());

        let _ = Deflate::within(15).pack(message_frame(Opcode::Text, &ticks(500)));

        assert_eq!(Deflate::within(15).pack(frame), first);
    }

    #[test]
    fn what_does_not_pay_is_left_as_it_is() {
        let mut noise = vec![0; 5_000];
        StdRng::seed_from_u64(7).fill_bytes(&mut noise);
        let huge = vec![b'a'; PAYS_UP_TO + 1];
        let packed = Deflate::within(15).pack(message_frame(Opcode::Text, &ticks(100)));
        for frame in [
            message_frame(Opcode::Text, b""),
            message_frame(Opcode::Text, &[b'a'; PAYS_FROM - 1]),
            message_frame(Opcode::Binary, &noise),
            message_frame(Opcode::Binary, &huge),
            message_frame(Opcode::Ping, &[b'a'; 125]),
            packed,
        ] {
            let same = Deflate::within(15).pack(frame.clone());
            assert_eq!((same.as_ptr(), same.len()), (frame.as_ptr(), frame.len()));
        }
    }

    #[test]
    fn what_was_packed_can_be_inflated_by_ourselves() {
        let message = ticks(300);
        let packed = Deflate::within(12).pack(message_frame(Opcode::Binary, &message));

        let inflated = inflate(&packed[payload_start(&packed)..], 1 << 20, |_| Ok(()));

        assert_eq!(inflated, Ok(message));
    }
}
