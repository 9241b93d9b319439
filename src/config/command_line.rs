//! Reads the command line with the environment and the configuration file. A flag takes precedence over the
//! variable, the variable over the file; an empty variable is absent.

use std::ffi::OsString;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command, CommandFactory, Error, FromArgMatches};
use tracing_subscriber::EnvFilter;

use super::diagnosis::{Problem, diagnose, option_names};
use super::layers::{OptionValue, OptionValues, Source, has_empty_variable};
use super::{CommandLine, Config, Options, Subcommands, Task};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// Serve with these settings.
    Serve(Box<Loaded>),
    /// Check the settings.
    Check(Box<CheckedOptions>),
    /// Print the options.
    Print(OptionValues),
    /// Do this instead.
    Task(Task),
}

/// Settings, and the options that they come from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The options with their sources.
    pub options: OptionValues,
}

/// Options of which some may be wrong.
#[derive(Clone, Debug)]
pub struct CheckedOptions {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// The settings of the options that are right.
    pub loaded: Loaded,
    /// Whether a server is said to run with them.
    pub is_running: bool,
}

/// A command that takes the options of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Serve,
    Check,
    Print,
}

impl Purpose {
    /// The purpose of these arguments; `None` for a command that does not take the options.
    fn of(command: &Command, arguments: &[OsString]) -> Option<Self> {
        let word = |index: usize| arguments.get(index).and_then(|argument| argument.to_str());
        match (word(1), word(2)) {
            (Some("check"), _) => Some(Self::Check),
            (Some("config"), Some("print")) => Some(Self::Print),
            (Some(first), _) if command.find_subcommand(first).is_some() => None,
            _ => Some(Self::Serve),
        }
    }

    /// The names of the subcommands.
    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Serve => &[],
            Self::Check => &["check"],
            Self::Print => &["config", "print"],
        }
    }

    /// What clap found for the options.
    fn matches(self, mut matches: &ArgMatches) -> Option<&ArgMatches> {
        for name in self.path() {
            matches = matches.subcommand_matches(name)?;
        }
        Some(matches)
    }

    /// The command whose options get values from the environment: those of this purpose, and no variable that is empty.
    fn with_environment(self, command: Command) -> Command {
        with_environment(command, self.path())
    }
}

fn with_environment(command: Command, path: &'static [&'static str]) -> Command {
    let (is_meant, next) = (path.is_empty(), path.first().copied());
    let keep = move |arg: Arg| match is_meant && !has_empty_variable(&arg) {
        true => arg,
        false => arg.env(Resettable::Reset),
    };
    command.mut_args(keep).mut_subcommands(move |command| match next {
        Some(name) if command.get_name() == name => with_environment(command, &path[1..]),
        _ => without_environment(command),
    })
}

fn without_environment(command: Command) -> Command {
    command.mut_args(|arg| arg.env(Resettable::Reset)).mut_subcommands(without_environment)
}

