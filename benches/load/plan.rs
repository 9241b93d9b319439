//! Who subscribes to what: a pure function of the options, the market's symbols and a session's number.

use std::fmt;

use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::index::{sample, sample_weighted};
use serde_json::{Map, Value, json};

use super::ledger::Ledger;

/// A channel of the protocol, by its key in `subscribe`.
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
    fn words(self) -> (&'static str, u8) {
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
        Self::value_variants().iter().map(|channel| channel.words()).find(|words| words.0 == key).map(|w| w.1)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().0)
    }
}

/// How the sessions' interest is spread over the symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Skew {
    /// The nth symbol of the server's list is wanted 1/n as often as the first, as on a real market.
    Zipf,
    /// Every symbol alike.
    Uniform,
}

/// How many symbols a session asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// `"*"`.
    All,
    /// So many different ones.
    Some(usize),
}

/// Everything that decides a session's subscription.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) breadth: Breadth,
    pub(crate) skew: Skew,
    pub(crate) channels: Vec<Channel>,
    pub(crate) seed: u64,
    /// Asks the server for at most one frame per so many milliseconds (the `x` extension).
    pub(crate) conflate_ms: Option<u32>,
    /// Whether sessions come back when the server goes, and go on where they stood.
    pub(crate) returns: bool,
    /// The market, in the server's order; not needed for [`Breadth::All`].
    pub(crate) symbols: Vec<String>,
}

impl Plan {
    /// The `subscribe` command of one session; the same for the same plan and number.
    /// `resume` says where an earlier conversation of the session stood.
    pub(crate) fn subscribe(&self, session: usize, resume: Option<&Value>) -> String {
        let wanted = json!(self.wanted(session));
        let mut command = Map::new();
        command.insert("action".into(), "subscribe".into());
        for channel in &self.channels {
            command.insert(channel.words().0.into(), wanted.clone());
        }
        let mut terms = Map::new();
        if let Some(conflate_ms) = self.conflate_ms {
            terms.insert("conflate_ms".into(), json!(conflate_ms));
        }
        if let Some(resume) = resume {
            terms.insert("resume".into(), resume.clone());
        }
        if self.returns || !terms.is_empty() {
            command.insert("x".into(), Value::Object(terms));
        }
        Value::Object(command).to_string()
    }

    /// The last numbers of a session's streams, as `resume` wants them.
    pub(crate) fn numbers(&self, session: usize, ledger: &mut Ledger) -> Value {
        let mut numbers = Map::new();
        for channel in &self.channels {
            let (key, kind) = channel.words();
            let of_symbols: Map<String, Value> = self
                .wanted(session)
                .into_iter()
                .map(|symbol| (symbol.to_owned(), json!(ledger.last(kind, symbol.as_bytes()))))
                .filter(|(_, last)| *last != 0)
                .collect();
            numbers.insert(key.into(), Value::Object(of_symbols));
        }
        Value::Object(numbers)
    }

    fn wanted(&self, session: usize) -> Vec<&str> {
        let Breadth::Some(count) = self.breadth else { return vec!["*"] };
        let market = self.symbols.len();
        let count = count.min(market);
        // One generator per session, so that no session's choice depends on how many there are.
        let mut rng = SmallRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(session as u64));
        let chosen = match self.skew {
            Skew::Uniform => sample(&mut rng, market, count),
            Skew::Zipf => sample_weighted(&mut rng, market, |rank| 1.0 / (rank as f64 + 1.0), count)
                .expect("1/n is a finite positive weight"),
        };
        chosen.iter().map(|index| self.symbols[index].as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    fn plan(breadth: Breadth, skew: Skew) -> Plan {
        let symbols = (0..100).map(|n| format!("S{n:04}")).collect();
        Plan {
            breadth,
            skew,
            channels: vec![Channel::Trades],
            seed: 7,
            conflate_ms: None,
            returns: false,
            symbols,
        }
    }

    #[test]
    fn a_session_asks_for_different_symbols_and_always_the_same_ones() {
        for skew in [Skew::Zipf, Skew::Uniform] {
            let plan = plan(Breadth::Some(20), skew);

            let wanted = plan.wanted(3);

            assert_eq!(wanted.iter().collect::<HashSet<_>>().len(), 20);
            assert_eq!(wanted, plan.wanted(3));
            assert_ne!(wanted, plan.wanted(4));
        }
    }

    #[test]
    fn zipf_prefers_the_head_of_the_list_and_uniform_does_not() {
        let first_over_last = |skew| {
            let plan = plan(Breadth::Some(5), skew);
            let mut wanted = HashMap::new();
            for symbol in (0..2_000).flat_map(|session| plan.wanted(session)) {
                *wanted.entry(symbol).or_insert(0.0) += 1.0;
            }
            wanted["S0000"] / wanted["S0099"]
        };

        assert!(first_over_last(Skew::Zipf) > 10.0);
        assert!((0.5..2.0).contains(&first_over_last(Skew::Uniform)));
    }

    #[test]
    fn the_command_speaks_the_protocol() {
        let mut plan = plan(Breadth::All, Skew::Zipf);
        plan.channels = vec![Channel::Quotes, Channel::DailyBars];
        plan.conflate_ms = Some(250);

        let command: serde_json::Value = serde_json::from_str(&plan.subscribe(0, None)).unwrap();

        let expected = serde_json::json!({
            "action": "subscribe", "quotes": ["*"], "dailyBars": ["*"], "x": { "conflate_ms": 250 }
        });
        assert_eq!(command, expected);
    }
}
