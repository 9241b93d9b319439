//! The subscription of each session: a pure function of the options, the symbols and the session number.

use std::fmt;

use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::index::{sample, sample_weighted};
use serde_json::{Map, Value, json};

use super::sequence::SequenceTracker;

/// A channel of the protocol, named by its key in `subscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
pub(crate) enum Channel {
    Trades,
    Quotes,
    Bars,
    UpdatedBars,
    DailyBars,
    Tickers,
}

impl Channel {
    /// The key in `subscribe`, and the `T` of its objects.
    fn key_and_kind(self) -> (&'static str, u8) {
        match self {
            Self::Trades => ("trades", b't'),
            Self::Quotes => ("quotes", b'q'),
            Self::Bars => ("bars", b'b'),
            Self::UpdatedBars => ("updatedBars", b'u'),
            Self::DailyBars => ("dailyBars", b'd'),
            Self::Tickers => ("tickers", b'k'),
        }
    }

    /// The `T` of the objects of the channel with this key.
    pub(crate) fn kind_of(key: &str) -> Option<u8> {
        Self::value_variants()
            .iter()
            .map(|channel| channel.key_and_kind())
            .find(|pair| pair.0 == key)
            .map(|pair| pair.1)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key_and_kind().0)
    }
}

/// The distribution of subscriptions over the symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Skew {
    /// The nth symbol in the server's list has 1/n of the first symbol's weight, as on a real market.
    Zipf,
    /// Every symbol has the same weight.
    Uniform,
}

/// The number of symbols that each session subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolCount {
    /// `"*"`.
    All,
    /// This number of different symbols.
    Exactly(usize),
}

/// The settings that decide the subscription of each session.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) symbol_count: SymbolCount,
    pub(crate) skew: Skew,
    pub(crate) channels: Vec<Channel>,
    pub(crate) seed: u64,
    /// Requests at most one frame per this number of milliseconds (the `x` extension).
    pub(crate) conflate_ms: Option<u32>,
    /// Requests only these fields of tickers.
    pub(crate) fields: Option<Vec<String>>,
    /// Requests tickers as changes.
    pub(crate) delta: bool,
    /// The price alerts that each session sets.
    pub(crate) alerts: usize,
    /// Whether sessions reconnect after a disconnect and resume their streams.
    pub(crate) reconnect: bool,
    /// All symbols in the server's order; may stay empty for [`SymbolCount::All`].
    pub(crate) symbols: Vec<String>,
}

impl Workload {
    /// The `subscribe` command of one session; deterministic for a workload and a session number.
    ///
    /// `resume` is the resume point of an earlier connection of the session.
    pub(crate) fn subscribe_command(&self, session: usize, resume: Option<Value>) -> String {
        let symbols = json!(self.symbols_of(session));
        let mut command = Map::new();
        command.insert("action".into(), "subscribe".into());
        for channel in &self.channels {
            command.insert(channel.key_and_kind().0.into(), symbols.clone());
        }
        let mut extensions = Map::new();
        if let Some(conflate_ms) = self.conflate_ms {
            extensions.insert("conflate_ms".into(), json!(conflate_ms));
        }
        if let Some(fields) = &self.fields {
            extensions.insert("fields".into(), json!({ "tickers": fields }));
        }
        if self.delta {
            extensions.insert("delta".into(), json!(true));
        }
        if let Some(resume) = resume {
            extensions.insert("resume".into(), resume);
        }
        if self.reconnect || !extensions.is_empty() {
            command.insert("x".into(), Value::Object(extensions));
        }
        Value::Object(command).to_string()
    }

    /// The commands that set the price alerts of one session. The first ones are near the previous close and fire now and
    /// then; each pair of the others is a tenth of a percent farther away.
    pub(crate) fn alert_commands(&self, session: usize) -> impl Iterator<Item = String> {
        let symbols: Vec<_> = match self.symbol_count {
            SymbolCount::All => self.symbols.iter().map(String::as_str).collect(),
            SymbolCount::Exactly(_) => self.symbols_of(session),
        };
        let alerts = if symbols.is_empty() { 0 } else { self.alerts };
        (0..alerts).map(move |number| {
            let symbol = symbols[(session * self.alerts + number) % symbols.len()];
            let tenths = 1 + number / 2;
            let sign = if number % 2 == 0 { ">=" } else { "<=-" };
            let when = format!("chg{sign}{}.{}%", tenths / 10, tenths % 10);
            json!({"action": "alert", "S": symbol, "id": number.to_string(), "when": when, "once": false})
                .to_string()
        })
    }

