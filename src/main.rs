//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use tapecast::app::Service;
use tapecast::config::{Args, Config};
use tapecast::telemetry;
use tracing::error;

/// The command line was wrong, as for clap.
const WRONG_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            return complain(text.lines().next().unwrap_or_default().trim_start_matches("error: "));
        }
        Err(help_or_version) => help_or_version.exit(),
    };
    let config = match Config::try_from(args) {
        Ok(config) => config,
        Err(error) => return complain(error),
    };
    if let Err(error) = telemetry::start(&config.log, config.log_format) {
        return complain(error);
    }
    actix_web::rt::System::new().block_on(serve(&config))
}

async fn serve(config: &Config) -> ExitCode {
    let service = match Service::start(config) {
        Ok(service) => service,
        Err(error) => {
            error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    asked_to_stop().await;
    service.stop().await;
    ExitCode::SUCCESS
}

/// Returns when the process is asked to end, by SIGTERM or by Ctrl-C.
async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    let _ = interrupt.await;
}

#[expect(clippy::print_stderr, reason = "the log is not set up yet")]
fn complain(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(WRONG_ARGUMENTS)
}
