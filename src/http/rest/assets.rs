use std::cell::RefCell;
use std::sync::Arc;

use actix_web::rt::task::yield_now;
use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use serde::Serialize;

use super::request::RestRequest;
use crate::http::compression::{CodedText, ContentCoding};
use crate::http::error::ApiError;
use crate::http::paced_body::SharedBody;
use crate::http::response::json;
use crate::model::{Feed, Instrument, Symbol, Universe};

/// An asset in the form of Alpaca's trading API. All of ours are active and tradable.
#[derive(Serialize)]
struct Asset<'a> {
    id: String,
    class: &'static str,
    exchange: &'a str,
    symbol: &'a str,
    name: &'a str,
    status: &'static str,
    tradable: bool,
    marginable: bool,
    shortable: bool,
    easy_to_borrow: bool,
    fractionable: bool,
    min_order_size: &'static str,
    min_trade_increment: &'static str,
    price_increment: &'static str,
}

const CLASS: &str = "us_equity";
const STATUS: &str = "active";

/// `GET /v2/assets`: all instruments of the market that match the filters. An empty filter is none.
pub(super) async fn list(request: RestRequest) -> HttpResponse {
    let filter = |name: &str| request.params().value(name);
    let matches = |name: &str, value: &str| filter(name).is_none_or(|wanted| wanted == value);
    if !matches("status", STATUS) || !matches("asset_class", CLASS) {
        return json("[]");
    }
    if filter("exchange").is_some() {
        let of_exchange = |instrument: &Instrument| matches("exchange", exchange_of(instrument));
        return request.answer(encode(&request.universe, of_exchange).await).await;
    }
    let feed = request.feed.name;
    let list = match cached(feed, &request.universe, request.coding()) {
        Some(list) => list,
        None => {
            let text = encode(&request.universe, |_| true).await;
            let list = CodedText::new(text, request.coding()).await;
            cache(feed, &request.universe, request.coding(), &list);
            list
        }
    };
    let mut response = list.into_json();
    response.extensions_mut().insert(SharedBody);
    response
}

/// The list of all instruments of a feed in the codings in which it was requested.
struct AllAssets {
    feed: Feed,
    universe: Arc<Universe>,
    by_coding: Vec<(ContentCoding, CodedText)>,
}

thread_local! {
    /// All instruments of the newest universe of each feed, 400 bytes for each, which all readers of a worker share. To
    /// encode 10,000 costs 23 ms.
    static ALL_ASSETS: RefCell<Vec<AllAssets>> = const { RefCell::new(Vec::new()) };
}

fn cached(feed: Feed, universe: &Arc<Universe>, coding: ContentCoding) -> Option<CodedText> {
    ALL_ASSETS.with_borrow(|all| {
        let all = all.iter().find(|all| all.feed == feed && Arc::ptr_eq(&all.universe, universe))?;
        all.by_coding.iter().find(|(of, _)| *of == coding).map(|(_, text)| text.clone())
    })
}

fn cache(feed: Feed, universe: &Arc<Universe>, coding: ContentCoding, text: &CodedText) {
    ALL_ASSETS.with_borrow_mut(|all| {
        all.retain(|all| all.feed != feed || Arc::ptr_eq(&all.universe, universe));
        let known = all.iter().position(|all| all.feed == feed);
        let place = known.unwrap_or_else(|| {
            all.push(AllAssets { feed, universe: Arc::clone(universe), by_coding: Vec::new() });
            all.len() - 1
        });
        let by_coding = &mut all[place].by_coding;
        if by_coding.iter().all(|(of, _)| *of != coding) {
            by_coding.push((coding, text.clone()));
        }
    });
}

