use std::time::Duration;

use crate::limits::Rate;

/// What one session may request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most names over all channels, `*` included. Beyond it a subscribe gets error 405 and changes
    /// nothing (counter `errors{code="405"}`). Default 30,000: three channels of 10,000 symbols, about
    /// 2 MiB of memory.
    pub symbols: usize,
    /// The most bytes of names in one acknowledgement, which lists the whole subscription: a name in `trades`
    /// three times, in the lists of cancels and corrections too. Beyond it a subscribe gets error 405 and
    /// changes nothing (counter `errors{code="405"}`); the answer to an unsubscribe leaves out `id` and `rejected`.
    /// Default 1,000,000: SDKs close with 1009 above 1 MiB, and 30,000 names of usual length take 400 KB.
    pub acknowledged_bytes: usize,
    /// The longest message in bytes, fragmented or not. Beyond it the session is closed with 1009
    /// (counter `sessions_closed{reason="too_big"}`). Default 1 MiB: 10,000 symbols in each of ten
    /// channels.
    pub message_bytes: usize,
    /// The most objects that one command replays. What goes beyond it is announced as a gap. Default
    /// 20,000, about 3 MB.
    pub replayed_objects: usize,
    /// The rate limit of commands. Beyond it error 429 and close 1008 (counter
    /// `sessions_closed{reason="too_many_commands"}`). Default 100 a second after a burst of 1,000: some
    /// clients subscribe symbol by symbol when they start. A command counts once more for each 2 KiB of
    /// its length, since its work grows with it: 10,000 names count 40. It counts once more for each 32 KiB
    /// of names in its acknowledgement, which answers 28 bytes with up to 1 MB.
    pub commands: Rate,
    /// The rate limit of pings and pongs. Beyond it close 1008 (counter
    /// `sessions_closed{reason="too_many_pings"}`). Default 20 a second after a burst of 100: clients
    /// ping every few seconds, and each ping costs an answer.
    pub pings: Rate,
    /// The rate limit of frames, of which a message may have many. Beyond it close 1008 (counter
    /// `sessions_closed{reason="too_many_frames"}`). Default 20,000 a second after a burst of 200,000: an
    /// empty continuation frame costs no memory and 36 ns, so that without a limit one client keeps a
    /// worker busy; the Autobahn suite sends 65,536 fragments of one message.
    pub frames: Rate,
    /// The memory in bytes that all pending messages of a worker may take: those whose last fragment is yet to
    /// come, that are being inflated, or whose command waits in the fair queue. Beyond it a session that takes more than its equal share is closed
    /// with 1013 when its message grows (counter `sessions_closed{reason="try_later"}`). Default 32 MiB: room
    /// for 32 of the longest messages at once. A larger value lets clients that never end their messages, or send
    /// long commands faster than they are executed, take more memory; a smaller one closes honest clients sooner
    /// while there are such.
    pub pending_bytes: usize,
    /// Where keys are required, the time in which one must be shown; then error 404 and close 1008
    /// (counter `sessions_closed{reason="auth_timeout"}`). Default 10 s, as Alpaca has it.
    pub auth_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            symbols: 30_000,
            acknowledged_bytes: 1_000_000,
            message_bytes: 1 << 20,
            replayed_objects: 20_000,
            commands: Rate::per_second(100, 1_000),
            pings: Rate::per_second(20, 100),
            frames: Rate::per_second(20_000, 200_000),
            pending_bytes: 32 << 20,
            auth_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The limits for a conformance suite on the echo: messages of 16 MiB (case 9.1.6 of Autobahn), and as
    /// many of them, of their frames and of pings as it likes.
    #[must_use]
    pub const fn for_conformance(self) -> Self {
        const UNLIMITED: Rate = Rate::per_second(1_000_000, u32::MAX);
        Self { message_bytes: 16 << 20, commands: UNLIMITED, pings: UNLIMITED, frames: UNLIMITED, ..self }
    }
}

/// How much may be queued for one client: the watermarks of backpressure.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Low watermark in bytes. Above it quotes, bars and tickers are conflated: only the newest object
    /// of each stream is sent when there is room (counter `objects_conflated`). Default 64 KiB, about
    /// 400 objects.
    pub conflate_above: usize,
    /// High watermark in bytes. Above it the client is too slow even for trades: the session is closed
    /// with error 407, or, if the client opted in, the loss is announced as a gap (counter
    /// `outbox_overflows`). Default 256 KiB, the memory that a stalled client can take besides
    /// acknowledgements.
    pub end_above: usize,
    /// The most bytes of objects in one frame. Default 32 KiB: SDKs break at 1 MiB, and what is queued
    /// behind a long frame, a pong for example, waits for all of it. Replays and snapshots are produced in
    /// pieces of about a frame while less than a frame is queued.
    pub frame_bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { conflate_above: 64 << 10, end_above: 256 << 10, frame_bytes: 32 << 10 }
    }
}

/// The most control messages (gap notices) of one frame: at some 90 bytes each they stay below 32 KiB.
pub(super) const MAX_CONTROLS_PER_FRAME: usize = 256;

/// What happens when even objects that must not be conflated find no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// The session ends: the client would not understand anything else.
    End,
    /// The client is told which objects it will not get.
    Gap,
}

/// Whether offered objects found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    /// They did, or belong to a gap that is recorded already.
    Kept,
    /// From here on they did not: the client will get a gap notice.
    Lost,
    /// Even objects that must not be conflated are too much: the session must end.
    Overflow,
}
