use std::iter;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use super::authenticator::{Authenticator, close_of, error_of};
use super::command_outcome::CommandOutcome;
use super::limits::Limits;
use super::subscription_state::SubscriptionState;
use super::subscriptions::Subscriptions;
use crate::auth::{Credentials, Denied, Grant};
use crate::model::{Channel, CurrentTradeRules, Epoch, Symbol, Universe, UniverseSize};
use crate::source::SymbolInterest;
use crate::topics::Namespaces;
use crate::wire::{Close, Command, ControlMessage, ErrorCode, InvalidCommand, SymbolsByChannel};

/// The protocol state of one session: what a command means, and what the response is.
///
/// Pure: it reads no clock and touches no socket. Without an authenticator the service is open: any
/// key is accepted, and a client without one may subscribe too.
#[derive(Debug)]
pub struct Protocol {
    subscription: SubscriptionState,
    authenticator: Option<Authenticator>,
    auth: AuthState,
}

/// A command after the check of what the client may do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and it is taken apart at once")]
pub(super) enum CheckedCommand {
    /// It is executed already, or refused.
    Answered(CommandOutcome),
    /// It changes the subscription.
    Permitted {
        /// The command.
        command: Command,
        /// The most names that the client may have.
        max_symbols: usize,
    },
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

impl Protocol {
    /// The state before the first command. With an authenticator nothing is subscribed before a valid
    /// key is shown.
    pub fn new(
        universe: Arc<Universe>,
        epoch: Epoch,
        limits: Limits,
        authenticator: Option<Authenticator>,
    ) -> Self {
        let subscription = SubscriptionState::new(universe, epoch, (&limits).into());
        Self { subscription, authenticator, auth: AuthState::Anonymous }
    }

    /// The same, over a source that gives symbols on demand.
    #[must_use]
    pub fn demanding(mut self, interest: Option<SymbolInterest>) -> Self {
        self.subscription.interest = interest.map(Box::new);
        self
    }

    /// The same, with the topics of these namespaces.
    #[must_use]
    pub fn with_topics(mut self, namespaces: Arc<Namespaces>) -> Self {
        self.subscription.namespaces = namespaces;
        self
    }

    /// The same, telling of which tape the trades are.
    #[must_use]
    pub fn with_rules(mut self, rules: CurrentTradeRules) -> Self {
        self.subscription.rules = rules;
        self
    }

    /// What is sent before the first command, to a client whose upgrade request had these credentials.
    pub fn greet(&mut self, credentials: Option<&Credentials>) -> Greeting {
        let (answer, close) = match credentials.map(|credentials| self.authenticate(credentials)) {
            None => (None, None),
            Some(Ok(())) => (Some(ControlMessage::AUTHENTICATED), None),
            Some(Err(denied)) => (Some(error_of(denied)), Some(close_of(denied))),
        };
        Greeting { messages: iter::once(ControlMessage::CONNECTED).chain(answer).collect(), close }
    }

    /// Whether a key must be shown before anything else.
    pub fn awaits_key(&self) -> bool {
        self.authenticator.is_some() && matches!(self.auth, AuthState::Anonymous)
    }

    /// Continues with a universe that has instruments or topics appended to the present one; returns its size before.
    pub fn extend_universe(&mut self, universe: Arc<Universe>) -> UniverseSize {
        self.subscription.extend_universe(universe)
    }

    /// Sets the epoch of the numbers, in which the next command is answered.
    pub const fn set_epoch(&mut self, epoch: Epoch) {
        self.subscription.epoch = epoch;
    }

    /// What the client subscribes to.
    pub fn subscriptions(&self) -> &Subscriptions {
        &self.subscription.subscriptions
    }

    /// The streams and names that a command touches, roughly.
    pub fn work_of(&self, command: Option<&Command>) -> usize {
        self.subscription.work_of(command)
    }

    /// Executes a command, as far as the protocol state is concerned.
    pub fn answer(&mut self, command: Result<Command, InvalidCommand>) -> CommandOutcome {
        match self.check(command) {
            CheckedCommand::Answered(outcome) => outcome,
            CheckedCommand::Permitted { command, max_symbols } => {
                self.subscription.answer(command, max_symbols)
            }
        }
    }

    /// Checks whether the client may send a command, and executes those that concern no subscription.
    pub(super) fn check(&mut self, command: Result<Command, InvalidCommand>) -> CheckedCommand {
        let id = command.as_ref().ok().and_then(Command::id).cloned();
        let outcome = match command {
            Err(error) => CommandOutcome::only(error.into()),
            Ok(Command::Auth { key, secret }) => {
                let credentials = Credentials { key, secret };
                let outcome = match &self.auth {
                    AuthState::Authenticated(_) => self.renew(&credentials),
                    AuthState::Anonymous => self
                        .authenticate(&credentials)
                        .map(|()| CommandOutcome::only(ControlMessage::AUTHENTICATED)),
                };
                outcome.unwrap_or_else(|denied| {
                    let refused = CommandOutcome::only(error_of(denied));
                    // A client that guesses must not keep its connection for the whole authentication timeout.
                    let close = (denied == Denied::FailedAttempts).then(|| close_of(denied));
                    CommandOutcome { close, ..refused }
                })
            }
            Ok(_) if self.awaits_key() => CommandOutcome::only(ErrorCode::NotAuthenticated.into()),
            Ok(Command::Publish(_) | Command::Presence(_)) => {
                CommandOutcome::only(ErrorCode::NoSuchTopic.into())
            }
            Ok(Command::Subscribe(added, _)) if !self.is_permitted(&added) => {
                CommandOutcome::only(ErrorCode::InsufficientSubscription.into())
            }
            Ok(command) => return CheckedCommand::Permitted { command, max_symbols: self.max_symbols() },
        };
        CheckedCommand::Answered(outcome.answering(id))
    }

