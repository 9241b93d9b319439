use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::http::access::AccessPermit;
use crate::http::response::json;
use crate::http::state::AppState;
use crate::model::{Timestamp, TradingDay};
use crate::wire::JsonRowWriter;

/// `GET /v2/clock`: whether the market is open, and until when.
pub(super) async fn clock(_: AccessPermit, state: Data<AppState>) -> HttpResponse {
    json(clock_at(state.clock.now()))
}

/// The clock's body. The simulated market never closes: a trading day ends at midnight in New York, when the
/// next one begins.
fn clock_at(now: Timestamp) -> Vec<u8> {
    let midnight = TradingDay::of(now).end;
    let mut writer = JsonRowWriter::default();
    let mut out = b"{\"timestamp\":".to_vec();
    writer.time(&mut out, now);
    out.extend_from_slice(b",\"is_open\":true,\"next_open\":");
    writer.time(&mut out, midnight);
    out.extend_from_slice(b",\"next_close\":");
    writer.time(&mut out, midnight);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SECOND;

    #[test]
    fn the_market_is_always_open_and_its_day_ends_at_midnight_in_new_york() {
        let body = clock_at(Timestamp::from_nanos(1_795_185_000 * SECOND));

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
}
