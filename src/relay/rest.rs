use std::sync::Arc;
use std::time::{Duration, Instant};

use awc::Client;
use awc::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::sleep;

use super::rest_budget::{Priority, RestBudget};
use super::settings::UpstreamSettings;
use crate::metrics::UpstreamMetrics;
use crate::model::{Channel, Symbol, Timestamp, market_time};
use crate::source::MarketSchedule;
use crate::wire::{DecodedPage, decode_page, rfc3339};

/// The longest answer: Alpaca lists 11,000 assets in some 5 MB; 10,000 trades take 1.2 MB.
const MAX_BODY: usize = 32 << 20;

/// The time for an answer that live trades or a connection wait for.
const URGENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The time for any other answer.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a background request looks whether the budget has room.
const BUDGET_INTERVAL: Duration = Duration::from_millis(100);

/// The most rows of a page, as at Alpaca.
const PAGE_ROWS: u32 = 10_000;

/// The REST of the upstream, for one thread.
pub(super) struct UpstreamRest {
    client: Client,
    settings: Arc<UpstreamSettings>,
    budget: RestBudget,
    metrics: UpstreamMetrics,
}

/// A request for rows of symbols, in order of time for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowsQuery {
    pub(super) kind: UpstreamRows,
    pub(super) symbols: Vec<Symbol>,
    pub(super) from: Timestamp,
    /// The time of the last row, included; `None`: up to now.
    pub(super) to: Option<Timestamp>,
    /// Where the page before was cut off.
    pub(super) page: Option<String>,
}

/// What rows are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpstreamRows {
    Trades,
    Days,
    Minutes,
}

impl UpstreamRows {
    const fn channel(self) -> Channel {
        match self {
            Self::Trades => Channel::Trades,
            Self::Days | Self::Minutes => Channel::Bars,
        }
    }

    const fn timeframe(self) -> Option<&'static str> {
        match self {
            Self::Trades => None,
            Self::Days => Some("1Day"),
            Self::Minutes => Some("1Min"),
        }
    }
}

/// Why the upstream's REST gives nothing.
#[derive(Debug, Error)]
pub(super) enum RestError {
    /// There is no REST, or it has no such path: no use in asking again.
    #[error("the upstream's REST has no such path")]
    Absent,
    /// The budget of requests is used up.
    #[error("the budget of requests is used up")]
    NoBudget,
    /// An answer with this status.
    #[error("the upstream's REST answers {0}")]
    Status(StatusCode),
    /// There is no answer.
    #[error("the upstream's REST does not answer: {0}")]
    Unreachable(String),
    /// The answer cannot be decoded.
    #[error("the answer of the upstream's REST cannot be decoded: {0}")]
    Invalid(String),
}

#[derive(Serialize)]
struct RowsParameters<'a> {
    symbols: &'a str,
    timeframe: Option<&'static str>,
    start: &'a str,
    end: Option<&'a str>,
    sort: &'static str,
    limit: u32,
    feed: Option<&'a str>,
    page_token: Option<&'a str>,
}

#[derive(Serialize)]
struct AssetsParameters<'a> {
    status: &'static str,
    asset_class: &'static str,
    /// Of a Tapecast with several feeds.
    feed: Option<&'a str>,
}

#[derive(Serialize)]
struct ClockParameters<'a> {
    feed: Option<&'a str>,
}

#[derive(Deserialize)]
struct ClockAnswer {
    is_open: bool,
    next_open: String,
    next_close: String,
}

impl UpstreamRest {
    /// A client of the REST in these settings.
    pub(super) fn new(
        client: Client,
        settings: Arc<UpstreamSettings>,
        budget: RestBudget,
        metrics: UpstreamMetrics,
    ) -> Self {
        Self { client, settings, budget, metrics }
    }

