use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

use super::{RSV1, TAIL};
use crate::wire::frame::{Opcode, header, payload_start};

/// Compression of messages to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deflate {
    window_bits: u8,
}

/// Shorter messages grow, or save less than the headers of a packet.
const SHARED_PAYS_FROM: usize = 300;

/// A frame for one client must save more: below this length compressing takes longer than sending.
const OWN_PAYS_FROM: usize = 1 << 10;

/// Longer messages are sent uncompressed. Those of the stream are shorter, and zlib-rs 0.6 panics at this
/// level when the output nears its buffer of 64 KiB: a literal takes 9 bits at most, so 48 KiB become at
/// most 54 KiB.
const PAYS_UP_TO: usize = 48 << 10;

const NO_ZLIB_HEADER: bool = false;

/// Frames of 10 objects, 1.4 KB in JSON, shrink to 38 % in 11 µs; at level 2 to 29 % in 32 µs, at level 6
/// to 27 % in 38 µs (2026-11-22, virtual machine).
const LEVEL: Compression = Compression::new(1);

/// The window sizes of zlib, in bits.
const WINDOWS: usize = 16;

thread_local! {
    /// One for each window in use, at most 300 KiB each, reset before each message.
    static DEFLATERS: RefCell<[Option<Deflater>; WINDOWS]> = RefCell::default();
}

struct Deflater {
    compress: Compress,
    output: Vec<u8>,
}

impl Deflate {
    /// Compression with a window of this number of bits, 9 to 15.
    pub(super) const fn within(window_bits: u8) -> Self {
        Self { window_bits }
    }

    /// Compresses the message of a frame if that pays for one client; else returns the frame unchanged.
    ///
    /// Compressed frames and control frames are returned unchanged. Costs 5 µs, to clear the hash table, and
    /// 4 ns per byte: for a small frame about as much as sending it.
    #[must_use]
    pub fn pack(self, frame: Bytes) -> Bytes {
        self.pack_from(OWN_PAYS_FROM, frame)
    }

    /// The same for a frame that several clients receive: compressed once, saved for each.
    #[must_use]
    pub fn pack_shared(self, frame: Bytes) -> Bytes {
        self.pack_from(SHARED_PAYS_FROM, frame)
    }

    fn pack_from(self, least: usize, frame: Bytes) -> Bytes {
        let start = payload_start(&frame);
        let opcode = Opcode::from_first_byte(frame[0]).filter(|opcode| !opcode.is_control());
        let pays = (least..=PAYS_UP_TO).contains(&(frame.len() - start)) && frame[0] & RSV1 == 0;
        match opcode {
            Some(opcode) if pays => self.compressed_frame(opcode, &frame[start..]).unwrap_or(frame),
            _ => frame,
        }
    }

    fn compressed_frame(self, opcode: Opcode, payload: &[u8]) -> Option<Bytes> {
        DEFLATERS.with_borrow_mut(|deflaters| {
            let place = &mut deflaters[usize::from(self.window_bits)];
            let mut deflater = place.take().unwrap_or_else(|| Deflater::new(self.window_bits));
            deflater.deflate(payload)?;
            let message = deflater.message();
            let frame = (message.len() < payload.len()).then(|| {
                let (mut header, from) = header(opcode, message.len());
                header[from] |= RSV1;
                [&header[from..], message].concat().into()
            });
            *place = Some(deflater);
            frame
        })
    }
}

impl Deflater {
    fn new(window_bits: u8) -> Self {
        let compress = Compress::new_with_window_bits(LEVEL, NO_ZLIB_HEADER, window_bits);
        Self { compress, output: Vec::new() }
    }

    /// Compresses a message (RFC 7692 section 7.2.1). After a failure, which the size of the buffer rules out, the
    /// deflater must not be used again: a reset of zlib-rs 0.6 keeps part of the pending output.
    fn deflate(&mut self, payload: &[u8]) -> Option<()> {
        // Incompressible input fits too: 9 bits per byte, and the headers and ends of its blocks.
        const BLOCKS: usize = 64;
        self.output.clear();
        self.output.reserve(payload.len() + payload.len() / 8 + BLOCKS);
        self.compress.reset();
        self.compress.compress_vec(payload, &mut self.output, FlushCompress::Sync).ok()?;
        // A flush is complete if capacity is left.
        let is_complete = self.compress.total_in() == payload.len() as u64
            && self.output.len() < self.output.capacity()
            && self.output.ends_with(&TAIL);
        is_complete.then_some(())
    }

