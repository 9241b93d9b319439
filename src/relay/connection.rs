//! The connection to the upstream: carries out what the conversation decides, on a thread of its own.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use awc::error::WsClientError;
use awc::http::header::{CONTENT_TYPE, SEC_WEBSOCKET_EXTENSIONS};
use awc::{BoxedSocket, Client, Connector};
use bytes::{Bytes, BytesMut};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tracing::{debug, info, warn};

use super::assets::AssetDirectory;
use super::back_off::Jitter;
use super::background::{self, BackgroundParts, ask_for_assets};
use super::command::{UpstreamMessage, authenticate};
use super::conversation::{Conversation, ConversationAction, ConversationInput, UpstreamCredentials};
use super::inbox::{Arrival, Inbox};
use super::rest::{RowsQuery, UpstreamRest};
use super::rest_budget::{Priority, RestBudget};
use super::settings::{UpstreamKey, UpstreamSettings};

use super::trade_backfill::HoleNumber;
use super::unanswered::UnansweredCommands;
use crate::metrics::UpstreamMetrics;
use crate::model::Symbol;
use crate::source::SymbolDemand;
use crate::transport::{TlsError, client_config};
use crate::wire::{
    Codec, Compression, Decoded, Decoder, Incoming, Opcode, ServerMessage, decode_control,
    decode_each_object, masked_frame,
};

/// The longest message of an upstream: those of this protocol have less than 1 MiB.
const MAX_MESSAGE: usize = 4 << 20;

/// The time to connect, TLS and the upgrade included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// The time for a frame to be sent. Those to an upstream are short.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The bytes that are read at once.
const READ_BYTES: usize = 64 << 10;

/// Compression without context takeover, which is the form that the decoder inflates.
const OFFER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What the feed asks for.
#[derive(Debug)]
pub(super) enum UpstreamCommand {
    /// Send this command over the connection.
    Send(UpstreamMessage),
    /// Find trades of this hole by REST.
    FindTrades { hole: HoleNumber, query: RowsQuery },
}

/// The longest time that the first connection waits for the names of instruments, which cannot change later.
const ASSETS_TIMEOUT: Duration = Duration::from_secs(3);

/// Starts the thread of the connection, which ends when the sender of commands is dropped, and that of the requests in
/// the background.
pub(super) fn start(
    settings: Arc<UpstreamSettings>,
    inbox: Inbox,
    demand: Option<SymbolDemand>,
    background: BackgroundParts,
    on_stop: watch::Receiver<()>,
) -> Result<UnboundedSender<UpstreamCommand>, TlsError> {
    let tls = Arc::new(client_config(settings.authorities.as_deref())?);
    let (commands, on_command) = unbounded_channel();
    let (metrics, assets) = (background.metrics.clone(), background.assets.clone());
    let budget = RestBudget::new(Instant::now());
    if settings.rest.is_some() {
        let (settings, tls) = (Arc::clone(&settings), Arc::clone(&tls));
        let (budget, metrics) = (budget.clone(), metrics.clone());
        let rest = move || UpstreamRest::new(client(tls), settings, budget, metrics);
        background::start(rest, background, on_stop);
    }
    let run = move || {
        let _end = ThreadEnd(inbox.clone());
        let runtime = match actix_web::rt::Runtime::new() {
            Ok(runtime) => runtime,
            Err(error) => return inbox.push(Arrival::Stopped(format!("no runtime: {error}"))),
        };
        runtime.block_on(async move {
            let client = client(tls);
            let rest = UpstreamRest::new(client.clone(), Arc::clone(&settings), budget, metrics.clone());
            let rest = Rc::new(rest);
            let parts = UpstreamConnectionParts { settings, client, rest, assets, inbox, demand, metrics };
            UpstreamConnection::new(parts).run(on_command).await;
        });
    };
    let spawned = thread::Builder::new().name("upstream".to_owned()).spawn(run);
    if let Err(error) = spawned {
        warn!("the thread of the upstream does not start: {error}");
    }
    Ok(commands)
}

/// A client of HTTP. It follows no redirect, because that would give the key to whatever host the answer names.
fn client(tls: Arc<ClientConfig>) -> Client {
    let connector = Connector::new().rustls_0_23(tls).timeout(CONNECT_TIMEOUT);
    Client::builder().connector(connector).timeout(CONNECT_TIMEOUT).disable_redirects().finish()
}

/// A message without the key, which an upstream may repeat in the text of an error, and of a length that fits into logs.
fn redacted(message: ServerMessage, key: Option<&UpstreamKey>) -> ServerMessage {
    const LONGEST: usize = 200;
    let ServerMessage::Error { code, message } = message else { return message };
    let secrets = key.into_iter().flat_map(|key| [&key.secret, &key.id]).filter(|text| !text.is_empty());
    let text = secrets.fold(message, |text, secret| text.replace(secret.as_str(), "…"));
    let visible = |text: char| if text.is_control() { ' ' } else { text };
    ServerMessage::Error { code, message: text.chars().take(LONGEST).map(visible).collect() }
}

