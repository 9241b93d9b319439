use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::authenticator::{Authenticator, close_of, error_of};
use super::limits::Limits;
use super::outbox::SnapshotKind;
use super::subscriptions::Subscriptions;
use crate::auth::{Credentials, Denied, Grant};
use crate::hub::SubscriptionChange;
use crate::model::{Channel, Epoch, Seq, StreamId, Universe};
use crate::wire::{
    Close, Command, ControlMessage, ErrorCode, Extensions, GrantedExtensions, InvalidCommand, Rejected,
    RequestId, ResumeRequest, Subscription, SymbolsByChannel,
};

/// The longest interval (`conflate_ms`) and the longest time between two heartbeats.
const MAX_OPTION_MS: u32 = 60_000;

/// The shortest time between two heartbeats.
const MIN_HEARTBEAT_MS: u32 = 100;

/// The protocol state of one session: what a command means, and what the response is.
///
/// Pure: it reads no clock and touches no socket. Without an authenticator the service is open: any
/// key is accepted, and a client without one may subscribe too.
#[derive(Debug)]
pub struct Protocol {
    universe: Arc<Universe>,
    epoch: Epoch,
    limits: Limits,
    subscriptions: Subscriptions,
    authenticator: Option<Authenticator>,
    auth: AuthState,
    conflate_ms: u32,
    heartbeat_ms: u32,
}

/// Whether the client has shown credentials.
#[derive(Debug)]
enum AuthState {
    /// None that were valid.
    Anonymous,
    /// Valid ones, and what they permit; `None` permits everything (the service is open).
    Authenticated(Option<Grant>),
}

/// What is sent before the first command.
#[derive(Debug)]
pub struct Greeting {
    /// The greeting, and the answer to the credentials of the upgrade request.
    pub messages: Vec<ControlMessage>,
    /// How the session ends at once, if those credentials are refused.
    pub close: Option<Close>,
}

/// The consequences of a command, in the order in which they are carried out.
#[derive(Debug)]
pub struct CommandOutcome {
    /// What changes in the hub's index.
    pub changes: Vec<SubscriptionChange>,
    /// The options in force, if the command opted in.
    pub options: Option<SessionOptions>,
    /// The response.
    pub response: ControlMessage,
    /// Streams that the client continues from a number that it has.
    pub resume: Vec<ResumePoint>,
    /// Streams whose newest object is sent.
    pub snapshot: Vec<SnapshotPart>,
    /// How the session ends after that, if it does.
    pub close: Option<Close>,
}

/// The options of a client that opted in with `x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// At most one data frame in this time (`conflate_ms`); zero sends data as it comes.
    pub interval: Duration,
    /// A heartbeat after this time without any frame (`heartbeat_ms`); zero sends none.
    pub heartbeat: Duration,
}

/// A stream of which the client has something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The stream.
    pub stream: StreamId,
    /// The last number that the client has; `None` if it is of another epoch.
    pub last: Option<Seq>,
}

/// A part of a requested snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPart {
    /// One stream.
    Stream(StreamId, SnapshotKind),
    /// Every symbol of a channel, except the streams that are named or resumed besides.
    Channel(Channel, SnapshotKind),
}

/// The changes of a command, to tell streams that begin with it from others.
struct ChangedStreams(FxHashSet<SubscriptionChange>);

impl ChangedStreams {
    fn new(changes: &[SubscriptionChange]) -> Self {
        Self(changes.iter().copied().collect())
    }

    /// Whether the stream was not subscribed before. One that changes between its name and `*` was.
    fn begins(&self, stream: StreamId) -> bool {
        let (one, all) = (SubscriptionChange::Add(stream), SubscriptionChange::AddAll(stream.channel()));
        let is_added = self.0.contains(&one) || self.0.contains(&all);
        is_added && !self.0.contains(&one.reversed()) && !self.0.contains(&all.reversed())
    }
}

impl CommandOutcome {
    fn only(response: ControlMessage) -> Self {
        let (changes, resume, snapshot) = (Vec::new(), Vec::new(), Vec::new());
        Self { changes, options: None, response, resume, snapshot, close: None }
    }
}

