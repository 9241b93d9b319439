use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, LabelSetEncoder};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::by_feed::{ByFeed, FeedSeries};
use crate::model::Feed;

/// Metrics of the upstream of a relay. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub struct UpstreamMetrics {
    /// 1 while the subscription is in force.
    pub up: Gauge,
    /// Attempts to connect.
    pub connects: Counter,
    /// Times at which a live connection was lost.
    pub losses: Counter,
    /// Objects received.
    pub objects: Counter,
    /// Objects that cannot be decoded, or have no number where they should.
    pub invalid: Counter,
    /// Objects that this node never got.
    pub missed: Counter,
    /// Symbols that are wanted of an upstream on demand.
    pub symbols: Gauge,
    /// Symbols that were refused to clients of an upstream on demand.
    pub symbols_refused: Counter,
    /// Requests to the upstream's REST.
    pub rest_requests: Counter,
    /// Those that failed, or were beyond the budget.
    pub rest_failures: Counter,
    /// Instruments whose history is not complete yet.
    pub history_pending: Gauge,
    /// Bars from before the start that were found by REST.
    pub history_bars: Counter,
    /// Trades of holes that were found by REST.
    pub filled: Counter,
    /// Seconds without a connection after it was live once.
    pub gap_seconds: Counter<f64, AtomicU64>,
    refused: UpstreamRefusals,
    /// The feed, if there are several.
    feed: Option<Feed>,
}

/// Errors of the upstreams of all feeds.
pub(super) type UpstreamRefusals = Family<RefusedLabels, Counter>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RefusedLabels {
    feed: Option<Feed>,
    code: u16,
}

impl EncodeLabelSet for RefusedLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        if let Some(feed) = &self.feed {
            [("feed", feed.name())].encode(encoder)?;
        }
        [("code", self.code.to_string().as_str())].encode(encoder)
    }
}

impl UpstreamMetrics {
    /// Counts an error of the upstream with this code; one that no protocol has is counted as 0, so that there are few.
    pub fn refused(&self, code: u16) {
        let code = if (400..600).contains(&code) { code } else { 0 };
        self.refused.get_or_create(&RefusedLabels { feed: self.feed, code }).inc();
    }

    /// Those of this feed, if there are several, whose refusals are counted among these.
    pub(super) fn counting(refused: &UpstreamRefusals, feed: Option<Feed>) -> Self {
        Self { refused: refused.clone(), feed, ..Self::default() }
    }

    pub(super) fn register(registry: &mut Registry, feeds: &[FeedSeries], refused: UpstreamRefusals) {
        let mut register = Registration { registry, feeds };
        let help = "1 while the subscription at the upstream is in force";
        register.each("upstream_up", help, |it| it.up.clone());
        register.each("upstream_connects", "Attempts to connect to the upstream", |it| it.connects.clone());
        let help = "Times at which the live connection to the upstream was lost";
        register.each("upstream_losses", help, |it| it.losses.clone());
        register.each("upstream_objects", "Objects received from the upstream", |it| it.objects.clone());
        let help = "Objects of the upstream that cannot be used";
        register.each("upstream_invalid", help, |it| it.invalid.clone());
        let help = "Objects of a numbered upstream that this node did not get one by one";
        register.each("upstream_missed", help, |it| it.missed.clone());
        let help = "Symbols that clients want of the upstream, or wanted a moment ago";
        register.each("upstream_symbols", help, |it| it.symbols.clone());
        let help = "Symbols that were refused to clients, because the upstream gives no more";
        register.each("upstream_symbols_refused", help, |it| it.symbols_refused.clone());
        let help = "Requests to the REST of the upstream";
        register.each("upstream_rest_requests", help, |it| it.rest_requests.clone());
        let help = "Requests to the REST of the upstream that failed, or were beyond the budget";
        register.each("upstream_rest_failures", help, |it| it.rest_failures.clone());
        let help = "Instruments whose history the REST of the upstream has not given yet";
        register.each("upstream_history_pending", help, |it| it.history_pending.clone());
        let help = "Bars from before the start that were found by REST";
        register.each("upstream_history_bars", help, |it| it.history_bars.clone());
        let help = "Trades from before a reconnect that were found by REST";
        register.each("upstream_filled_trades", help, |it| it.filled.clone());
        let help = "Seconds without the upstream, after it was there once";
        register.each("upstream_gap_seconds", help, |it| it.gap_seconds.clone());
        register.registry.register("upstream_refused", "Errors of the upstream, by code", refused);
    }
}

/// Registers metrics of each feed.
struct Registration<'a> {
    registry: &'a mut Registry,
    feeds: &'a [FeedSeries],
}

impl Registration<'_> {
    fn each<M>(&mut self, name: &str, help: &str, metric_of: impl Fn(&UpstreamMetrics) -> M)
    where
        M: EncodeMetric + TypedMetric + fmt::Debug + Send + Sync + 'static,
    {
        self.registry.register(name, help, ByFeed::new(self.feeds, |feed| metric_of(&feed.upstream)));
    }
}
