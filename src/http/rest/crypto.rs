//! `/v1beta3/crypto/us/...`: the same market in Alpaca's API for coins, because ccxt knows no other.
//!
//! Instruments are pairs such as `AAPL/USD`; `AAPL` alone is understood too, and the answer uses the name of
//! the request. The order book is the best bid and ask: the market has no more.

use actix_web::web::Path;

use super::answers::{self, Answer};
use super::page::ResponseShape;
use super::request::{RestRequest, SymbolStyle};
use super::series::RecordKind;
use crate::model::{Price, Quote};
use crate::wire::JsonRowWriter;

/// `GET /v1beta3/crypto/us/{bars,trades,quotes}`
pub(super) async fn pages(request: RestRequest, kind: Path<String>) -> Answer {
    let kind = RecordKind::named(&kind)?;
    let symbols = request.symbols(SymbolStyle::Pair)?;
    answers::page(&request, kind, ResponseShape::BySymbol, symbols).await
}

/// `GET /v1beta3/crypto/us/latest/{bars,trades,quotes}`
pub(super) async fn latest(request: RestRequest, kind: Path<String>) -> Answer {
    answers::latest(&request, RecordKind::named(&kind)?, SymbolStyle::Pair).await
}

/// `GET /v1beta3/crypto/us/snapshots`
pub(super) async fn snapshots(request: RestRequest) -> Answer {
    let mut out = b"{\"snapshots\":".to_vec();
    answers::write_snapshots(&request, SymbolStyle::Pair, &mut out).await?;
    out.push(b'}');
    Ok(request.answer(out).await)
}

/// `GET /v1beta3/crypto/us/latest/orderbooks`
pub(super) async fn order_books(request: RestRequest) -> Answer {
    let symbols = request.symbols(SymbolStyle::Pair)?;
    let archive = &request.feed.archive;
    let mut out = b"{\"orderbooks\":".to_vec();
    answers::by_symbol(symbols, &mut out, |id, writer, out| {
        archive.latest_quote(id).map(|quote| write_order_book(&quote, writer, out)).is_some()
    })
    .await;
    out.push(b'}');
    Ok(request.answer(out).await)
}

/// Appends the order book of one level that a quote is. A side without shares has no level.
fn write_order_book(quote: &Quote, writer: &mut JsonRowWriter, out: &mut Vec<u8>) {
    let side = |price: Price, size: u64| match size {
        0 => String::new(),
        size => format!("{{\"p\":{price},\"s\":{size}}}"),
    };
    let (asks, bids) = (side(quote.ask, quote.ask_size), side(quote.bid, quote.bid_size));
    out.extend_from_slice(format!("{{\"a\":[{asks}],\"b\":[{bids}],\"t\":").as_bytes());
    writer.time(out, quote.at);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::fixtures;

    #[test]
    fn an_order_book_has_the_sides_of_the_quote_that_have_shares() {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        let written = |quote: Quote| {
            let mut out = Vec::new();
            write_order_book(&quote, &mut JsonRowWriter::default(), &mut out);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()
        };

        let book = written(quote);
        assert_eq!(book["b"][0]["p"], 126.5);
        assert!(book["a"][0]["s"].as_u64().unwrap() > 0 && book["t"].is_string());
        assert_eq!(written(Quote { ask_size: 0, ..quote })["a"], serde_json::json!([]));
    }
}
