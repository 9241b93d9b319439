//! The loads that a stream server meets, by name.

/// One named load: a market, a crowd, and what the crowd wants of the market.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) symbols: u32,
    /// Trades a second over the whole market, as evenly spaced as the floor's; no quotes.
    pub(crate) trades: u32,
    pub(crate) sessions: u32,
    /// How many of them the floor gets, where one core is not enough for it to serve all: figures of a
    /// floor that falls behind, and sends in lumps what it could not send in time, say nothing.
    pub(crate) sessions_of_floor: Option<u32>,
    /// How many more subscribe and then never read.
    pub(crate) stalled: u32,
    /// The rest of what the load client is told.
    pub(crate) wants: &'static [&'static str],
    /// The rest of what the server is told.
    pub(crate) server: &'static [&'static str],
    pub(crate) course: Course,
    /// It is measured for so long at least.
    pub(crate) least_seconds: u64,
}

/// What happens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// The server and the floor take turns, and each pair gives a ratio.
    Beside,
    /// The server alone: the floor knows nothing of the kind.
    Alone,
    /// The server goes in the middle, another takes its place, and everybody comes back.
    Restart,
}

/// The simulated market is skewed itself: a few symbols have most of its trades. The floor's is not, so
/// interest that prefers the busy ones would ask six times as much of the server as of the floor.
const TRADES_OF_20: &[&str] = &["--symbols", "20", "--channels", "trades", "--skew", "uniform"];
const ALL_TRADES: &[&str] = &["--symbols", "all", "--channels", "trades"];

const WATCHLIST: Scenario = Scenario {
    name: "watchlist",
    symbols: 500,
    trades: 1_000,
    sessions: 2_000,
    sessions_of_floor: None,
    stalled: 0,
    wants: TRADES_OF_20,
    server: &[],
    course: Course::Beside,
    least_seconds: 0,
};

const FIREHOSE: Scenario = Scenario {
    name: "firehose",
    symbols: 500,
    trades: 10_000,
    sessions: 50,
    sessions_of_floor: None,
    stalled: 0,
    wants: ALL_TRADES,
    server: &["--max-delay-ms", "0"],
    course: Course::Beside,
    least_seconds: 0,
};

/// All of them, in the order in which they are run when none is named.
pub(crate) const ALL: [Scenario; 9] = [
    Scenario {
        name: "hot",
        symbols: 1,
        trades: 20,
        sessions: 5_000,
        wants: &["--symbols", "1", "--channels", "trades"],
        ..WATCHLIST
    },
    WATCHLIST,
    FIREHOSE,
    Scenario { name: "firehose-5ms", server: &["--max-delay-ms", "5"], ..FIREHOSE },
    Scenario {
        name: "board",
        trades: 10_000,
        // 160,000 sends a second.
        sessions_of_floor: Some(400),
        wants: &["--symbols", "20", "--channels", "tickers", "--skew", "uniform", "--conflate-ms", "250"],
        ..WATCHLIST
    },
    Scenario { name: "board-ticks", trades: 10_000, course: Course::Alone, ..WATCHLIST },
    Scenario { name: "stalled", sessions: 1_900, stalled: 100, course: Course::Alone, ..WATCHLIST },
    Scenario {
        name: "idle",
        trades: 0,
        sessions: 15_000,
        course: Course::Alone,
        // All who came together are pinged together, once in 16 s: each is twice.
        least_seconds: 32,
        ..WATCHLIST
    },
    Scenario {
        name: "storm",
        trades: 100,
        sessions: 5_000,
        wants: &["--symbols", "5", "--channels", "trades", "--at-once", "4096", "--returns"],
        course: Course::Restart,
        ..WATCHLIST
    },
];

/// The scenario of this name.
pub(crate) fn named(name: &str) -> Result<Scenario, String> {
    let names = || ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    let found = ALL.iter().find(|scenario| scenario.name == name).cloned();
    found.ok_or_else(|| format!("there is no scenario `{name}`, but {}", names()))
}

impl Scenario {
    /// This scenario as the floor meets it, which knows trades alone.
    pub(crate) fn of_floor(&self) -> Self {
        Self {
            sessions: self.sessions_of_floor.unwrap_or(self.sessions),
            wants: if self.wants.contains(&"tickers") { TRADES_OF_20 } else { self.wants },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_scenario_has_a_name_of_its_own() {
        let names: HashSet<_> = ALL.iter().map(|scenario| scenario.name).collect();

        assert_eq!(names.len(), ALL.len());
        assert!(named("hot").is_ok() && named("cold").unwrap_err().contains("watchlist"));
    }

    #[test]
    fn the_floor_is_asked_for_trades_alone() {
        for scenario in ALL {
            assert!(scenario.of_floor().wants.contains(&"trades"), "{}", scenario.name);
        }
    }
}
