use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use super::TAIL;
use crate::wire::decode_error::DecodeError;

const NO_ZLIB_HEADER: bool = false;

/// A final stored block, empty. It ends the stream only where a block may begin, so it distinguishes a
/// complete message from a truncated one.
const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xFF, 0xFF];

/// The most bytes inflated by the first call of the inflater: a message that is refused for its first bytes
/// costs no more.
const FIRST_OUTPUT: usize = 4 << 10;

/// The most bytes inflated by one call of the inflater.
const OUTPUT_PER_CALL: usize = 32 << 10;

/// The most bytes read by one call of the inflater: a block of two bytes may inflate to nothing.
const INPUT_PER_CALL: usize = 4 << 10;

/// The work of one step: a fifth of a millisecond, or less.
const OUTPUT_PER_STEP: usize = 128 << 10;
const INPUT_PER_STEP: usize = 16 << 10;

/// What a call of the inflater counts as at least: the end of a stream costs as much as this many bytes.
const BYTES_PER_CALL: usize = 64;

/// Inflates a complete compressed message to at most `limit` bytes, in steps between which the worker can do
/// other work.
///
/// Inflation stops as soon as the limit is exceeded, so a decompression bomb costs at most the limit in
/// memory and the time to inflate that much.
#[derive(Debug)]
pub(in crate::wire) struct Inflation {
    message: Vec<u8>,
    part: Part,
    /// The bytes of the part that were read.
    read: usize,
    inflater: PooledInflater,
    /// The inflated bytes, and room for more behind them.
    out: Vec<u8>,
    filled: usize,
    limit: usize,
}

/// Whether a message is inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum InflationStep {
    /// There is another step.
    More,
    /// The message is complete: call [`Inflation::finish`].
    Done,
}

/// What is read, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Message,
    Tail,
    LastBlock,
}

/// What one call of the inflater read of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fed {
    /// Not all of it.
    Partly,
    /// All of it, up to the end of a final block.
    Ended,
    /// All of it, and the stream goes on.
    WithinStream,
}

impl Inflation {
    pub(in crate::wire) fn new(message: Vec<u8>, limit: usize) -> Self {
        let inflater = PooledInflater::take();
        Self { message, part: Part::Message, read: 0, inflater, out: Vec::new(), filled: 0, limit }
    }

    /// The memory that the message takes, compressed and inflated.
    pub(in crate::wire) fn bytes(&self) -> usize {
        self.message.capacity() + self.out.capacity()
    }

    /// The inflated message.
    pub(in crate::wire) fn finish(mut self) -> Vec<u8> {
        self.out.truncate(self.filled);
        self.out
    }

    /// Does the next step. `look` is called with each part as soon as it is inflated and may refuse it.
    pub(in crate::wire) fn step(
        &mut self,
        mut look: impl FnMut(&[u8]) -> Result<(), DecodeError>,
    ) -> Result<InflationStep, DecodeError> {
        // An empty message, and one that ends with a final block, have no open block that the tail could end
        // (sections 7.2.3.4 and 7.2.3.6).
        if self.message.is_empty() {
            return Ok(InflationStep::Done);
        }
        let (mut input, mut output) = (0, 0);
        while input < INPUT_PER_STEP && output < OUTPUT_PER_STEP {
            let (read, fresh) = (self.read, self.filled);
            let fed = self.call()?;
            input += (self.read - read).max(BYTES_PER_CALL);
            output += self.filled - fresh;
            if self.filled > self.limit {
                return Err(DecodeError::TooBig);
            }
            look(&self.out[fresh..self.filled])?;
            match (self.part, fed) {
                (_, Fed::Partly) => {}
                (Part::Message | Part::LastBlock, Fed::Ended) => return Ok(InflationStep::Done),
                (Part::Message, Fed::WithinStream) => (self.part, self.read) = (Part::Tail, 0),
                (Part::Tail, _) => (self.part, self.read) = (Part::LastBlock, 0),
                (Part::LastBlock, Fed::WithinStream) => return Err(DecodeError::BadDeflate),
            }
        }
        Ok(InflationStep::More)
    }

