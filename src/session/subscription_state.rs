use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::command_outcome::{CommandOutcome, ResumePoint, SessionOptions, SnapshotPart};
use super::limits::Limits;
use super::outbox::{SnapshotKind, TickerExtent, TickerForm};
use super::subscriptions::Subscriptions;
use crate::hub::SubscriptionChange;
use crate::model::{Channel, CurrentTradeRules, Epoch, Seq, StreamId, Symbol, Universe, UniverseSize};
use crate::source::{ON_DEMAND, SymbolInterest};
use crate::topics::Namespaces;
use crate::wire::{
    Close, Command, ControlMessage, ErrorCode, Extensions, FieldsRequest, GrantedExtensions, GrantedFields,
    Rejected, RejectedValues, RequestId, ResumeRequest, Subscription, SymbolList, SymbolsByChannel,
    TickerFields,
};

/// The longest interval (`conflate_ms`) and the longest time between two heartbeats.
const MAX_OPTION_MS: u32 = 60_000;

/// The shortest time between two heartbeats.
const MIN_HEARTBEAT_MS: u32 = 100;

/// What one client subscribes to, with which options, and what a command changes in it.
///
/// It can be sent to another thread: a command of 30,000 names takes 10 ms there and not on the worker.
#[derive(Debug)]
pub(super) struct SubscriptionState {
    pub(super) universe: Arc<Universe>,
    pub(super) epoch: Epoch,
    pub(super) limits: SubscriptionLimits,
    pub(super) subscriptions: Subscriptions,
    /// The symbols that the source gives because the client subscribes to them; `None` if it gives all that it has.
    pub(super) interest: Option<Box<SymbolInterest>>,
    /// Which topics there may be.
    pub(super) namespaces: Arc<Namespaces>,
    /// Which trades are the last price.
    pub(super) rules: CurrentTradeRules,
    conflate_ms: u32,
    heartbeat_ms: u32,
    /// The fields of tickers that the client selected; `None` if it gets all.
    fields: Option<TickerFields>,
    delta: bool,
    /// Whether the client sent `x` in a command.
    opted_in: bool,
}

/// How much a client may subscribe to: these of its [`Limits`].
#[derive(Clone, Copy, Debug)]
pub(super) struct SubscriptionLimits {
    pub(super) symbols: usize,
    pub(super) acknowledged_bytes: usize,
}

impl From<&Limits> for SubscriptionLimits {
    fn from(limits: &Limits) -> Self {
        Self { symbols: limits.symbols, acknowledged_bytes: limits.acknowledged_bytes }
    }
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

impl SubscriptionState {
    /// No subscription.
    pub(super) fn new(universe: Arc<Universe>, epoch: Epoch, limits: SubscriptionLimits) -> Self {
        Self {
            universe,
            epoch,
            limits,
            subscriptions: Subscriptions::default(),
            interest: None,
            namespaces: Arc::default(),
            rules: CurrentTradeRules::default(),
            conflate_ms: 0,
            heartbeat_ms: 0,
            fields: None,
            delta: false,
            opted_in: false,
        }
    }

    /// Continues with a universe that has instruments or topics appended to the present one; returns its size before.
    pub(super) fn extend_universe(&mut self, universe: Arc<Universe>) -> UniverseSize {
        std::mem::replace(&mut self.universe, universe).size()
    }

    /// The streams and names that a command touches, roughly: those of the acknowledgement, with an
    /// interval each stream that is sampled, and with a namespace each topic.
    pub(super) fn work_of(&self, command: Option<&Command>) -> usize {
        let (named, extensions) = match command {
            Some(Command::Subscribe(named, extensions) | Command::Unsubscribe(named, extensions)) => {
                (named, extensions)
            }
            // A newer token may include less.
            Some(Command::Auth { .. }) => return self.subscriptions.len(),
            _ => return 0,
        };
        let is_paced = self.conflate_ms > 0 || extensions.as_ref().is_some_and(|it| it.conflate_ms.is_some());
        let of_channel = |channel: Channel| {
            let is_all = named.of(channel).all || self.subscriptions.includes_all(channel);
            let sampled = is_paced && is_all && channel.conflates();
            if sampled { self.universe.len_of(channel) } else { 0 }
        };
        let sampled: usize = Channel::ALL.into_iter().map(of_channel).sum();
        let has_namespace =
            named.of(Channel::Messages).symbols.iter().any(|name| name.as_str().ends_with(":*"));
        // Each channel that follows another has lists of its own in the hub.
        let named = Channel::ALL
            .into_iter()
            .map(|channel| named.of(channel).len() * channel.with_followers().count());
        let expanded = if has_namespace { self.universe.topics().len() } else { 0 };
        self.subscriptions.len() + named.sum::<usize>() + sampled + expanded
    }