impl Protocol {
    /// The state before the first command. With an authenticator nothing is subscribed before a valid
    /// key is shown.
    pub fn new(
        universe: Arc<Universe>,
        epoch: Epoch,
        limits: Limits,
        authenticator: Option<Authenticator>,
    ) -> Self {
        Self {
            universe,
            epoch,
            limits,
            subscriptions: Subscriptions::default(),
            authenticator,
            auth: AuthState::Anonymous,
            conflate_ms: 0,
            heartbeat_ms: 0,
        }
    }

    /// What is sent before the first command, to a client whose upgrade request had these credentials.
    pub fn greet(&mut self, credentials: Option<&Credentials>) -> Greeting {
        let (answer, close) = match credentials.map(|credentials| self.authenticate(credentials)) {
            None => (None, None),
            Some(Ok(())) => (Some(ControlMessage::AUTHENTICATED), None),
            Some(Err(denied)) => (Some(error_of(denied).into()), Some(close_of(denied))),
        };
        Greeting { messages: iter::once(ControlMessage::CONNECTED).chain(answer).collect(), close }
    }

    /// Whether a key must be shown before anything else.
    pub fn awaits_key(&self) -> bool {
        self.authenticator.is_some() && matches!(self.auth, AuthState::Anonymous)
    }

    /// Continues with a universe that has instruments appended to the present one; returns their number
    /// before.
    pub fn extend_universe(&mut self, universe: Arc<Universe>) -> usize {
        std::mem::replace(&mut self.universe, universe).len()
    }

    /// What the client subscribes to.
    pub fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// The streams and names that a command touches, roughly: those of the acknowledgement, and with an
    /// interval each stream that is sampled.
    pub fn work_of(&self, command: Option<&Command>) -> usize {
        let (Some(Command::Subscribe(named, extensions)) | Some(Command::Unsubscribe(named, extensions))) =
            command
        else {
            return 0;
        };
        let is_paced = self.conflate_ms > 0 || extensions.as_ref().is_some_and(|it| it.conflate_ms.is_some());
        let of_channel = |channel: Channel| {
            let is_all = named.of(channel).all || self.subscriptions.includes_all(channel);
            let sampled = is_paced && is_all && channel.conflates();
            if sampled { self.universe.len() } else { 0 }
        };
        let sampled: usize = Channel::ALL.into_iter().map(of_channel).sum();
        self.subscriptions.len() + named.len() + sampled
    }

    /// Executes a command, as far as the protocol state is concerned.
    pub fn answer(&mut self, command: Result<Command, InvalidCommand>) -> CommandOutcome {
        match command {
            Err(error) => CommandOutcome::only(error.into()),
            Ok(Command::Auth { .. }) if matches!(self.auth, AuthState::Authenticated(_)) => {
                CommandOutcome::only(ErrorCode::AlreadyAuthenticated.into())
            }
            Ok(Command::Auth { key, secret }) => match self.authenticate(&Credentials { key, secret }) {
                Ok(()) => CommandOutcome::only(ControlMessage::AUTHENTICATED),
                // A client that guesses must not keep its connection for the whole authentication timeout.
                Err(denied @ Denied::FailedAttempts) => {
                    let refused = CommandOutcome::only(error_of(denied).into());
                    CommandOutcome { close: Some(close_of(denied)), ..refused }
                }
                Err(denied) => CommandOutcome::only(error_of(denied).into()),
            },
            Ok(_) if self.awaits_key() => CommandOutcome::only(ErrorCode::NotAuthenticated.into()),
            Ok(Command::Subscribe(added, _)) if !self.is_permitted(&added) => {
                CommandOutcome::only(ErrorCode::InsufficientSubscription.into())
            }
            Ok(Command::Subscribe(added, _))
                if !self.subscriptions.has_room_for(&added, self.max_symbols()) =>
            {
                let why = format!(
                    "a session may have at most {} names; the subscription is unchanged",
                    self.max_symbols()
                );
                CommandOutcome::only(ErrorCode::SymbolLimit.because(why))
            }
            Ok(Command::Subscribe(added, extensions))
                if !self.fits_in_acknowledgement(&added, extensions.as_ref()) =>
            {
                let why = format!(
                    "the acknowledgement of all names may have at most {} bytes; the subscription is unchanged",
                    self.limits.acknowledged_bytes
                );
                CommandOutcome::only(ErrorCode::SymbolLimit.because(why))
            }
            Ok(Command::Subscribe(added, extensions)) => {
                let changes = self.subscriptions.add(&added, &self.universe);
                self.acknowledge(&added, changes, extensions)
            }
            Ok(Command::OtherStream) => {
                let acknowledged = CommandOutcome::only(self.subscription(None));
                CommandOutcome { close: Some(Close::NoSuchChannel), ..acknowledged }
            }
            Ok(Command::Unsubscribe(removed, extensions)) => {
                let changes = self.subscriptions.remove(&removed, &self.universe);
                self.acknowledge(&removed, changes, extensions)
            }
        }
    }

