use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use super::subscriptions::Subscriptions;
use crate::auth::{ClientLocation, Grant};
use crate::limits::TokenBucket;
use crate::model::{Channel, Symbol, Universe};
use crate::topics::{
    Attendance, Denial, MAX_DEPTH, Namespace, Namespaces, Presence, PresenceDetail, Publication,
    PublicationNumber, PublishRefusal, PublishRight,
};
use crate::wire::{
    Answered, ControlMessage, ErrorCode, PresenceQuery, PresenceReport, PublicationReceipt, PublishCommand,
};

/// Sends a message to the feed, which numbers it.
pub type PublishMessage =
    Rc<dyn Fn(Publication) -> LocalBoxFuture<'static, Result<PublicationNumber, PublishRefusal>>>;

/// The topics of a service, as its sessions see them.
#[derive(Clone)]
pub struct TopicAccess {
    /// The namespaces.
    pub namespaces: Arc<Namespaces>,
    /// Which sessions subscribe to which topics.
    pub presence: Presence,
    /// Where the client is.
    pub location: ClientLocation,
    /// Where messages go.
    pub publish: PublishMessage,
}

/// What one session does with topics besides the subscription: it publishes, and is present.
pub(super) struct SessionTopics {
    access: TopicAccess,
    /// The client's own name for the session.
    label: Option<Box<str>>,
    attendance: Attendance,
    /// The rate limit of its messages in each namespace where it published some; few sessions publish.
    rates: Option<Box<FxHashMap<Box<str>, TokenBucket>>>,
}

impl SessionTopics {
    pub(super) fn new(access: TopicAccess, label: Option<&str>) -> Self {
        let attendance = Attendance::new(access.presence.clone(), label);
        Self { access, label: label.map(Into::into), attendance, rates: None }
    }

    /// The session, which has this key, subscribes to these from now on.
    pub(super) fn attend(
        &mut self,
        subscriptions: &Subscriptions,
        grant: Option<&Grant>,
        universe: &Universe,
    ) {
        if let Some(grant) = grant {
            self.attendance.set_name(grant.key().id());
        }
        self.attendance.set(subscriptions.named(Channel::Messages), &self.access.namespaces, universe);
    }

    /// Checks a message of the client by the rules of its topic.
    ///
    /// The publisher's name is set here, never by the client's data: the key's id, so that no key speaks as another; the
    /// label of the session where no keys are required.
    ///
    /// # Errors
    /// When the client may not publish it.
    pub(super) fn check(
        &mut self,
        PublishCommand { topic, data, .. }: &PublishCommand,
        grant: Option<&Grant>,
        subscriptions: &Subscriptions,
        universe: &Universe,
        now: Instant,
    ) -> Result<Publication, PublishRefusal> {
        let namespace = self.access.namespaces.of(topic, universe).ok_or(PublishRefusal::NoSuchTopic)?;
        let key = grant.map(|grant| grant.key().id());
        let right = self.check_right(&namespace, topic, grant, subscriptions);
        right.map_err(PublishRefusal::NotPermitted)?;
        let message = namespace.message(data, key.or(self.label.as_deref()))?;
        let rate = namespace.session_rate;
        let rates = self.rates.get_or_insert_default();
        let bucket = rates.entry(namespace.name.clone()).or_insert_with(|| TokenBucket::new(rate, now));
        if !bucket.take(now) {
            return Err(PublishRefusal::TooFast { retry: bucket.next_token(now) });
        }
        Ok(Publication { topic: *topic, message: Arc::new(message) })
    }

    fn check_right(
        &self,
        namespace: &Namespace,
        topic: &Symbol,
        grant: Option<&Grant>,
        subscriptions: &Subscriptions,
    ) -> Result<(), Denial> {
        let key = grant.map(|grant| grant.key().id());
        let claim = grant.and_then(|grant| grant.key().topics().publishing(topic.as_str()));
        let subscribes =
            || subscriptions.includes_all(Channel::Messages) || subscriptions.names(Channel::Messages, topic);
        match (&namespace.publish, key) {
            (PublishRight::Nobody, _) => Err(Denial::ReadOnly),
            _ if claim == Some(false) => Err(Denial::NotIncluded),
            (PublishRight::LocalSubscribers, _) if self.access.location != ClientLocation::ThisMachine => {
                Err(Denial::OtherMachine)
            }
            (PublishRight::LocalSubscribers | PublishRight::Subscribers, _) if subscribes() => Ok(()),
            (PublishRight::LocalSubscribers | PublishRight::Subscribers, _) => Err(Denial::NotSubscribed),
            (PublishRight::Keys(_), None) => Err(Denial::NoKey),
            (PublishRight::Keys(_), Some(_)) if claim == Some(true) => Ok(()),
            (PublishRight::Keys(_), Some(key)) if namespace.publish.names_key(key) => Ok(()),
            (PublishRight::Keys(_), Some(_)) => Err(Denial::OtherKey),
        }
    }

