//! Logging: one subscriber for the whole process, which writes text or JSON to standard error.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::reload;

use crate::config::LogFormat;

#[cfg(feature = "otlp")]
mod otlp;

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
    /// The collector of traces cannot be used.
    #[cfg(feature = "otlp")]
    #[error("cannot send traces to {endpoint}: {why}")]
    Collector {
        /// Its address.
        endpoint: String,
        /// Why not.
        why: String,
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

/// Log and traces of the process.
pub struct Telemetry {
    /// The log.
    pub log: LogControl,
    /// Sends what is left of the traces when it is dropped.
    #[cfg(feature = "otlp")]
    _traces: Option<otlp::TraceExport>,
}

impl LogControl {
    fn new(
        set: impl Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync + 'static,
        filter: &str,
    ) -> Self {
        Self { set: Arc::new(set), filter: Arc::new(Mutex::new(filter.to_owned())) }
    }

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
pub fn start(filter: &str, format: LogFormat) -> Result<Telemetry, TelemetryError> {
    let parsed = parse(filter)?;
    let colors = uses_colors(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref());
    subscribe(filter, parsed, format, colors)
}

/// Starts the log, and the traces.
#[cfg(feature = "otlp")]
fn subscribe(
    given: &str,
    filter: EnvFilter,
    format: LogFormat,
    colors: bool,
) -> Result<Telemetry, TelemetryError> {
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    use tracing_subscriber::util::SubscriberInitExt as _;
    let (filter, handle) = reload::Layer::new(filter);
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colors)
        // They are written to standard error, which panics if it is closed.
        .log_internal_errors(false);
    let log = match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    let (spans, traces) = otlp::layer()?.unzip();
    let subscriber = tracing_subscriber::registry().with(log.with_filter(filter)).with(spans);
    subscriber.try_init().map_err(|_| TelemetryError::AlreadyStarted)?;
    Ok(Telemetry { log: LogControl::new(move |filter| handle.reload(filter), given), _traces: traces })
}

/// Starts the log.
#[cfg(not(feature = "otlp"))]
fn subscribe(
    given: &str,
    filter: EnvFilter,
    format: LogFormat,
    colors: bool,
) -> Result<Telemetry, TelemetryError> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colors)
        // They are written to standard error, which panics if it is closed.
        .log_internal_errors(false);
    let (log, started) = match format {
        LogFormat::Text => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            (LogControl::new(move |filter| handle.reload(filter), given), log.try_init())
        }
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            (LogControl::new(move |filter| handle.reload(filter), given), log.try_init())
        }
    };
    started.map_err(|_| TelemetryError::AlreadyStarted)?;
    Ok(Telemetry { log })
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
