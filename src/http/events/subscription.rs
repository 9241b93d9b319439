//! The subscription of an event stream: what its query asks for, and where its client was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::positions::{Positions, series};
use crate::http::access::AccessPermit;
use crate::http::error::ApiError;
use crate::http::query::QueryParams;
use crate::hub::Hub;
use crate::model::{Channel, Epoch, StreamId, Symbol, Topic, Universe};
use crate::topics::namespace_of;

/// The heartbeat of a request that names none, in milliseconds: proxies close what is quiet for 30 s or more.
const HEARTBEAT_MS: u64 = 15_000;

/// More streams than this have no id anyway, so their positions are not looked up.
const MAX_POSITIONS: usize = 1_000;

/// What the query of an event stream asks for.
#[derive(Debug)]
pub(super) struct StreamQuery {
    /// The names by channel, as the command has them.
    names: BTreeMap<Channel, Vec<String>>,
    conflate_ms: u64,
    heartbeat_ms: u64,
    snapshot: bool,
    /// The selected fields of tickers, as the command has them; `None` for all of them.
    fields: Option<Vec<String>>,
    delta: bool,
}

/// Where the client of a request was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LastPosition {
    /// It has not been connected.
    New,
    /// It had these positions in this epoch.
    Known(Epoch, Positions),
    /// It has an id from which it cannot go on.
    Unknown,
}

/// How a session begins.
pub(super) struct Beginning {
    /// Its command.
    pub(super) command: Value,
    /// Where its client is; `None` where it has too many positions.
    pub(super) positions: Option<Positions>,
    /// Whether the client was here before and cannot go on.
    pub(super) is_reset: bool,
}

impl LastPosition {
    /// The position that this id stands for.
    pub(super) fn of_id(id: Option<&str>) -> Self {
        match id.filter(|id| !id.is_empty()) {
            None => Self::New,
            Some(id) => Positions::of_id(id).map_or(Self::Unknown, |(epoch, last)| Self::Known(epoch, last)),
        }
    }
}

impl StreamQuery {
    /// Reads a query.
    ///
    /// # Errors
    /// When an option is no number, or no channel is named.
    pub(super) fn read(query: &QueryParams, universe: &Universe) -> Result<Self, ApiError> {
        let mut names = BTreeMap::new();
        for channel in Channel::ALL.into_iter().filter(|channel| channel.leader() == *channel) {
            if let Some(list) = query.value(channel.name()) {
                let list = match channel {
                    Channel::Messages => topics(list, universe),
                    _ => list
                        .split(',')
                        .map(str::trim)
                        .filter(|name| !name.is_empty())
                        .map(Into::into)
                        .collect(),
                };
                names.insert(channel, list);
            }
        }
        if names.is_empty() {
            return Err(ApiError::Missing(
                "one of trades, quotes, bars, updatedBars, dailyBars, statuses, lulds, tickers, topics",
            ));
        }
        let number = |name: &'static str| match query.value(name).map(str::parse::<u64>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(ApiError::invalid(name, "expected a number of milliseconds")),
        };
        let boolean = |name: &'static str| match query.value(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid(name, "expected true or false")),
        };
        let fields = |list: &str| list.split(',').map(str::trim).map(str::to_owned).collect();
        Ok(Self {
            names,
            conflate_ms: number("conflate_ms")?.unwrap_or(0),
            heartbeat_ms: number("heartbeat_ms")?.unwrap_or(HEARTBEAT_MS),
            snapshot: boolean("snapshot")?.unwrap_or(true),
            fields: query.value("fields").map(fields),
            delta: boolean("delta")?.unwrap_or(false),
        })
    }

    /// Refuses what the key of the request does not allow.
    pub(super) fn check(&self, permit: &AccessPermit, max_names: usize) -> Result<(), ApiError> {
        let count = self.names.values().map(Vec::len).sum::<usize>();
        if count > permit.max_symbols().unwrap_or(max_names) {
            return Err(ApiError::NotEntitled(format!("{count} names")));
        }
        let market = self.names.iter().filter(|(channel, _)| !channel.is_of_topics());
        for name in market.flat_map(|(_, names)| names) {
            match (name.as_str(), name.parse()) {
                ("*", _) => permit.check_all_symbols()?,
                (_, Ok(symbol)) => permit.check_symbol(&symbol)?,
                // The acknowledgement rejects it.
                (_, Err(_)) => {}
            }
        }
        let topics = self.names.get(&Channel::Messages).into_iter().flatten();
        topics.into_iter().try_for_each(|name| permit.check_topic(name))
    }

    /// How the session of this query begins, for a client that was here before.
    pub(super) fn begin(&self, last: &LastPosition, hub: &Hub, epoch: Epoch) -> Beginning {
        let known = match last {
            LastPosition::Known(epoch, positions) => Some((*epoch, positions)),
            LastPosition::New | LastPosition::Unknown => None,
        };
        let positions = self.positions(known, hub, epoch);
        let known = known.filter(|_| positions.is_some());
        let mut x = json!({
            "conflate_ms": self.conflate_ms, "heartbeat_ms": self.heartbeat_ms, "snapshot": self.snapshot,
            "delta": self.delta,
        });
        if let Some(fields) = &self.fields {
            x["fields"] = json!({"tickers": fields});
        }
        if let Some((epoch, last)) = known {
            x["resume"] = json!({"epoch": epoch.to_string(), "sq": self.resumed(last, &hub.universe())});
        }
        let mut command = json!({"action": "subscribe", "x": x});
        for (channel, names) in &self.names {
            command[channel.name()] = json!(names);
        }
        Beginning { command, positions, is_reset: *last != LastPosition::New && known.is_none() }
    }

    /// The names of the streams that exist or are named, by those of their channels whose positions are kept.
    fn kept(&self, universe: &Universe) -> Vec<(Channel, Vec<Symbol>)> {
        let kept = self.names.iter().filter(|(channel, _)| Positions::keep(**channel));
        let names = kept.map(|(channel, names)| {
            let names_one = |name: &&String| !(channel.is_of_topics() && name.ends_with(":*"));
            let mut symbols: Vec<_> =
                names.iter().filter(names_one).filter_map(|name| name.parse().ok()).collect();
            if has_all(names) {
                symbols.extend(listed(*channel, universe));
            }
            (*channel, symbols)
        });
        names.collect()
    }

    /// The positions at the beginning: in a stream that is resumed that of the client, and in another one the object
    /// before its snapshot. So a client that is cut off before it receives anything resumes without a loss.
    fn positions(&self, last: Option<(Epoch, &Positions)>, hub: &Hub, epoch: Epoch) -> Option<Positions> {
        let universe = hub.universe();
        let kept = self.kept(&universe);
        if kept.iter().map(|(_, names)| names.len()).sum::<usize>() > MAX_POSITIONS {
            return None;
        }
        let mut positions = Positions::default();
        for (leader, names) in kept {
            match has_all(&self.names[&leader]) {
                true => positions.add_all(leader),
                false => names.iter().for_each(|name| positions.add(leader, *name)),
            }
            hub.with_last_values(|last_values| {
                for (channel, name) in names.iter().flat_map(|name| series(leader).map(move |it| (it, name)))
                {
                    let stream = universe.find_stream(channel, name);
                    let newest = stream.map_or(0, |stream| last_values.seq(stream).0);
                    let had = last.and_then(|(had, last)| Some((had, last.get(channel, name)?)));
                    let position = match had {
                        Some((had, seq)) if had == epoch => seq,
                        // It begins with all that is retained.
                        Some((_, 0)) if leader == Channel::Messages => 0,
                        // It begins with its newest message.
                        Some(_) if is_state(stream) => newest.saturating_sub(1),
                        Some(_) => newest,
                        None if channel == leader && self.snapshot => newest.saturating_sub(1),
                        None => newest,
                    };
                    positions.set(channel, *name, position);
                }
            });
        }
        Some(positions)
    }

    /// The value of `x.resume.sq` for a client with these positions.
    fn resumed(&self, last: &Positions, universe: &Universe) -> Value {
        let mut sq = Map::new();
        for (leader, wanted) in self.kept(universe) {
            for channel in series(leader) {
                let had = wanted
                    .iter()
                    .filter_map(|name| Some((name.to_string(), json!(last.get(channel, name)?))));
                let had: Map<_, _> = had.collect();
                if !had.is_empty() {
                    sq.insert(channel.name().to_owned(), had.into());
                }
            }
        }
        sq.into()
    }
}