    fn authenticate(&mut self, credentials: &Credentials) -> Result<(), Denied> {
        let authenticator = self.authenticator.as_ref();
        let grant = authenticator.map(|authenticator| authenticator.authenticate(credentials)).transpose()?;
        self.auth = AuthState::Authenticated(grant);
        Ok(())
    }

    /// What the client's key permits; `None` permits everything.
    pub(super) fn grant(&self) -> Option<&Grant> {
        match &self.auth {
            AuthState::Authenticated(grant) => grant.as_ref(),
            AuthState::Anonymous => None,
        }
    }

    /// Whether the client's key permits all that is named.
    fn is_permitted(&self, named: &SymbolsByChannel) -> bool {
        let Some(grant) = self.grant().filter(|grant| !grant.key().allows_all_symbols()) else { return true };
        let permits = |channel: Channel| {
            let selected = named.of(channel);
            !selected.all && selected.symbols.iter().all(|symbol| grant.key().allows_symbol(symbol))
        };
        Channel::ALL.into_iter().all(permits)
    }

    fn max_symbols(&self) -> usize {
        self.grant().map_or(usize::MAX, |grant| grant.key().max_symbols()).min(self.limits.symbols)
    }

    /// Whether the acknowledgement, with the names that it rejects, stays within its limit once these are
    /// added.
    fn fits_in_acknowledgement(&self, added: &SymbolsByChannel, extensions: Option<&Extensions>) -> bool {
        let limit = self.limits.acknowledged_bytes;
        let listed = self.subscriptions.acknowledged_bytes_with(added, limit);
        listed + extensions.map_or(0, |extensions| self.extension_bytes(added, extensions)) <= limit
    }

    /// The bytes of what an acknowledgement returns of this command: its id and the names that it rejects.
    fn extension_bytes(&self, named: &SymbolsByChannel, extensions: &Extensions) -> usize {
        let symbols = Channel::ALL.into_iter().flat_map(|channel| &named.of(channel).symbols);
        let unknown = symbols.filter(|symbol| self.universe.find(symbol).is_none());
        let rejected: usize = unknown.map(|symbol| symbol.as_str().len() + 3).sum();
        let id = match &extensions.id {
            Some(RequestId::Text(text)) => text.len(),
            Some(RequestId::Number(_)) | None => 0,
        };
        rejected + extensions.rejected.bytes() + id
    }

    fn acknowledge(
        &mut self,
        named: &SymbolsByChannel,
        changes: Vec<SubscriptionChange>,
        extensions: Option<Extensions>,
    ) -> CommandOutcome {
        let Some(extensions) = extensions else {
            return CommandOutcome { changes, ..CommandOutcome::only(self.subscription(None)) };
        };
        let options = self.grant_options(&extensions);
        let resume = extensions.resume.as_ref();
        let changed = ChangedStreams::new(&changes);
        let resume = resume.map_or_else(Vec::new, |resume| self.resume_points(resume, &changed));
        let snapshot = match extensions.snapshot {
            true => self.snapshot(named, &changed, &resume),
            false => Vec::new(),
        };
        let bytes = self.subscriptions.acknowledged_bytes() + self.extension_bytes(named, &extensions);
        let (id, rejected) = match bytes <= self.limits.acknowledged_bytes {
            true => (extensions.id, self.rejected(named, extensions.rejected)),
            // Only an unsubscribe comes here: a subscribe is refused.
            false => (None, BTreeMap::new()),
        };
        let granted = GrantedExtensions {
            id,
            epoch: self.epoch.to_string(),
            conflate_ms: self.conflate_ms,
            heartbeat_ms: self.heartbeat_ms,
            rejected,
        };
        let response = self.subscription(Some(granted));
        CommandOutcome { changes, options: Some(options), response, resume, snapshot, close: None }
    }

