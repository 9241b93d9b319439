use std::time::Duration;

use crate::limits::Rate;

/// What one session may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most names, over all channels, `*` included. Default 30,000: three channels of 10,000
    /// symbols, about 2 MiB of memory; more gets error 405.
    pub symbols: usize,
    /// The longest message, in bytes, fragmented or not. Default 1 MiB, which is 10,000 symbols in
    /// each of ten channels; more closes with 1009.
    pub message_bytes: usize,
    /// The most objects that one command may have replayed. Default 20,000, about 3 MB; of what goes
    /// beyond the client is told as a gap.
    pub replayed_objects: usize,
    /// How often it may send a command. Default 100 a second, after a burst of 1,000: some clients
    /// subscribe symbol by symbol when they begin; more gets error 429 and close 1008. A long command is
    /// as much work as many, and counts once more for each 2 KiB that it has: 10,000 names are 40.
    pub commands: Rate,
    /// How often it may send a ping or a pong. Default 20 a second, after a burst of 100: clients ping
    /// every few seconds, and each ping costs an answer; more closes with 1008.
    pub pings: Rate,
    /// Where keys are demanded, one must be shown in this time. Default 10 s, as Alpaca has it; else
    /// error 404 and close 1008.
    pub auth_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            symbols: 30_000,
            message_bytes: 1 << 20,
            replayed_objects: 20_000,
            commands: Rate::per_second(100, 1_000),
            pings: Rate::per_second(20, 100),
            auth_timeout: Duration::from_secs(10),
        }
    }
}

/// How much may wait for one client.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Above so many waiting bytes quotes and bars are conflated: of each stream only the newest is
    /// sent, when there is room. Default 64 KiB, about 400 objects.
    pub conflate_above: usize,
    /// Above so many waiting bytes the client is too slow even for its trades: the session ends, or
    /// where the client opted in it is told of a gap. Default 256 KiB, which bounds the memory that
    /// a stalled client can take.
    pub end_above: usize,
    /// The most bytes of objects in one frame. Default 32 KiB: SDKs break at 1 MiB, and what waits
    /// behind a long frame, a pong for example, waits for all of it.
    pub frame_bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { conflate_above: 64 << 10, end_above: 256 << 10, frame_bytes: 32 << 10 }
    }
}

/// What is done when even what may not be conflated finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// The session ends: the client would not understand anything else.
    End,
    /// The client is told which objects it will not get.
    Gap,
}

/// Whether an offer found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    /// It did, or belongs to a gap that is known already.
    Kept,
    /// From here on it did not: the client will be told of a gap.
    Lost,
    /// Even what may not be conflated is too much: end the session.
    Overflow,
}