    /// Calls the inflater once. Another stream may begin after a final block (section 7.2.3.4).
    fn call(&mut self) -> Result<Fed, DecodeError> {
        let part = match self.part {
            Part::Message => &self.message[..],
            Part::Tail => &TAIL,
            Part::LastBlock => &LAST_BLOCK,
        };
        let fresh = self.filled;
        let room = fresh.clamp(FIRST_OUTPUT, OUTPUT_PER_CALL).min(self.limit + 1 - fresh);
        if self.out.len() < fresh + room {
            self.out.resize(fresh + room, 0);
        }
        let end = part.len().min(self.read + INPUT_PER_CALL);
        let (input, output) = (&part[self.read..end], &mut self.out[fresh..fresh + room]);
        let inflater = self.inflater.get();
        let (total_in, total_out) = (inflater.total_in(), inflater.total_out());
        let status =
            inflater.decompress(input, output, FlushDecompress::None).map_err(|_| DecodeError::BadDeflate)?;
        let consumed = (inflater.total_in() - total_in) as usize;
        let produced = (inflater.total_out() - total_out) as usize;
        if status == Status::StreamEnd {
            inflater.reset(NO_ZLIB_HEADER);
        }
        self.read += consumed;
        self.filled += produced;
        let is_read = self.read == part.len();
        match status {
            Status::StreamEnd if is_read => Ok(Fed::Ended),
            // Room is left, so all that was read is inflated.
            _ if is_read && produced < room => Ok(Fed::WithinStream),
            Status::BufError if !is_read && consumed == 0 && produced == 0 => Err(DecodeError::BadDeflate),
            _ => Ok(Fed::Partly),
        }
    }
}

thread_local! {
    /// One for all messages of a thread, 40 KiB: most are inflated in one step.
    static IDLE: RefCell<Option<Decompress>> = const { RefCell::new(None) };
}

/// An inflater of the thread's pool, or a new one while that is in use by an unfinished message.
#[derive(Debug)]
struct PooledInflater(Option<Decompress>);

impl PooledInflater {
    fn take() -> Self {
        let mut inflater = IDLE.take().unwrap_or_else(|| Decompress::new(NO_ZLIB_HEADER));
        inflater.reset(NO_ZLIB_HEADER);
        Self(Some(inflater))
    }

    fn get(&mut self) -> &mut Decompress {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for PooledInflater {
    fn drop(&mut self) {
        // While a thread ends its pool may be gone.
        let _ = IDLE.try_with(|idle| idle.replace(self.0.take()));
    }
}

/// Inflates a message at once.
#[cfg(test)]
pub(in crate::wire) fn inflate(
    message: &[u8],
    limit: usize,
    mut look: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<Vec<u8>, DecodeError> {
    let mut inflation = Inflation::new(message.to_vec(), limit);
    while inflation.step(&mut look)? == InflationStep::More {}
    Ok(inflation.finish())
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
        assert!(seen <= FIRST_OUTPUT, "{seen} bytes inflated");
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

    /// What each step of a message inflates, and the message.
    fn steps(message: &[u8], limit: usize) -> (Vec<usize>, Vec<u8>) {
        let mut inflation = Inflation::new(message.to_vec(), limit);
        let mut steps = Vec::new();
        loop {
            let mut inflated = 0;
            let progress = inflation.step(|part| {
                inflated += part.len();
                Ok(())
            });
            steps.push(inflated);
            if progress.unwrap() == InflationStep::Done {
                return (steps, inflation.finish());
            }
        }
    }

    #[test]
    fn a_step_inflates_a_bounded_number_of_bytes() {
        let message: Vec<_> = (0..16_u32 << 20).map(|n| (n >> 9) as u8).collect();

        let (steps, inflated) = steps(&compressed(&message), 16 << 20);

        assert!(inflated == message);
        assert!(steps.iter().all(|step| *step < OUTPUT_PER_STEP + OUTPUT_PER_CALL));
        assert!(steps.len() >= (16 << 20) / (OUTPUT_PER_STEP + OUTPUT_PER_CALL), "{} steps", steps.len());
    }

    #[test]
    fn a_step_reads_a_bounded_number_of_bytes_where_they_inflate_to_nothing() {
        let message = [[0x03, 0x00].repeat(1 << 19), vec![0x00]].concat();

        assert!(steps(&message, 9).0.len() >= message.len() / 2 * BYTES_PER_CALL / INPUT_PER_STEP);
    }

    #[test]
    fn a_message_is_inflated_while_another_one_is_unfinished() {
        let (long, short) = (compressed(&vec![7; 1 << 20]), compressed(b"short"));
        let mut first = Inflation::new(long, 1 << 20);
        assert_eq!(first.step(|_| Ok(())), Ok(InflationStep::More));

        assert_eq!(plain(&short).as_deref(), Ok(&b"short"[..]));

        while first.step(|_| Ok(())).unwrap() == InflationStep::More {}
        assert!(first.finish() == vec![7; 1 << 20]);
    }
}
