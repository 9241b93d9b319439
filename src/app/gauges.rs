//! Limits, keys and the certificate, as gauges that are read when metrics are.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::config::Config;
use crate::http::AppState;
use crate::hub::BacklogLimits;
use crate::limits::OpenFiles;
use crate::metrics::{GaugeReading, ReadGauges};
use crate::model::SECOND;
use crate::transport::Certificate;

/// At most this many keys have a series of their own; the others, those with the fewest sessions, share one.
const MAX_KEYS: usize = 50;

/// The label of the other keys.
const OTHER_KEYS: &str = "other";

/// The optional parts of a service, and whether this configuration has them: the metrics of all are always there.
pub(super) fn optional_parts(config: &Config) -> Vec<(&'static str, bool)> {
    #[cfg(feature = "relay")]
    let has_upstream = !config.upstreams.is_empty();
    #[cfg(not(feature = "relay"))]
    let has_upstream = false;
    #[cfg(feature = "nats")]
    let has_cluster = config.cluster.is_some();
    #[cfg(not(feature = "nats"))]
    let has_cluster = false;
    vec![
        ("cluster", has_cluster),
        ("journal", config.journal.is_some()),
        ("keys", config.access.keys.is_some()),
        ("replay", config.replay.is_some()),
        ("tls", config.access.tls.is_some()),
        ("upstream", has_upstream),
    ]
}

/// Reads the gauges of a service. It does not keep the service's state, which keeps the metrics.
pub(super) struct ServiceGauges {
    pub(super) state: Weak<AppState>,
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) open_files: OpenFiles,
    /// The optional parts, and whether the service has them.
    pub(super) parts: Vec<(&'static str, bool)>,
}

impl fmt::Debug for ServiceGauges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ServiceGauges")
    }
}

impl ReadGauges for ServiceGauges {
    fn read(&self) -> Vec<GaugeReading> {
        let Some(state) = self.state.upgrade() else { return Vec::new() };
        let limits = state.capacity.limits();
        let per_address = Some(limits.per_address).filter(|most| *most != usize::MAX);
        let connections = self.open_files.max_connections();
        let outboxes = BacklogLimits::default().worker * self.open_files.workers;
        let keys = state.keys.as_deref();
        let per_key = keys.map(|keys| per_key(keys.sessions().here()));
        let ends = self.certificate.as_ref().and_then(|certificate| certificate.facts());
        let ends = ends.filter(|facts| !facts.is_endless());
        let parts =
            self.parts.iter().map(|(part, is_there)| ((*part).to_owned(), f64::from(u8::from(*is_there))));
        [
            Some(GaugeReading {
                name: "configured",
                help: "1 for an optional part that the server has, otherwise 0",
                label: Some("part"),
                values: parts.collect(),
            }),
            Some(single("sessions_limit", "Sessions that may be open at once", limits.sessions)),
            per_address.map(|most| {
                let help = "Sessions that one address may have open at once; absent without a limit";
                single("sessions_per_address_limit", help, most)
            }),
            Some(single("connections_limit", "Connections that may be open at once", connections)),
            Some(single("outbox_limit_bytes", "Bytes that may wait in all outboxes", outboxes)),
            keys.map(|keys| single("keys", "Keys in force", keys.len())),
            per_key.map(|values| GaugeReading {
                name: "key_sessions",
                help: "Sessions open now of the keys that have most, and of all others together",
                label: Some("key"),
                values,
            }),
            ends.map(|facts| {
                let help = "End of the validity of the TLS certificate, seconds since the Unix epoch";
                let seconds = facts.not_after.nanos() as f64 / SECOND as f64;
                GaugeReading::single("tls_certificate_not_after_timestamp_seconds", help, seconds)
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn single(name: &'static str, help: &'static str, value: usize) -> GaugeReading {
    GaugeReading::single(name, help, value as f64)
}

/// The sessions of the keys that have most, and of all others together. A key of that name is one of the others.
fn per_key(held: Vec<(String, usize)>) -> Vec<(String, f64)> {
    let (mut named, mut others): (Vec<_>, Vec<_>) = held.into_iter().partition(|(key, _)| key != OTHER_KEYS);
    named.sort_by(|(one, sessions), (two, more)| more.cmp(sessions).then_with(|| one.cmp(two)));
    others.extend(named.split_off(named.len().min(MAX_KEYS)));
    let others: usize = others.iter().map(|(_, sessions)| sessions).sum();
    let named = named.into_iter().map(|(key, sessions)| (key, sessions as f64));
    named.chain([(OTHER_KEYS.to_owned(), others as f64)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_with_most_sessions_are_named_and_all_others_are_one() {
        let mut held: Vec<_> = (0..60).map(|number| (format!("key-{number:02}"), number)).collect();
        held.push((OTHER_KEYS.to_owned(), 1_000));

        let values = per_key(held);

        assert_eq!(values.len(), MAX_KEYS + 1);
        assert_eq!(values[0], ("key-59".to_owned(), 59.0));
        assert_eq!(values[MAX_KEYS - 1], ("key-10".to_owned(), 10.0));
        assert_eq!(values[MAX_KEYS], (OTHER_KEYS.to_owned(), 1_045.0));
        assert_eq!(per_key(Vec::new()), [(OTHER_KEYS.to_owned(), 0.0)]);
    }
}
