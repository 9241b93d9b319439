//! The log: one subscriber for the whole process, text for people or JSON for machines.

use thiserror::Error;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The log could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("cannot parse --log `{filter}`: {source}")]
    Filter {
        /// What was typed.
        filter: String,
        /// Why it cannot be read.
        source: tracing_subscriber::filter::ParseError,
    },
    /// A log was set up before.
    #[error("the log is set up already")]
    Twice,
}

/// Begins to log to standard error what `filter` lets through.
///
/// # Errors
/// When the filter cannot be read, or a log was set up before.
pub fn start(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)
}
