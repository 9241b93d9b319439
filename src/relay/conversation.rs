use std::time::{Duration, Instant};

use super::back_off::{BackOff, Jitter};
use super::settings::ReconnectDelays;
use crate::wire::{Acknowledgement, ServerMessage};

/// The conversation with an upstream, over one connection after another: what to do when something happens.
///
/// Pure: the time and the randomness of delays are arguments. Its owner carries out the actions, and comes back at
/// [`wake_at`](Self::wake_at).
#[derive(Debug)]
pub(super) struct Conversation {
    credentials: UpstreamCredentials,
    phase: ConversationPhase,
    /// When an object or a heartbeat last came.
    data_at: Instant,
    ping: PingState,
    numbering: Numbering,
    back_off: BackOff,
    /// The delays after the upstream has said that all its places are taken.
    slot_back_off: BackOff,
}

/// Whether there is a key for the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpstreamCredentials {
    /// The upstream is asked for nothing.
    None,
    /// The upstream is sent a key and its secret.
    Key,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConversationInput {
    /// Time has passed.
    Time,
    /// The connection is open.
    Opened,
    /// There is no connection, for this reason.
    Ended(String),
    /// A control message.
    Control(ServerMessage),
    /// A message with objects.
    Data,
    /// A pong.
    Pong,
    /// The subscription was sent.
    Subscribed,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConversationAction {
    /// Open a connection.
    Connect,
    /// Send the key.
    Authenticate,
    /// Find out what to subscribe to, and send it.
    Subscribe,
    /// Send a ping.
    Ping,
    /// End the connection, if there is one.
    Disconnect,
    /// Tell that the subscription is in force, and what is known of the feed.
    TellLive(Acknowledgement),
    /// Tell that there is no connection, for this reason.
    TellDown(String),
    /// Tell that there will be no other attempt, for this reason.
    TellStopped(String),
    /// Count an error with this code.
    CountRefusal(u16),
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConversationPhase {
    /// No connection before this time.
    Down { until: Instant },
    /// The upstream owes the next step by this time.
    Waiting { step: Step, until: Instant },
    /// The subscription is in force since this time.
    Live { since: Instant },
    /// There is no other attempt.
    Stopped,
}

/// A step towards a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connection,
    Greeting,
    Authentication,
    /// Our own: what to subscribe to.
    Subscription,
    Acknowledgement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingState {
    Answered(Instant),
    Sent(Instant),
}

/// Whether the upstream numbers its objects: then it sends heartbeats too, as it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbering {
    None,
    Epoch,
}

/// The time for each step of the handshake.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// The interval of pings, and the time for the answer.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PONG_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time without a message of an upstream that was asked for a heartbeat each second.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time without an object of an upstream that has no heartbeats. Longer than a market that trades is ever
/// silent; when it is closed, connecting anew costs little.
const DATA_TIMEOUT: Duration = Duration::from_secs(300);

/// The time for which a connection must have been live before delays begin with the first one again: an upstream that
/// accepts and then fails would be asked once a second otherwise.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

impl Conversation {
    /// A conversation that begins now.
    pub(super) fn new(credentials: UpstreamCredentials, delays: ReconnectDelays, now: Instant) -> Self {
        Self {
            credentials,
            phase: ConversationPhase::Down { until: now },
            data_at: now,
            ping: PingState::Answered(now),
            numbering: Numbering::None,
            back_off: BackOff::new(delays.failure),
            slot_back_off: BackOff::new(delays.slot),
        }
    }

    /// When to come back with [`ConversationInput::Time`]; `None` if never.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        match self.phase {
            ConversationPhase::Down { until } => Some(until),
            ConversationPhase::Waiting { until, step: Step::Connection } => Some(until),
            ConversationPhase::Waiting { until, .. } => Some(until.min(self.ping_due())),
            ConversationPhase::Live { .. } => Some(self.silent_at().min(self.ping_due())),
            ConversationPhase::Stopped => None,
        }
    }

    /// What is to be done after this input, in order.
    pub(super) fn handle(
        &mut self,
        input: ConversationInput,
        now: Instant,
        jitter: Jitter,
    ) -> Vec<ConversationAction> {
        match input {
            ConversationInput::Time => self.pass_time(now, jitter),
            ConversationInput::Opened => {
                self.ping = PingState::Answered(now);
                self.wait_for(Step::Greeting, now);
                Vec::new()
            }
            ConversationInput::Ended(reason) => self.go_down(reason, now, jitter),
            ConversationInput::Pong => {
                self.ping = PingState::Answered(now);
                Vec::new()
            }
            ConversationInput::Data => {
                self.data_at = now;
                Vec::new()
            }
            ConversationInput::Subscribed => {
                if self.is_waiting_for(Step::Subscription) {
                    self.wait_for(Step::Acknowledgement, now);
                }
                Vec::new()
            }
            ConversationInput::Control(message) => self.control(&message, now, jitter),
        }
    }

    fn control(&mut self, message: &ServerMessage, now: Instant, jitter: Jitter) -> Vec<ConversationAction> {
        match message {
            ServerMessage::Connected if self.is_waiting_for(Step::Greeting) => match self.credentials {
                UpstreamCredentials::Key => {
                    self.wait_for(Step::Authentication, now);
                    vec![ConversationAction::Authenticate]
                }
                UpstreamCredentials::None => self.subscribe(now),
            },
            ServerMessage::Authenticated if self.is_waiting_for(Step::Authentication) => self.subscribe(now),
            ServerMessage::Subscription(feed) if self.is_waiting_for(Step::Acknowledgement) => {
                self.phase = ConversationPhase::Live { since: now };
                self.numbering = if feed.epoch.is_some() { Numbering::Epoch } else { Numbering::None };
                self.data_at = now;
                vec![ConversationAction::TellLive(*feed)]
            }
            ServerMessage::Heartbeat { .. } => {
                self.data_at = now;
                Vec::new()
            }
            ServerMessage::Error { code, message } => {
                let mut actions = vec![ConversationAction::CountRefusal(*code)];
                actions.extend(self.refused(*code, message, now, jitter));
                actions
            }
            _ => Vec::new(),
        }
    }

    /// What an error of the upstream means.
    fn refused(&mut self, code: u16, message: &str, now: Instant, jitter: Jitter) -> Vec<ConversationAction> {
        if matches!(self.phase, ConversationPhase::Stopped) {
            return Vec::new();
        }
        let reason = format!("the upstream refuses: {code} {message}");
        match (code, self.phase) {
            // The key is wrong, or does not include this feed: asking again changes nothing.
            (402 | 409 | 411, _) => {
                self.phase = ConversationPhase::Stopped;
                vec![ConversationAction::Disconnect, ConversationAction::TellStopped(reason)]
            }
            (406, _) => {
                let until = now + self.slot_back_off.next(jitter);
                self.phase = ConversationPhase::Down { until };
                vec![ConversationAction::Disconnect, ConversationAction::TellDown(reason)]
            }
            (403, ConversationPhase::Waiting { step: Step::Authentication, .. }) => self.subscribe(now),
            // Slow (it closes if it must), and a channel that this feed does not have.
            (407 | 410, _) => Vec::new(),
            // The subscription that is in force stays.
            (400 | 405, ConversationPhase::Live { .. }) => Vec::new(),
            _ => self.go_down(reason, now, jitter),
        }
    }

    fn subscribe(&mut self, now: Instant) -> Vec<ConversationAction> {
        self.wait_for(Step::Subscription, now);
        vec![ConversationAction::Subscribe]
    }

    fn pass_time(&mut self, now: Instant, jitter: Jitter) -> Vec<ConversationAction> {
        match self.phase {
            ConversationPhase::Down { until } if until <= now => {
                self.wait_for(Step::Connection, now);
                vec![ConversationAction::Connect]
            }
            ConversationPhase::Waiting { step, until } if until <= now => {
                self.go_down(format!("the upstream does not answer: no {}", step.name()), now, jitter)
            }
            ConversationPhase::Live { .. } if self.silent_at() <= now => {
                self.go_down("the upstream sends nothing".to_owned(), now, jitter)
            }
            ConversationPhase::Live { .. } | ConversationPhase::Waiting { .. } if self.ping_due() <= now => {
                self.check(now, jitter)
            }
            _ => Vec::new(),
        }
    }

    /// Sends the ping that is due, or ends a connection that did not answer the last one.
    fn check(&mut self, now: Instant, jitter: Jitter) -> Vec<ConversationAction> {
        match (self.ping, self.phase) {
            (_, ConversationPhase::Waiting { step: Step::Connection, .. }) => Vec::new(),
            (PingState::Answered(_), _) => {
                self.ping = PingState::Sent(now);
                vec![ConversationAction::Ping]
            }
            (PingState::Sent(_), _) => {
                self.go_down("the upstream does not answer pings".to_owned(), now, jitter)
            }
        }
    }

    /// When the next ping is to be sent, or the last one to be answered.
    fn ping_due(&self) -> Instant {
        match self.ping {
            PingState::Answered(at) => at + PING_INTERVAL,
            PingState::Sent(at) => at + PONG_TIMEOUT,
        }
    }

    /// When the upstream has sent nothing for too long. A pong is nothing.
    fn silent_at(&self) -> Instant {
        match self.numbering {
            Numbering::Epoch => self.data_at + HEARTBEAT_TIMEOUT,
            Numbering::None => self.data_at + DATA_TIMEOUT,
        }
    }

    fn go_down(&mut self, reason: String, now: Instant, jitter: Jitter) -> Vec<ConversationAction> {
        match self.phase {
            ConversationPhase::Down { .. } | ConversationPhase::Stopped => return Vec::new(),
            ConversationPhase::Live { since } if now.saturating_duration_since(since) >= HEALTHY_AFTER => {
                self.back_off.reset();
                self.slot_back_off.reset();
            }
            ConversationPhase::Live { .. } | ConversationPhase::Waiting { .. } => {}
        }
        self.phase = ConversationPhase::Down { until: now + self.back_off.next(jitter) };
        vec![ConversationAction::Disconnect, ConversationAction::TellDown(reason)]
    }

    fn wait_for(&mut self, step: Step, now: Instant) {
        self.phase = ConversationPhase::Waiting { step, until: now + STEP_TIMEOUT };
    }

    fn is_waiting_for(&self, wanted: Step) -> bool {
        matches!(self.phase, ConversationPhase::Waiting { step, .. } if step == wanted)
    }
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Greeting => "greeting",
            Self::Authentication => "answer to the key",
            Self::Subscription => "subscription",
            Self::Acknowledgement => "acknowledgement of the subscription",
        }
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
