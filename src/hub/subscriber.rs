use std::io;
use std::time::Instant;

use bytes::Bytes;

use super::{ConnectionHealth, EncodedLastValues, FanOut, FrameKey, ObjectRef};
use crate::transport::RawSocket;
use crate::wire::Close;

/// Somebody on this thread who takes what he wants of each batch.
///
/// The hub calls these plainly in the middle of its turn, so they must be quick, must not wait, and
/// must not call the hub.
pub trait Subscriber {
    /// Takes these objects, in order; gives the frame that is to leave at once, if one is.
    ///
    /// The hub sends it when all have been called, through its [socket](Self::socket), and calls nobody
    /// twice before: the kernel's work drives ours out of the caches, so all of ours comes first.
    fn deliver(&self, turn: &FanOut<'_>, picks: &[ObjectRef]) -> Option<FrameKey>;

    /// The socket for frames that it [gave](Self::deliver); none where it sends them by itself.
    fn socket(&self) -> Option<RawSocket<'_>>;

    /// So much of a frame that it gave was sent, or why not; the rest is its own affair.
    fn sent(&self, frame: &Bytes, sent: io::Result<usize>);

    /// Whether objects may wait a little for others that come soon. Not where it is behind, or has a
    /// pace or a past of its own: what it gets then depends on what was offered so far.
    fn may_wait(&self) -> bool;

    /// The time has come that it asked for; it says when it wants to be called next. Later than `now`,
    /// or the hub would not come to an end.
    fn due(&self, now: Instant, latest: &EncodedLastValues) -> Option<Instant>;

    /// How the far side is doing.
    fn vitals(&self) -> ConnectionHealth;

    /// Asks the far side whether it is there.
    fn ping(&self);

    /// Says goodbye, after what is already queued or instead of it, and ends.
    fn dismiss(&self, why: Close);

    /// Breaks the connection off: the far side took not even the goodbye.
    fn sever(&self);
}