    /// Sends a message to the feed.
    pub(super) fn publish(
        &self,
        publication: Publication,
    ) -> LocalBoxFuture<'static, Result<PublicationNumber, PublishRefusal>> {
        (self.access.publish)(publication)
    }

    /// Answers how many sessions subscribe to a topic.
    pub(super) fn presence(
        &self,
        query: PresenceQuery,
        grant: Option<&Grant>,
        universe: &Universe,
    ) -> ControlMessage {
        let PresenceQuery { topic, id } = query;
        let x = Answered::of(id);
        if grant.is_some_and(|grant| !grant.key().topics().allow_subscription(topic.as_str())) {
            return refusal(PublishRefusal::NotPermitted(Denial::NotIncluded), x);
        }
        let Some(namespace) = self.access.namespaces.of(&topic, universe) else {
            return refusal(PublishRefusal::NoSuchTopic, x);
        };
        if namespace.presence == PresenceDetail::Off {
            return refusal(PublishRefusal::NotPermitted(Denial::PresenceOff), x);
        }
        let presence = self.access.presence.at(&topic, namespace.presence);
        ControlMessage::Presence(PresenceReport {
            topic: topic.to_string(),
            sessions: presence.sessions,
            names: presence.names,
            list: presence.list,
            x,
        })
    }
}

/// The answer to a publication.
pub(super) fn answer(
    topic: &Symbol,
    result: Result<PublicationNumber, PublishRefusal>,
    x: Option<Answered>,
) -> ControlMessage {
    match result {
        Ok(PublicationNumber { seq, epoch }) => ControlMessage::Published(PublicationReceipt {
            topic: topic.to_string(),
            sq: seq.0,
            epoch: epoch.to_string(),
            x,
        }),
        Err(refused) => refusal(refused, x),
    }
}

/// The error for a command about a topic.
pub(super) fn refusal(refused: PublishRefusal, x: Option<Answered>) -> ControlMessage {
    let error: ControlMessage = match refused {
        PublishRefusal::NoSuchTopic => ErrorCode::NoSuchTopic.into(),
        PublishRefusal::NotPermitted(denial) => ErrorCode::NotPermitted.because(denial.to_string()),
        PublishRefusal::Muted { .. } => ErrorCode::NotPermitted.because(refused.to_string()),
        PublishRefusal::TooBig { max } => {
            ErrorCode::MessageTooBig.because(format!("the data may have at most {max} bytes as compact JSON"))
        }
        PublishRefusal::TooDeep => {
            ErrorCode::MessageTooBig.because(format!("the data may nest at most {MAX_DEPTH} deep"))
        }
        PublishRefusal::ControlCharacter => ErrorCode::InvalidSyntax
            .because("text of a message may have no control characters but tab and newline"),
        PublishRefusal::TooFast { .. } | PublishRefusal::TooManyRestrictions => ErrorCode::TooFast.into(),
        PublishRefusal::Unanswered => ErrorCode::InternalError.into(),
        // Of what sessions cannot ask for.
        PublishRefusal::NoSuchMessage | PublishRefusal::TakenBackAlready | PublishRefusal::IsDeletion => {
            ErrorCode::InvalidSyntax.because(refused.to_string())
        }
    };
    let mut error = error.answering(x);
    if let (ControlMessage::Error { retry_ms, .. }, PublishRefusal::TooFast { retry }) = (&mut error, refused)
    {
        // Rounded up, so that it is not too early.
        *retry_ms = Some(milliseconds(retry));
    }
    error
}

fn milliseconds(time: Duration) -> u64 {
    time.as_nanos().div_ceil(1_000_000) as u64
}

#[cfg(test)]
#[path = "topic_access_tests.rs"]
mod tests;
