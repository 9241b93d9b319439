use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{ConnectionHealth, EncodedLastValues, FanOut, FrameKey, ObjectRef};
use crate::model::Timestamp;
use crate::transport::RawSocket;
use crate::wire::Close;

/// A session as its worker's hub sees it.
///
/// The hub calls these methods in the middle of its work, with its state borrowed: they must return
/// quickly, must not block and must not call the hub.
pub trait Subscriber {
    /// Takes the objects of a fan-out, in order; returns the shared frame that is to be sent at once, if
    /// the subscriber is on the fast path.
    ///
    /// The hub sends the frame through the [socket](Self::socket) when all subscribers were called, and
    /// calls none twice before: the kernel's work evicts ours from the caches, so ours comes first.
    fn deliver(&self, fan_out: &FanOut<'_>, objects: &[ObjectRef]) -> Option<FrameKey>;

    /// The socket for frames that [`deliver`](Self::deliver) returned; `None` where the subscriber sends
    /// them itself.
    fn socket(&self) -> Option<RawSocket<'_>>;

    /// Reports how much of a returned frame was sent; the rest is the subscriber's to send.
    fn frame_sent(&self, frame: &Bytes, sent: io::Result<usize>);

    /// Whether objects may wait a little, to be coalesced with later ones. Not where the subscriber is
    /// behind, has an interval, or resumes: what it gets then depends on when objects are offered.
    fn may_coalesce(&self) -> bool;

    /// The timer that the subscriber set has expired; returns the next one, later than `now`.
    fn run_timer(&self, now: Now, last_values: &EncodedLastValues) -> Option<Instant>;

    /// Instruments were appended to the universe: names that were unknown may be known now.
    fn universe_grew(&self);

    /// The state of the connection.
    fn health(&self) -> ConnectionHealth;

    /// Sends a ping.
    fn ping(&self, now: Instant, last_values: &EncodedLastValues);

    /// Ends the session with this reason, behind what is queued or instead of it. `reconnect` is the
    /// delay that a client is asked to keep before it reconnects, where the reason has one.
    fn close(&self, reason: Close, reconnect: Duration, now: Instant);

    /// Resets the connection: the client did not even take the close frame.
    fn abort(&self);
}

/// The time, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the monotonic clock, for intervals and deadlines.
    pub steady: Instant,
    /// By the wall clock, for time stamps.
    pub wall: Timestamp,
}