    /// The compressed message, without its tail.
    fn message(&self) -> &[u8] {
        self.output.strip_suffix(&TAIL).unwrap_or(&self.output)
    }
}

/// Compresses a message as a client does.
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

    /// Inflates a compressed frame as a client does, with a window of this number of bits.
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
    fn every_window_round_trips_a_message() {
        for count in [20, 100, 1_000, 1_500] {
            let message = ticks(count);
            let frame = message_frame(Opcode::Text, &message);
            for bits in 9..=15 {
                let packed = Deflate::within(bits).pack_shared(frame.clone());
                assert!(packed.len() < frame.len());
                assert_eq!(read(&packed, bits), message, "{count} ticks, {bits} bits");
            }
        }
    }

    #[test]
    fn incompressible_frames_are_sent_unchanged_and_half_compressible_ones_round_trip() {
        let mut noise = vec![0; PAYS_UP_TO];
        StdRng::seed_from_u64(11).fill_bytes(&mut noise);
        for len in [300, 5_000, 30_000, PAYS_UP_TO - 8, PAYS_UP_TO] {
            let half: Vec<_> = noise[..len].iter().map(|byte| b'a' + byte % 20).collect();
            for bits in 9..=15 {
                let frame = message_frame(Opcode::Binary, &noise[..len]);
                assert_eq!(Deflate::within(bits).pack_shared(frame.clone()), frame, "{len} bytes");
                let packed = Deflate::within(bits).pack_shared(message_frame(Opcode::Text, &half));
                if packed[0] & RSV1 != 0 {
                    assert_eq!(read(&packed, bits), half, "{len} bytes, {bits} bits");
                }
            }
        }
    }

    #[test]
    fn an_incompressible_message_does_not_affect_the_next() {
        let mut random = StdRng::seed_from_u64(3);
        let message = ticks(40);
        for round in 0..300 {
            let mut noise = vec![0; 300 + round * 160];
            random.fill_bytes(&mut noise);

            let _ = Deflate::within(15).pack_shared(message_frame(Opcode::Binary, &noise));

            let packed = Deflate::within(15).pack_shared(message_frame(Opcode::Text, &message));
            assert_eq!(read(&packed, 15), message);
        }
    }

    #[test]
    fn a_compressed_frame_does_not_depend_on_the_messages_before() {
        let frame = message_frame(Opcode::Text, &ticks(40));
        let first = Deflate::within(15).pack_shared(frame.clone());

        let _ = Deflate::within(15).pack_shared(message_frame(Opcode::Text, &ticks(500)));

        assert_eq!(Deflate::within(15).pack_shared(frame), first);
    }

    #[test]
    fn frames_that_would_not_gain_are_returned_unchanged() {
        let mut noise = vec![0; 5_000];
        StdRng::seed_from_u64(7).fill_bytes(&mut noise);
        let huge = vec![b'a'; PAYS_UP_TO + 1];
        let packed = Deflate::within(15).pack_shared(message_frame(Opcode::Text, &ticks(100)));
        for frame in [
            message_frame(Opcode::Text, b""),
            message_frame(Opcode::Text, &[b'a'; SHARED_PAYS_FROM - 1]),
            message_frame(Opcode::Binary, &noise),
            message_frame(Opcode::Binary, &huge),
            message_frame(Opcode::Ping, &[b'a'; 125]),
            packed,
        ] {
            let same = Deflate::within(15).pack_shared(frame.clone());
            assert_eq!((same.as_ptr(), same.len()), (frame.as_ptr(), frame.len()));
        }
    }

    #[test]
    fn a_small_message_is_compressed_only_if_it_is_shared() {
        let frame = message_frame(Opcode::Text, &ticks(30));

        assert_eq!(Deflate::within(15).pack(frame.clone()), frame);
        assert!(Deflate::within(15).pack_shared(frame.clone()).len() < frame.len());
    }

    #[test]
    fn our_inflater_reads_what_our_deflater_wrote() {
        let message = ticks(300);
        let packed = Deflate::within(12).pack_shared(message_frame(Opcode::Binary, &message));

        let inflated = inflate(&packed[payload_start(&packed)..], 1 << 20, |_| Ok(()));

        assert_eq!(inflated, Ok(message));
    }
}
