//! The publisher of the simulated weather.

use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use tracing::warn;

use crate::clock::Clock;
use crate::feed::Publish;
use crate::model::Timestamp;
use crate::topics::{Publication, SimulatedWeather};
use crate::wire::TopicMessage;

/// The weather of each city is published at the start and at each full minute.
const INTERVAL_NANOS: i64 = 60_000_000_000;

/// Publishes the weather of all cities until the feed ends.
///
/// A minute's weather has an idempotency key, so that several nodes of a cluster publish it once.
pub(super) async fn publish_weather(weather: SimulatedWeather, publisher: Recipient<Publish>, clock: Clock) {
    loop {
        let now = clock.now();
        let minute = now.floor_to(INTERVAL_NANOS);
        for (topic, data) in weather.at(minute) {
            let message = Arc::new(TopicMessage::new(&data, None));
            let idempotency_key = Some(format!("weather {}", minute.nanos()).into());
            match publisher.send(Publish(Publication { topic, message, idempotency_key })).await {
                Ok(Ok(_)) => {}
                Ok(Err(refusal)) => warn!(topic = topic.as_str(), "no weather of this minute: {refusal}"),
                // The feed has ended.
                Err(_) => return,
            }
        }
        actix_web::rt::time::sleep(until_next_minute(now)).await;
    }
}

fn until_next_minute(now: Timestamp) -> Duration {
    let passed = now.nanos() - now.floor_to(INTERVAL_NANOS).nanos();
    Duration::from_nanos((INTERVAL_NANOS - passed).unsigned_abs())
}