/// Tells the feed when the thread of the connection ends, however that happens.
struct ThreadEnd(Inbox);

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        self.0.push(Arrival::Stopped("the thread of the connection has ended".to_owned()));
    }
}

/// What a connection is made from.
struct UpstreamConnectionParts {
    settings: Arc<UpstreamSettings>,
    client: Client,
    rest: Rc<UpstreamRest>,
    assets: AssetDirectory,
    inbox: Inbox,
    demand: Option<SymbolDemand>,
    metrics: UpstreamMetrics,
}

/// The connection, while there is one.
struct UpstreamConnection {
    parts: UpstreamConnectionParts,
    /// When the demand is looked at next.
    demand_at: Instant,
    unanswered: UnansweredCommands,
    /// The symbols of the command that was answered last, and how many refusals were counted.
    asked: Vec<Symbol>,
    refusals: u64,
    conversation: Conversation,
    link: Link,
    /// The reason that was logged last: the same one is not logged at each attempt.
    logged: Option<String>,
    is_live: bool,
}

/// The state of the socket.
enum Link {
    None,
    Connecting(Pin<Box<dyn Future<Output = Result<UpstreamSocket, String>>>>),
    Open(Box<UpstreamSocket>),
}

/// An open connection.
struct UpstreamSocket {
    io: BoxedSocket,
    decoder: Decoder,
    input: BytesMut,
}

/// What the socket gave.
enum Received {
    Opened(Box<UpstreamSocket>),
    Bytes(Bytes),
    Ended(String),
}

impl UpstreamConnection {
    fn new(parts: UpstreamConnectionParts) -> Self {
        let credentials =
            if parts.settings.key.is_some() { UpstreamCredentials::Key } else { UpstreamCredentials::None };
        let conversation = Conversation::new(credentials, parts.settings.delays, Instant::now());
        Self {
            parts,
            demand_at: Instant::now(),
            unanswered: UnansweredCommands::default(),
            asked: Vec::new(),
            refusals: 0,
            conversation,
            link: Link::None,
            logged: None,
            is_live: false,
        }
    }