    /// Executes a command of a client that may have this many names.
    pub(super) fn answer(&mut self, command: Command, max_symbols: usize) -> CommandOutcome {
        let id = command.id().cloned();
        let command = self.with_topics_of_namespaces(command);
        self.execute(command, max_symbols).answering(id)
    }

    /// The command with the topics that `NAMESPACE:*` stands for: those that exist, or those that end with it.
    fn with_topics_of_namespaces(&self, mut command: Command) -> Command {
        match &mut command {
            Command::Subscribe(named, _) => {
                self.namespaces.expand(named, self.universe.topics().iter().map(|topic| topic.name));
            }
            Command::Unsubscribe(named, _) => {
                self.namespaces.expand(named, self.subscriptions.named(Channel::Messages).iter().copied());
            }
            _ => {}
        }
        command
    }

    /// Removes what the client may no longer subscribe to: names of market data, names of topics, and `*` of each.
    /// `None` if that is nothing.
    pub(super) fn restrict(
        &mut self,
        may_subscribe: impl Fn(Channel, &Symbol) -> bool,
        may_have_all: impl Fn(Channel) -> bool,
    ) -> Option<CommandOutcome> {
        let mut removed = SymbolsByChannel::default();
        for channel in Channel::ALL.into_iter().filter(|channel| channel.leader() == *channel) {
            let SymbolList { all, symbols } = self.subscriptions.of(channel);
            let symbols = symbols.into_iter().filter(|symbol| !may_subscribe(channel, symbol)).collect();
            removed.set(channel, SymbolList { all: all && !may_have_all(channel), symbols });
        }
        let extensions = self.opted_in.then(Extensions::default);
        (!removed.is_empty()).then(|| self.execute(Command::Unsubscribe(removed, extensions), usize::MAX))
    }

    fn execute(&mut self, command: Command, max_symbols: usize) -> CommandOutcome {
        match command {
            // These never come here: the protocol or the session executes them.
            Command::Auth { .. }
            | Command::Publish(_)
            | Command::Presence(_)
            | Command::Alert(_)
            | Command::Unalert(_) => CommandOutcome::only(ErrorCode::InvalidSyntax.into()),
            Command::Subscribe(added, _) if !self.subscriptions.has_room_for(&added, max_symbols) => {
                let why =
                    format!("a session may have at most {max_symbols} names; the subscription is unchanged");
                CommandOutcome::only(ErrorCode::SymbolLimit.because(why))
            }
            Command::Subscribe(added, extensions)
                if !self.fits_in_acknowledgement(&added, extensions.as_ref()) =>
            {
                let why = format!(
                    "the acknowledgement of all names may have at most {} bytes; the subscription is unchanged",
                    self.limits.acknowledged_bytes
                );
                CommandOutcome::only(ErrorCode::SymbolLimit.because(why))
            }
            Command::Subscribe(mut added, extensions) => {
                let refused = self.demand(&added);
                if let (Some(interest), false, None) = (&mut self.interest, refused.is_empty(), &extensions) {
                    let why = format!(
                        "the source gives at most {} symbols to all clients together; the subscription is unchanged",
                        interest.limit()
                    );
                    self.end_demand();
                    return CommandOutcome::only(ErrorCode::SymbolLimit.because(why));
                }
                let mut refused = added.take(&ON_DEMAND, &refused);
                refused.extend(added.take(&[Channel::Messages], &self.unknown_topics(&added)));
                let changes = self.subscriptions.add(&added, &self.universe);
                self.acknowledge(&added, &refused, changes, extensions)
            }
            Command::OtherStream => {
                let acknowledged = CommandOutcome::only(self.subscription(None));
                CommandOutcome { close: Some(Close::NoSuchChannel), ..acknowledged }
            }
            Command::Unsubscribe(removed, extensions) => {
                let changes = self.subscriptions.remove(&removed, &self.universe);
                self.end_demand();
                self.acknowledge(&removed, &SymbolsByChannel::default(), changes, extensions)
            }
        }
    }