    /// A page of rows.
    pub(super) async fn rows(&self, query: &RowsQuery, priority: Priority) -> Result<DecodedPage, RestError> {
        let symbols: Vec<_> = query.symbols.iter().map(Symbol::as_str).collect();
        let (symbols, start, end) = (symbols.join(","), rfc3339(query.from), query.to.map(rfc3339));
        let parameters = RowsParameters {
            symbols: &symbols,
            timeframe: query.kind.timeframe(),
            start: &start,
            end: end.as_deref(),
            sort: "asc",
            limit: PAGE_ROWS,
            feed: feed_of(&self.settings.url),
            page_token: query.page.as_deref(),
        };
        let channel = query.kind.channel();
        let body = self.get(&format!("/v2/stocks/{}", channel.name()), &parameters, priority).await?;
        decode_page(channel, &body).map_err(|error| self.invalid(error.to_string()))
    }

    /// The list of assets, as JSON.
    pub(super) async fn assets(&self, priority: Priority) -> Result<Bytes, RestError> {
        let parameters = AssetsParameters {
            status: "active",
            asset_class: "us_equity",
            feed: feed_of(&self.settings.url),
        };
        self.get("/v2/assets", &parameters, priority).await
    }

    /// When the market is open.
    pub(super) async fn clock(&self) -> Result<MarketSchedule, RestError> {
        let body = self
            .get("/v2/clock", &ClockParameters { feed: feed_of(&self.settings.url) }, Priority::Background)
            .await?;
        let answer: ClockAnswer =
            serde_json::from_slice(&body).map_err(|error| self.invalid(error.to_string()))?;
        let times = market_time(&answer.next_open).zip(market_time(&answer.next_close));
        let (next_open, next_close) =
            times.ok_or_else(|| self.invalid("a time is not in RFC 3339".to_owned()))?;
        Ok(MarketSchedule { is_open: answer.is_open, next_open, next_close })
    }

    /// The body of an answer of status 200.
    async fn get(
        &self,
        path: &str,
        parameters: &impl Serialize,
        priority: Priority,
    ) -> Result<Bytes, RestError> {
        let base = self.settings.rest.as_deref().ok_or(RestError::Absent)?;
        while !self.budget.take(priority, Instant::now()) {
            if priority == Priority::Urgent {
                self.metrics.rest_failures.inc();
                return Err(RestError::NoBudget);
            }
            sleep(BUDGET_INTERVAL).await;
        }
        self.metrics.rest_requests.inc();
        let answer = self.send(&format!("{base}{path}"), parameters, priority).await;
        if answer.is_err() {
            self.metrics.rest_failures.inc();
        }
        answer
    }

    async fn send(
        &self,
        url: &str,
        parameters: &impl Serialize,
        priority: Priority,
    ) -> Result<Bytes, RestError> {
        let time = match priority {
            Priority::Urgent => URGENT_TIMEOUT,
            Priority::Background => BACKGROUND_TIMEOUT,
        };
        let mut request = self.client.get(url).query(parameters).expect("plain parameters can be encoded");
        if let Some(key) = &self.settings.key {
            request = request.insert_header(("APCA-API-KEY-ID", key.id.as_str()));
            request = request.insert_header(("APCA-API-SECRET-KEY", key.secret.as_str()));
        }
        let unreachable = |error: &dyn std::fmt::Display| RestError::Unreachable(error.to_string());
        let response = request.timeout(time).send().await.map_err(|error| unreachable(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(RestError::Absent),
            status => return Err(RestError::Status(status)),
        }
        response.timeout(time).body().limit(MAX_BODY).await.map_err(|error| unreachable(&error))
    }

    fn invalid(&self, reason: String) -> RestError {
        self.metrics.rest_failures.inc();
        RestError::Invalid(reason)
    }
}

/// The feed, which is the last part of the stream's path.
fn feed_of(url: &str) -> Option<&str> {
    url.rsplit('/').next().filter(|feed| !feed.contains(['?', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_feed_of_rest_is_that_of_the_stream() {
        assert_eq!(feed_of("wss://stream.data.alpaca.markets/v2/iex"), Some("iex"));
        assert_eq!(feed_of("ws://h:8080"), None);
        assert_eq!(feed_of("ws://h/stream?feed=sip"), None);
    }
}
