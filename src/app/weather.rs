//! The publisher of the simulated weather.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tracing::warn;

use crate::clock::Clock;
use crate::http::TopicPublisher;
use crate::model::Timestamp;
use crate::topics::{Publication, PublishRefusal, SimulatedWeather};
use crate::wire::TopicMessage;

/// The weather of each city is published at the start and at each full minute.
const INTERVAL_NANOS: i64 = 60_000_000_000;

/// How soon the weather is published again that no feed has taken, since a cluster has no leader yet.
const RETRY: Duration = Duration::from_secs(1);

/// Publishes the weather of all cities, for as long as the service runs.
///
/// A minute's weather has an idempotency key, so that it is published once, by several nodes of a cluster too.
pub(super) async fn publish_weather(weather: SimulatedWeather, publisher: TopicPublisher, clock: Clock) {
    loop {
        let now = clock.now();
        let minute = now.floor_to(INTERVAL_NANOS);
        let mut pause = until_next_minute(now);
        let key = format!("weather {}", minute.nanos());
        let publish = async |(topic, data)| {
            let message = Arc::new(TopicMessage::new(&data, None).with_idempotency_key(&key));
            (topic, publisher.publish(Publication { topic, message }).await)
        };
        // Together, so that all cities share a batch.
        for (topic, result) in join_all(weather.at(minute).map(publish)).await {
            match result {
                Ok(_) => {}
                Err(PublishRefusal::Unanswered) => pause = RETRY,
                Err(refusal) => warn!(topic = topic.as_str(), "no weather of this minute: {refusal}"),
            }
        }
        actix_web::rt::time::sleep(pause).await;
    }
}

fn until_next_minute(now: Timestamp) -> Duration {
    let passed = now.nanos() - now.floor_to(INTERVAL_NANOS).nanos();
    Duration::from_nanos((INTERVAL_NANOS - passed).unsigned_abs())
}
