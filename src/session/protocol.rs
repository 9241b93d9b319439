use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::authenticator::{Authenticator, close_of, error_of};
use super::limits::Limits;
use super::{SubscriptionChange, Subscriptions};
use crate::auth::{Credentials, Denied, Grant};
use crate::model::{Channel, Epoch, Seq, StreamId, Universe};
use crate::wire::{
    Close, Command, ControlMessage, ErrorCode, Extensions, GrantedOptions, Resume, Selection, Subscription,
};

/// The longest that frames may be held back, and the longest between two heartbeats.
const LONGEST_MS: u32 = 60_000;

/// Heartbeats come no more often than this.
const SHORTEST_HEARTBEAT_MS: u32 = 100;

/// What has been said so far, and what to answer next.
///
/// Without a guard the service is open: any key is accepted, and who shows none may subscribe too.
#[derive(Debug)]
pub struct Protocol {
    universe: Arc<Universe>,
    epoch: Epoch,
    limits: Limits,
    filter: Subscriptions,
    guard: Option<Authenticator>,
    standing: AuthState,
    conflate_ms: u32,
    heartbeat_ms: u32,
}

/// As whom the client is known.
#[derive(Debug)]
enum AuthState {
    /// It has shown nothing that was good.
    Anonymous,
    /// It has shown credentials, and this is what they are good for; where the service is open, for
    /// everything.
    Authenticated(Option<Grant>),
}

/// What to say before anything was asked.
#[derive(Debug)]
pub struct Greeting {
    /// The greeting, and what is to be said of the credentials that the upgrade brought.
    pub notices: Vec<ControlMessage>,
    /// How it ends already, where those were not good.
    pub close: Option<Close>,
}

/// What follows from a command, in the order in which it is to be done.
#[derive(Debug)]
pub struct CommandOutcome {
    /// What is wanted from now on, and what no more.
    pub changes: Vec<SubscriptionChange>,
    /// The pace and the heartbeat in force, where the command spoke of them.
    pub terms: Option<SessionOptions>,
    /// What to answer.
    pub notice: ControlMessage,
    /// What the client has already of streams that it wants, to go on from there.
    pub resume: Vec<ResumePoint>,
    /// Streams whose newest object comes first.
    pub snapshot: Vec<StreamId>,
    /// How the session ends after that, if it does.
    pub close: Option<Close>,
}

/// How a client that opted in is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// Data leaves at most once in this time; zero is as it comes.
    pub pace: Duration,
    /// A sign of life after this time without any frame; zero is none.
    pub heartbeat: Duration,
}

/// A stream of which the client has something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The stream.
    pub stream: StreamId,
    /// The last number that the client has; `None` where it is of another epoch.
    pub last: Option<Seq>,
}

impl CommandOutcome {
    fn only(notice: ControlMessage) -> Self {
        let (changes, resume, snapshot) = (Vec::new(), Vec::new(), Vec::new());
        Self { changes, terms: None, notice, resume, snapshot, close: None }
    }
}

impl Protocol {
    /// A conversation before its first command. Where there is a guard, nothing is given to who has
    /// not shown it a good key.
    pub fn new(universe: Arc<Universe>, epoch: Epoch, limits: Limits, guard: Option<Authenticator>) -> Self {
        Self {
            universe,
            epoch,
            limits,
            filter: Subscriptions::default(),
            guard,
            standing: AuthState::Anonymous,
            conflate_ms: 0,
            heartbeat_ms: 0,
        }
    }

    /// What to say before anything was asked, to a client whose upgrade request brought these.
    pub fn greet(&mut self, shown: Option<&Credentials>) -> Greeting {
        let verdict = shown.map(|shown| self.authenticate(shown));
        let (answer, close) = match verdict {
            None => (None, None),
            Some(Ok(())) => (Some(ControlMessage::AUTHENTICATED), None),
            Some(Err(denied)) => (Some(error_of(denied).into()), Some(close_of(denied))),
        };
        Greeting { notices: std::iter::once(ControlMessage::CONNECTED).chain(answer).collect(), close }
    }

    /// Whether nothing is given until a key is shown.
    pub fn awaits_key(&self) -> bool {
        self.guard.is_some() && matches!(self.standing, AuthState::Anonymous)
    }

    /// What the client wants by now.
    pub fn filter(&self) -> &Subscriptions {
        &self.filter
    }

