//! Topics over HTTP, in the form of Centrifugo's server API, so that its clients work.
//!
//! An answer is 200 with `{"result":…}` or `{"error":{"code","message"}}`; other statuses are those of all requests.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, info};

use super::access::AccessPermit;
use super::admission::{check_own_page, check_page, client_address, record_request, sender_location};
use super::body::read_body;
use super::error::ApiError;
use super::feeds::ServedFeed;
use super::response;
use super::state::{AppState, hub_of};
use super::topics::TopicService;
use crate::archive::RetainedObject;
use crate::auth::ClientLocation;
use crate::hub::Hub;
use crate::model::{Seq, StreamId, Symbol, Topic};
use crate::topics::api::{self, ApiFault, PublishRequest, answer_object, published, read};
use crate::topics::{
    Denial, LONGEST_INTERVAL, LONGEST_MUTE, Moderation, MuteScope, Namespace, PresenceDetail, Publication,
    PublishRefusal,
};
use crate::wire::{TopicMessage, rfc3339};

/// The methods, each of which is the last part of a path below `/api/`.
/// Centrifugo has none of `take_back`, `mute`, `unmute` and `slow`.
pub(super) const METHODS: [&str; 9] =
    ["publish", "broadcast", "take_back", "history", "presence", "presence_stats", "mute", "unmute", "slow"];

/// Those that change nothing.
const READS: [&str; 3] = ["history", "presence", "presence_stats"];

/// The most bytes of a request: the longest data that a namespace may allow, twice.
pub(super) const MAX_BYTES: usize = 128 << 10;

/// The longest name of a publisher, in bytes.
const LONGEST_NAME: usize = 255;

/// The most bytes of data in the answer to one request for history; the first message is told whatever it has. More would
/// hold the worker up.
const MAX_HISTORY_BYTES: usize = 1 << 20;

/// The most topics of one broadcast.
const MAX_BROADCAST: usize = 100;

/// Whether this path is one of these methods, all of which are POST.
pub(super) fn is_path(path: &str) -> bool {
    path.strip_prefix("/api/").is_some_and(|method| METHODS.contains(&method))
}

/// `POST /api/{method}`.
pub(super) async fn call(
    permit: AccessPermit,
    method: Path<String>,
    request: HttpRequest,
    state: Data<AppState>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let feed = state.feeds.default_feed();
    if READS.contains(&method.as_str())
        && let Err(refusal) = check_reader(&permit, &request, &state)
    {
        record_request(&state, &request, refusal.name(), permit.key_id());
        return Err(refusal);
    }
    let Some(topics) = &feed.topics else {
        return Ok(answer(Err(ApiFault::new(102, "there are no topics"))));
    };
    let hub = hub_of(&request, feed);
    let body = read_body(&request, &state, body, MAX_BYTES).await?;
    let caller = Caller { permit: &permit, request: &request, state: &state, feed, topics, hub: &hub };
    let result = match method.as_str() {
        "publish" => caller.publish(&body).await,
        "broadcast" => caller.broadcast(&body).await,
        "take_back" => caller.take_back(&body).await,
        "history" => caller.history(&body),
        "presence" => caller.presence(&body),
        "presence_stats" => caller.presence_stats(&body),
        "mute" => caller.mute(&body).await,
        "unmute" => caller.unmute(&body).await,
        "slow" => caller.slow(&body).await,
        _ => return Err(ApiError::NoSuchPath),
    };
    Ok(answer(result))
}

/// Refuses to read for a page that may open no session, as an event stream does, and for a key that does not include the
/// feed, as REST does.
fn check_reader(permit: &AccessPermit, request: &HttpRequest, state: &AppState) -> Result<(), ApiError> {
    check_page(request, state, &state.origins).map_err(|_| ApiError::NotPermitted("origin not allowed"))?;
    let feed = state.feeds.default_feed().name;
    match state.feeds.several() {
        // The topics are those of the first, whichever the request names.
        Some(_) => permit.check_feed_named(feed),
        None => permit.check_feed(feed),
    }
}

fn answer(result: Result<Value, ApiFault>) -> HttpResponse {
    response::json(answer_object(result).to_string())
}