    /// Demands the symbols of the source, if it gives none unasked; returns those that are refused.
    fn demand(&mut self, added: &SymbolsByChannel) -> Vec<Symbol> {
        let Some(interest) = &mut self.interest else { return Vec::new() };
        interest.add(ON_DEMAND.iter().flat_map(|channel| &added.of(*channel).symbols))
    }

    /// Ends the demand for symbols that are subscribed to no more.
    fn end_demand(&mut self) {
        let Self { interest, subscriptions, .. } = self;
        if let Some(interest) = interest {
            interest.retain(|symbol| ON_DEMAND.iter().any(|channel| subscriptions.names(*channel, symbol)));
        }
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
        let symbols = Channel::MARKET.into_iter().flat_map(|channel| &named.of(channel).symbols);
        let unknown = symbols.filter(|symbol| self.universe.find(symbol).is_none());
        let topics = self.unknown_topics(named);
        let rejected: usize = unknown.chain(&topics).map(|symbol| symbol.as_str().len() + 3).sum();
        let id = match &extensions.id {
            Some(RequestId::Text(text)) => text.len(),
            Some(RequestId::Number(_)) | None => 0,
        };
        rejected + extensions.rejected.bytes() + id
    }

    fn acknowledge(
        &mut self,
        named: &SymbolsByChannel,
        refused: &SymbolsByChannel,
        changes: Vec<SubscriptionChange>,
        extensions: Option<Extensions>,
    ) -> CommandOutcome {
        let Some(extensions) = extensions else {
            return CommandOutcome { changes, ..CommandOutcome::only(self.subscription(None)) };
        };
        self.opted_in = true;
        let options = self.grant_options(&extensions);
        let (mut resume, mut snapshot) = (Vec::new(), Vec::new());
        if extensions.resume.is_some() || extensions.snapshot {
            let changed = ChangedStreams::new(&changes);
            if let Some(request) = &extensions.resume {
                resume = self.resume_points(request, &changed);
            }
            if extensions.snapshot {
                snapshot = self.snapshot(named, &changed, &resume);
            }
        }
        let bytes = self.subscriptions.acknowledged_bytes() + self.extension_bytes(named, &extensions);
        let (id, rejected) = match bytes <= self.limits.acknowledged_bytes {
            true => (extensions.id, self.rejected(named, refused, extensions.rejected)),
            // Only an unsubscribe comes here: a subscribe is refused.
            false => (None, BTreeMap::new()),
        };
        let granted = GrantedExtensions {
            id,
            epoch: self.epoch.to_string(),
            conflate_ms: self.conflate_ms,
            heartbeat_ms: self.heartbeat_ms,
            tape: self.rules.get().tape(),
            fields: self.fields.map(GrantedFields),
            delta: self.delta,
            rejected,
        };
        let response = self.subscription(Some(granted));
        let (options, epoch) = (Some(options), Some(self.epoch));
        CommandOutcome { changes, options, epoch, preface: None, response, resume, snapshot, close: None }
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
        match requested.fields {
            FieldsRequest::Unchanged => {}
            FieldsRequest::All => self.fields = None,
            FieldsRequest::Tickers(fields) => self.fields = Some(fields),
        }
        self.delta = requested.delta.unwrap_or(self.delta);
        SessionOptions {
            interval: Duration::from_millis(self.conflate_ms.into()),
            heartbeat: Duration::from_millis(self.heartbeat_ms.into()),
            tickers: TickerForm {
                fields: self.fields.unwrap_or(TickerFields::ALL),
                extent: if self.delta { TickerExtent::Changes } else { TickerExtent::Whole },
            },
        }
    }

    /// The points from which streams continue that this command subscribes. Streams that were
    /// subscribed before are excluded: a replay would come after newer objects.
    fn resume_points(&self, resume: &ResumeRequest, changed: &ChangedStreams) -> Vec<ResumePoint> {
        let is_our_epoch = resume.epoch == self.epoch.to_string();
        let points = resume.last.iter().filter_map(|(channel, symbol, last)| {
            let stream = self.universe.find_stream(*channel, symbol)?;
            // The beginning of a topic is the same in every epoch.
            let is_beginning = *last == 0 && stream.is_of_topic();
            let last = (is_our_epoch || is_beginning).then_some(Seq(*last));
            changed.begins(stream).then_some(ResumePoint { stream, last })
        });
        // In the order of the tables that the worker reads.
        let mut points: Vec<_> = points.collect();
        points.sort_unstable_by_key(|point| point.stream);
        points
    }

