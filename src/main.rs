//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use tapecast::app::{Service, SignalRequest, Signals, StartError};
use tapecast::config::{Args, Config, KeyTask, Task};
use tapecast::telemetry;
use tracing::{error, warn};

/// After a storm of 5,000 sessions the system's allocator keeps all of their 50 MB; this one gives them
/// back within seconds, from a thread of its own. It costs 1 to 3 % more CPU in `firehose`.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The command line was wrong, as for clap.
const WRONG_ARGUMENTS: u8 = 2;

fn main() -> ExitCode {
    let mut args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            let text = error.to_string();
            return complain(text.lines().next().unwrap_or_default().trim_start_matches("error: "));
        }
        Err(help_or_version) => help_or_version.exit(),
    };
    if let Some(task) = args.take_task() {
        return carry_out(task);
    }
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
    let started =
        Signals::new().map_err(StartError::from).and_then(|signals| Ok((signals, Service::start(config)?)));
    let (mut signals, service) = match started {
        Ok(started) => started,
        Err(error) => {
            error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    while signals.next().await == SignalRequest::Reload {
        service.reload();
    }
    tokio::select! {
        () = service.stop() => ExitCode::SUCCESS,
        () = signals.stop() => {
            warn!("asked to stop again: not everybody was told goodbye");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a line for a file, and a secret for one pair of eyes"
)]
fn carry_out(task: Task) -> ExitCode {
    let Task::Key(KeyTask::New(key)) = task;
    match key.mint() {
        Ok(minted) => {
            println!("{}", minted.line);
            eprintln!("secret: {}", minted.secret);
            ExitCode::SUCCESS
        }
        Err(error) => complain(error),
    }
}

#[expect(clippy::print_stderr, reason = "the log is not set up yet")]
fn complain(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(WRONG_ARGUMENTS)
}