    /// Grants the requested options within their bounds; those that were not mentioned stay.
    fn grant_options(&mut self, requested: &Extensions) -> SessionOptions {
        if let Some(conflate_ms) = requested.conflate_ms {
            self.conflate_ms = conflate_ms.min(MAX_OPTION_MS);
        }
        if let Some(heartbeat_ms) = requested.heartbeat_ms {
            self.heartbeat_ms = match heartbeat_ms {
                0 => 0,
                some => some.clamp(MIN_HEARTBEAT_MS, MAX_OPTION_MS),
            };
        }
        SessionOptions {
            interval: Duration::from_millis(self.conflate_ms.into()),
            heartbeat: Duration::from_millis(self.heartbeat_ms.into()),
        }
    }

    /// The points from which streams continue that this command subscribes. Streams that were
    /// subscribed before are excluded: a replay would come after newer objects.
    fn resume_points(&self, resume: &ResumeRequest, changed: &ChangedStreams) -> Vec<ResumePoint> {
        let is_our_epoch = resume.epoch == self.epoch.to_string();
        let points = resume.last.iter().filter_map(|(channel, symbol, last)| {
            let stream = StreamId::new(*channel, self.universe.find(symbol)?);
            let last = is_our_epoch.then_some(Seq(*last));
            changed.begins(stream).then_some(ResumePoint { stream, last })
        });
        points.collect()
    }

    /// What of a command is not in force: the symbols that the market does not know, and what is malformed.
    fn rejected(&self, named: &SymbolsByChannel, rejected: Rejected) -> BTreeMap<&'static str, Vec<String>> {
        let mut all = self.unknown_symbols(named);
        for (channel, malformed) in rejected.symbols {
            all.entry(channel.name()).or_default().extend(malformed.into_names());
        }
        for (key, names) in [("channels", rejected.channels), ("x", rejected.options)] {
            if !names.is_empty() {
                all.insert(key, names.into_names().collect());
            }
        }
        all
    }

    /// The snapshot of the named streams that are subscribed and do not resume.
    fn snapshot(
        &self,
        named: &SymbolsByChannel,
        changed: &ChangedStreams,
        resume: &[ResumePoint],
    ) -> Vec<SnapshotPart> {
        let resumed: FxHashSet<_> = resume.iter().map(|point| point.stream).collect();
        let part = |stream: StreamId| match changed.begins(stream) {
            true => SnapshotPart::Stream(stream, SnapshotKind::First),
            false => SnapshotPart::Stream(stream, SnapshotKind::Repeat),
        };
        let mut parts = Vec::new();
        for channel in Channel::ALL {
            let selected = named.of(channel);
            if selected.all && self.subscriptions.includes_all(channel) {
                let begins = changed.0.contains(&SubscriptionChange::AddAll(channel));
                let kind = if begins { SnapshotKind::First } else { SnapshotKind::Repeat };
                parts.push(SnapshotPart::Channel(channel, kind));
                let known = changed.0.iter().filter_map(|change| match change {
                    SubscriptionChange::Remove(stream) if stream.channel() == channel => Some(*stream),
                    _ => None,
                });
                parts.extend(known.map(part));
            } else {
                let named = match selected.all {
                    true => self.subscriptions.of(channel).symbols,
                    false => selected.symbols.clone(),
                };
                let known = named.iter().filter_map(|symbol| self.universe.find(symbol));
                let streams = known.map(|symbol| StreamId::new(channel, symbol));
                let is_subscribed = |stream: &StreamId| self.subscriptions.includes(*stream, &self.universe);
                parts.extend(
                    streams.filter(is_subscribed).filter(|stream| !resumed.contains(stream)).map(part),
                );
            }
        }
        parts
    }

    /// The names in a command that the market does not know.
    fn unknown_symbols(&self, named: &SymbolsByChannel) -> BTreeMap<&'static str, Vec<String>> {
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

    fn subscription(&self, granted: Option<GrantedExtensions>) -> ControlMessage {
        let current = Subscription::of(|channel: Channel| self.subscriptions.of(channel), granted);
        ControlMessage::Subscription(Box::new(current))
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
