//! Metrics that are asked for when metrics are read, by parts of the service that start after the registry.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

/// Gauges whose values are read together. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct GaugesOnRead(Arc<RwLock<Vec<Box<dyn ReadGauges>>>>);

/// Tells values when metrics are read.
pub trait ReadGauges: fmt::Debug + Send + Sync + 'static {
    /// The values of now.
    fn read(&self) -> Vec<GaugeReading>;
}

/// A gauge with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct GaugeReading {
    /// The name, without the prefix of the service.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// The name of the label, if it has one.
    pub label: Option<&'static str>,
    /// The values, each with that of the label.
    pub values: Vec<(String, f64)>,
}

impl GaugeReading {
    /// A gauge without labels.
    pub fn single(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, label: None, values: vec![(String::new(), value)] }
    }
}

impl GaugesOnRead {
    pub(super) fn add(&self, gauges: Box<dyn ReadGauges>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(gauges);
    }
}

impl Collector for GaugesOnRead {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for GaugeReading { name, help, label, values } in all.iter().flat_map(|gauges| gauges.read()) {
            let name = format!("tapecast_{name}");
            let kind = ConstGauge::new(0.0).metric_type();
            let mut metric = encoder.encode_descriptor(&name, help, None, kind)?;
            match (label, values.first()) {
                (None, Some((_, value))) => ConstGauge::new(*value).encode(metric)?,
                (None, None) => {}
                (Some(label), _) => {
                    for (of_label, value) in values {
                        let labels = [(label, of_label.as_str())];
                        ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}
