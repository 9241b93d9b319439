use std::fmt;
use std::time::Duration;

use crate::model::Channel;
use crate::session::OutboxLimits;

/// The instruments: the last one is listed while the scenario runs, if it is.
pub(super) const SYMBOLS: [&str; 3] = ["AAPL", "MSFT", "ZZZZ"];

/// How many of them are listed at the start.
pub(super) const LISTED_AT_START: usize = 2;

/// The number of clients, each of which has at most one connection.
pub(super) const CLIENTS: usize = 4;

/// The client that never sends `x`: it gets no gap notices, and is closed instead.
pub(super) const LEGACY_CLIENT: usize = 0;

/// Everything that happens in one run. It is made from a seed before anything runs, so that steps can be left out.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) seed: u64,
    pub(super) settings: Settings,
    pub(super) steps: Vec<Step>,
}

/// What holds for a whole run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The watermarks of each session.
    pub(super) outbox: OutboxLimits,
    /// The most bytes that may wait for all sessions of an address before they may hold less each.
    pub(super) address_backlog: usize,
    /// The longest time that objects wait to be coalesced.
    pub(super) max_delay: Duration,
    /// The changes of subscriptions that one step of a command makes.
    pub(super) changes_per_step: usize,
    /// The trades and quotes of each instrument that can be resumed.
    pub(super) retained: usize,
    /// The bytes that the kernel holds for a client.
    pub(super) socket_buffer: usize,
    /// How the second hub gets the batches of the feed.
    pub(super) hop: HopKind,
}

/// How the second hub gets the batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HopKind {
    /// It is another worker of the same process: each batch arrives, some of them late.
    Worker,
    /// It is a gateway of a cluster: messages are lost, repeated and reordered, and it repairs what it can.
    Cluster,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The source reports these events, and the feed publishes them.
    Market(Vec<MarketEvent>),
    /// An epoch begins with the next batch.
    Epoch,
    /// The state of the feed changes with the next batch.
    Notice,
    /// The last instrument is listed.
    List,
    /// The second hub dispatches what has arrived.
    Deliver,
    /// What happens to the next messages on the way to the second hub, if it is a gateway.
    Network(Fault),
    /// Time passes, in which timers run, sockets are read and tasks make progress.
    Pass(Duration),
    /// Tasks that were woken run once, without time passing.
    Run,
    /// The client cuts its connection, if it has one, and opens another.
    Connect(usize, Dial),
    /// The client sends a command.
    Send(usize, CommandText),
    /// The client reads in this way from now on.
    Read(usize, Reading),
}

/// A market event: which, of which instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MarketEvent {
    pub(super) kind: EventKind,
    pub(super) symbol: usize,
}

/// The kinds of events of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    Trade,
    LateTrade,
    Quote,
    Status,
    Luld,
    Cancel,
    Correction,
}

/// What happens to a message between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The next messages, this many, are lost.
    Lose(u8),
    /// The next message comes twice.
    Repeat,
    /// The next message comes behind the one after it.
    Swap,
}

/// How a client connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dial {
    pub(super) hub: usize,
    pub(super) line: Line,
    pub(super) resume: Resume,
}

/// The form of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Json,
    MsgPack,
    /// JSON with permessage-deflate.
    Deflate,
    /// JSON over TLS, where only the task of the session may write.
    Tls,
}

/// What a client that connects does about what it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// It begins anew.
    No,
    /// It subscribes to the same, and resumes from its numbers.
    Own,
    /// The same, from numbers that were never given.
    Impossible,
}

/// A command of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandText {
    pub(super) is_addition: bool,
    /// Channels and names; the name behind the last symbol is `*`.
    pub(super) names: Vec<(Channel, usize)>,
    pub(super) snapshot: bool,
    pub(super) conflate_ms: Option<u64>,
}

/// How a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// All there is, at once.
    Fast,
    /// This many bytes each time.
    Slow(usize),
    /// Nothing.
    Stalled,
    /// All there is, but it never sends anything, not even pongs.
    Silent,
}

impl fmt::Display for Scenario {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { outbox, .. } = &self.settings;
        writeln!(out, "seed {}, {} steps", self.seed, self.steps.len())?;
        writeln!(
            out,
            "  hop {:?}, coalesce {:?}, watermarks {}/{}, frames {}, address {}, socket {}, retained {}, changes per step {}",
            self.settings.hop,
            self.settings.max_delay,
            outbox.conflate_above,
            outbox.end_above,
            outbox.frame_bytes,
            self.settings.address_backlog,
            self.settings.socket_buffer,
            self.settings.retained,
            self.settings.changes_per_step,
        )?;
        self.steps.iter().enumerate().try_for_each(|(at, step)| writeln!(out, "  {at:>3}  {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Market(events) => {
                write!(out, "market:")?;
                let write = |event: &MarketEvent| write!(out, " {:?}({})", event.kind, SYMBOLS[event.symbol]);
                events.iter().try_for_each(write)
            }
            Self::Epoch => write!(out, "an epoch begins with the next batch"),
            Self::Notice => write!(out, "a notice comes with the next batch"),
            Self::List => write!(out, "{} is listed", SYMBOLS[LISTED_AT_START]),
            Self::Deliver => write!(out, "hub 1 dispatches what has arrived"),
            Self::Network(fault) => write!(out, "on the way to hub 1: {fault:?}"),
            Self::Pass(time) => write!(out, "{time:?} pass"),
            Self::Run => write!(out, "woken tasks run"),
            Self::Connect(client, Dial { hub, line, resume }) => {
                write!(out, "client {client}: connects to hub {hub}, {line:?}, resume {resume:?}")
            }
            Self::Send(client, command) => write!(out, "client {client}: {command}"),
            Self::Read(client, reading) => write!(out, "client {client}: reads {reading:?}"),
        }
    }
}

impl fmt::Display for CommandText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", if self.is_addition { "subscribe" } else { "unsubscribe" })?;
        for (channel, name) in &self.names {
            write!(out, " {}/{}", channel.name(), SYMBOLS.get(*name).unwrap_or(&"*"))?;
        }
        if self.snapshot {
            write!(out, " snapshot")?;
        }
        self.conflate_ms.map_or(Ok(()), |interval| write!(out, " conflate_ms={interval}"))
    }
}