    /// What of a command is not in force: the symbols that the market does not know, those that the source refuses,
    /// topics that may not exist, and what is malformed. All symbols of a source that gives them on demand are those that are demanded by name.
    fn rejected(
        &self,
        named: &SymbolsByChannel,
        refused: &SymbolsByChannel,
        rejected: Rejected,
    ) -> BTreeMap<&'static str, RejectedValues> {
        let mut all = self.unknown_symbols(named);
        for channel in ON_DEMAND {
            let is_partial = self.interest.is_some() && named.of(channel).all;
            let refused = refused.of(channel).symbols.iter().map(ToString::to_string);
            let refused: Vec<_> = refused.chain(is_partial.then(|| "*".to_owned())).collect();
            if !refused.is_empty() {
                all.entry(channel.name()).or_default().extend(refused);
            }
        }
        let topics = &refused.of(Channel::Messages).symbols;
        if !topics.is_empty() {
            let names = topics.iter().map(ToString::to_string);
            all.entry(Channel::Messages.name()).or_default().extend(names);
        }
        for (channel, malformed) in rejected.symbols {
            all.entry(channel.name()).or_default().extend(malformed.into_names());
        }
        for (key, names) in [("channels", rejected.channels), ("x", rejected.options)] {
            if !names.is_empty() {
                all.insert(key, names.into_names().collect());
            }
        }
        let mut all: BTreeMap<_, _> =
            all.into_iter().map(|(key, names)| (key, RejectedValues::Names(names))).collect();
        if !rejected.fields.is_empty() {
            let fields = rejected.fields.into_iter();
            let fields = fields.map(|(channel, names)| (channel, names.into_names().collect())).collect();
            all.insert("fields", RejectedValues::ByChannel(fields));
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
        // A name may stand in a command twice.
        let mut answered: FxHashSet<_> = resume.iter().map(|point| point.stream).collect();
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
                // Cancels and corrections have no snapshot.
                let is_brought = |it: Channel| it == channel || (it.is_of_topics() && it.leader() == channel);
                let brought = channel.with_followers().filter(|it| is_brought(*it));
                parts.extend(brought.map(|channel| SnapshotPart::Channel(channel, kind)));
                let known = changed.0.iter().filter_map(|change| match change {
                    SubscriptionChange::Remove(stream) if is_brought(stream.channel()) => Some(*stream),
                    _ => None,
                });
                parts.extend(known.map(part));
            } else {
                let named = match selected.all {
                    true => self.subscriptions.of(channel).symbols,
                    false => selected.symbols.clone(),
                };
                let streams = named.iter().filter_map(|name| self.universe.find_stream(channel, name));
                let is_subscribed = |stream: &StreamId| self.subscriptions.includes(*stream, &self.universe);
                parts.extend(
                    streams.filter(is_subscribed).filter(|stream| answered.insert(*stream)).map(part),
                );
            }
        }
        parts
    }

    /// The topics in a command that may not exist.
    fn unknown_topics(&self, named: &SymbolsByChannel) -> Vec<Symbol> {
        let topics = named.of(Channel::Messages).symbols.iter().copied();
        topics.filter(|topic| self.namespaces.of(topic, &self.universe).is_none()).collect()
    }

    /// The names in a command that the market does not know. One that gives symbols on demand may know any.
    fn unknown_symbols(&self, named: &SymbolsByChannel) -> BTreeMap<&'static str, Vec<String>> {
        if self.interest.is_some() {
            return BTreeMap::new();
        }
        let of_channel = |channel: Channel| {
            let symbols = named.of(channel).symbols.iter();
            let unknown: Vec<_> = symbols
                .filter(|symbol| self.universe.find(symbol).is_none())
                .map(ToString::to_string)
                .collect();
            (channel.name(), unknown)
        };
        Channel::MARKET.into_iter().map(of_channel).filter(|(_, unknown)| !unknown.is_empty()).collect()
    }

    fn subscription(&self, granted: Option<GrantedExtensions>) -> ControlMessage {
        let current = Subscription::of(|channel: Channel| self.subscriptions.of(channel), granted);
        ControlMessage::Subscription(Box::new(current))
    }
}
