use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::ConfigError;
use crate::auth::KeyId;
use crate::limits::Rate;
use crate::model::{Symbol, TopicKind};
use crate::topics::{HistoryLimits, Namespace, Namespaces, PresenceDetail, PublishRight, TopicNames};

/// Options for topics.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TopicArgs {
    /// File with the namespaces of topics, in TOML [default: `weather:`, and `chat:` with a room for each symbol]
    #[arg(long, env = "TAPECAST_TOPICS", value_name = "FILE")]
    topics: Option<PathBuf>,

    /// Let every client write in `chat:` where an address beyond loopback is served without --keys
    #[arg(long, env = "TAPECAST_OPEN_CHAT", conflicts_with = "topics")]
    open_chat: bool,

    /// Weather of the cities with an exchange in `weather:`, once a minute [default: simulated, if the market is simulated and
    /// no --topics are given]
    #[arg(long, env = "TAPECAST_WEATHER", value_name = "WEATHER")]
    weather: Option<WeatherOption>,
}

/// The values of `--weather`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WeatherOption {
    /// Nothing but what others publish
    None,
    /// Simulated weather
    Simulated,
}

/// The clients of which the server knows that they are no strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownClients {
    /// All, by their keys.
    ByKey,
    /// Those on this machine, the only one from which the server takes connections.
    ByMachine,
    /// None.
    None,
}

impl TopicArgs {
    /// Whether weather is published in these namespaces, beside a market that is simulated or not.
    pub(super) fn simulates_weather(
        &self,
        namespaces: &Namespaces,
        simulates_market: bool,
    ) -> Result<bool, ConfigError> {
        match self.weather {
            Some(WeatherOption::Simulated) if !namespaces.contains("weather") => Err(ConfigError::NoWeather),
            Some(weather) => Ok(weather == WeatherOption::Simulated),
            None => Ok(simulates_market && self.topics.is_none()),
        }
    }

    /// The namespaces. The default ones let these clients write. Those of a file may list keys where some node has keys.
    pub(super) fn namespaces(&self, clients: KnownClients, keys: KeyUse) -> Result<Namespaces, ConfigError> {
        let Some(path) = &self.topics else {
            let publish = match clients {
                _ if self.open_chat => PublishRight::Subscribers,
                KnownClients::ByKey => PublishRight::Subscribers,
                KnownClients::ByMachine => PublishRight::LocalSubscribers,
                KnownClients::None => PublishRight::Nobody,
            };
            return Ok(Namespaces::new(vec![Namespace::weather(), Namespace::chat(publish)]));
        };
        let error = |reason: String| ConfigError::Topics { path: path.clone(), reason };
        read(path).and_then(|text| parse(&text, keys)).map_err(error)
    }
}

/// Whether clients may come with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyUse {
    /// This node has keys, or others of its cluster may.
    Possible,
    /// There are none.
    Never,
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("cannot read the file: {error}"),
    })
}

/// A file of namespaces: a table `[[namespace]]` for each.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicFile {
    #[serde(default)]
    namespace: Vec<toml::Table>,
}

/// The rules of a namespace. An unknown key is an error, because a misspelt limit would be none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamespaceTable {
    name: String,
    kind: KindOption,
    names: NamesOption,
    history: Option<usize>,
    ttl_seconds: Option<u64>,
    max_bytes: Option<usize>,
    publish: Option<PublishOption>,
    presence: Option<PresenceOption>,
    session_rate: Option<RateTable>,
    topic_rate: Option<RateTable>,
    max_topics: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindOption {
    Log,
    State,
}

/// `"*"`, `"symbols"`, or a list, in which `{symbol}` stands for each listed symbol.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"*\", \"symbols\" or a list of names")]
enum NamesOption {
    Word(String),
    List(Vec<String>),
}

