//! Topics over HTTP, in the form of Centrifugo's server API, so that its clients work.
//!
//! An answer is 200 with `{"result":…}` or `{"error":{"code","message"}}`; other statuses are those of all requests.

use actix_web::http::header::{HOST, HeaderName, ORIGIN};
use actix_web::rt::time::timeout;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::{debug, info};

use super::access::AccessPermit;
use super::admission::{client_address, client_location};
use super::error::ApiError;
use super::feeds::ServedFeed;
use super::response;
use super::state::{AppState, hub_of};
use super::topics::TopicService;
use crate::auth::{AllowedOrigins, ClientLocation};
use crate::hub::Hub;
use crate::model::{Seq, StreamId, Symbol, Topic};
use crate::topics::{Namespace, PresenceDetail, Publication, PublicationNumber, PublishRefusal};
use crate::wire::TopicMessage;

/// The methods, each of which is the last part of a path below `/api/`.
/// Centrifugo has no `take_back`.
const METHODS: [&str; 6] = ["publish", "broadcast", "take_back", "history", "presence", "presence_stats"];

/// The most bytes of a request: the longest data that a namespace may allow, twice.
pub(super) const MAX_BYTES: usize = 128 << 10;

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
    let Some(topics) = &feed.topics else { return Ok(answer(Err(Fault::new(102, "there are no topics")))) };
    let hub = hub_of(&request, feed);
    let body = timeout(state.http.head_timeout, body.to_bytes_limited(MAX_BYTES)).await;
    let Ok(Ok(Ok(body))) = body else {
        return Err(ApiError::invalid("body", "expected at most 131,072 bytes, in time"));
    };
    let caller = Caller { permit: &permit, request: &request, state: &state, feed, topics, hub: &hub };
    let result = match method.as_str() {
        "publish" => caller.publish(&body).await,
        "broadcast" => caller.broadcast(&body).await,
        "take_back" => caller.take_back(&body).await,
        "history" => caller.history(&body),
        "presence" => caller.presence(&body),
        "presence_stats" => caller.presence_stats(&body),
        _ => return Err(ApiError::NoSuchPath),
    };
    Ok(answer(result))
}

fn answer(result: Result<Value, Fault>) -> HttpResponse {
    response::json(answer_object(result).to_string())
}

fn answer_object(result: Result<Value, Fault>) -> Value {
    match result {
        Ok(result) => json!({ "result": result }),
        Err(Fault { code, message }) => json!({"error": {"code": code, "message": message}}),
    }
}

/// An error in Centrifugo's manner.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    code: u16,
    message: String,
}

impl Fault {
    fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(107, message)
    }

    fn unknown_channel(topic: &str) -> Self {
        Self::new(102, format!("unknown channel: {topic}"))
    }
}

impl From<PublishRefusal> for Fault {
    fn from(refusal: PublishRefusal) -> Self {
        let code = match refusal {
            PublishRefusal::NoSuchTopic => 102,
            PublishRefusal::NotPermitted => 103,
            PublishRefusal::TooBig { .. } | PublishRefusal::TooDeep | PublishRefusal::ControlCharacter => 107,
            PublishRefusal::TooFast { .. } => 111,
            PublishRefusal::Unanswered => 100,
        };
        Self::new(code, refusal.to_string())
    }
}