/// A publisher to mute, in one of `channel` and `namespace`. In this body, as in the others, unknown keys are ignored, as
/// by Centrifugo.
#[derive(Deserialize)]
struct MuteBody {
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    name: String,
    /// For how long; not for `unmute`.
    #[serde(default)]
    seconds: u64,
}

#[derive(Deserialize)]
struct SlowBody {
    channel: String,
    seconds: u64,
}

#[derive(Deserialize)]
struct BroadcastBody {
    channels: Vec<String>,
    data: Value,
    #[serde(default)]
    idempotency_key: Option<String>,
}

#[derive(Deserialize)]
struct TakeBackBody {
    channel: String,
    offset: u64,
}

#[derive(Deserialize)]
struct ChannelBody {
    channel: String,
}

#[derive(Deserialize)]
struct HistoryBody {
    channel: String,
    /// None by default, all if negative.
    #[serde(default)]
    limit: i64,
    #[serde(default)]
    since: Option<StreamPosition>,
    #[serde(default)]
    reverse: bool,
}

#[derive(Deserialize)]
struct StreamPosition {
    #[serde(default)]
    offset: u64,
    #[serde(default)]
    epoch: String,
}

/// The request with what it is answered from.
struct Caller<'a> {
    permit: &'a AccessPermit,
    request: &'a HttpRequest,
    state: &'a AppState,
    feed: &'a ServedFeed,
    topics: &'a TopicService,
    hub: &'a Hub,
}

