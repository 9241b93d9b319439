use actix_web::web::Data;

use super::answers::Answer;
use crate::http::access::AccessPermit;
use crate::http::response::json;
use crate::http::state::AppState;
use crate::model::{ExchangeSession, MarketHours, Timestamp, TradingDay};
use crate::source::MarketSchedule;
use crate::wire::JsonRowWriter;

/// `GET /v2/clock`: whether the market is open, and until when.
pub(super) async fn clock(permit: AccessPermit, state: Data<AppState>) -> Answer {
    let feed = state.feeds.requested(permit.query().value("feed"))?;
    let now = state.clock.now();
    let told = feed.market_clock.as_ref().and_then(|clock| clock.at(now));
    Ok(json(clock_at(now, told, feed.hours_at(now))))
}

/// The clock's body: what the source told, or what follows from the hours. The simulated market never closes: its day
/// ends at midnight in New York, when the next one begins.
fn clock_at(now: Timestamp, told: Option<MarketSchedule>, hours: MarketHours) -> Vec<u8> {
    let MarketSchedule { is_open, next_open, next_close } = match told {
        _ if hours == MarketHours::Continuous => {
            let midnight = TradingDay::of(now).end;
            MarketSchedule { is_open: true, next_open: midnight, next_close: midnight }
        }
        Some(told) => told,
        None => exchange_at(now),
    };
    let mut writer = JsonRowWriter::default();
    let mut out = b"{\"timestamp\":".to_vec();
    writer.time(&mut out, now);
    out.extend_from_slice(b",\"is_open\":");
    out.extend_from_slice(if is_open { b"true" } else { b"false" });
    out.extend_from_slice(b",\"next_open\":");
    writer.time(&mut out, next_open);
    out.extend_from_slice(b",\"next_close\":");
    writer.time(&mut out, next_close);
    out.push(b'}');
    out
}

/// The hours of the exchange. The end of representable time has no next session.
fn exchange_at(now: Timestamp) -> MarketSchedule {
    let end = Timestamp::from_nanos(i64::MAX);
    let Some(session) = ExchangeSession::next(now) else {
        return MarketSchedule { is_open: false, next_open: end, next_close: end };
    };
    let (is_open, next_close) = (session.holds(now), session.close);
    let next_open = match is_open {
        true => ExchangeSession::next(session.close).map_or(end, |next| next.open),
        false => session.open,
    };
    MarketSchedule { is_open, next_open, next_close }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SECOND, market_time};

    #[test]
    fn the_market_is_always_open_and_its_day_ends_at_midnight_in_new_york() {
        let body = clock_at(Timestamp::from_nanos(1_795_185_000 * SECOND), None, MarketHours::Continuous);

        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            serde_json::json!({
                "timestamp": "2026-11-20T14:30:00Z",
                "is_open": true,
                "next_open": "2026-11-21T05:00:00Z",
                "next_close": "2026-11-21T05:00:00Z",
            })
        );
    }

    #[test]
    fn the_exchange_is_open_in_its_sessions() {
        for (now, is_open, next_open, next_close) in [
            ("2026-11-25T20:59:59Z", true, "2026-11-27T14:30:00Z", "2026-11-25T21:00:00Z"),
            ("2026-11-26T15:00:00Z", false, "2026-11-27T14:30:00Z", "2026-11-27T18:00:00Z"),
            ("2026-11-27T17:59:59Z", true, "2026-11-30T14:30:00Z", "2026-11-27T18:00:00Z"),
            ("2026-11-27T18:00:00Z", false, "2026-11-30T14:30:00Z", "2026-11-30T21:00:00Z"),
            ("2026-11-30T14:30:00Z", true, "2026-12-01T14:30:00Z", "2026-11-30T21:00:00Z"),
        ] {
            let body = clock_at(market_time(now).unwrap(), None, MarketHours::Exchange);

            assert_eq!(
                serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
                serde_json::json!({
                    "timestamp": now,
                    "is_open": is_open,
                    "next_open": next_open,
                    "next_close": next_close,
                })
            );
        }
    }
}