    async fn run(mut self, mut on_command: UnboundedReceiver<UpstreamCommand>) {
        loop {
            let wake_at = self.conversation.wake_at();
            let wait = async {
                match wake_at {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                command = on_command.recv() => match command {
                    None => return,
                    Some(UpstreamCommand::Send(message)) => self.send_subscription(message).await,
                    Some(UpstreamCommand::FindTrades { hole, query }) => self.find_trades(hole, query),
                },
                () = sleep_until(self.demand_at.into()), if self.is_live && self.parts.demand.is_some() => self.follow_demand(),
                () = wait => self.give(ConversationInput::Time).await,
                received = self.link.next(&self.parts.inbox) => self.receive(received).await,
            }
        }
    }

    /// Begins a request for trades; the answer comes through the inbox.
    fn find_trades(&self, hole: HoleNumber, query: RowsQuery) {
        let (rest, inbox) = (Rc::clone(&self.parts.rest), self.parts.inbox.clone());
        actix_web::rt::spawn(async move {
            let found = rest.rows(&query, Priority::Urgent).await;
            if let Err(reason) = &found {
                warn!("trades are not found: {reason}");
            }
            inbox.push(Arrival::Trades { hole, answer: found.map_err(|reason| reason.to_string()) });
        });
    }

    /// Passes a change of the demand to the feed, which knows where its streams are to go on.
    fn follow_demand(&mut self) {
        let Some(demand) = &self.parts.demand else { return };
        let now = Instant::now();
        self.demand_at = now + demand.limits().interval;
        let change = demand.take_change(now);
        self.parts.metrics.symbols.set(demand.len() as i64);
        let refusals = demand.refused();
        self.parts.metrics.symbols_refused.inc_by(refusals - std::mem::replace(&mut self.refusals, refusals));
        if !change.is_empty() {
            self.parts.inbox.push(Arrival::Demand(change));
        }
    }

    /// The upstream refuses the command that it answered last: too many symbols.
    fn shed(&mut self) {
        if let (Some(demand), false) = (&self.parts.demand, self.asked.is_empty()) {
            let asked = std::mem::take(&mut self.asked);
            warn!(
                symbols = asked.len(),
                "the upstream gives no more symbols: --upstream-max-symbols is too high"
            );
            demand.shed(&asked);
        }
    }

    async fn receive(&mut self, received: Received) {
        match received {
            Received::Opened(socket) => {
                self.link = Link::Open(socket);
                self.unanswered.clear();
                self.give(ConversationInput::Opened).await;
                // The upgrade may have been read together with what follows it.
                self.decode(Bytes::new()).await;
            }
            Received::Bytes(bytes) => self.decode(bytes).await,
            Received::Ended(reason) => {
                self.link = Link::None;
                self.give(ConversationInput::Ended(reason)).await;
            }
        }
    }

    /// Takes in what was received, message by message, while the connection lasts.
    async fn decode(&mut self, bytes: Bytes) {
        let mut bytes = bytes;
        if let Link::Open(socket) = &mut self.link
            && bytes.is_empty()
        {
            bytes = socket.input.split().freeze();
        }
        while let Link::Open(socket) = &mut self.link {
            match socket.decoder.decode(&mut bytes) {
                Ok(None) => return,
                Ok(Some(Incoming::Text(message))) => self.message(Codec::Json, &message).await,
                Ok(Some(Incoming::Binary(message))) => self.message(Codec::MsgPack, &message).await,
                Ok(Some(Incoming::Ping(payload))) => self.send(Opcode::Pong, &payload).await,
                Ok(Some(Incoming::Pong)) => self.give(ConversationInput::Pong).await,
                Ok(Some(Incoming::Close(code))) => {
                    self.link = Link::None;
                    let reason = match code {
                        Some(code) => format!("the upstream closes: {code}"),
                        None => "the upstream closes".to_owned(),
                    };
                    self.give(ConversationInput::Ended(reason)).await;
                }
                Err(error) => {
                    self.link = Link::None;
                    self.give(ConversationInput::Ended(format!("the upstream sends nonsense: {error}")))
                        .await;
                }
            }
        }
    }

    async fn message(&mut self, codec: Codec, message: &[u8]) {
        let mut objects = Vec::new();
        let mut invalid = 0;
        match decode_each_object(codec, message) {
            Ok(decoded) => {
                for decoded in decoded {
                    match decoded {
                        Ok(Decoded::Object(object)) => objects.push(object),
                        Ok(Decoded::Unknown { .. }) => {}
                        Err(error) => {
                            debug!("an object of the upstream is left out: {error}");
                            invalid += 1;
                        }
                    }
                }
            }
            Err(error) => {
                debug!("a message of the upstream is left out: {error}");
                invalid += 1;
            }
        }
        self.parts.metrics.invalid.inc_by(invalid);
        if !objects.is_empty() {
            self.parts.metrics.objects.inc_by(objects.len() as u64);
            self.parts.inbox.push(Arrival::Objects(objects));
            return self.give(ConversationInput::Data).await;
        }
        for control in decode_control(codec, message) {
            let control = redacted(control, self.parts.settings.key.as_ref());
            if let Some(symbols) = self.unanswered.take_answered(&control) {
                self.asked = symbols;
            }
            self.give(ConversationInput::Control(control.clone())).await;
            if self.is_live {
                self.parts.inbox.push(Arrival::Control(control));
            }
        }
    }

    async fn send_subscription(&mut self, message: UpstreamMessage) {
        if matches!(self.link, Link::Open(_)) {
            self.give(ConversationInput::Subscribed).await;
            self.unanswered.sent(message.symbols);
            self.send_command(&message.command).await;
        }
    }

    /// Gives the conversation an input, and carries out what it decides.
    async fn give(&mut self, input: ConversationInput) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let jitter = Jitter::new(rand::random());
            for action in self.conversation.handle(input, Instant::now(), jitter) {
                match action {
                    ConversationAction::Connect => self.connect(),
                    ConversationAction::Authenticate => {
                        let command = self.parts.settings.key.as_ref().map(authenticate);
                        if let Some(command) = command {
                            self.write(Opcode::Binary, &msgpack(&command), &mut inputs).await;
                        }
                    }
                    ConversationAction::Subscribe => {
                        self.parts.demand.iter().for_each(SymbolDemand::restart);
                        self.parts.inbox.push(Arrival::Ready);
                    }
                    ConversationAction::Ping => self.write(Opcode::Ping, b"", &mut inputs).await,
                    ConversationAction::Disconnect => self.link = Link::None,
                    ConversationAction::TellLive(feed) => {
                        info!("the subscription at the upstream is in force");
                        self.logged = None;
                        self.is_live = true;
                        self.parts.metrics.up.set(1);
                        self.parts.inbox.push(Arrival::Live(feed));
                    }
                    ConversationAction::TellDown(reason) => {
                        if self.logged.as_deref() != Some(&reason) {
                            warn!("the upstream is away: {reason}");
                            self.logged = Some(reason.clone());
                        }
                        self.lose();
                        self.parts.inbox.push(Arrival::Down(reason));
                    }
                    ConversationAction::TellStopped(reason) => {
                        self.lose();
                        self.parts.inbox.push(Arrival::Stopped(reason));
                    }
                    ConversationAction::CountRefusal(code) => {
                        self.parts.metrics.refused(code);
                        if code == 405 && self.is_live {
                            self.shed();
                        }
                    }
                }
            }
        }
    }

    fn lose(&mut self) {
        if std::mem::take(&mut self.is_live) {
            self.parts.metrics.losses.inc();
            self.parts.metrics.up.set(0);
        }
    }

    fn connect(&mut self) {
        self.parts.metrics.connects.inc();
        let (client, url) = (self.parts.client.clone(), self.parts.settings.url.clone());
        let (rest, assets) = (Rc::clone(&self.parts.rest), self.parts.assets.clone());
        self.link = Link::Connecting(Box::pin(async move {
            if !assets.is_settled() {
                let asked = timeout(ASSETS_TIMEOUT, ask_for_assets(&rest, &assets, Priority::Urgent)).await;
                if let Ok(Err(error)) = asked {
                    debug!("the upstream tells no names of instruments: {error}");
                }
            }
            connect(client, url).await
        }));
    }

    async fn send_command(&mut self, command: &Value) {
        self.send(Opcode::Binary, &msgpack(command)).await;
    }

    /// Sends a frame; a failure ends the connection.
    async fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        let mut inputs = Vec::new();
        self.write(opcode, payload, &mut inputs).await;
        for input in inputs {
            Box::pin(self.give(input)).await;
        }
    }

    async fn write(&mut self, opcode: Opcode, payload: &[u8], failures: &mut Vec<ConversationInput>) {
        let Link::Open(socket) = &mut self.link else { return };
        let frame = masked_frame(opcode, payload, rand::random());
        let sent = async {
            socket.io.write_all(&frame).await?;
            socket.io.flush().await
        };
        let failure = match timeout(WRITE_TIMEOUT, sent).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("the connection to the upstream failed: {error}"),
            Err(_) => "the upstream reads nothing".to_owned(),
        };
        self.link = Link::None;
        failures.push(ConversationInput::Ended(failure));
    }
}

