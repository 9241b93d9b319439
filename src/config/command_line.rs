//! Reads the command line. Flags take precedence over environment variables, and an empty variable is absent.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, Error, FromArgMatches};
use tracing_subscriber::EnvFilter;

use super::{Args, Config, Task};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Serve with these settings.
    Serve(Box<Config>),
    /// Do this instead.
    Task(Task),
}

impl Invocation {
    /// Reads the arguments, of which the first is the program's name, and the environment.
    ///
    /// # Errors
    /// When the arguments ask for help or the version, and when an option is unknown, or its value is
    /// invalid. The error names the environment variable that an invalid value comes from.
    pub fn read(arguments: &[OsString]) -> Result<Self, Error> {
        let command = Args::command();
        // A subcommand has no use for the variables of the server, and does not fail because of one.
        let serves = arguments.get(1).is_none_or(|first| command.find_subcommand(first).is_none());
        let mut command =
            command.mut_args(|arg| if serves && !is_empty(&arg) { arg } else { arg.env(Resettable::Reset) });
        let mut args = match command.try_get_matches_from_mut(arguments) {
            Ok(mut matches) => Args::from_arg_matches_mut(&mut matches)?,
            Err(mut error) => {
                let invalid = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
                if let Some(source) = variable_of(&command, arguments, &invalid) {
                    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![source.into()]));
                }
                return Err(error);
            }
        };
        if let Some(task) = args.task.take() {
            return Ok(Self::Task(task));
        }
        Config::try_from(args).map(|config| Self::Serve(Box::new(config))).map_err(|invalid| {
            let mut text = invalid.to_string();
            if let Some(source) = variable_of(&command, arguments, &text) {
                text = format!("{text}\n\n  tip: {source}");
            }
            command.error(ErrorKind::ValueValidation, text)
        })
    }
}

impl Args {
    /// The options of an empty command line in an empty environment.
    pub(super) fn defaults() -> Self {
        let command = Self::command().mut_args(|arg| arg.env(Resettable::Reset));
        Self::from_arg_matches(&command.get_matches_from(["tapecast"])).expect("no option is required")
    }
}

/// Whether the option's environment variable is empty.
fn is_empty(arg: &Arg) -> bool {
    arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty())
}

/// A hint that the value of the first option that `text` names comes from its environment variable, if the
/// command line does not give the option.
fn variable_of(command: &Command, arguments: &[OsString], text: &str) -> Option<String> {
    let named = text.split_whitespace().find_map(|word| word.strip_prefix("--"))?;
    let arg = command.get_arguments().find(|arg| arg.get_long() == Some(named))?;
    let is_given = |argument: &OsString| {
        let flag = argument.to_str().and_then(|argument| argument.strip_prefix("--"));
        flag.is_some_and(|flag| flag.split('=').next() == Some(named))
    };
    let variable = arg.get_env()?;
    if std::env::var_os(variable).is_none() || arguments.iter().any(is_given) {
        return None;
    }
    Some(format!("the value comes from the environment variable {}", variable.display()))
}

/// Parses an address to listen on.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080")
}

/// Parses a number that must not be zero.
pub(super) fn positive<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "expected a whole number, 1 or more")
}

/// Parses the filter of the log.
///
/// A single word that is no level would be the name of a module, and a misspelt level turn off the log.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
    let mut words = text.split(',').map(str::trim).filter(|word| !word.contains(['=', ':', '[']));
    if let Some(unknown) = words.find(|word| !is_level(word)) {
        return Err(format!("`{unknown}` is no level: expected {}, or MODULE=LEVEL", LEVELS.join(", ")));
    }
    EnvFilter::builder().parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
