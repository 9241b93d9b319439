//! Logging: one subscriber for the whole process, which writes text or JSON to standard error.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::reload;

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
/// any rate, and metrics count them. Also those of the start of actix's workers. A filter that names the
/// module turns them on.
///
/// The lines of the audit remain whatever the level: a filter that names their target turns them off.
const DEFAULTS: [&str; 3] = ["actix_http::h1::dispatcher=off", "actix_server=warn", "audit=info"];

/// Replaces the filter of the log.
type SetFilter = dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync;

/// The log, whose filter can be changed. Clones share it.
#[derive(Clone)]
pub struct LogControl {
    set: Arc<SetFilter>,
    /// The filter in force, as it was given.
    filter: Arc<Mutex<String>>,
}

impl LogControl {
    /// Selects other events.
    ///
    /// # Errors
    /// When the filter cannot be parsed; then the earlier one remains.
    pub fn set_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        let parsed = parse(filter)?;
        let mut current = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
        (self.set)(parsed).map_err(|_| TelemetryError::AlreadyStarted)?;
        filter.clone_into(&mut current);
        Ok(())
    }

    /// The filter in force.
    pub fn filter(&self) -> String {
        self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    with_defaults(filter).map_err(|source| TelemetryError::Filter { filter: filter.to_owned(), source })
}

/// Starts logging to standard error the events that `filter` selects.
///
/// # Errors
/// When the filter cannot be parsed, or logging is set up already.
pub fn start(filter: &str, format: LogFormat) -> Result<LogControl, TelemetryError> {
    let (given, filter) = (filter.to_owned(), parse(filter)?);
    let colors = uses_colors(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colors);
    let (set, started): (Arc<SetFilter>, _) = match format {
        LogFormat::Text => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            (Arc::new(move |filter| handle.reload(filter)), log.try_init())
        }
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            (Arc::new(move |filter| handle.reload(filter)), log.try_init())
        }
    };
    started.map_err(|_| TelemetryError::AlreadyStarted)?;
    Ok(LogControl { set, filter: Arc::new(Mutex::new(given)) })
}

fn with_defaults(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(format!("{},{filter}", DEFAULTS.join(",")))
}

/// Whether text is coloured: on a terminal, unless `NO_COLOR` has a value (<https://no-color.org>).
fn uses_colors(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_that_any_client_can_cause_are_off_unless_the_filter_names_them() {
        let quiet = with_defaults("debug").unwrap().to_string();
        assert!(DEFAULTS.iter().all(|default| quiet.contains(default)), "{quiet}");

        let named = with_defaults("info,actix_http::h1::dispatcher=error").unwrap().to_string();
        assert!(
            named.contains("actix_http::h1::dispatcher=error") && !named.contains(DEFAULTS[0]),
            "{named}"
        );
    }

    #[test]
    fn only_a_terminal_gets_colors_and_no_color_turns_them_off() {
        assert!(uses_colors(true, None) && uses_colors(true, Some("".as_ref())));
        assert!(!uses_colors(true, Some("1".as_ref())) && !uses_colors(false, None));
    }
}