/// Encodes the instruments that are wanted in steps, between which the worker's sessions are served.
async fn encode(universe: &Universe, is_wanted: impl Fn(&Instrument) -> bool) -> Vec<u8> {
    /// The number of instruments encoded in one step, which take a fifth of a millisecond.
    const ASSETS_PER_STEP: usize = 100;
    let mut out = vec![b'['];
    for (place, instrument) in universe.iter().enumerate() {
        if place % ASSETS_PER_STEP == ASSETS_PER_STEP - 1 {
            yield_now().await;
        }
        if is_wanted(instrument) {
            if out.len() > 1 {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, &Asset::of(instrument)).expect("an asset is encoded in memory");
        }
    }
    out.push(b']');
    out
}

/// `GET /v2/assets/{symbol}`: one instrument, by its symbol or its id.
pub(super) async fn one(request: RestRequest, wanted: Path<String>) -> Result<impl Responder, ApiError> {
    let universe = &request.universe;
    let by_symbol = || universe.find(&wanted.parse().ok()?);
    let by_id = || universe.find(&symbol_in_id(&wanted)?);
    let found = by_symbol().or_else(by_id).map(|symbol| universe.instrument(symbol));
    let instrument = found.ok_or_else(|| ApiError::UnknownSymbol(wanted.to_string()))?;
    Ok(HttpResponse::Ok().json(Asset::of(instrument)))
}

/// The exchange; empty, as Alpaca has it, where it is not known.
fn exchange_of(instrument: &Instrument) -> &str {
    instrument.exchange.as_deref().unwrap_or_default()
}

impl<'a> Asset<'a> {
    fn of(instrument: &'a Instrument) -> Self {
        Self {
            id: id_of(instrument.symbol),
            class: CLASS,
            exchange: exchange_of(instrument),
            symbol: instrument.symbol.as_str(),
            name: instrument.name.as_deref().unwrap_or_default(),
            status: STATUS,
            tradable: true,
            marginable: true,
            shortable: true,
            easy_to_borrow: true,
            fractionable: false,
            min_order_size: "1",
            min_trade_increment: "1",
            price_increment: "0.01",
        }
    }
}

/// A UUID of version 8 (RFC 9562 section 5.8) that contains the symbol, so it is the same in every run.
fn id_of(symbol: Symbol) -> String {
    let mut bytes = [0u8; 16];
    let places = (0..16).filter(|place| !matches!(place, 6 | 8));
    for (place, byte) in places.zip(symbol.as_str().as_bytes()) {
        bytes[place] = *byte;
    }
    bytes[6] = 0x80;
    bytes[8] = 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    format!("{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}

/// The symbol in an id, the reverse of [`id_of`]: a search through all ids would take milliseconds.
fn symbol_in_id(text: &str) -> Option<Symbol> {
    let digits: Vec<_> = text.bytes().filter(|byte| *byte != b'-').collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = digits.as_chunks::<2>().0.iter();
    let bytes: Vec<_> =
        pairs.map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
    let places = (0..bytes.len()).filter(|place| !matches!(place, 6 | 8));
    let symbol = places.map(|place| bytes[place]).take_while(|byte| *byte != 0).collect();
    let symbol: Symbol = String::from_utf8(symbol).ok()?.parse().ok()?;
    (id_of(symbol) == text).then_some(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn an_asset_has_a_unique_id_in_the_form_of_a_uuid() {
        let universe = fixtures::universe();
        let ids: Vec<_> = universe.iter().map(|instrument| id_of(instrument.symbol)).collect();

        assert_eq!(ids[0], "4141504c-0000-8000-8000-000000000000");
        assert_ne!(ids[0], ids[1]);
    }

    #[test]
    fn the_symbol_of_an_id_is_found_without_a_search() {
        for instrument in crate::source::universe(300, 1).iter() {
            assert_eq!(symbol_in_id(&id_of(instrument.symbol)), Some(instrument.symbol));
        }
        for text in
            ["", "AAPL", "4141504c-0000-8000-8000-00000000000", "4141504c000080008000000000000000", "é"]
        {
            assert_eq!(symbol_in_id(text), None, "{text}");
        }
    }
}