/// `"nobody"`, `"subscribers"`, or a list of key ids.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"nobody\", \"subscribers\" or a list of key ids")]
enum PublishOption {
    Word(String),
    Keys(Vec<String>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PresenceOption {
    Off,
    Count,
    Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateTable {
    per_second: u32,
    burst: u32,
}

/// The most of what takes memory.
const MAX_HISTORY: usize = 10_000;
const MAX_BYTES: usize = 64 << 10;
const MAX_TOPICS: usize = 100_000;
const MAX_PER_SECOND: u32 = 100_000;
const MAX_TTL_SECONDS: u64 = 10 * 365 * 86_400;

fn parse(text: &str, keys: KeyUse) -> Result<Namespaces, String> {
    let file: TopicFile = toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {}", one_line(error.message()))
        }
        None => one_line(error.message()),
    })?;
    if file.namespace.is_empty() {
        return Err(
            "there is no [[namespace]]: give one, or leave --topics out for the default ones".to_owned()
        );
    }
    let mut namespaces: Vec<Namespace> = Vec::new();
    for (place, table) in file.namespace.into_iter().enumerate() {
        let name = table.get("name").and_then(toml::Value::as_str).map(ToOwned::to_owned);
        let place = name
            .as_ref()
            .map_or_else(|| format!("namespace {}", place + 1), |name| format!("namespace `{name}`"));
        if namespaces.iter().any(|known| Some(&*known.name) == name.as_deref()) {
            return Err(format!("{place} is given twice: keep one"));
        }
        let table = toml::Value::Table(table)
            .try_into::<NamespaceTable>()
            .map_err(|error| one_line(&error.to_string()));
        let namespace = table.and_then(|table| table.namespace(keys));
        namespaces.push(namespace.map_err(|reason| format!("{place}: {reason}"))?);
    }
    Ok(Namespaces::new(namespaces))
}

/// A text without line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl NamespaceTable {
    fn namespace(self, keys: KeyUse) -> Result<Namespace, String> {
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !is_name(&self.name) || self.name.len() > 20 {
            return Err("`name` has 1 to 20 letters, digits and hyphens".to_owned());
        }
        let kind = match self.kind {
            KindOption::Log => TopicKind::Log,
            KindOption::State => TopicKind::State,
        };
        let defaults = Namespace::new(&self.name, kind);
        let age =
            self.ttl_seconds.map(|seconds| within("ttl_seconds", seconds, MAX_TTL_SECONDS)).transpose()?;
        Ok(Namespace {
            names: names(&self.name, self.names)?,
            history: HistoryLimits {
                messages: limit("history", self.history, defaults.history.messages, MAX_HISTORY)?,
                age: age.map_or(defaults.history.age, Duration::from_secs),
            },
            max_bytes: limit("max_bytes", self.max_bytes, defaults.max_bytes, MAX_BYTES)?,
            publish: match self.publish {
                None => PublishRight::Nobody,
                Some(PublishOption::Word(word)) if word == "nobody" => PublishRight::Nobody,
                Some(PublishOption::Word(word)) if word == "subscribers" => PublishRight::Subscribers,
                Some(PublishOption::Word(_)) => {
                    return Err("`publish` is \"nobody\", \"subscribers\" or a list of key ids".to_owned());
                }
                Some(PublishOption::Keys(ids)) => PublishRight::Keys(key_ids(ids, keys)?),
            },
            presence: match self.presence {
                None | Some(PresenceOption::Off) => PresenceDetail::Off,
                Some(PresenceOption::Count) => PresenceDetail::Count,
                Some(PresenceOption::Names) => PresenceDetail::Names,
            },
            session_rate: rate("session_rate", self.session_rate, defaults.session_rate)?,
            topic_rate: rate("topic_rate", self.topic_rate, defaults.topic_rate)?,
            max_topics: limit("max_topics", self.max_topics, defaults.max_topics, MAX_TOPICS)?,
            ..defaults
        })
    }
}

/// The names of a namespace's topics, each of which may exist.
fn names(namespace: &str, option: NamesOption) -> Result<TopicNames, String> {
    let none = TopicNames::default();
    match option {
        NamesOption::Word(word) if word == "*" => Ok(TopicNames { any: true, ..none }),
        NamesOption::Word(word) if word == "symbols" => Ok(TopicNames { symbols: true, ..none }),
        NamesOption::Word(word) => {
            Err(format!("`names` is \"*\", \"symbols\" or a list; write [\"{word}\"] for a list of one"))
        }
        NamesOption::List(list) if list.is_empty() => {
            Err("`names` is empty, so no topic may exist: list names, or write \"*\" for any".to_owned())
        }
        NamesOption::List(list) => {
            let symbols = list.iter().any(|name| name == "{symbol}");
            let listed: Vec<Box<str>> =
                list.into_iter().filter(|name| name != "{symbol}").map(Into::into).collect();
            listed.iter().try_for_each(|name| check_name(namespace, name))?;
            Ok(TopicNames { symbols, listed, ..none })
        }
    }
}

