use serde_json::Value;

/// Checks the promise that nothing is lost in silence: `sq_now − sq_prev = cf + 1`, but where the
/// server says that there is a gap.
#[derive(Default)]
pub struct Ledger {
    last: std::collections::HashMap<(String, String), u64>,
    pub objects: usize,
    pub merged: u64,
    pub gaps: usize,
}

impl Ledger {
    pub fn enter(&mut self, objects: &[Value]) {
        for object in objects {
            let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            if object["T"] == "gap" {
                let last = self.last.insert((text("ch"), text("S")), object["to"].as_u64().unwrap());
                assert!(last.is_none_or(|last| object["from"] == last + 1), "after {last:?}: {object}");
                self.gaps += 1;
            }
            let Some(sq) = object["sq"].as_u64() else { continue };
            let cf = object["cf"].as_u64().unwrap_or(0);
            let last = self.last.insert((channel(object).to_owned(), text("S")), sq);
            if object["sn"] != true {
                assert!(last.is_none_or(|last| sq == last + cf + 1), "after {last:?}: {object}");
            }
            self.objects += 1;
            self.merged += cf;
        }
    }

    /// What `x.resume.sq` must say to go on from here.
    pub fn positions(&self) -> Value {
        let mut sq = serde_json::json!({});
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
        other => panic!("no such kind of object: {other}"),
    }
}
