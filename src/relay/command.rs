use serde_json::{Map, Value, json};

use super::settings::{UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};
use crate::feed::LastValues;
use crate::model::{Channel, Epoch, StreamId, Universe};

/// The command with which a session authenticates.
pub(super) fn authenticate(key: &UpstreamKey) -> Value {
    json!({"action": "auth", "key": key.id, "secret": key.secret})
}

/// The heartbeat that an upstream of ours is asked for, in milliseconds.
const HEARTBEAT_MS: u32 = 1_000;

/// The command that subscribes to everything of the symbols, and goes on after these numbers.
pub(super) fn subscribe(settings: &UpstreamSettings, resume: Option<Value>) -> Value {
    let symbols = match &settings.symbols {
        UpstreamSymbols::All => json!(["*"]),
        UpstreamSymbols::Listed(symbols) => symbols.iter().map(ToString::to_string).collect(),
    };
    let mut command = Map::new();
    command.insert("action".to_owned(), "subscribe".into());
    let is_ours = settings.numbers == UpstreamNumbers::Kept;
    // Channels that follow another one are not subscribed to.
    let channels = Channel::ALL.into_iter().filter(|channel| channel.leader() == *channel);
    for channel in channels.filter(|channel| is_ours || !channel.is_extension()) {
        command.insert(channel.name().to_owned(), symbols.clone());
    }
    if is_ours {
        let mut x = json!({"id": "relay", "snapshot": true, "heartbeat_ms": HEARTBEAT_MS});
        if let Some(resume) = resume {
            x["resume"] = resume;
        }
        command.insert("x".to_owned(), x);
    }
    Value::Object(command)
}

/// The position after the last value of each stream.
pub(super) fn resume(epoch: Epoch, universe: &Universe, last_values: &LastValues) -> Value {
    let mut numbers = Map::new();
    for channel in Channel::ALL {
        let position = |instrument: &crate::model::Instrument| {
            let stream = StreamId::new(channel, instrument.id);
            let seq = last_values.seq(stream);
            (seq.0 > 0).then(|| (instrument.symbol.to_string(), Value::from(seq.0)))
        };
        let of_channel: Map<String, Value> = universe.iter().filter_map(position).collect();
        if !of_channel.is_empty() {
            numbers.insert(channel.name().to_owned(), Value::Object(of_channel));
        }
    }
    json!({"epoch": epoch.to_string(), "sq": numbers})
}
