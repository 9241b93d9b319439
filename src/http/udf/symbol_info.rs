use actix_web::HttpResponse;
use serde::Serialize;

use super::request::{UdfAnswer, UdfRequest, description, full_name};
use super::resolution;
use super::session::{SymbolSession, TIME_ZONE};
use crate::archive::{OpenBars, Summary};
use crate::model::{Instrument, MarketHours, Price, Timestamp};

/// The type of all instruments.
pub(super) const STOCK: &str = "stock";

/// An instrument as the library resolves it: `LibrarySymbolInfo`.
#[derive(Serialize)]
struct SymbolInfo<'a> {
    name: &'a str,
    ticker: &'a str,
    full_name: String,
    description: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    exchange: &'a str,
    listed_exchange: &'a str,
    timezone: &'static str,
    session: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    session_holidays: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    corrections: String,
    currency_code: &'static str,
    format: &'static str,
    pricescale: u32,
    minmov: u32,
    has_intraday: bool,
    has_seconds: bool,
    has_daily: bool,
    has_weekly_and_monthly: bool,
    supported_resolutions: [&'static str; resolution::OFFERED.len()],
    seconds_multipliers: [&'static str; 4],
    intraday_multipliers: &'static [&'static str],
    daily_multipliers: [&'static str; 1],
    weekly_multipliers: [&'static str; 1],
    monthly_multipliers: [&'static str; 1],
    visible_plots_set: &'static str,
    volume_precision: u32,
    data_status: &'static str,
}

/// `GET /udf/symbols`: one instrument, by its symbol or by exchange and symbol.
pub(super) async fn symbol(request: UdfRequest) -> UdfAnswer {
    let instrument = request.instrument()?;
    let summary = request.rest().feed.archive.summary(instrument.id, OpenBars::Included);
    let info = SymbolInfo::of(instrument, &summary, request.hours(), request.now());
    Ok(HttpResponse::Ok().json(info))
}

/// The lengths of a minute and more that the library asks for; it makes the others of these.
///
/// Bars of hours start at the full hour. In the hours of an exchange that opens at 9:30 the library's own start with the
/// session, so there it makes them of half hours.
const fn intraday_multipliers(hours: MarketHours) -> &'static [&'static str] {
    match hours {
        MarketHours::Continuous => &["1", "5", "15", "30", "60", "240"],
        MarketHours::Exchange => &["1", "5", "15", "30"],
    }
}

impl<'a> SymbolInfo<'a> {
    fn of(instrument: &'a Instrument, summary: &Summary, hours: MarketHours, now: Timestamp) -> Self {
        let symbol = instrument.symbol.as_str();
        let exchange = instrument.exchange.as_deref().unwrap_or_default();
        let session = SymbolSession::of(hours, now);
        Self {
            name: symbol,
            ticker: symbol,
            full_name: full_name(instrument),
            description: description(instrument),
            kind: STOCK,
            exchange,
            listed_exchange: exchange,
            timezone: TIME_ZONE,
            session: session.hours,
            session_holidays: session.holidays,
            corrections: session.corrections,
            currency_code: "USD",
            format: "price",
            pricescale: 10_u32.pow(decimals(instrument, summary)),
            minmov: 1,
            has_intraday: true,
            has_seconds: true,
            has_daily: true,
            has_weekly_and_monthly: true,
            supported_resolutions: resolution::OFFERED,
            seconds_multipliers: ["1", "5", "15", "30"],
            intraday_multipliers: intraday_multipliers(hours),
            daily_multipliers: ["1"],
            weekly_multipliers: ["1"],
            monthly_multipliers: ["1"],
            visible_plots_set: "ohlcv",
            volume_precision: 0,
            data_status: "streaming",
        }
    }
}

/// The decimals of an instrument's prices: two, below $1.00 four, the minimum increments of US stocks (SEC Rule 612), and as
/// many as its best bid and ask have. Trades off the exchanges are finer, and are no ticks.
fn decimals(instrument: &Instrument, summary: &Summary) -> u32 {
    let last = summary.trade.map(|trade| trade.price);
    let last = last.or(summary.day.map(|day| day.close)).or(instrument.previous_close);
    let least = match last {
        Some(price) if (1..Price::NANOS_PER_DOLLAR).contains(&price.nanos()) => 4,
        _ => 2,
    };
    let quoted = summary.quote.into_iter().flat_map(|quote| [quote.bid, quote.ask]);
    quoted.map(decimals_of).fold(least, u32::max)
}

/// The decimals of a price, without zeros at the end.
fn decimals_of(price: Price) -> u32 {
    let (_, fraction) = price.split();
    (0..9).find(|decimals| fraction.is_multiple_of(10_u32.pow(9 - decimals))).unwrap_or(9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Quote, market_time};
    use crate::wire::fixtures;

    fn quoted(bid: &str, ask: &str) -> Summary {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        let price = |text: &str| Price::from_dollars(text.parse().unwrap());
        Summary { quote: Some(Quote { bid: price(bid), ask: price(ask), ..quote }), ..Summary::default() }
    }

    #[test]
    fn prices_have_the_decimals_of_their_ticks() {
        let universe = fixtures::universe();
        let listed = universe.iter().next().unwrap();
        let closed_at =
            |cents| Instrument { previous_close: Some(Price::from_cents(cents)), ..listed.clone() };
        let unknown = Instrument { previous_close: None, ..listed.clone() };
        for (instrument, summary, expected) in [
            (&unknown, Summary::default(), 2),
            (&closed_at(18_940), Summary::default(), 2),
            (&closed_at(100), Summary::default(), 2),
            (&closed_at(99), Summary::default(), 4),
            (&closed_at(18_940), quoted("189.41", "189.5"), 2),
            (&closed_at(546_225), quoted("5462.25", "5462.5"), 2),
            (&closed_at(110), quoted("1.0998", "1.10015"), 5),
            (&closed_at(110), quoted("0.000000001", "1"), 9),
        ] {
            assert_eq!(decimals(instrument, &summary), expected, "{summary:?}");
        }
    }

    #[test]
    fn hours_are_made_of_half_hours_where_the_market_opens_at_half_past_nine() {
        let universe = fixtures::universe();
        let now = market_time("2026-11-20T10:00").unwrap();
        let info = |hours| {
            let info = SymbolInfo::of(universe.iter().next().unwrap(), &Summary::default(), hours, now);
            serde_json::to_value(info).unwrap()
        };

        let (always, exchange) = (info(MarketHours::Continuous), info(MarketHours::Exchange));
        assert_eq!((&always["session"], &exchange["session"]), (&"24x7".into(), &"0930-1600".into()));
        let longest =
            |info: &serde_json::Value| info["intraday_multipliers"].as_array().unwrap().last().cloned();
        assert_eq!((longest(&always), longest(&exchange)), (Some("240".into()), Some("30".into())));
        assert!(always.get("session_holidays").is_none() && exchange["corrections"].is_string());
    }
}
