//! permessage-deflate, RFC 7692: what is agreed, and messages in and out of their compressed form.
//!
//! It is agreed only without context takeover, in both directions. So no message needs the window of
//! the one before: a session keeps no zlib state between its messages (it would be 300 KiB), each
//! worker thread has one inflater and one deflater for all its sessions, and a compressed frame is
//! the same for everybody who agreed on the same window.

mod deflater;
mod inflater;
mod negotiation;

pub use deflater::Deflate;
#[cfg(test)]
pub(super) use deflater::compressed;
pub(super) use inflater::inflate;
pub use negotiation::NegotiatedDeflate;

/// What a sync flush ends with: an empty stored block. The sender takes it off, the receiver puts it
/// back (RFC 7692 sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// The first frame of a compressed message has this bit, its other frames have not (section 6).
pub(super) const RSV1: u8 = 0x40;