/// Checks that a topic may have this name behind the colon.
fn check_name(namespace: &str, name: &str) -> Result<(), String> {
    let most = Symbol::MAX_LEN - namespace.len() - 1;
    let why = if name == "*" {
        "write `names = \"*\"`, without a list, for any name".to_owned()
    } else if name.contains('*') || name.contains('{') {
        "there are no patterns; `{symbol}` alone stands for each listed symbol".to_owned()
    } else if !(1..=most).contains(&name.len()) {
        format!("a name here has 1 to {most} characters, with `{namespace}:` before it at most 24")
    } else if format!("{namespace}:{name}").parse::<Symbol>().is_err() {
        "a name has visible ASCII characters without quote, backslash and comma".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("`names` has {name:?}, which no topic can have: {why}"))
}

/// The keys that may publish, each of which may exist.
fn key_ids(ids: Vec<String>, keys: KeyUse) -> Result<Vec<Box<str>>, String> {
    if ids.is_empty() {
        return Err("`publish` is an empty list: list key ids, or write \"nobody\"".to_owned());
    }
    if keys == KeyUse::Never {
        return Err("`publish` lists keys, and there are none: give --keys FILE, or write \"nobody\" or \"subscribers\"".to_owned());
    }
    match ids.iter().find(|id| !KeyId::may_be_of_session(id)) {
        Some(id) => Err(format!(
            "`publish` has {id:?}, which no key can have: an id has 1 to 64 visible ASCII characters without colon; \
             the subject of a token is jwt:SUB"
        )),
        None => Ok(ids.into_iter().map(Into::into).collect()),
    }
}

fn limit(key: &str, value: Option<usize>, default: usize, max: usize) -> Result<usize, String> {
    value.map_or(Ok(default), |value| within(key, value as u64, max as u64).map(|value| value as usize))
}

fn rate(key: &str, table: Option<RateTable>, default: Rate) -> Result<Rate, String> {
    let Some(RateTable { per_second, burst }) = table else { return Ok(default) };
    within(key, per_second.into(), MAX_PER_SECOND.into())?;
    within(key, burst.into(), MAX_PER_SECOND.into())?;
    Ok(Rate::per_second(per_second, burst))
}

