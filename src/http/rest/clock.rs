use actix_web::web::Data;

use super::answers::Answer;
use crate::http::access::AccessPermit;
use crate::http::response::json;
use crate::http::state::AppState;
use crate::model::{ExchangeSession, MarketHours, Timestamp, TradingDay};
use crate::wire::JsonRowWriter;

/// `GET /v2/clock`: whether the market is open, and until when.
pub(super) async fn clock(permit: AccessPermit, state: Data<AppState>) -> Answer {
    let feed = state.feeds.requested(permit.query().value("feed"))?;
    Ok(json(clock_at(state.clock.now(), feed.hours)))
}

/// The clock's body. The simulated market never closes: its day ends at midnight in New York, when the next one begins.
fn clock_at(now: Timestamp, hours: MarketHours) -> Vec<u8> {
    let (is_open, next_open, next_close) = match hours {
        MarketHours::Continuous => {
            let midnight = TradingDay::of(now).end;
            (true, midnight, midnight)
        }
        MarketHours::Exchange => exchange_at(now),
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

/// Whether the exchange is open, when it opens next, and when it closes next. The end of representable time has no next
/// session.
fn exchange_at(now: Timestamp) -> (bool, Timestamp, Timestamp) {
    let end = Timestamp::from_nanos(i64::MAX);
    let Some(session) = ExchangeSession::next(now) else { return (false, end, end) };
    if !session.holds(now) {
        return (false, session.open, session.close);
    }
    let next_open = ExchangeSession::next(session.close).map_or(end, |next| next.open);
    (true, next_open, session.close)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SECOND, market_time};

    #[test]
    fn the_market_is_always_open_and_its_day_ends_at_midnight_in_new_york() {
        let body = clock_at(Timestamp::from_nanos(1_795_185_000 * SECOND), MarketHours::Continuous);

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
            let body = clock_at(market_time(now).unwrap(), MarketHours::Exchange);

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
