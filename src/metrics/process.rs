//! Metrics of the process, under Prometheus' usual names. They are read from the system when asked for.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Reads the process's metrics. What a system does not tell is left out.
#[derive(Debug)]
pub(super) struct ProcessCollector {
    started: f64,
}

impl ProcessCollector {
    /// The collector of a process that starts now.
    pub(super) fn new() -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: started.as_secs_f64() }
    }
}

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Start time of the process, seconds since the Unix epoch";
        encode(&mut encoder, "process_start_time_seconds", help, &ConstGauge::new(self.started))?;
        if let Some(seconds) = cpu_seconds() {
            let help = "User and system CPU time of the process";
            encode(&mut encoder, "process_cpu_seconds", help, &ConstCounter::new(seconds))?;
        }
        if let Some(bytes) = resident_bytes() {
            encode(
                &mut encoder,
                "process_resident_memory_bytes",
                "Resident memory",
                &ConstGauge::new(bytes),
            )?;
        }
        if let Some(count) = open_files() {
            encode(&mut encoder, "process_open_fds", "Open file descriptors", &ConstGauge::new(count))?;
        }
        if let Some(limit) = open_file_limit() {
            encode(&mut encoder, "process_max_fds", "Limit of file descriptors", &ConstGauge::new(limit))?;
        }
        Ok(())
    }
}

fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

/// From `/proc/self/statm`: the second number counts resident pages.
#[cfg(target_os = "linux")]
pub fn resident_bytes() -> Option<i64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as i64)
}

/// The resident memory.
#[cfg(not(target_os = "linux"))]
pub fn resident_bytes() -> Option<i64> {
    None
}

/// The size of `/proc/self/fd`, which is the number of its entries from Linux 6.2 on and 0 before.
///
/// Counting 20,000 entries would take a worker 10 ms.
#[cfg(target_os = "linux")]
pub fn open_files() -> Option<i64> {
    let count = std::fs::metadata("/proc/self/fd").ok()?.len();
    (count > 0).then_some(count as i64)
}

/// The number of open files.
#[cfg(not(target_os = "linux"))]
pub fn open_files() -> Option<i64> {
    None
}

/// The limit of open files.
#[cfg(unix)]
pub fn open_file_limit() -> Option<i64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.map(|limit| limit as i64)
}

/// The limit of open files.
#[cfg(not(unix))]
pub fn open_file_limit() -> Option<i64> {
    None
}
