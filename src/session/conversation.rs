use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::limits::Limits;
use super::{Filter, Interest};
use crate::model::{Channel, Epoch, Seq, Stream, Universe};
use crate::wire::{Command, ErrorCode, Extensions, Granted, Notice, Resume, Selection, Subscription};

/// The longest that frames may be held back, and the longest between two heartbeats.
const LONGEST_MS: u32 = 60_000;

/// Heartbeats come no more often than this.
const SHORTEST_HEARTBEAT_MS: u32 = 100;

/// What has been said so far, and what to answer next. The service is open: any key is accepted,
/// and who shows none may subscribe too.
#[derive(Debug)]
pub struct Conversation {
    universe: Arc<Universe>,
    epoch: Epoch,
    limits: Limits,
    filter: Filter,
    is_authenticated: bool,
    conflate_ms: u32,
    heartbeat_ms: u32,
}

/// What follows from a command, in the order in which it is to be done.
#[derive(Debug)]
pub struct Outcome {
    /// What is wanted from now on, and what no more.
    pub changes: Vec<Interest>,
    /// The pace and the heartbeat in force, where the command spoke of them.
    pub terms: Option<Terms>,
    /// What to answer.
    pub notice: Notice,
    /// What the client has already of streams that it wants, to go on from there.
    pub resume: Vec<Resumption>,
    /// Streams whose newest object comes first.
    pub snapshot: Vec<Stream>,
}

/// How a client that opted in is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Data leaves at most once in this time; zero is as it comes.
    pub pace: Duration,
    /// A sign of life after this time without any frame; zero is none.
    pub heartbeat: Duration,
}

/// A stream of which the client has something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumption {
    /// The stream.
    pub stream: Stream,
    /// The last number that the client has; `None` where it is of another epoch.
    pub last: Option<Seq>,
}

impl Outcome {
    fn only(notice: Notice) -> Self {
        Self { changes: Vec::new(), terms: None, notice, resume: Vec::new(), snapshot: Vec::new() }
    }
}

impl Conversation {
    /// A conversation before its first command. Who showed credentials on the upgrade request
    /// `is_authenticated` already.
    pub fn new(universe: Arc<Universe>, epoch: Epoch, limits: Limits, is_authenticated: bool) -> Self {
        Self {
            universe,
            epoch,
            limits,
            filter: Filter::default(),
            is_authenticated,
            conflate_ms: 0,
            heartbeat_ms: 0,
        }
    }

    /// What to say before anything was asked.
    pub fn greeting(&self) -> Vec<Notice> {
        match self.is_authenticated {
            true => vec![Notice::CONNECTED, Notice::AUTHENTICATED],
            false => vec![Notice::CONNECTED],
        }
    }

    /// What the client wants by now.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Carries a command out, as far as the conversation goes.
    pub fn answer(&mut self, command: Result<Command, ErrorCode>) -> Outcome {
        match command {
            Err(error) => Outcome::only(error.into()),
            Ok(Command::Auth { .. }) if self.is_authenticated => {
                Outcome::only(ErrorCode::AlreadyAuthenticated.into())
            }
            Ok(Command::Auth { .. }) => {
                self.is_authenticated = true;
                Outcome::only(Notice::AUTHENTICATED)
            }
            Ok(Command::Subscribe(more, _)) if self.filter.len_with(&more) > self.limits.symbols => {
                Outcome::only(ErrorCode::SymbolLimit.into())
            }
            Ok(Command::Subscribe(more, extensions)) => {
                let mut changes = Vec::new();
                self.filter.add(&more, &self.universe, |change| changes.push(change));
                self.acknowledge(&more, changes, extensions)
            }
            Ok(Command::Unsubscribe(less, extensions)) => {
                let mut changes = Vec::new();
                self.filter.remove(&less, &self.universe, |change| changes.push(change));
                self.acknowledge(&less, changes, extensions)
            }
        }
    }

    fn acknowledge(
        &mut self,
        named: &Selection,
        changes: Vec<Interest>,
        extensions: Option<Extensions>,
    ) -> Outcome {
        let Some(asked) = extensions else {
            return Outcome { changes, ..Outcome::only(self.subscription(None)) };
        };
        let terms = self.agree(&asked);
        let resume = asked.resume.map_or_else(Vec::new, |resume| self.resumptions(&resume, &changes));
        let mut snapshot = Vec::new();
        if asked.snapshot {
            let resumed = |stream: &Stream| resume.iter().any(|known| known.stream == *stream);
            let wanted = |stream: &Stream| self.filter.wants(*stream, &self.universe);
            snapshot.extend(Filter::streams_of(named, &self.universe).filter(wanted).filter(|s| !resumed(s)));
        }
        let granted = Granted {
            id: asked.id,
            epoch: self.epoch.to_string(),
            conflate_ms: self.conflate_ms,
            heartbeat_ms: self.heartbeat_ms,
            rejected: self.unknown(named),
        };
        Outcome { changes, terms: Some(terms), notice: self.subscription(Some(granted)), resume, snapshot }
    }

    /// Puts in force what is asked for, within its bounds; what is not spoken of stays.
    fn agree(&mut self, asked: &Extensions) -> Terms {
        if let Some(conflate_ms) = asked.conflate_ms {
            self.conflate_ms = conflate_ms.min(LONGEST_MS);
        }
        if let Some(heartbeat_ms) = asked.heartbeat_ms {
            self.heartbeat_ms = match heartbeat_ms {
                0 => 0,
                some => some.clamp(SHORTEST_HEARTBEAT_MS, LONGEST_MS),
            };
        }
        Terms {
            pace: Duration::from_millis(self.conflate_ms.into()),
            heartbeat: Duration::from_millis(self.heartbeat_ms.into()),
        }
    }

    /// What the client has of streams that begin with this command. Of others it gets everything
    /// already; what came before would come after.
    fn resumptions(&self, resume: &Resume, changes: &[Interest]) -> Vec<Resumption> {
        let begins = |stream: Stream| {
            changes.iter().any(|change| match change {
                Interest::Begin(begun) => *begun == stream,
                Interest::BeginAll(channel) => *channel == stream.channel,
                Interest::End(_) | Interest::EndAll(_) => false,
            })
        };
        let is_ours = resume.epoch == self.epoch.to_string();
        let known = resume.last.iter().filter_map(|(channel, symbol, last)| {
            let stream = Stream { channel: *channel, symbol: self.universe.find(symbol)? };
            let last = is_ours.then_some(Seq(*last));
            begins(stream).then_some(Resumption { stream, last })
        });
        known.collect()
    }

    /// The names in a command that the market does not know.
    fn unknown(&self, named: &Selection) -> BTreeMap<&'static str, Vec<String>> {
        let of_channel = |channel: Channel| {
            let symbols = named.of(channel).symbols.iter();
            let unknown: Vec<_> = symbols
                .filter(|symbol| self.universe.find(symbol).is_none())
                .map(ToString::to_string)
                .collect();
            (channel.name(), unknown)
        };
        Channel::ALL.into_iter().map(of_channel).filter(|(_, unknown)| !unknown.is_empty()).collect()
    }

    fn subscription(&self, granted: Option<Granted>) -> Notice {
        Notice::Subscription(Box::new(Subscription::of(|channel: Channel| self.filter.of(channel), granted)))
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