    /// The last sequence numbers of a session's streams, in the form of the `resume` option.
    pub(crate) fn last_sequences(&self, session: usize, sequences: &mut SequenceTracker) -> Value {
        let mut last_sequences = Map::new();
        for channel in &self.channels {
            let (key, kind) = channel.key_and_kind();
            let of_symbols: Map<String, Value> = self
                .symbols_of(session)
                .into_iter()
                .map(|symbol| (symbol.to_owned(), json!(sequences.last(kind, symbol.as_bytes()))))
                .filter(|(_, last)| *last != 0)
                .collect();
            last_sequences.insert(key.into(), Value::Object(of_symbols));
        }
        Value::Object(last_sequences)
    }

    fn symbols_of(&self, session: usize) -> Vec<&str> {
        self.symbols_or(session, "*")
    }

    /// The symbols of a session, or the one that stands for all.
    pub(crate) fn symbols_or<'a>(&'a self, session: usize, all: &'a str) -> Vec<&'a str> {
        let SymbolCount::Exactly(count) = self.symbol_count else { return vec![all] };
        let available = self.symbols.len();
        let count = count.min(available);
        // One generator per session: the choice of a session does not depend on the number of sessions.
        let mut rng = SmallRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(session as u64));
        let chosen = match self.skew {
            Skew::Uniform => sample(&mut rng, available, count),
            Skew::Zipf => sample_weighted(&mut rng, available, |rank| 1.0 / (rank as f64 + 1.0), count)
                .expect("1/n is a finite positive weight"),
        };
        chosen.iter().map(|index| self.symbols[index].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    fn workload(symbol_count: SymbolCount, skew: Skew) -> Workload {
        let symbols = (0..100).map(|n| format!("S{n:04}")).collect();
        Workload {
            symbol_count,
            skew,
            channels: vec![Channel::Trades],
            seed: 7,
            conflate_ms: None,
            fields: None,
            delta: false,
            alerts: 0,
            reconnect: false,
            symbols,
        }
    }

    #[test]
    fn a_session_subscribes_to_distinct_symbols_and_always_the_same_ones() {
        for skew in [Skew::Zipf, Skew::Uniform] {
            let workload = workload(SymbolCount::Exactly(20), skew);

            let symbols = workload.symbols_of(3);

            assert_eq!(symbols.iter().collect::<HashSet<_>>().len(), 20);
            assert_eq!(symbols, workload.symbols_of(3));
            assert_ne!(symbols, workload.symbols_of(4));
        }
    }

    #[test]
    fn zipf_prefers_the_first_symbols_and_uniform_does_not() {
        let first_over_last = |skew| {
            let workload = workload(SymbolCount::Exactly(5), skew);
            let mut subscriptions = HashMap::new();
            for symbol in (0..2_000).flat_map(|session| workload.symbols_of(session)) {
                *subscriptions.entry(symbol).or_insert(0.0) += 1.0;
            }
            subscriptions["S0000"] / subscriptions["S0099"]
        };

        assert!(first_over_last(Skew::Zipf) > 10.0);
        assert!((0.5..2.0).contains(&first_over_last(Skew::Uniform)));
    }

    #[test]
    fn the_alerts_of_a_session_are_spread_over_its_symbols_and_around_the_previous_close() {
        let workload = Workload { alerts: 4, ..workload(SymbolCount::Exactly(2), Skew::Zipf) };
        let symbols = workload.symbols_of(3);

        let commands: Vec<serde_json::Value> =
            workload.alert_commands(3).map(|command| serde_json::from_str(&command).unwrap()).collect();

        let given: Vec<_> =
            commands.iter().map(|it| (it["S"].as_str().unwrap(), it["when"].as_str().unwrap())).collect();
        let [first, second] = symbols[..] else { panic!("{symbols:?}") };
        assert_eq!(
            given,
            [(first, "chg>=0.1%"), (second, "chg<=-0.1%"), (first, "chg>=0.2%"), (second, "chg<=-0.2%")]
        );
    }

    #[test]
    fn the_subscribe_command_follows_the_protocol() {
        let mut workload = workload(SymbolCount::All, Skew::Zipf);
        workload.channels = vec![Channel::Quotes, Channel::DailyBars];
        workload.conflate_ms = Some(250);
        workload.fields = Some(vec!["p".into()]);
        workload.delta = true;

        let command: serde_json::Value = serde_json::from_str(&workload.subscribe_command(0, None)).unwrap();

        let expected = serde_json::json!({
            "action": "subscribe", "quotes": ["*"], "dailyBars": ["*"],
            "x": { "conflate_ms": 250, "fields": { "tickers": ["p"] }, "delta": true }
        });
        assert_eq!(command, expected);
    }
}
