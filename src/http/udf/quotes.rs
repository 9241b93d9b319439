use actix_web::rt::task::yield_now;
use serde::Serialize;

use super::request::{UdfAnswer, UdfRequest, description, find, full_name};
use crate::archive::{OpenBars, Summary};
use crate::http::error::ApiError;
use crate::model::{Instrument, Price};

/// All quotes of an answer.
#[derive(Serialize)]
struct Quotes<'a> {
    s: &'static str,
    d: Vec<SymbolQuote<'a>>,
}

/// The quote of one symbol: the library's `QuoteData`.
#[derive(Serialize)]
struct SymbolQuote<'a> {
    s: &'static str,
    /// The name as it was asked for.
    n: String,
    v: QuoteValues<'a>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    errmsg: Option<String>,
}

/// The values of a quote, each left out where it is not known: the library's `DatafeedQuoteValues`.
#[derive(Debug, Default, Serialize)]
struct QuoteValues<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ch: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chp: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lp: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_close_price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<u64>,
}

/// The number of symbols that are looked up between two yields to the worker's sessions: a tenth of a millisecond.
const SYMBOLS_PER_STEP: usize = 100;

/// `GET /udf/quotes`: the latest values of many symbols. One that is unknown, or that the key does not allow, has an error of its
/// own, so that a watchlist shows the others.
pub(super) async fn quotes(request: UdfRequest) -> UdfAnswer {
    request.rest().check_market_data()?;
    let names = request.params().symbols()?;
    let mut quotes = Quotes { s: "ok", d: Vec::with_capacity(names.len()) };
    for names in names.chunks(SYMBOLS_PER_STEP) {
        for name in names {
            quotes.d.push(SymbolQuote::of(&request, name.as_str()));
        }
        yield_now().await;
    }
    let json = serde_json::to_vec(&quotes).expect("quotes are encoded in memory");
    Ok(request.rest().answer(json).await)
}

impl<'a> SymbolQuote<'a> {
    fn of(request: &'a UdfRequest, name: &str) -> Self {
        let rest = request.rest();
        let instrument = find(&rest.universe, name).ok_or_else(|| ApiError::UnknownSymbol(name.to_owned()));
        let values = instrument.and_then(|instrument| {
            rest.check_symbol(&instrument.symbol)?;
            let summary = rest.feed.archive.summary(instrument.id, OpenBars::Included);
            Ok(QuoteValues::of(instrument, &summary))
        });
        let n = name.to_owned();
        match values {
            Ok(v) => Self { s: "ok", n, v, errmsg: None },
            Err(why) => Self { s: "error", n, v: QuoteValues::default(), errmsg: Some(why.to_string()) },
        }
    }
}

impl<'a> QuoteValues<'a> {
    /// The values of the latest day that has a trade, and of the last trade and quote.
    fn of(instrument: &'a Instrument, summary: &Summary) -> Self {
        let day = summary.day.as_ref();
        let last = summary.trade.map(|trade| trade.price).or(day.map(|day| day.close));
        let previous = summary.previous_day.map(|day| day.close).or(instrument.previous_close);
        let change = last.zip(previous).map(|(last, previous)| last - previous);
        let is_quoted = |price: Price, size: u64| (size > 0).then_some(price);
        let ask = summary.quote.and_then(|quote| is_quoted(quote.ask, quote.ask_size));
        let bid = summary.quote.and_then(|quote| is_quoted(quote.bid, quote.bid_size));
        let dollars = |price: Option<Price>| price.map(Price::to_dollars);
        Self {
            ch: dollars(change),
            chp: change.zip(previous).and_then(|(change, previous)| percent(change, previous)),
            short_name: Some(instrument.symbol.as_str()),
            original_name: Some(full_name(instrument)),
            exchange: Some(instrument.exchange.as_deref().unwrap_or_default()),
            description: Some(description(instrument)),
            lp: dollars(last),
            ask: dollars(ask),
            bid: dollars(bid),
            spread: dollars(ask.zip(bid).map(|(ask, bid)| ask - bid)),
            open_price: dollars(day.map(|day| day.open)),
            high_price: dollars(day.map(|day| day.high)),
            low_price: dollars(day.map(|day| day.low)),
            prev_close_price: dollars(previous),
            volume: day.map(|day| day.volume),
        }
    }
}

/// A change in percent of the price before it, to two decimals; `None` where that is 0.
fn percent(change: Price, previous: Price) -> Option<f64> {
    let hundredths = (change.nanos() as f64 * 10_000.0 / previous.nanos().unsigned_abs() as f64).round();
    hundredths.is_finite().then_some(hundredths / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bar, Body, Quote, Trade};
    use crate::wire::fixtures;

    fn cents(cents: i64) -> Price {
        Price::from_cents(cents)
    }

    fn summary() -> Summary {
        let Body::Bar(bar) = fixtures::bar().body else { unreachable!() };
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        Summary {
            trade: Some(Trade { price: cents(1_657), ..trade }),
            quote: Some(Quote { bid: cents(1_657), ask: cents(1_658), ..quote }),
            day: Some(Bar { open: cents(1_625), high: cents(1_660), low: cents(1_625), ..bar }),
            previous_day: Some(Bar { close: cents(1_641), ..bar }),
            ..Summary::default()
        }
    }

    fn values(instrument: &Instrument, summary: &Summary) -> serde_json::Value {
        serde_json::to_value(QuoteValues::of(instrument, summary)).unwrap()
    }

    /// The example of the documentation.
    #[test]
    fn a_quote_has_the_day_the_change_and_the_best_bid_and_ask() {
        let universe = fixtures::universe();
        let alcoa = Instrument {
            symbol: "AA".parse().unwrap(),
            name: Some("Alcoa Inc. Common".into()),
            exchange: Some("NYSE".into()),
            ..universe.iter().next().unwrap().clone()
        };

        assert_eq!(
            values(&alcoa, &summary()),
            serde_json::json!({
                "ch": 0.16, "chp": 0.98, "short_name": "AA", "original_name": "NYSE:AA", "exchange": "NYSE",
                "description": "Alcoa Inc. Common", "lp": 16.57, "ask": 16.58, "bid": 16.57, "spread": 0.01,
                "open_price": 16.25, "high_price": 16.6, "low_price": 16.25, "prev_close_price": 16.41, "volume": 1200,
            })
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let universe = fixtures::universe();
        let unknown = Instrument { previous_close: None, ..universe.iter().next().unwrap().clone() };
        let names = |summary: &Summary| {
            let values = values(&unknown, summary);
            values.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        let one_sided = Quote { ask: Price::default(), ask_size: 0, ..summary().quote.unwrap() };

        assert_eq!(names(&Summary::default()), "description exchange original_name short_name");
        let of_bid = Summary { quote: Some(one_sided), ..Summary::default() };
        assert_eq!(names(&of_bid), "bid description exchange original_name short_name");
        assert_eq!(percent(cents(5), cents(0)), None);
        assert_eq!(
            (percent(cents(-1), cents(300)), percent(cents(3), cents(-300))),
            (Some(-0.33), Some(1.0))
        );
    }
}
