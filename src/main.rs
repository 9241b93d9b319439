//! The program: parses arguments, serves until a signal, and returns an exit code.

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};
use std::process::ExitCode;
use std::time::Instant;

use tapecast::app::{
    Service, ServiceManager, SignalRequest, Signals, StartError, run_admin_task, run_check, run_journal_task,
    run_verify,
};
use tapecast::auth::GeneratedKey;
use tapecast::config::{Invocation, KeyTask, Loaded, Task, WRONG_ARGUMENTS, error_cause};
use tapecast::telemetry::{self, LogControl};
use tracing::{error, warn};

/// Returns memory to the system. After 5,000 sessions have come and gone, the system's allocator keeps all
/// of their 50 MB; this one returns them within seconds, from a thread of its own. It costs 1 to 3 % more
/// CPU in the benchmark `firehose`.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let loaded = match Invocation::read(&arguments) {
        Ok(Invocation::Serve(loaded)) => *loaded,
        Ok(Invocation::Check(checked)) => return report(|out| run_check(*checked, out, &mut io::stderr())),
        Ok(Invocation::Print(options)) => return print(&options.to_toml()),
        Ok(Invocation::Task(task)) => return run_task(task),
        Err(error) => error.exit(),
    };
    match telemetry::start(&loaded.config.log, loaded.config.log_format) {
        Ok(telemetry) => actix_web::rt::System::new().block_on(serve(loaded, &arguments, &telemetry.log)),
        Err(error) => reject(error),
    }
}

/// Serves until a signal. SIGHUP reads these arguments again, with the file that they name.
async fn serve(loaded: Loaded, arguments: &[OsString], log: &LogControl) -> ExitCode {
    let Loaded { config, mut options } = loaded;
    let started = Signals::new()
        .map_err(StartError::from)
        .and_then(|signals| Ok((signals, Service::start_with_log(&config, Some(log.clone()))?)));
    let (mut signals, mut service) = match started {
        Ok(started) => started,
        Err(error) => {
            error!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let manager = ServiceManager::of_environment();
    manager.ready(service.address());
    actix_web::rt::spawn(manager.clone().feed_watchdog(service.threads()));
    loop {
        tokio::select! {
            request = signals.next() => match request {
                SignalRequest::Reload => {
                    manager.reloading();
                    let new = reread(arguments);
                    service.reload_configuration(&mut options, new.as_ref().map_err(String::as_str), log);
                    manager.ready(service.address());
                }
                SignalRequest::Stop => break,
            },
            // Without its server the process is of no use: the supervisor must see that it ended.
            error = service.server_ended() => {
                error!("the server ended: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    manager.stopping(service.longest_stop());
    let first = Instant::now();
    tokio::select! {
        () = service.stop() => ExitCode::SUCCESS,
        () = signals.stop_again(first) => {
            warn!("second stop signal: exiting immediately, remaining connections are aborted");
            ExitCode::FAILURE
        }
    }
}

/// Reads the options again, or says why they cannot be used.
fn reread(arguments: &[OsString]) -> Result<Loaded, String> {
    match Invocation::read(arguments) {
        Ok(Invocation::Serve(loaded)) => Ok(*loaded),
        Ok(_) => unreachable!("the same arguments asked to serve"),
        Err(error) => Err(error_cause(&error)),
    }
}

/// Writes a text to standard output.
fn print(text: &str) -> ExitCode {
    report(|out| out.write_all(text.as_bytes()).map(|()| ExitCode::SUCCESS))
}

fn run_task(task: Task) -> ExitCode {
    match task {
        Task::Key(KeyTask::New(new_key)) => {
            print_key(&new_key.generate());
            ExitCode::SUCCESS
        }
        Task::Completions(script) => report(|out| script.write(out).map(|()| ExitCode::SUCCESS)),
        Task::Man(pages) => report(|out| pages.write(out).map(|()| ExitCode::SUCCESS)),
        Task::Admin(options) => report(|out| run_admin_task(&options, out, &mut io::stderr())),
        Task::Journal(task) => report(|out| run_journal_task(&task, out, &mut io::stderr())),
        Task::Verify(options) => report(|out| run_verify(&options, out)),
    }
}

/// Runs a task that writes to standard output, and reports its error.
fn report(task: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<ExitCode>) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = task(&mut out).and_then(|code| match out.flush() {
        // `tapecast journal export DIR | head`: the reader has enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(code),
        flushed => flushed.map(|()| code),
    });
    done.unwrap_or_else(|error| {
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::FAILURE
    })
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the line can be redirected to the key file without the secret"
)]
fn print_key(key: &GeneratedKey) {
    println!("{}", key.line);
    eprintln!("secret: {}", key.secret);
}

/// Reports arguments that cannot be used.
#[expect(clippy::print_stderr, reason = "logging is not set up yet")]
fn reject(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(WRONG_ARGUMENTS)
}
