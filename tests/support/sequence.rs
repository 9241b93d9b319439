//! The check that no object is lost or repeated.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Follows the sequence number of every stream (channel and symbol) of a session.
///
/// It holds the server to its promise: `sq_now − sq_prev = cf + 1`, where `cf` counts the objects that were
/// conflated into this one, unless a `gap` names the numbers that are missing, or an `epoch` restarts all numbers.
#[derive(Debug, Default)]
pub struct SequenceLedger {
    last: HashMap<(String, String), u64>,
    /// How many numbered objects were recorded.
    pub objects: usize,
    /// How many objects were conflated into those.
    pub conflated: u64,
    /// How many gaps were announced.
    pub gaps: usize,
}

impl SequenceLedger {
    /// Records the objects of a frame.
    ///
    /// # Panics
    /// When a sequence number does not follow from the one before.
    pub fn record(&mut self, objects: &[Value]) {
        for object in objects {
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            if object["T"] == "gap" {
                let last = self.last.insert((text("ch"), text("S")), object["to"].as_u64().unwrap());
                assert!(last.is_none_or(|last| object["from"] == last + 1), "after {last:?}: {object}");
                self.gaps += 1;
            }
            if object["T"] == "epoch" && object["restart"] == true {
                self.last.clear();
            }
            let Some(sq) = object["sq"].as_u64() else { continue };
            let cf = object["cf"].as_u64().unwrap_or(0);
            let last = self.last.insert((channel(object).to_owned(), text("S")), sq);
            if object["sn"] != true {
                assert!(last.is_none_or(|last| sq == last + cf + 1), "after {last:?}: {object}");
            }
            self.objects += 1;
            self.conflated += cf;
        }
    }

    /// Whether a numbered object was recorded before, or one behind it: it was sent again.
    pub fn has(&self, object: &Value) -> bool {
        let Some(sq) = object["sq"].as_u64() else { return false };
        let stream = (channel(object).to_owned(), object["S"].as_str().unwrap_or_default().to_owned());
        self.last.get(&stream).is_some_and(|last| sq <= *last)
    }

    /// The value of `x.resume.sq` that resumes after what was recorded.
    pub fn resume_positions(&self) -> Value {
        let mut sq = json!({});
        for ((channel, symbol), last) in &self.last {
            sq[channel][symbol] = (*last).into();
        }
        sq
    }
}

/// The channel of a data object.
fn channel(object: &Value) -> &'static str {
    match object["T"].as_str().unwrap() {
        "t" => "trades",
        "q" => "quotes",
        "b" => "bars",
        "u" => "updatedBars",
        "d" => "dailyBars",
        "s" => "statuses",
        "l" => "lulds",
        "x" => "cancelErrors",
        "c" => "corrections",
        "k" => "tickers",
        "m" => "topics",
        other => panic!("no such kind of object: {other}"),
    }
}
