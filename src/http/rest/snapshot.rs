use crate::archive::Summary;
use crate::model::Symbol;
use crate::wire::JsonRowWriter;

/// Appends a snapshot: the newest record of each kind, under its name. Kinds without a record are left
/// out; `symbol` comes first if it is given.
pub(super) fn write_snapshot(
    summary: &Summary,
    symbol: Option<Symbol>,
    writer: &mut JsonRowWriter,
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    let start = out.len();
    if let Some(symbol) = symbol {
        out.extend_from_slice(format!("\"symbol\":\"{symbol}\",").as_bytes());
    }
    if let Some(trade) = &summary.trade {
        out.extend_from_slice(b"\"latestTrade\":");
        writer.trade(out, trade);
        out.push(b',');
    }
    if let Some(quote) = &summary.quote {
        out.extend_from_slice(b"\"latestQuote\":");
        writer.quote(out, quote);
        out.push(b',');
    }
    let bars =
        [("minuteBar", &summary.minute), ("dailyBar", &summary.day), ("prevDailyBar", &summary.previous_day)];
    for (name, bar) in bars {
        if let Some(bar) = bar {
            out.extend_from_slice(format!("\"{name}\":").as_bytes());
            writer.bar(out, bar);
            out.push(b',');
        }
    }
    if out.len() > start {
        out.pop();
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    fn written(summary: &Summary, symbol: Option<&str>) -> serde_json::Value {
        let mut out = Vec::new();
        let symbol = symbol.map(|text| text.parse().unwrap());
        write_snapshot(summary, symbol, &mut JsonRowWriter::default(), &mut out);
        serde_json::from_slice(&out).expect("a snapshot is JSON")
    }

    #[test]
    fn a_snapshot_leaves_out_kinds_without_a_record() {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        let summary = Summary { quote: Some(quote), day: Some(bar), ..Summary::default() };

        let snapshot = written(&summary, Some("AAPL"));

        let names: Vec<_> = snapshot.as_object().unwrap().keys().collect();
        assert_eq!(names, ["dailyBar", "latestQuote", "symbol"]);
        assert_eq!(snapshot["latestQuote"]["bp"], 126.5);
        assert_eq!(written(&Summary::default(), None), serde_json::json!({}));
    }
}