impl Caller<'_> {
    async fn publish(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let PublishRequest { channel, data, idempotency_key } = read(body)?;
        let publication = self.publication(&channel, &data, idempotency_key.as_deref())?;
        self.send(publication).await
    }

    /// Each topic has a response of its own, in order.
    async fn broadcast(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let BroadcastBody { channels, data, idempotency_key } = read(body)?;
        if channels.len() > MAX_BROADCAST {
            return Err(ApiFault::bad_request(format!("at most {MAX_BROADCAST} channels")));
        }
        let responses = channels.iter().map(async |channel| {
            let result = match self.publication(channel, &data, idempotency_key.as_deref()) {
                Ok(publication) => self.send(publication).await,
                Err(fault) => Err(fault),
            };
            answer_object(result)
        });
        Ok(json!({"responses": join_all(responses).await}))
    }

    /// Publishes that an earlier message is taken back, whose content is forgotten.
    async fn take_back(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let TakeBackBody { channel, offset } = read(body)?;
        let (topic, _) = self.permitted(&channel)?;
        let (client, key) = self.moderator();
        let message = Arc::new(TopicMessage::deleting(Seq(offset), key));
        let number = self.send(Publication { topic, message }).await?;
        info!(%client, key, %topic, sq = offset, "a message is taken back");
        Ok(number)
    }

    /// Refuses the messages of a publisher for a time.
    async fn mute(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let MuteBody { channel, namespace, name, seconds } = read(body)?;
        let time = Duration::from_secs(seconds);
        if time.is_zero() || time > LONGEST_MUTE {
            let longest = LONGEST_MUTE.as_secs();
            return Err(ApiFault::bad_request(format!("seconds: expected 1 to {longest}")));
        }
        let scope = self.mute_scope(channel, namespace)?;
        let place = scope.to_string();
        let moderation = Moderation::Mute { scope, name: self.name(&name)?, time };
        self.topics.publisher.moderate(moderation).await?;
        let ((client, key), until) = (self.moderator(), self.after(time));
        info!(%client, key, %place, name, %until, "a publisher is muted");
        Ok(json!({}))
    }

    /// Ends a mute.
    async fn unmute(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let MuteBody { channel, namespace, name, .. } = read(body)?;
        let scope = self.mute_scope(channel, namespace)?;
        let place = scope.to_string();
        self.topics.publisher.moderate(Moderation::Unmute { scope, name: self.name(&name)? }).await?;
        let (client, key) = self.moderator();
        info!(%client, key, %place, name, "a publisher is muted no more");
        Ok(json!({}))
    }

    /// Sets the least time between two messages of one publisher in a topic.
    async fn slow(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let SlowBody { channel, seconds } = read(body)?;
        let (topic, _) = self.permitted(&channel)?;
        let interval = Duration::from_secs(seconds);
        if interval > LONGEST_INTERVAL {
            let longest = LONGEST_INTERVAL.as_secs();
            return Err(ApiFault::bad_request(format!("seconds: expected at most {longest}")));
        }
        self.topics.publisher.moderate(Moderation::Slow { topic, interval }).await?;
        let (client, key) = self.moderator();
        info!(%client, key, %topic, seconds, "the slow mode of a topic is set");
        Ok(json!({}))
    }

    /// Where a publisher is to be muted, if the caller may publish there.
    fn mute_scope(&self, channel: Option<String>, namespace: Option<String>) -> Result<MuteScope, ApiFault> {
        match (channel, namespace) {
            (Some(channel), None) => Ok(MuteScope::Topic(self.permitted(&channel)?.0)),
            (None, Some(name)) => {
                let rules = self.topics.namespaces.named(&name);
                let rules = rules.ok_or_else(|| ApiFault::unknown_channel(&name))?;
                self.check(&rules)?;
                Ok(MuteScope::Namespace(name.into()))
            }
            _ => Err(ApiFault::bad_request("expected one of channel and namespace")),
        }
    }

    /// The name of a publisher, as messages may have it.
    fn name(&self, name: &str) -> Result<Box<str>, ApiFault> {
        match name.len() {
            0 => Err(ApiFault::bad_request(
                "name: expected the `by` of messages; those without one cannot be muted",
            )),
            1..=LONGEST_NAME => Ok(name.into()),
            _ => Err(ApiFault::bad_request("the name has more than 255 bytes")),
        }
    }

    /// The time of day after this time.
    fn after(&self, time: Duration) -> String {
        rfc3339(self.state.clock.now() + time)
    }

    async fn send(&self, publication: Publication) -> Result<Value, ApiFault> {
        let topic = publication.topic;
        let number = self.topics.publisher.publish(publication).await?;
        let client = client_address(self.request, self.state);
        debug!(%client, %topic, sq = number.seq.0, key = self.permit.key_id(), "a message was published");
        Ok(published(number))
    }

    /// The message for the feed, if the caller may publish it.
    fn publication(&self, channel: &str, data: &Value, key: Option<&str>) -> Result<Publication, ApiFault> {
        let (topic, namespace) = self.permitted(channel)?;
        api::publication(topic, &namespace, data, self.permit.key_id(), key)
    }

    /// A topic in which the caller may publish, and its namespace.
    fn permitted(&self, channel: &str) -> Result<(Symbol, Arc<Namespace>), ApiFault> {
        let (topic, namespace) = self.namespace(channel)?;
        self.check(&namespace)?;
        match self.permit.publishing(channel) {
            Some(false) => Err(PublishRefusal::NotPermitted(Denial::NotIncluded).into()),
            Some(true) | None => Ok((topic, namespace)),
        }
    }

    /// A topic that the caller may read, and its namespace.
    fn readable(&self, channel: &str) -> Result<(Symbol, Arc<Namespace>), ApiFault> {
        let found = self.namespace(channel)?;
        match self.permit.check_topic(channel) {
            Ok(()) => Ok(found),
            Err(_) => Err(PublishRefusal::NotPermitted(Denial::NotIncluded).into()),
        }
    }

    fn check(&self, namespace: &Namespace) -> Result<(), ApiFault> {
        self.may_publish(namespace).map_err(|denial| PublishRefusal::NotPermitted(denial).into())
    }

    /// Who moderates, for the log: the address, and the key.
    fn moderator(&self) -> (IpAddr, Option<&str>) {
        (client_address(self.request, self.state), self.permit.key_id())
    }

    /// Whether the caller may publish: its key is one of the namespace's, or may control the server. Without keys the
    /// server obeys its own machine alone, and no proxy on it.
    fn may_publish(&self, namespace: &Namespace) -> Result<(), Denial> {
        check_own_page(self.request, self.state).map_err(|_| Denial::OtherOrigin)?;
        match self.permit.key_id() {
            None if sender_location(self.request) == ClientLocation::ThisMachine => Ok(()),
            None => Err(Denial::ElsewhereWithoutKeys),
            Some(key) if namespace.publish.names_key(key) || self.permit.allows_control() == Some(true) => {
                Ok(())
            }
            Some(_) => Err(Denial::NotPublisher),
        }
    }

    fn namespace(&self, channel: &str) -> Result<(Symbol, Arc<Namespace>), ApiFault> {
        api::find(channel, &self.topics.namespaces, &self.hub.universe())
    }

    fn history(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let HistoryBody { channel, limit, since, reverse } = read(body)?;
        let (topic, _) = self.readable(&channel)?;
        let epoch = self.hub.epoch().unwrap_or(self.feed.epoch).to_string();
        if since.as_ref().is_some_and(|since| !since.epoch.is_empty() && since.epoch != epoch) {
            return Err(ApiFault::new(112, "unrecoverable position"));
        }
        let stream = self.stream(&topic);
        let newest = self.newest(stream);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let publications = match stream {
            Some(stream) if limit > 0 => self.publications(stream, newest, limit, since, reverse),
            _ => Vec::new(),
        };
        Ok(json!({"publications": publications, "offset": newest.0, "epoch": epoch}))
    }

    /// The stream of a topic; `None` before its first message.
    fn stream(&self, topic: &Symbol) -> Option<StreamId> {
        self.hub.universe().find_topic(topic).map(Topic::stream)
    }

    /// The number of its newest message; 0 before its first.
    fn newest(&self, stream: Option<StreamId>) -> Seq {
        stream.map_or(Seq(0), |stream| self.hub.with_last_values(|last_values| last_values.seq(stream)))
    }

    /// Retained messages of a topic after a position, or in reverse before it: as many as asked for, and no more than the
    /// most of an answer.
    fn publications(
        &self,
        stream: StreamId,
        newest: Seq,
        limit: usize,
        since: Option<StreamPosition>,
        reverse: bool,
    ) -> Vec<Value> {
        let offset = since.map(|since| since.offset);
        let (mut after, up_to) = match reverse {
            false => (Seq(offset.unwrap_or(0)), newest),
            true => (Seq(0), offset.map_or(newest, |offset| Seq(offset.saturating_sub(1)).min(newest))),
        };
        let mut messages = Vec::new();
        loop {
            let piece = self.feed.archive.replay(stream, after, up_to, usize::MAX);
            let Some(last) = piece.last() else { break };
            after = last.object.seq;
            // One that was taken back has no data any more.
            let has_data = |it: &RetainedObject| it.message.as_ref().is_some_and(|it| it.data().is_some());
            messages.extend(piece.into_iter().filter(has_data));
        }
        if reverse {
            messages.reverse();
        }
        let (mut publications, mut bytes) = (Vec::new(), 0);
        for RetainedObject { object, message, .. } in messages.iter().take(limit) {
            let Some(data) = message.as_deref().and_then(TopicMessage::data) else { continue };
            bytes += data.len();
            if bytes > MAX_HISTORY_BYTES && !publications.is_empty() {
                break;
            }
            let data = serde_json::from_str::<Value>(data).ok();
            publications.extend(data.map(|data| json!({"data": data, "offset": object.seq.0})));
        }
        publications
    }

    /// The names of those that are present, where the namespace tells them; each stands for all of its sessions.
    fn presence(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let ChannelBody { channel } = read(body)?;
        let (topic, namespace) = self.readable(&channel)?;
        if namespace.presence != PresenceDetail::Names {
            return Err(ApiFault::new(108, "the namespace does not tell names"));
        }
        let list = self.topics.presence.at(&topic, PresenceDetail::Names).list.unwrap_or_default();
        let present: serde_json::Map<_, _> =
            list.into_iter().map(|name| (name.clone(), json!({"client": name, "user": name}))).collect();
        Ok(json!({ "presence": present }))
    }

    fn presence_stats(&self, body: &[u8]) -> Result<Value, ApiFault> {
        let ChannelBody { channel } = read(body)?;
        let (topic, namespace) = self.readable(&channel)?;
        if namespace.presence == PresenceDetail::Off {
            return Err(ApiFault::new(108, "the namespace does not tell presence"));
        }
        let presence = self.topics.presence.at(&topic, PresenceDetail::Count);
        Ok(json!({"num_clients": presence.sessions, "num_users": presence.names}))
    }
}