fn within(key: &str, value: u64, max: u64) -> Result<u64, String> {
    if (1..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("`{key}` must be from 1 to {max}, not {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_the_rules_of_each_namespace() {
        let namespaces = parse(
            r#"
            [[namespace]]
            name = "weather"
            kind = "state"
            names = "*"

            [[namespace]]
            name = "chat"
            kind = "log"
            names = ["lobby", "{symbol}"]
            history = 20
            ttl_seconds = 60
            max_bytes = 100
            publish = ["k1", "k2"]
            presence = "count"
            session_rate = { per_second = 2, burst = 3 }
            topic_rate = { per_second = 1000, burst = 2000 }
            max_topics = 7
            "#,
            KeyUse::Possible,
        );

        let weather = Namespace {
            names: TopicNames { any: true, ..TopicNames::default() },
            ..Namespace::new("weather", TopicKind::State)
        };
        let chat = Namespace {
            names: TopicNames { any: false, symbols: true, listed: vec!["lobby".into()] },
            history: HistoryLimits { messages: 20, age: Duration::from_mins(1) },
            max_bytes: 100,
            publish: PublishRight::Keys(vec!["k1".into(), "k2".into()]),
            presence: PresenceDetail::Count,
            session_rate: Rate::per_second(2, 3),
            topic_rate: Rate::per_second(1_000, 2_000),
            max_topics: 7,
            ..Namespace::new("chat", TopicKind::Log)
        };
        assert_eq!(namespaces, Ok(Namespaces::new(vec![weather, chat])));
    }

    fn refused(text: &str, keys: KeyUse) -> String {
        let reason = parse(text, keys).unwrap_err();
        assert!(!reason.contains('\n'), "{reason}");
        reason
    }

    fn with(line: &str) -> String {
        refused(
            &format!("[[namespace]]\nname = \"a\"\nkind = \"log\"\nnames = \"*\"\n{line}\n"),
            KeyUse::Possible,
        )
    }

    #[test]
    fn what_is_misspelt_or_out_of_range_is_refused_in_one_line_with_its_place() {
        for line in [
            "historie = 1",
            "history = 0",
            "history = 10001",
            "publish = \"all\"",
            "publish = 7",
            "presence = \"some\"",
            "max_bytes = -1",
        ] {
            let reason = with(line);
            let key = line.split(' ').next().unwrap();
            assert!(reason.starts_with("namespace `a`: ") && reason.contains(key), "{line}: {reason}");
        }
        assert!(with("[[namespace]]\nname = \"a\"\nkind = \"log\"\nnames = [\"b\"]").contains("twice"));
        let of_text = |text| refused(text, KeyUse::Possible);
        assert!(of_text("[[namespace]]\nname = \"a:b\"\nkind = \"log\"\nnames = [\"x\"]").contains("`name`"));
        assert!(of_text("[[namespace]]\nkind = \"log\"").contains("namespace 1: "));
        assert!(of_text("\nx = 1").contains("line 2: "));
        assert!(of_text("[[namespace]]\nname = ").contains("line 2: "));
        assert!(of_text("").contains("[[namespace]]"));
    }

    #[test]
    fn names_and_keys_that_can_never_match_are_refused() {
        let namespace = |lines: &str| format!("[[namespace]]\nname = \"rooms\"\nkind = \"log\"\n{lines}\n");
        for names in [
            "[]",
            "\"lobby\"",
            "[\"\"]",
            "[\"lobby\", \"*\"]",
            "[\"room-{symbol}\"]",
            "[\"room-*\"]",
            "[\"my room\"]",
            "[\"a,b\"]",
            "[\"nineteen-characters\"]",
            "7",
        ] {
            let reason = refused(&namespace(&format!("names = {names}")), KeyUse::Possible);
            assert!(
                reason.starts_with("namespace `rooms`: ") && reason.contains("names"),
                "{names}: {reason}"
            );
        }
        let publish = |keys: &str| namespace(&format!("names = [\"18-characters-long\"]\npublish = {keys}"));
        for keys in ["[]", "[\"a:b\"]", "[\"a b\"]", "[\"\"]"] {
            let reason = refused(&publish(keys), KeyUse::Possible);
            assert!(reason.starts_with("namespace `rooms`: `publish`"), "{keys}: {reason}");
        }
        assert!(refused(&publish("[\"k1\"]"), KeyUse::Never).contains("--keys"));
        assert!(parse(&publish("[\"k1\"]"), KeyUse::Possible).is_ok());
    }

    #[test]
    fn clients_write_in_the_default_chat_if_they_are_known_or_it_is_open() {
        let namespaces = |open_chat, clients| {
            TopicArgs { open_chat, ..TopicArgs::default() }.namespaces(clients, KeyUse::Never).unwrap()
        };
        let expected = |publish| Namespaces::new(vec![Namespace::weather(), Namespace::chat(publish)]);

        assert_eq!(namespaces(false, KnownClients::ByKey), expected(PublishRight::Subscribers));
        assert_eq!(namespaces(false, KnownClients::ByMachine), expected(PublishRight::LocalSubscribers));
        assert_eq!(namespaces(false, KnownClients::None), expected(PublishRight::Nobody));
        for clients in [KnownClients::ByKey, KnownClients::ByMachine, KnownClients::None] {
            assert_eq!(namespaces(true, clients), expected(PublishRight::Subscribers));
        }
    }

    #[test]
    fn weather_is_simulated_beside_a_simulated_market_unless_topics_or_weather_say_otherwise() {
        let default = Namespaces::new(vec![Namespace::weather()]);
        let simulates = |args: &TopicArgs, namespaces: &Namespaces, market| {
            args.simulates_weather(namespaces, market).ok()
        };
        let plain = TopicArgs::default();
        let with_file = TopicArgs { topics: Some("topics.toml".into()), ..TopicArgs::default() };
        let wanted = TopicArgs { weather: Some(WeatherOption::Simulated), ..with_file.clone() };
        let unwanted = TopicArgs { weather: Some(WeatherOption::None), ..TopicArgs::default() };

        assert_eq!(simulates(&plain, &default, true), Some(true));
        assert_eq!(simulates(&plain, &default, false), Some(false));
        assert_eq!(simulates(&with_file, &default, true), Some(false));
        assert_eq!(simulates(&wanted, &default, false), Some(true));
        assert_eq!(simulates(&wanted, &Namespaces::default(), false), None);
        assert_eq!(simulates(&unwanted, &default, true), Some(false));
    }
}