    /// What the client subscribes to, for a command that is executed elsewhere. Until it is
    /// [put back](Self::put_subscription) no command must be executed.
    pub(super) fn take_subscription(&mut self) -> SubscriptionState {
        let SubscriptionState { universe, epoch, limits, .. } = &self.subscription;
        let empty = SubscriptionState::new(Arc::clone(universe), *epoch, *limits);
        std::mem::replace(&mut self.subscription, empty)
    }

    /// Takes back what [`take_subscription`](Self::take_subscription) gave.
    pub(super) fn put_subscription(&mut self, subscription: SubscriptionState) {
        self.subscription = subscription;
    }

    fn authenticate(&mut self, credentials: &Credentials) -> Result<(), Denied> {
        let authenticator = self.authenticator.as_ref();
        let grant = authenticator.map(|authenticator| authenticator.authenticate(credentials)).transpose()?;
        self.auth = AuthState::Authenticated(grant);
        Ok(())
    }

    /// What to wait for before this command is executed: keys of tokens, for an `auth`.
    pub(super) fn prepare(&self, command: &Command) -> Option<LocalBoxFuture<'static, ()>> {
        let Command::Auth { key, secret } = command else { return None };
        let credentials = Credentials { key: key.clone(), secret: secret.clone() };
        self.authenticator.as_ref()?.prepare(&credentials)
    }

    /// Goes on with a newer token of the same subject, of which the session keeps what that still includes. Any other
    /// second `auth` changes nothing.
    fn renew(&mut self, credentials: &Credentials) -> Result<CommandOutcome, Denied> {
        let refused = || CommandOutcome::only(ErrorCode::AlreadyAuthenticated.into());
        let AuthState::Authenticated(Some(grant)) = &mut self.auth else { return Ok(refused()) };
        let is_renewable = grant.key().expires().is_some() && credentials.token().is_some();
        let Some(authenticator) = self.authenticator.as_ref().filter(|_| is_renewable) else {
            return Ok(refused());
        };
        let key = authenticator.renew(credentials)?;
        if key.id() != grant.key().id() {
            let why = "the token is of another subject: open another session for it; nothing changed";
            return Ok(CommandOutcome::only(ErrorCode::AlreadyAuthenticated.because(why)));
        }
        grant.renew(key);
        let key = grant.key();
        let may_subscribe = |channel: Channel, symbol: &Symbol| match channel.is_of_topics() {
            true => key.topics().allow_subscription(symbol.as_str()),
            false => key.allows_symbol(symbol),
        };
        let may_have_all = |channel: Channel| match channel.is_of_topics() {
            true => key.topics().allow_all_subscriptions(),
            false => key.allows_all_symbols(),
        };
        let left = self.subscription.restrict(may_subscribe, may_have_all);
        Ok(match left {
            Some(left) => CommandOutcome { preface: Some(ControlMessage::AUTHENTICATED), ..left },
            None => CommandOutcome::only(ControlMessage::AUTHENTICATED),
        })
    }

    /// What the client's key permits; `None` permits everything.
    pub(super) fn grant(&self) -> Option<&Grant> {
        match &self.auth {
            AuthState::Authenticated(grant) => grant.as_ref(),
            AuthState::Anonymous => None,
        }
    }

    /// Whether the client's key permits all that is named. Topics are no market data, to which alone its symbols apply.
    fn is_permitted(&self, named: &SymbolsByChannel) -> bool {
        self.permits_topics(named) && self.permits_market(named)
    }

    fn permits_topics(&self, named: &SymbolsByChannel) -> bool {
        let Some(grant) = self.grant() else { return true };
        let (topics, rights) = (named.of(Channel::Messages), grant.key().topics());
        let is_all_permitted = !topics.all || rights.allow_all_subscriptions();
        is_all_permitted && topics.symbols.iter().all(|topic| rights.allow_subscription(topic.as_str()))
    }

    fn permits_market(&self, named: &SymbolsByChannel) -> bool {
        let Some(grant) = self.grant().filter(|grant| !grant.key().allows_all_symbols()) else { return true };
        let permits = |channel: Channel| {
            let selected = named.of(channel);
            !selected.all && selected.symbols.iter().all(|symbol| grant.key().allows_symbol(symbol))
        };
        Channel::MARKET.into_iter().all(permits)
    }

    fn max_symbols(&self) -> usize {
        self.grant()
            .map_or(usize::MAX, |grant| grant.key().max_symbols())
            .min(self.subscription.limits.symbols)
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
