use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use super::TAIL;
use crate::wire::decode_error::DecodeError;

thread_local! {
    /// One for all messages of a thread, 40 KiB, reset before each message.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(NO_ZLIB_HEADER));
}

const NO_ZLIB_HEADER: bool = false;

/// A final stored block, empty. It ends the stream only where a block may begin, so it distinguishes a
/// complete message from a truncated one.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xFF, 0xFF];

/// The least capacity added at a time.
const STEP: usize = 4096;

/// Inflates a complete compressed message to at most `limit` bytes. `look` is called with each part as soon
/// as it is inflated and may refuse it.
///
/// Inflation stops as soon as the limit is exceeded, so a decompression bomb costs at most the limit in
/// memory and the time to inflate that much.
pub(in crate::wire) fn inflate(
    message: &[u8],
    limit: usize,
    look: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(NO_ZLIB_HEADER);
        let mut inflating = Inflating { inflater, out: Vec::new(), limit, look };
        // An empty message, and one that ends with a final block, have no open block that the tail could end
        // (sections 7.2.3.4 and 7.2.3.6).
        if message.is_empty() || inflating.feed(message)? == Fed::Ended {
            return Ok(inflating.out);
        }
        let _ = inflating.feed(&TAIL)?;
        match inflating.feed(&LAST_BLOCK)? {
            Fed::Ended => Ok(inflating.out),
            Fed::WithinStream => Err(DecodeError::BadDeflate),
        }
    })
}

struct Inflating<'a, L> {
    inflater: &'a mut Decompress,
    out: Vec<u8>,
    limit: usize,
    look: L,
}

/// Where the input ends.
#[derive(PartialEq, Eq)]
enum Fed {
    /// After a final block.
    Ended,
    /// Within the stream.
    WithinStream,
}

impl<L: FnMut(&[u8]) -> Result<(), DecodeError>> Inflating<'_, L> {
    /// Inflates all of the input. Another stream may begin after a final block (section 7.2.3.4).
    fn feed(&mut self, mut input: &[u8]) -> Result<Fed, DecodeError> {
        loop {
            if self.out.len() == self.out.capacity() {
                let more = self.out.len().max(STEP).min(self.limit + 1 - self.out.len());
                self.out.reserve_exact(more);
            }
            let (fresh, read) = (self.out.len(), self.inflater.total_in());
            let status = self.inflater.decompress_vec(input, &mut self.out, FlushDecompress::None);
            let status = status.map_err(|_| DecodeError::BadDeflate)?;
            input = &input[(self.inflater.total_in() - read) as usize..];
            if self.out.len() > self.limit {
                return Err(DecodeError::TooBig);
            }
            (self.look)(&self.out[fresh..])?;
            if status == Status::StreamEnd {
                self.inflater.reset(NO_ZLIB_HEADER);
            }
            match (status, input.is_empty()) {
                (Status::StreamEnd, true) => return Ok(Fed::Ended),
                // Capacity is left, so all input is inflated.
                (_, true) if self.out.len() < self.out.capacity() => return Ok(Fed::WithinStream),
                (Status::BufError, false) => return Err(DecodeError::BadDeflate),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::deflate::compressed;

    fn plain(message: &[u8]) -> Result<Vec<u8>, DecodeError> {
        inflate(message, 1 << 20, |_| Ok(()))
    }

    #[test]
    fn the_examples_of_rfc_7692_inflate_to_hello() {
        let examples: [&[u8]; 5] = [
            &[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
            &[0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
            &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
            &[0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
            &[0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00],
        ];
        for example in examples {
            assert_eq!(plain(example).as_deref(), Ok(&b"Hello"[..]), "{example:02X?}");
        }
    }

    #[test]
    fn every_form_of_an_empty_message_inflates_to_nothing() {
        for message in [&[0x00][..], &[0x02, 0x00], &[0x03, 0x00], &[0x03, 0x00, 0x00], &[]] {
            assert_eq!(plain(message).as_deref(), Ok(&b""[..]), "{message:02X?}");
        }
    }

    #[test]
    fn truncated_and_invalid_streams_are_refused() {
        let whole = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
        for end in 1..whole.len() {
            assert_eq!(plain(&whole[..end]), Err(DecodeError::BadDeflate), "cut at {end}");
        }
        for message in [&b"Hello"[..], &[0x06], &[0xFF; 20], &[0x00, 0x05, 0x00, 0x00, 0x00]] {
            assert_eq!(plain(message), Err(DecodeError::BadDeflate), "{message:02X?}");
        }
    }

    #[test]
    fn a_distance_beyond_the_start_does_not_reach_the_message_before() {
        plain(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]).unwrap();

        // The same five letters with context takeover (section 7.2.3.2): a distance of 5.
        assert_eq!(plain(&[0xF2, 0x00, 0x11, 0x00, 0x00]), Err(DecodeError::BadDeflate));
    }

    #[test]
    fn an_error_does_not_affect_the_next_message() {
        plain(&[0xFF; 20]).unwrap_err();

        assert_eq!(plain(&[0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]).as_deref(), Ok(&b"Hello"[..]));
    }

    #[test]
    fn many_streams_in_one_message_take_linear_time() {
        let message = [[0x03, 0x00].repeat(1 << 19), vec![0x00]].concat();

        assert_eq!(plain(&message).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_message_is_refused_with_its_first_part() {
        let bomb = compressed(&vec![0xFF; 1 << 20]);
        let mut seen = 0;

        let result = inflate(&bomb, 1 << 20, |part| {
            seen += part.len();
            Err(DecodeError::BadUtf8)
        });

        assert_eq!(result, Err(DecodeError::BadUtf8));
        assert!(seen <= STEP, "{seen} bytes inflated");
    }

    #[test]
    fn a_message_may_inflate_to_the_limit_but_no_further() {
        let message = compressed(&vec![b'a'; 100_000]);

        assert_eq!(inflate(&message, 100_000, |_| Ok(())).map(|out| out.len()), Ok(100_000));
        assert_eq!(inflate(&message, 99_999, |_| Ok(())), Err(DecodeError::TooBig));
    }

    #[test]
    fn a_decompression_bomb_takes_no_more_memory_than_the_limit() {
        let bomb = compressed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        let mut inflated = 0;

        let result = inflate(&bomb, 1 << 20, |part| {
            inflated += part.len();
            Ok(())
        });

        assert_eq!(result, Err(DecodeError::TooBig));
        assert!(inflated <= 1 << 20, "{inflated} bytes inflated");
    }
}
