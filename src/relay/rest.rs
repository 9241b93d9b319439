use std::fmt::Write;
use std::time::Duration;

use awc::Client;
use awc::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::settings::UpstreamSettings;
use crate::model::{Symbol, Timestamp};
use crate::wire::{Codec, Decoded, DecodedObject, decode_each_object, rfc3339};

/// The longest answer: 10,000 trades take some 1.2 MB.
const MAX_BODY: usize = 8 << 20;

/// The time for one answer. The live trades of the symbols wait for it.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A request for the trades of symbols since a time, in order of time for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TradesQuery {
    pub(super) symbols: Vec<Symbol>,
    pub(super) from: Timestamp,
    pub(super) page: Option<String>,
}

/// A page of trades.
#[derive(Debug)]
pub(super) struct TradesPage {
    pub(super) trades: Vec<DecodedObject>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct TradesBody {
    #[serde(default)]
    trades: Option<Map<String, Value>>,
    next_page_token: Option<String>,
}

/// Asks the upstream's REST for trades.
pub(super) async fn trades(
    client: &Client,
    settings: &UpstreamSettings,
    query: &TradesQuery,
) -> Result<TradesPage, String> {
    let url = settings.rest.as_deref().ok_or("the upstream has no REST")?;
    let mut request = client.get(format!("{url}/v2/stocks/trades?{}", parameters(settings, query)));
    if let Some(key) = &settings.key {
        request = request.insert_header(("APCA-API-KEY-ID", key.id.as_str()));
        request = request.insert_header(("APCA-API-SECRET-KEY", key.secret.as_str()));
    }
    let response = request.timeout(TIMEOUT).send().await.map_err(|error| error.to_string())?;
    if response.status() != StatusCode::OK {
        return Err(format!("the upstream's REST answers {}", response.status()));
    }
    let body = response.timeout(TIMEOUT).body().limit(MAX_BODY).await.map_err(|error| error.to_string())?;
    page(&body).ok_or_else(|| "the upstream's REST answers nonsense".to_owned())
}

fn parameters(settings: &UpstreamSettings, query: &TradesQuery) -> String {
    let symbols: Vec<_> = query.symbols.iter().map(Symbol::as_str).collect();
    let mut text = format!("sort=asc&limit=10000&start={}", rfc3339(query.from));
    // The last part of the stream's path is the feed.
    if let Some(feed) = settings.url.rsplit('/').next().filter(|feed| !feed.contains(['?', ':'])) {
        let _ = write!(text, "&feed={feed}");
    }
    text.push_str("&symbols=");
    push_encoded(&mut text, &symbols.join(","));
    if let Some(page) = &query.page {
        text.push_str("&page_token=");
        push_encoded(&mut text, page);
    }
    text
}

/// Appends text in percent-encoding.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => {
                out.push(char::from(byte));
            }
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
}

/// A page of trades, each of which has the fields of the stream but type and symbol.
fn page(body: &[u8]) -> Option<TradesPage> {
    let TradesBody { trades, next_page_token } = serde_json::from_slice(body).ok()?;
    let mut decoded = Vec::new();
    for (symbol, rows) in trades.unwrap_or_default() {
        for row in rows.as_array()? {
            let fields = row.to_string();
            let fields = fields.strip_prefix('{')?;
            let message = format!(r#"[{{"T":"t","S":{},{fields}]"#, Value::from(symbol.as_str()));
            match decode_each_object(Codec::Json, message.as_bytes()).ok()?.pop()? {
                Ok(Decoded::Object(trade)) => decoded.push(trade),
                Ok(Decoded::Unknown { .. }) | Err(_) => return None,
            }
        }
    }
    Some(TradesPage { trades: decoded, next: next_page_token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_trades_of_all_symbols_in_order() {
        let trade = |id: u64| {
            format!(r#"{{"t":"2026-11-20T14:30:0{id}Z","x":"V","p":1.25,"s":7,"c":["@"],"i":{id},"z":"C"}}"#)
        };
        let body = format!(
            r#"{{"trades":{{"A":[{},{}],"B":[{}]}},"next_page_token":"QXw="}}"#,
            trade(1),
            trade(2),
            trade(3)
        );

        let page = page(body.as_bytes()).unwrap();

        let symbols: Vec<_> = page.trades.iter().map(|trade| trade.symbol.to_string()).collect();
        assert_eq!((symbols, page.next.as_deref()), (vec!["A".into(), "A".into(), "B".into()], Some("QXw=")));
        assert!(super::page(br#"{"trades":null,"next_page_token":null}"#).unwrap().trades.is_empty());
        assert!(super::page(b"<html>").is_none());
    }

    #[test]
    fn what_has_a_meaning_in_urls_is_encoded() {
        let mut text = String::new();
        push_encoded(&mut text, "BRK.B,A|2026+1=");
        assert_eq!(text, "BRK.B,A%7C2026%2B1%3D");
    }
}