impl Invocation {
    /// Reads the arguments, of which the first is the program's name, the environment, and the configuration file.
    ///
    /// # Errors
    /// When the arguments ask for help or the version, and when an option is unknown, or its value is
    /// invalid. The error names the variable or the line of the file that an invalid value comes from.
    pub fn read(arguments: &[OsString]) -> Result<Self, Error> {
        let declared = CommandLine::command();
        let Some(purpose) = Purpose::of(&declared, arguments) else {
            let matches = without_environment(declared).try_get_matches_from(arguments)?;
            return match CommandLine::from_arg_matches(&matches)?.command {
                Some(Subcommands::Task(task)) => Ok(Self::Task(task)),
                _ => unreachable!("a command that takes options of the server has a purpose"),
            };
        };
        let command = purpose.with_environment(declared.clone());
        let (options, file) =
            OptionValues::read(&command, &declared, arguments, |matches| purpose.matches(matches));
        let mut layered = arguments[..=purpose.path().len().min(arguments.len() - 1)].to_vec();
        let of_file = options.iter().filter(|option| matches!(option.source, Source::File { .. }));
        layered.extend(of_file.flat_map(OptionValue::arguments));
        layered.extend(arguments.iter().skip(1 + purpose.path().len()).cloned());
        let mut command = command;
        let line = command.try_get_matches_from_mut(layered).and_then(|matches| {
            let matches = purpose.matches(&matches).expect("the subcommand was named");
            Options::from_arg_matches(matches)
        });
        let is_running = arguments.iter().any(|argument| argument == "--running");
        match purpose {
            Purpose::Serve => {
                if !file.problems.is_empty() {
                    return Err(command.error(ErrorKind::ValueValidation, of_file_text(&file.problems)));
                }
                let line = line.map_err(|error| with_source(error, &options))?;
                match Config::try_from(line) {
                    Ok(config) => Ok(Self::Serve(Box::new(Loaded { config, options }))),
                    Err(invalid) => {
                        let text = invalid.to_string();
                        let source = source_of(&options, &text, None);
                        let tip = source.map(|source| format!("\n\n  tip: {source}")).unwrap_or_default();
                        Err(command.error(ErrorKind::ValueValidation, format!("{text}{tip}")))
                    }
                }
            }
            Purpose::Check | Purpose::Print => {
                if let Some(error) = line.err().filter(|error| !is_of_value(error.kind())) {
                    return Err(error);
                }
                let plain = without_environment(declared);
                let (config, mut problems) = diagnose(&plain, &options);
                problems.splice(0..0, file.problems);
                if purpose == Purpose::Check {
                    return Ok(Self::Check(Box::new(CheckedOptions {
                        problems,
                        loaded: Loaded { config, options },
                        is_running,
                    })));
                }
                match problems.is_empty() {
                    true => Ok(Self::Print(options)),
                    false => Err(command.error(ErrorKind::ValueValidation, of_file_text(&problems))),
                }
            }
        }
    }
}

/// Whether an error is of the value of an option or of several options together, and not of what was typed.
const fn is_of_value(kind: ErrorKind) -> bool {
    use ErrorKind::{
        ArgumentConflict, InvalidUtf8, InvalidValue, MissingRequiredArgument, NoEquals, TooFewValues,
        TooManyValues, ValueValidation, WrongNumberOfValues,
    };
    matches!(
        kind,
        ArgumentConflict
            | InvalidUtf8
            | InvalidValue
            | MissingRequiredArgument
            | NoEquals
            | TooFewValues
            | TooManyValues
            | ValueValidation
            | WrongNumberOfValues
    )
}

fn of_file_text(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       ")
}

/// The error with the source of the value that it names.
fn with_source(mut error: Error, options: &OptionValues) -> Error {
    let invalid = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string);
    if let Some(source) = source_of(options, &invalid, value.as_deref()) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![source.into()]));
    }
    error
}

/// A hint that the first option that `text` names has its value from the environment or the file.
fn source_of(options: &OptionValues, text: &str, value: Option<&str>) -> Option<String> {
    let named = option_names(text).into_iter().find_map(|name| options.get(&name))?;
    match named.source {
        Source::Default | Source::Flag => None,
        Source::Environment(_) => Some(format!("the value comes from the {}", named.place(value))),
        Source::File { .. } => Some(format!("the value comes from {}", named.place(value))),
    }
}

impl Options {
    /// The options of an empty command line in an empty environment.
    pub(super) fn defaults() -> Self {
        let command = without_environment(CommandLine::command());
        CommandLine::from_arg_matches(&command.get_matches_from(["tapecast"]))
            .expect("no option is required")
            .options
    }
}

/// Parses a number that must not be zero.
pub(super) fn positive<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "expected a whole number, 1 or more")
}

/// Parses the filter of the log.
///
/// # Errors
/// When it cannot be used; the text says why.
///
/// A single word that is no level would be the name of a module, and a misspelt level turn off the log.
pub fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.contains(&word.to_ascii_lowercase().as_str());
    let mut words = text.split(',').map(str::trim).filter(|word| !word.contains(['=', ':', '[']));
    if let Some(unknown) = words.find(|word| !is_level(word)) {
        return Err(format!("`{unknown}` is no level: expected {}, or MODULE=LEVEL", LEVELS.join(", ")));
    }
    EnvFilter::builder().parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