/// Keys that this server does not know are ignored, as Centrifugo does.
#[derive(Deserialize)]
struct PublishBody {
    channel: String,
    data: Value,
    #[serde(default)]
    idempotency_key: Option<String>,
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

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::bad_request(error.to_string()))
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
    async fn publish(&self, body: &[u8]) -> Result<Value, Fault> {
        let PublishBody { channel, data, idempotency_key } = read(body)?;
        let publication = self.publication(&channel, &data, idempotency_key.as_deref())?;
        self.send(publication).await
    }

    /// Each topic has a response of its own, in order.
    async fn broadcast(&self, body: &[u8]) -> Result<Value, Fault> {
        let BroadcastBody { channels, data, idempotency_key } = read(body)?;
        if channels.len() > MAX_BROADCAST {
            return Err(Fault::bad_request(format!("at most {MAX_BROADCAST} channels")));
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
    async fn take_back(&self, body: &[u8]) -> Result<Value, Fault> {
        let TakeBackBody { channel, offset } = read(body)?;
        let (topic, namespace) = self.namespace(&channel)?;
        if !self.may_publish(namespace) {
            return Err(PublishRefusal::NotPermitted.into());
        }
        if offset == 0 || Seq(offset) > self.newest(self.stream(&topic)) {
            return Err(Fault::bad_request("there is no message of this offset"));
        }
        let (client, key) = (client_address(self.request, self.state), self.permit.key_id());
        info!(%client, key, %topic, sq = offset, "a message is taken back");
        let message = Arc::new(TopicMessage::deleting(Seq(offset), key));
        self.send(Publication { topic, message, idempotency_key: None }).await
    }

    async fn send(&self, publication: Publication) -> Result<Value, Fault> {
        let topic = publication.topic;
        let PublicationNumber { seq, epoch } = self.topics.publish(publication).await?;
        let client = client_address(self.request, self.state);
        debug!(%client, %topic, sq = seq.0, key = self.permit.key_id(), "a message was published");
        Ok(json!({"offset": seq.0, "epoch": epoch.to_string()}))
    }

    /// The message for the feed, if the caller may publish it.
    fn publication(&self, channel: &str, data: &Value, key: Option<&str>) -> Result<Publication, Fault> {
        /// Centrifugo's own limit is that of a channel's name.
        const LONGEST_KEY: usize = 255;
        let (topic, namespace) = self.namespace(channel)?;
        if !self.may_publish(namespace) {
            return Err(PublishRefusal::NotPermitted.into());
        }
        let message = namespace.message(data, self.permit.key_id())?;
        if key.is_some_and(|key| key.len() > LONGEST_KEY) {
            return Err(Fault::bad_request("the idempotency_key has more than 255 bytes"));
        }
        Ok(Publication { topic, message: Arc::new(message), idempotency_key: key.map(Into::into) })
    }

    /// Whether the caller may publish: its key is one of the namespace's, or may control the server. Without keys the
    /// server obeys its own machine alone. A browser sends a page's POST anywhere, so the page must be the server's own.
    fn may_publish(&self, namespace: &Namespace) -> bool {
        let header =
            |name: HeaderName| self.request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        let location = client_location(self.request, self.state);
        let own = AllowedOrigins::Own(Vec::new());
        if own.check(header(ORIGIN), header(HOST), &self.state.hosts, location).is_err() {
            return false;
        }
        match self.permit.key_id() {
            None => location == ClientLocation::ThisMachine,
            Some(key) => namespace.publish.names_key(key) || self.permit.allows_control() == Some(true),
        }
    }

    fn namespace(&self, channel: &str) -> Result<(Symbol, &Namespace), Fault> {
        let topic: Symbol = channel.parse().map_err(|_| Fault::unknown_channel(channel))?;
        let namespace = self.topics.namespaces.of(&topic, &self.hub.universe());
        Ok((topic, namespace.ok_or_else(|| Fault::unknown_channel(channel))?))
    }

    fn history(&self, body: &[u8]) -> Result<Value, Fault> {
        let HistoryBody { channel, limit, since, reverse } = read(body)?;
        let (topic, _) = self.namespace(&channel)?;
        let epoch = self.hub.epoch().unwrap_or(self.feed.epoch).to_string();
        if since.as_ref().is_some_and(|since| !since.epoch.is_empty() && since.epoch != epoch) {
            return Err(Fault::new(112, "unrecoverable position"));
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

    /// Retained messages of a topic after a position, or in reverse before it.
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
        let mut publications = Vec::new();
        loop {
            let piece = self.feed.archive.replay(stream, after, up_to, usize::MAX);
            let Some(last) = piece.last() else { break };
            after = last.object.seq;
            for retained in &piece {
                let data = retained.message.as_deref().and_then(TopicMessage::data);
                // One that was taken back has no data any more.
                let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
                publications.extend(data.map(|data| json!({"data": data, "offset": retained.object.seq.0})));
            }
            if !reverse && publications.len() >= limit {
                break;
            }
        }
        if reverse {
            publications.reverse();
        }
        publications.truncate(limit);
        publications
    }

    /// The names of those that are present, where the namespace tells them; each stands for all of its sessions.
    fn presence(&self, body: &[u8]) -> Result<Value, Fault> {
        let ChannelBody { channel } = read(body)?;
        let (topic, namespace) = self.namespace(&channel)?;
        if namespace.presence != PresenceDetail::Names {
            return Err(Fault::new(108, "the namespace does not tell names"));
        }
        let list = self.topics.presence.at(&topic, PresenceDetail::Names).list.unwrap_or_default();
        let present: serde_json::Map<_, _> =
            list.into_iter().map(|name| (name.clone(), json!({"client": name, "user": name}))).collect();
        Ok(json!({ "presence": present }))
    }

    fn presence_stats(&self, body: &[u8]) -> Result<Value, Fault> {
        let ChannelBody { channel } = read(body)?;
        let (topic, namespace) = self.namespace(&channel)?;
        if namespace.presence == PresenceDetail::Off {
            return Err(Fault::new(108, "the namespace does not tell presence"));
        }
        let presence = self.topics.presence.at(&topic, PresenceDetail::Count);
        Ok(json!({"num_clients": presence.sessions, "num_users": presence.names}))
    }
}
