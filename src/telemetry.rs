//! Logging: one subscriber for the whole process, which writes text or JSON to standard error.

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::config::LogFormat;

/// Logging cannot be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter cannot be parsed.
    #[error("cannot parse --log `{filter}`: {source}")]
    Filter {
        /// The filter.
        filter: String,
        /// The parser's error.
        source: ParseError,
    },
    /// Logging is set up already.
    #[error("logging is set up already")]
    AlreadyStarted,
}

/// Turns off the log lines about invalid HTTP, such as heads that are too long: any client can cause them at
/// any rate, and metrics count them. A filter that names the module turns them on.
const DEFAULTS: &str = "actix_http::h1::dispatcher=off";

/// Starts logging to standard error the events that `filter` selects.
///
/// # Errors
/// When the filter cannot be parsed, or logging is set up already.
pub fn start(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let filter = with_defaults(filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::AlreadyStarted)
}

fn with_defaults(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{DEFAULTS},{filter}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_that_any_client_can_cause_are_off_unless_the_filter_names_them() {
        assert!(with_defaults("debug").unwrap().to_string().contains(DEFAULTS));

        let named = with_defaults("info,actix_http::h1::dispatcher=error").unwrap().to_string();
        assert!(named.contains("actix_http::h1::dispatcher=error") && !named.contains(DEFAULTS), "{named}");
    }
}
