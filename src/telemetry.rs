//! The log: one subscriber for the whole process, text for people or JSON for machines.

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

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
        source: ParseError,
    },
    /// A log was set up before.
    #[error("the log is set up already")]
    Twice,
}

/// What anybody outside can make happen as often as they like must not fill the log: heads that are
/// too long, and whatever else is no HTTP, are counted in the metrics. Whoever names it gets it.
const QUIET: &str = "actix_http::h1::dispatcher=off";

/// Begins to log to standard error what `filter` lets through.
///
/// # Errors
/// When the filter cannot be read, or a log was set up before.
pub fn start(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let filter =
        filter_of(filter).map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)
}

fn filter_of(typed: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{QUIET},{typed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_can_repeat_is_logged_for_who_asks_for_it_alone() {
        assert!(filter_of("debug").unwrap().to_string().contains(QUIET));

        let asked = filter_of("info,actix_http::h1::dispatcher=error").unwrap().to_string();
        assert!(asked.contains("actix_http::h1::dispatcher=error") && !asked.contains(QUIET), "{asked}");
    }
}