    /// Carries a command out, as far as the conversation goes.
    pub fn answer(&mut self, command: Result<Command, ErrorCode>) -> CommandOutcome {
        match command {
            Err(error) => CommandOutcome::only(error.into()),
            Ok(Command::Auth { .. }) if matches!(self.standing, AuthState::Authenticated(_)) => {
                CommandOutcome::only(ErrorCode::AlreadyAuthenticated.into())
            }
            Ok(Command::Auth { key, secret }) => match self.authenticate(&Credentials { key, secret }) {
                Ok(()) => CommandOutcome::only(ControlMessage::AUTHENTICATED),
                // Who guesses is not given the whole time in which to show a key.
                Err(denied @ Denied::FailedAttempts) => CommandOutcome {
                    close: Some(close_of(denied)),
                    ..CommandOutcome::only(error_of(denied).into())
                },
                Err(denied) => CommandOutcome::only(error_of(denied).into()),
            },
            Ok(_) if self.awaits_key() => CommandOutcome::only(ErrorCode::NotAuthenticated.into()),
            Ok(Command::Subscribe(more, _)) if !self.may_see(&more) => {
                CommandOutcome::only(ErrorCode::InsufficientSubscription.into())
            }
            Ok(Command::Subscribe(more, _)) if !self.filter.has_room_for(&more, self.most_symbols()) => {
                CommandOutcome::only(ErrorCode::SymbolLimit.into())
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

    fn authenticate(&mut self, shown: &Credentials) -> Result<(), Denied> {
        let pass = self.guard.as_ref().map(|guard| guard.admit(shown)).transpose()?;
        self.standing = AuthState::Authenticated(pass);
        Ok(())
    }

    /// What the client's key is good for; `None` is everything.
    pub(super) fn pass(&self) -> Option<&Grant> {
        match &self.standing {
            AuthState::Authenticated(pass) => pass.as_ref(),
            AuthState::Anonymous => None,
        }
    }

    /// Whether all that is named may be shown.
    fn may_see(&self, named: &Selection) -> bool {
        let Some(pass) = self.pass().filter(|pass| !pass.shows_all()) else { return true };
        let shows = |channel: Channel| {
            let wanted = named.of(channel);
            !wanted.all && wanted.symbols.iter().all(|symbol| pass.shows(symbol))
        };
        Channel::ALL.into_iter().all(shows)
    }

    fn most_symbols(&self) -> usize {
        self.pass().map_or(usize::MAX, Grant::max_symbols).min(self.limits.symbols)
    }

    fn acknowledge(
        &mut self,
        named: &Selection,
        changes: Vec<SubscriptionChange>,
        extensions: Option<Extensions>,
    ) -> CommandOutcome {
        let Some(asked) = extensions else {
            return CommandOutcome { changes, ..CommandOutcome::only(self.subscription(None)) };
        };
        let terms = self.agree(&asked);
        let resume = asked.resume.map_or_else(Vec::new, |resume| self.resumptions(&resume, &changes));
        let mut snapshot = Vec::new();
        if asked.snapshot {
            let resumed = |stream: &StreamId| resume.iter().any(|known| known.stream == *stream);
            let wanted = |stream: &StreamId| self.filter.wants(*stream, &self.universe);
            snapshot.extend(
                Subscriptions::streams_of(named, &self.universe).filter(wanted).filter(|s| !resumed(s)),
            );
        }
        let granted = GrantedOptions {
            id: asked.id,
            epoch: self.epoch.to_string(),
            conflate_ms: self.conflate_ms,
            heartbeat_ms: self.heartbeat_ms,
            rejected: self.unknown(named),
        };
        let notice = self.subscription(Some(granted));
        CommandOutcome { changes, terms: Some(terms), notice, resume, snapshot, close: None }
    }

    /// Puts in force what is asked for, within its bounds; what is not spoken of stays.
    fn agree(&mut self, asked: &Extensions) -> SessionOptions {
        if let Some(conflate_ms) = asked.conflate_ms {
            self.conflate_ms = conflate_ms.min(LONGEST_MS);
        }
        if let Some(heartbeat_ms) = asked.heartbeat_ms {
            self.heartbeat_ms = match heartbeat_ms {
                0 => 0,
                some => some.clamp(SHORTEST_HEARTBEAT_MS, LONGEST_MS),
            };
        }
        SessionOptions {
            pace: Duration::from_millis(self.conflate_ms.into()),
            heartbeat: Duration::from_millis(self.heartbeat_ms.into()),
        }
    }

    /// What the client has of streams that begin with this command. Of others it gets everything
    /// already; what came before would come after.
    fn resumptions(&self, resume: &Resume, changes: &[SubscriptionChange]) -> Vec<ResumePoint> {
        let begins = |stream: StreamId| {
            changes.iter().any(|change| match change {
                SubscriptionChange::Begin(begun) => *begun == stream,
                SubscriptionChange::BeginAll(channel) => *channel == stream.channel(),
                SubscriptionChange::End(_) | SubscriptionChange::EndAll(_) => false,
            })
        };
        let is_ours = resume.epoch == self.epoch.to_string();
        let known = resume.last.iter().filter_map(|(channel, symbol, last)| {
            let stream = StreamId::new(*channel, self.universe.find(symbol)?);
            let last = is_ours.then_some(Seq(*last));
            begins(stream).then_some(ResumePoint { stream, last })
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

    fn subscription(&self, granted: Option<GrantedOptions>) -> ControlMessage {
        ControlMessage::Subscription(Box::new(Subscription::of(
            |channel: Channel| self.filter.of(channel),
            granted,
        )))
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
