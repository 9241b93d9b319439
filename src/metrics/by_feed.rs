//! Metrics that each feed has of its own.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, LabelSetEncoder, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

use super::{FeedMetrics, UpstreamMetrics};
use crate::model::Feed;

/// The metrics of one feed.
#[derive(Debug)]
pub(super) struct FeedSeries {
    pub(super) name: Feed,
    pub(super) feed: FeedMetrics,
    pub(super) upstream: UpstreamMetrics,
}

/// One metric of each feed: of the only feed without a label, of several with the label `feed`.
#[derive(Debug)]
pub(super) enum ByFeed<M> {
    Only(M),
    Several(Vec<(FeedLabel, M)>),
}

#[derive(Clone, Debug)]
pub(super) struct FeedLabel(Feed);

impl EncodeLabelSet for FeedLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        [("feed", self.0.name())].encode(encoder)
    }
}

impl<M> ByFeed<M> {
    /// The metric that `metric_of` takes of each of these feeds.
    pub(super) fn new(feeds: &[FeedSeries], metric_of: impl Fn(&FeedSeries) -> M) -> Self {
        match feeds {
            [only] => Self::Only(metric_of(only)),
            several => {
                Self::Several(several.iter().map(|feed| (FeedLabel(feed.name), metric_of(feed))).collect())
            }
        }
    }
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for ByFeed<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Self::Only(metric) => metric.encode(encoder),
            Self::Several(metrics) => {
                metrics.iter().try_for_each(|(feed, metric)| metric.encode(encoder.encode_family(feed)?))
            }
        }
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
