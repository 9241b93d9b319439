use actix_web::rt::task::yield_now;

use crate::model::Bar;
use crate::wire::JsonRowWriter;

/// What is known of a range.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FoundBars {
    /// Bars, at least one, the oldest first.
    Bars(Vec<TimedBar>),
    /// There is no bar.
    Nothing {
        /// The time of the latest bar before the range, in Unix seconds.
        earlier: Option<i64>,
    },
}

/// A bar with its time as UDF has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimedBar {
    /// Unix seconds.
    pub(super) time: i64,
    pub(super) bar: Bar,
}

/// The columns of bars: time, open, high, low, close, volume.
#[derive(Default)]
struct BarTable {
    columns: [Vec<u8>; COLUMNS.len()],
    writer: JsonRowWriter,
}

const COLUMNS: [&str; 6] = ["t", "o", "h", "l", "c", "v"];

/// The number of bars written between two yields to the worker's sessions: a fifth of a millisecond.
const BARS_PER_STEP: usize = 1_000;

/// Encodes an answer in steps, between which the worker's sessions are served.
pub(super) async fn encode(history: &FoundBars) -> Vec<u8> {
    match history {
        FoundBars::Bars(bars) => {
            let mut table = BarTable::default();
            for bars in bars.chunks(BARS_PER_STEP) {
                bars.iter().for_each(|bar| table.push(bar));
                yield_now().await;
            }
            table.finish()
        }
        FoundBars::Nothing { earlier: None } => br#"{"s":"no_data"}"#.to_vec(),
        // The only time in milliseconds: the adapter hands it on as it is, and the library's `HistoryMetadata` wants these.
        FoundBars::Nothing { earlier: Some(seconds) } => {
            format!("{{\"s\":\"no_data\",\"nextTime\":{seconds}000}}").into_bytes()
        }
    }
}

impl BarTable {
    fn push(&mut self, TimedBar { time, bar }: &TimedBar) {
        let [times, opens, highs, lows, closes, volumes] = &mut self.columns;
        let mut digits = itoa::Buffer::new();
        times.extend_from_slice(digits.format(*time).as_bytes());
        let prices = [(opens, bar.open), (highs, bar.high), (lows, bar.low), (closes, bar.close)];
        for (column, price) in prices {
            self.writer.price(column, price);
        }
        volumes.extend_from_slice(digits.format(bar.volume).as_bytes());
        self.columns.iter_mut().for_each(|column| column.push(b','));
    }

    fn finish(self) -> Vec<u8> {
        let mut out = br#"{"s":"ok""#.to_vec();
        for (name, mut column) in COLUMNS.into_iter().zip(self.columns) {
            column.pop();
            out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
            out.append(&mut column);
            out.push(b']');
        }
        out.push(b'}');
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    #[actix_web::test]
    async fn bars_are_columns_and_none_says_where_earlier_ones_are() {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        let next = Bar { volume: 7, ..bar };
        let bars = vec![TimedBar { time: 60, bar }, TimedBar { time: 120, bar: next }];
        for (history, json) in [
            (
                FoundBars::Bars(bars),
                concat!(
                    r#"{"s":"ok","t":[60,120],"o":[240.00,240.00],"h":[240.10,240.10],"l":[239.98,239.98],"#,
                    r#""c":[240.04,240.04],"v":[1200,7]}"#
                ),
            ),
            (FoundBars::Nothing { earlier: None }, r#"{"s":"no_data"}"#),
            (
                FoundBars::Nothing { earlier: Some(1_428_001_140) },
                r#"{"s":"no_data","nextTime":1428001140000}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(encode(&history).await).unwrap(), json);
        }
    }
}
