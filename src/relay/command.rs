use serde_json::{Map, Value, json};

use super::settings::{UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};
use crate::feed::LastValues;
use crate::model::{Channel, Epoch, Instrument, StreamId, Symbol};
use crate::source::{DemandChange, ON_DEMAND};

/// The command with which a session authenticates.
pub(super) fn authenticate(key: &UpstreamKey) -> Value {
    json!({"action": "auth", "key": key.id, "secret": key.secret})
}

/// A command, and the symbols on demand that it asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct UpstreamMessage {
    pub(super) command: Value,
    pub(super) symbols: Vec<Symbol>,
}

/// The heartbeat that an upstream of ours is asked for, in milliseconds.
const HEARTBEAT_MS: u32 = 1_000;

/// The command that subscribes to everything of the symbols, and goes on after these numbers. Symbols on demand come
/// [later](change).
pub(super) fn subscribe(settings: &UpstreamSettings, resume: Option<Value>) -> UpstreamMessage {
    let symbols = |channel: Channel| match &settings.symbols {
        UpstreamSymbols::Listed(symbols) => symbols.iter().map(ToString::to_string).collect(),
        UpstreamSymbols::OnDemand if ON_DEMAND.contains(&channel) => json!([]),
        UpstreamSymbols::All | UpstreamSymbols::OnDemand => json!(["*"]),
    };
    let mut command = Map::new();
    command.insert("action".to_owned(), "subscribe".into());
    let is_ours = settings.numbers == UpstreamNumbers::Kept;
    // Channels that follow another one are not subscribed to.
    let channels = Channel::MARKET.into_iter().filter(|channel| channel.leader() == *channel);
    for channel in channels.filter(|channel| is_ours || !channel.is_extension()) {
        command.insert(channel.name().to_owned(), symbols(channel));
    }
    if is_ours {
        command.insert("x".to_owned(), extensions(resume));
    }
    UpstreamMessage { command: Value::Object(command), symbols: Vec::new() }
}

fn extensions(resume: Option<Value>) -> Value {
    let mut x = json!({"id": "relay", "snapshot": true, "heartbeat_ms": HEARTBEAT_MS});
    if let Some(resume) = resume {
        x["resume"] = resume;
    }
    x
}

/// The commands that follow a change of the demand. An upstream that numbers goes on after these numbers.
pub(super) fn change(
    settings: &UpstreamSettings,
    change: &DemandChange,
    resume: Option<Value>,
) -> Vec<UpstreamMessage> {
    let is_ours = settings.numbers == UpstreamNumbers::Kept;
    let command = |action: &str, symbols: &[Symbol]| {
        let mut command = Map::new();
        command.insert("action".to_owned(), action.into());
        let names: Value = symbols.iter().map(ToString::to_string).collect();
        for channel in ON_DEMAND.into_iter().filter(|channel| is_ours || !channel.is_extension()) {
            command.insert(channel.name().to_owned(), names.clone());
        }
        command
    };
    let mut commands = Vec::new();
    if !change.unsubscribe.is_empty() {
        let command = Value::Object(command("unsubscribe", &change.unsubscribe));
        commands.push(UpstreamMessage { command, symbols: Vec::new() });
    }
    if !change.subscribe.is_empty() {
        let mut subscribe = command("subscribe", &change.subscribe);
        if is_ours {
            subscribe.insert("x".to_owned(), extensions(resume));
        }
        commands
            .push(UpstreamMessage { command: Value::Object(subscribe), symbols: change.subscribe.clone() });
    }
    commands
}

/// The position after the last value of each stream of these instruments.
pub(super) fn resume(epoch: Epoch, instruments: &[&Instrument], last_values: &LastValues) -> Value {
    let mut numbers = Map::new();
    for channel in Channel::MARKET {
        let position = |instrument: &Instrument| {
            let stream = StreamId::new(channel, instrument.id);
            let seq = last_values.seq(stream);
            (seq.0 > 0).then(|| (instrument.symbol.to_string(), Value::from(seq.0)))
        };
        let of_channel: Map<String, Value> = instruments.iter().copied().filter_map(position).collect();
        if !of_channel.is_empty() {
            numbers.insert(channel.name().to_owned(), Value::Object(of_channel));
        }
    }
    json!({"epoch": epoch.to_string(), "sq": numbers})
}
