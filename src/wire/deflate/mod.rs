//! permessage-deflate (RFC 7692): negotiation, compression and decompression of messages.
//!
//! It is negotiated only without context takeover, in both directions, so no message needs the window of
//! the one before. A session keeps no zlib state between messages (it would be 300 KiB), each worker thread
//! has one inflater and one deflater for all its sessions, and a compressed frame is shared by all
//! sessions with the same window.

mod deflater;
mod inflater;
mod negotiation;

pub use deflater::Deflate;
#[cfg(test)]
pub(super) use deflater::compressed;
#[cfg(test)]
pub(super) use inflater::inflate;
pub(super) use inflater::{Inflation, InflationStep};
pub use negotiation::NegotiatedDeflate;

/// The end of a sync flush, an empty stored block. The sender removes it, the receiver appends it (RFC 7692
/// sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// The bit that marks the first frame of a compressed message (section 6).
pub(super) const RSV1: u8 = 0x40;