/// Whether this is a topic of which the newest message replaces the others.
fn is_state(stream: Option<StreamId>) -> bool {
    stream.is_some_and(|stream| stream.channel() == Channel::States)
}

/// Whether a list of names means every stream.
fn has_all(names: &[String]) -> bool {
    names.iter().any(|name| name == "*")
}

/// The names of every stream of a channel that exists.
fn listed(channel: Channel, universe: &Universe) -> impl Iterator<Item = Symbol> {
    let topics = universe.topics().iter().map(|topic| topic.name).filter(move |_| channel.is_of_topics());
    let instruments = universe.iter().map(|instrument| instrument.symbol);
    topics.chain(instruments.filter(move |_| !channel.is_of_topics()))
}

/// The topics of a list, separated by commas or bars: `weather:*` is each topic of the namespace that exists, whose
/// positions are kept then. One of which no topic exists is left to the session, which knows the namespaces.
fn topics(list: &str, universe: &Universe) -> Vec<String> {
    let items = list.split([',', '|']).map(str::trim).filter(|item| !item.is_empty());
    let (mut namespaces, mut names) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        match item.strip_suffix(":*") {
            Some(namespace) => _ = namespaces.insert(namespace),
            None => _ = names.insert(item.to_owned()),
        }
    }
    // Once, however many namespaces are named.
    if !namespaces.is_empty() {
        let mut empty = namespaces.clone();
        for Topic { name, .. } in universe.topics().iter() {
            let namespace = namespace_of(name);
            if namespaces.contains(namespace) {
                empty.remove(namespace);
                names.insert(name.to_string());
            }
        }
        names.extend(empty.into_iter().map(|namespace| format!("{namespace}:*")));
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TopicKind;
    use crate::wire::fixtures;

    #[test]
    fn a_namespace_stands_for_its_topics_that_exist() {
        let topic = |name: &str| (name.parse().unwrap(), TopicKind::State);
        let universe =
            fixtures::universe().with_topics(["weather:london", "weather:paris", "chat:AAPL"].map(topic));

        assert_eq!(
            topics("weather:*|chat:lobby,weather:*", &universe),
            ["chat:lobby", "weather:london", "weather:paris"]
        );
        assert_eq!(topics("*", &universe), ["*"]);
        assert_eq!(
            topics("news:*,weather:l*", &universe),
            ["news:*", "weather:l*"],
            "the session rejects both"
        );
    }

    #[test]
    fn an_id_that_cannot_be_read_is_not_that_of_a_new_client() {
        assert_eq!(LastPosition::of_id(None), LastPosition::New);
        assert_eq!(LastPosition::of_id(Some("")), LastPosition::New);
        assert_eq!(LastPosition::of_id(Some("-")), LastPosition::Unknown);
        assert!(matches!(LastPosition::of_id(Some("th5oso.")), LastPosition::Known(..)));
    }
}
