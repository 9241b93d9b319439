//! The state that all sessions of one thread share: settings, statistics and buffers.

use flate2::{Decompress, FlushDecompress};

use super::config::LoadConfig;
use super::frames::{FrameError, MESSAGE_LIMIT};
use super::stats::StatsRecorder;

/// The shared state of one thread's sessions.
pub(crate) struct SessionContext<'a> {
    pub(crate) config: &'a LoadConfig,
    pub(crate) stats: StatsRecorder,
    /// The read buffer of all sessions; a session keeps only an incomplete frame.
    pub(crate) read_buffer: Vec<u8>,
    /// The last inflated message.
    pub(crate) inflate_buffer: Vec<u8>,
    /// Serves all sessions, because messages are compressed without context takeover.
    inflater: Decompress,
    mask_state: u32,
}

impl<'a> SessionContext<'a> {
    pub(crate) fn new(config: &'a LoadConfig) -> Self {
        Self {
            config,
            stats: StatsRecorder::default(),
            read_buffer: Vec::new(),
            inflate_buffer: Vec::new(),
            inflater: Decompress::new(false),
            mask_state: 0x9E37_79B9,
        }
    }

    /// The next masking key, by xorshift: masks must vary, but need not be unpredictable in a load test.
    pub(crate) fn next_mask(&mut self) -> [u8; 4] {
        self.mask_state ^= self.mask_state << 13;
        self.mask_state ^= self.mask_state >> 17;
        self.mask_state ^= self.mask_state << 5;
        self.mask_state.to_le_bytes()
    }

    /// Inflates the payload of a compressed message (RFC 7692, 7.2.2) into `message`.
    pub(crate) fn inflate(&mut self, payload: &[u8], message: &mut Vec<u8>) -> Result<(), FrameError> {
        message.clear();
        message.reserve(MESSAGE_LIMIT);
        self.inflater.reset(false);
        for part in [payload, &[0, 0, 0xFF, 0xFF]] {
            let expected = self.inflater.total_in() + part.len() as u64;
            let outcome = self.inflater.decompress_vec(part, message, FlushDecompress::Sync);
            if outcome.is_err() || self.inflater.total_in() != expected {
                return Err(FrameError::InvalidDeflate);
            }
        }
        Ok(())
    }
}
