//! The form in which programs publish to topics, over HTTP and over NATS: that of Centrifugo's server API.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Namespace, Namespaces, Publication, PublicationNumber, PublishRefusal};
use crate::model::{Symbol, Universe};

/// The longest idempotency key in bytes. Centrifugo's own limit is that of a channel's name.
const LONGEST_KEY: usize = 255;

/// A message as programs publish it, in Centrifugo's form. Keys that this server does not know are ignored, as there.
#[derive(Debug, Deserialize)]
pub struct PublishRequest {
    /// The topic.
    pub channel: String,
    /// The data.
    pub data: Value,
    /// The key by which it is published once.
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

impl PublishRequest {
    /// The message for the feed, of this publisher.
    ///
    /// # Errors
    /// When there is no such topic, or the message is against the rules of its namespace.
    pub fn publication(
        &self,
        namespaces: &Namespaces,
        universe: &Universe,
        by: Option<&str>,
    ) -> Result<Publication, ApiFault> {
        let (topic, namespace) = find(&self.channel, namespaces, universe)?;
        publication(topic, &namespace, &self.data, by, self.idempotency_key.as_deref())
    }
}

/// Reads a request.
///
/// # Errors
/// When it is none.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiFault> {
    serde_json::from_slice(body).map_err(|error| ApiFault::bad_request(error.to_string()))
}

/// The topic of this name and its namespace.
///
/// # Errors
/// When there is no such topic.
pub fn find(
    channel: &str,
    namespaces: &Namespaces,
    universe: &Universe,
) -> Result<(Symbol, Arc<Namespace>), ApiFault> {
    let topic: Symbol = channel.parse().map_err(|_| ApiFault::unknown_channel(channel))?;
    let namespace = namespaces.of(&topic, universe).ok_or_else(|| ApiFault::unknown_channel(channel))?;
    Ok((topic, namespace))
}

/// The message with this data and idempotency key.
///
/// # Errors
/// When it is against the rules of its namespace.
pub fn publication(
    topic: Symbol,
    namespace: &Namespace,
    data: &Value,
    by: Option<&str>,
    key: Option<&str>,
) -> Result<Publication, ApiFault> {
    if key.is_some_and(|key| key.len() > LONGEST_KEY) {
        return Err(ApiFault::bad_request("the idempotency_key has more than 255 bytes"));
    }
    if data.is_null() {
        return Err(ApiFault::bad_request("data: expected a value other than null"));
    }
    let message = namespace.message(data, by)?;
    let message = match key.filter(|key| !key.is_empty()) {
        Some(key) => message.with_idempotency_key(key),
        None => message,
    };
    Ok(Publication { topic, message: message.into() })
}

/// An error in Centrifugo's manner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFault {
    /// What a program acts on.
    pub code: u16,
    /// What a person reads.
    pub message: String,
}

impl ApiFault {
    /// An error with this code.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A request that is not valid.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(107, message)
    }

    /// A topic that may not exist.
    pub fn unknown_channel(topic: &str) -> Self {
        Self::new(102, format!("unknown channel: {topic}"))
    }
}

impl From<PublishRefusal> for ApiFault {
    fn from(refusal: PublishRefusal) -> Self {
        let code = match refusal {
            PublishRefusal::NoSuchTopic => 102,
            PublishRefusal::NotPermitted(_) | PublishRefusal::Muted { .. } => 103,
            PublishRefusal::TooBig { .. }
            | PublishRefusal::TooDeep
            | PublishRefusal::ControlCharacter
            | PublishRefusal::NoSuchMessage
            | PublishRefusal::TakenBackAlready
            | PublishRefusal::IsDeletion => 107,
            PublishRefusal::TooFast { .. } | PublishRefusal::TooManyRestrictions => 111,
            PublishRefusal::Unanswered => 100,
        };
        Self::new(code, refusal.to_string())
    }
}

/// The JSON of an answer.
pub fn answer_object(result: Result<Value, ApiFault>) -> Value {
    match result {
        Ok(result) => json!({ "result": result }),
        Err(ApiFault { code, message }) => json!({"error": {"code": code, "message": message}}),
    }
}

/// The result of a publication.
pub fn published(PublicationNumber { seq, epoch }: PublicationNumber) -> Value {
    json!({"offset": seq.0, "epoch": epoch.to_string()})
}
