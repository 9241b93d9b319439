use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    ConnectionHealth, EncodedLastValues, FanOut, FrameForm, Inquiry, ObjectRef, SubscriberFigures,
    SubscriberIdentity,
};
use crate::alerts::AlertFire;
use crate::model::{BegunEpoch, FeedNotice, Missed, Timestamp, Universe};
use crate::wire::Close;

/// A session as its worker's hub sees it.
///
/// The hub calls these methods in the middle of its work, with its state borrowed: they must return
/// quickly, must not block and must not call the hub.
pub trait Subscriber {
    /// The form of frames that may be sent past the outbox now: the fast path, open while nothing is
    /// queued and every stream is current. The hub then sends a shared frame through the subscriber's
    /// writer.
    fn fast_path(&self, now: Instant) -> Option<FrameForm>;

    /// Takes the objects of a fan-out, in order, where the fast path is closed or they exceed a frame.
    fn deliver(&self, fan_out: &FanOut<'_>, objects: &[ObjectRef]);

    /// Reports how much of a frame of the fast path was sent, if it was not all of it; the rest is the
    /// subscriber's to send.
    fn frame_sent(&self, frame: &Bytes, sent: io::Result<usize>);

    /// Whether objects may wait a little, to be coalesced with later ones. Not where the subscriber is
    /// behind, has an interval, or resumes: what it gets then depends on when objects are offered.
    fn may_coalesce(&self) -> bool;

    /// The timer that the subscriber set has expired; returns the next one, later than `now`. Everything up to
    /// the last values was delivered.
    fn run_timer(&self, now: Now, last_values: &EncodedLastValues) -> Option<Instant>;

    /// The state of the feed changed, and perhaps an epoch begins. Everything before this was delivered. Queue it only:
    /// all subscribers are told. Where numbers begin again, what the subscriber has of each stream is void.
    fn feed_changed(&self, begun: Option<BegunEpoch>, notices: &[FeedNotice], fan_out: &FanOut<'_>);

    /// These objects of subscribed streams will not come. Everything before them was delivered. Queue it only.
    fn objects_missed(&self, missed: &[Missed], now: Instant);

    /// Alerts of the subscriber fired. Queue them only; returns the subscriber's timer, as
    /// [`run_timer`](Self::run_timer) does.
    fn alerts_fired(&self, fired: &[AlertFire], now: Instant) -> Option<Instant>;

    /// The alerts of the subscriber were not evaluated for these trades, which were lost. Queue it only.
    fn trades_unevaluated(&self, missed: Missed, universe: &Universe, now: Instant);

    /// Instruments were appended to the universe: names that were unknown may be known now.
    fn universe_grew(&self);

    /// The state of the connection. While the server itself keeps a client waiting, it counts as heard.
    fn health(&self, now: Instant) -> ConnectionHealth;

    /// What does not change, for administration.
    fn identity(&self) -> &SubscriberIdentity;

    /// The figures of the session, for administration.
    fn figures(&self) -> SubscriberFigures;

    /// Sets whether the client may publish to topics.
    fn set_muted(&self, is_muted: bool);

    /// Has the details of the session told. A session that is about to end does not answer.
    fn inquire(&self, inquiry: Inquiry);

    /// Sends a ping.
    fn ping(&self, now: Instant);

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
