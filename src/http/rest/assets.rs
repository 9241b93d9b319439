use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use serde::Serialize;

use super::request::RestRequest;
use crate::http::error::ApiError;
use crate::model::Instrument;

/// An asset in the form of Alpaca's trading API. All of ours are active and tradable.
#[derive(Serialize)]
struct Asset<'a> {
    id: String,
    class: &'static str,
    exchange: &'static str,
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
pub(super) async fn list(request: RestRequest) -> impl Responder {
    let matches = |name: &str, value: &str| request.params().value(name).is_none_or(|wanted| wanted == value);
    let all = matches("status", STATUS) && matches("asset_class", CLASS);
    let is_wanted = |instrument: &&Instrument| all && matches("exchange", instrument.exchange);
    let assets: Vec<_> = request.universe.iter().filter(is_wanted).map(Asset::of).collect();
    HttpResponse::Ok().json(assets)
}

/// `GET /v2/assets/{symbol}`: one instrument, by its symbol or its id.
pub(super) async fn one(request: RestRequest, wanted: Path<String>) -> Result<impl Responder, ApiError> {
    let universe = &request.universe;
    let by_symbol = || universe.find(&wanted.parse().ok()?);
    let by_id = || universe.iter().find(|instrument| id(instrument) == **wanted);
    let found = by_symbol().map(|symbol| universe.instrument(symbol)).or_else(by_id);
    let instrument = found.ok_or_else(|| ApiError::UnknownSymbol(wanted.to_string()))?;
    Ok(HttpResponse::Ok().json(Asset::of(instrument)))
}

impl<'a> Asset<'a> {
    fn of(instrument: &'a Instrument) -> Self {
        Self {
            id: id(instrument),
            class: CLASS,
            exchange: instrument.exchange,
            symbol: instrument.symbol.as_str(),
            name: &instrument.name,
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
fn id(instrument: &Instrument) -> String {
    let mut bytes = [0u8; 16];
    let symbol = instrument.symbol.as_str().as_bytes();
    let places = (0..16).filter(|place| !matches!(place, 6 | 8));
    for (place, byte) in places.zip(symbol) {
        bytes[place] = *byte;
    }
    bytes[6] = 0x80;
    bytes[8] = 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    format!("{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    #[test]
    fn an_asset_has_a_unique_id_in_the_form_of_a_uuid() {
        let universe = fixtures::universe();
        let ids: Vec<_> = universe.iter().map(id).collect();

        assert_eq!(ids[0], "4141504c-0000-8000-8000-000000000000");
        assert_ne!(ids[0], ids[1]);
    }
}
