//! The node at a glance.

use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::super::feeds::ServedFeed;
use super::super::state::AppState;
use super::super::status::FeedStatus;
use super::access::Operator;
use super::log_filter::LogFilter;
use crate::metrics::{open_file_limit, open_files, resident_bytes};
use crate::version::REVISION;
use crate::wire::rfc3339;

#[derive(Debug, Serialize)]
struct Overview {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    started: String,
    uptime_seconds: f64,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    draining: bool,
    feeds: Vec<FeedStatus>,
    sessions: SessionCounts,
    workers: usize,
    descriptors: DescriptorCounts,
    outbox_bytes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<usize>,
    #[cfg(feature = "nats")]
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<super::super::status::cluster::Cluster>,
}

#[derive(Debug, Serialize)]
struct SessionCounts {
    open: u64,
    limit: usize,
    opened: u64,
    closed: u64,
}

/// The descriptors of the process. What a system does not tell is left out.
#[derive(Debug, Serialize)]
struct DescriptorCounts {
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<i64>,
}

/// `GET /admin/api/overview`.
pub(super) async fn overview(_: Operator, request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    let of_worker = |number| state.metrics.worker(number);
    let workers = 0..state.admin.workers;
    let (open, opened) =
        (state.metrics.sessions().total(), workers.clone().map(|it| of_worker(it).opened.get()));
    let opened: u64 = opened.sum();
    let first = state.feeds.first_ready();
    #[cfg(feature = "nats")]
    let cluster = {
        use super::super::status::cluster::Cluster;
        let overview = state.feeds.default_feed().cluster.as_ref();
        overview.map(|overview| Cluster::of(overview, &state))
    };
    HttpResponse::Ok().json(Overview {
        version: env!("CARGO_PKG_VERSION"),
        revision: REVISION,
        #[cfg(feature = "nats")]
        node: cluster.as_ref().map(|cluster| cluster.node().to_owned()),
        #[cfg(not(feature = "nats"))]
        node: None,
        started: rfc3339(state.admin.started_at),
        uptime_seconds: state.admin.started.elapsed().as_millis() as f64 / 1e3,
        ready: first.readiness.is_ready(),
        reason: first.readiness.reason(),
        draining: state.admin.draining.get(),
        feeds: state
            .feeds
            .all()
            .iter()
            .map(|feed: &Arc<ServedFeed>| FeedStatus::of(feed, &request, &state))
            .collect(),
        sessions: SessionCounts {
            open,
            limit: state.capacity.limits().sessions,
            opened,
            closed: opened.saturating_sub(open),
        },
        workers: state.admin.workers,
        descriptors: DescriptorCounts { open: open_files(), limit: open_file_limit() },
        outbox_bytes: workers.map(|number| of_worker(number).waiting.get()).sum(),
        memory_bytes: resident_bytes(),
        log_level: state.admin.log.as_ref().map(LogFilter::current),
        keys: state.keys.as_ref().filter(|keys| keys.has_file()).map(|keys| keys.len()),
        #[cfg(feature = "nats")]
        cluster,
    })
}