impl Link {
    /// Waits for the socket. Can be dropped and called again without loss.
    async fn next(&mut self, inbox: &Inbox) -> Received {
        match self {
            Self::None => std::future::pending().await,
            Self::Connecting(connecting) => match connecting.await {
                Ok(socket) => Received::Opened(Box::new(socket)),
                Err(reason) => Received::Ended(reason),
            },
            Self::Open(socket) => {
                inbox.room().await;
                socket.input.reserve(READ_BYTES);
                match socket.io.read_buf(&mut socket.input).await {
                    Ok(0) => Received::Ended("the upstream ended the connection".to_owned()),
                    Ok(_) => Received::Bytes(socket.input.split().freeze()),
                    Err(error) => Received::Ended(format!("the connection to the upstream failed: {error}")),
                }
            }
        }
    }
}

/// Connects and upgrades.
async fn connect(client: Client, url: String) -> Result<UpstreamSocket, String> {
    let request = client.ws(url).set_header(CONTENT_TYPE, "application/msgpack");
    let request = request.set_header(SEC_WEBSOCKET_EXTENSIONS, OFFER);
    let (response, framed) = request.connect().await.map_err(|error| match error {
        WsClientError::InvalidResponseStatus(status) => format!("the upstream answers {status}"),
        error => format!("cannot connect to the upstream: {error}"),
    })?;
    let extensions = response.headers().get(SEC_WEBSOCKET_EXTENSIONS);
    let extensions = extensions.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let compression = match extensions {
        "" => Compression::None,
        accepted if accepted.contains("server_no_context_takeover") => Compression::PermessageDeflate,
        _ => return Err("the upstream compresses as it was not asked to".to_owned()),
    };
    let parts = framed.into_parts();
    let decoder = Decoder::of_server(MAX_MESSAGE).with(compression);
    Ok(UpstreamSocket { io: parts.io, decoder, input: parts.read_buf })
}

fn msgpack(command: &Value) -> Vec<u8> {
    rmp_serde::to_vec_named(command).expect("a command has only plain fields")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_repeats_the_key_is_told_without_it() {
        let key = UpstreamKey { id: "KEYID".to_owned(), secret: "SECRET".to_owned() };
        let message = format!("bad key:\nKEYID SECRET {}", "x".repeat(999));

        let ServerMessage::Error { code, message } =
            redacted(ServerMessage::Error { code: 402, message }, Some(&key))
        else {
            unreachable!()
        };

        assert_eq!((code, message.chars().count()), (402, 200));
        assert!(message.starts_with("bad key: … … xxx"), "{message}");
    }
}
