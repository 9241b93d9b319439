//! The named scenarios: typical and extreme loads of a stream server.

/// A named scenario: the simulated market, the sessions, and their subscriptions.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) symbols: u32,
    /// Trades per second over all symbols, evenly spaced; there are no quotes.
    pub(crate) trades: u32,
    pub(crate) sessions: u32,
    /// The number of sessions for the floor, if one core cannot serve all of them in time. A floor that
    /// falls behind sends larger batches, which makes its figures useless for comparison.
    pub(crate) floor_sessions: Option<u32>,
    /// The number of additional sessions that subscribe and never read.
    pub(crate) stalled: u32,
    /// Further arguments of the load client.
    pub(crate) client_args: &'static [&'static str],
    /// Further arguments of the server.
    pub(crate) server_args: &'static [&'static str],
    pub(crate) kind: ScenarioKind,
    /// The minimum length of the measurement.
    pub(crate) min_seconds: u64,
}

/// How a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScenarioKind {
    /// The server alternates with the floor, unless `--baseline` names another reference.
    Paired,
    /// The server runs alone, or alternates with `--baseline`: the floor does not support the scenario.
    ServerOnly,
    /// As `ServerOnly`; the server is restarted during the measurement, and all sessions reconnect.
    Restart,
}

/// Subscriptions are uniform: in the server's simulated market a few symbols have most of the trades,
/// in the floor they have not, so a Zipf distribution would cost the server six times the floor's updates.
const TRADES_OF_20: &[&str] = &["--symbols", "20", "--channels", "trades", "--skew", "uniform"];
const ALL_TRADES: &[&str] = &["--symbols", "all", "--channels", "trades"];

const WATCHLIST: Scenario = Scenario {
    name: "watchlist",
    symbols: 500,
    trades: 1_000,
    sessions: 2_000,
    floor_sessions: None,
    stalled: 0,
    client_args: TRADES_OF_20,
    server_args: &[],
    kind: ScenarioKind::Paired,
    min_seconds: 0,
};

const FIREHOSE: Scenario = Scenario {
    name: "firehose",
    symbols: 500,
    trades: 10_000,
    sessions: 50,
    floor_sessions: None,
    stalled: 0,
    client_args: ALL_TRADES,
    server_args: &["--max-delay-ms", "0"],
    kind: ScenarioKind::Paired,
    min_seconds: 0,
};

/// All scenarios, in the order in which they run.
pub(crate) const ALL: [Scenario; 9] = [
    Scenario {
        name: "hot",
        symbols: 1,
        trades: 20,
        sessions: 5_000,
        client_args: &["--symbols", "1", "--channels", "trades"],
        ..WATCHLIST
    },
    WATCHLIST,
    FIREHOSE,
    Scenario { name: "firehose-5ms", server_args: &["--max-delay-ms", "5"], ..FIREHOSE },
    Scenario {
        name: "board",
        trades: 10_000,
        // All 2,000 sessions would need 800,000 sends per second; 400 need 160,000.
        floor_sessions: Some(400),
        client_args: &[
            "--symbols",
            "20",
            "--channels",
            "tickers",
            "--skew",
            "uniform",
            "--conflate-ms",
            "250",
        ],
        ..WATCHLIST
    },
    Scenario { name: "board-ticks", trades: 10_000, kind: ScenarioKind::ServerOnly, ..WATCHLIST },
    Scenario { name: "stalled", sessions: 1_900, stalled: 100, kind: ScenarioKind::ServerOnly, ..WATCHLIST },
    Scenario {
        name: "idle",
        trades: 0,
        sessions: 15_000,
        kind: ScenarioKind::ServerOnly,
        // Sessions that opened together are pinged together, every 16 s: two rounds of pings.
        min_seconds: 32,
        ..WATCHLIST
    },
    Scenario {
        name: "storm",
        trades: 100,
        sessions: 5_000,
        client_args: &["--symbols", "5", "--channels", "trades", "--max-opening", "4096", "--reconnect"],
        kind: ScenarioKind::Restart,
        ..WATCHLIST
    },
];

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Result<Scenario, String> {
    let names = || ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    let found = ALL.iter().find(|scenario| scenario.name == name).cloned();
    found.ok_or_else(|| format!("no scenario `{name}`; available: {}", names()))
}

impl Scenario {
    /// The variant of this scenario for the floor, which has trades only.
    pub(crate) fn for_floor(&self) -> Self {
        Self {
            sessions: self.floor_sessions.unwrap_or(self.sessions),
            client_args: if self.client_args.contains(&"tickers") { TRADES_OF_20 } else { self.client_args },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn scenario_names_are_unique() {
        let names: HashSet<_> = ALL.iter().map(|scenario| scenario.name).collect();

        assert_eq!(names.len(), ALL.len());
        assert!(named("hot").is_ok() && named("cold").unwrap_err().contains("watchlist"));
    }

    #[test]
    fn the_floor_serves_trades_only() {
        for scenario in ALL {
            assert!(scenario.for_floor().client_args.contains(&"trades"), "{}", scenario.name);
        }
    }
}
