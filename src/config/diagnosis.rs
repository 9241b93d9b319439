//! Finds all that is wrong with the options, not only the first.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, FromArgMatches};

use super::layers::{OptionValue, OptionValues, Source};
use super::{CommandLine, Config};

/// Something that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a file, perhaps with a line, an environment variable, or an option.
    pub place: String,
    /// What, and what to do about it.
    pub what: String,
}

impl Problem {
    /// A problem at this place.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }

    pub(super) fn of_line(path: &Path, line: usize, what: impl Into<String>) -> Self {
        Self::new(Source::File { path: path.to_owned(), line }.to_string(), what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An option that is wrong itself need not be named twice.
        match self.what.starts_with(&self.place) {
            true => out.write_str(&self.what),
            false => write!(out, "{}: {}", self.place, self.what),
        }
    }
}

/// The settings of the options that are right, and what is wrong with the others.
///
/// An option that is wrong is left out, and the rest is read again. What is wrong only because another option
/// is, is not told.
pub(super) fn diagnose(command: &Command, options: &OptionValues) -> (Config, Vec<Problem>) {
    let is_given = |option: &&OptionValue| option.source != Source::Default && option.name != "config";
    let mut search = Search {
        command,
        given: options.iter().filter(is_given).collect(),
        blamed: BTreeSet::new(),
        problems: Vec::new(),
    };
    search.check_values();
    loop {
        let read = read(command, &search.given);
        let found = match read {
            Err(error) => search.blame(&error_cause(&error), named_value(&error).as_deref()),
            Ok(line) => match Config::try_from(line.options) {
                Ok(config) => return (config, search.problems),
                Err(error) => search.blame(&error.to_string(), None),
            },
        };
        if !found {
            // No option that was given is to blame, so there is nothing to leave out.
            return (Config::default(), search.problems);
        }
    }
}

struct Search<'a> {
    command: &'a Command,
    /// The options that nothing is known to be wrong with.
    given: Vec<&'a OptionValue>,
    /// The options that problems name.
    blamed: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Search<'_> {
    /// Checks each option alone, and whether there are those that it requires.
    fn check_values(&mut self) {
        let all: BTreeSet<_> = self.given.iter().map(|option| option.name.clone()).collect();
        let mut wrong = BTreeSet::new();
        for option in &self.given {
            let Err(error) = read(self.command, &[option]) else { continue };
            let what = match error.kind() {
                ErrorKind::MissingRequiredArgument => {
                    let missing = missing(&error);
                    if missing.iter().all(|name| all.contains(option_names(name).first().unwrap_or(name))) {
                        continue;
                    }
                    format!("--{} needs {}", option.name, missing.join(", "))
                }
                _ => error_cause(&error),
            };
            let value = named_value(&error);
            self.problems.push(Problem::new(option.place(value.as_deref()), what));
            wrong.insert(option.name.clone());
        }
        self.given.retain(|option| !wrong.contains(&option.name));
        self.blamed.extend(wrong);
    }

    /// Leaves out the options that the text of an error names, and tells the error unless it follows from an earlier one.
    /// Returns whether an option was left out.
    fn blame(&mut self, text: &str, value: Option<&str>) -> bool {
        let named = option_names(text);
        if !named.iter().any(|name| self.blamed.contains(name)) {
            let given = |name: &String| self.given.iter().find(|option| option.name == *name);
            let place = named.iter().find_map(given).map(|option| option.place(value));
            self.problems.push(Problem::new(place.unwrap_or_else(|| "options".to_owned()), text));
        }
        let before = self.given.len();
        self.given.retain(|option| !named.contains(&option.name));
        self.blamed.extend(named);
        self.given.len() < before
    }
}

/// Reads these options as a command line.
fn read(command: &Command, given: &[&OptionValue]) -> Result<CommandLine, Error> {
    let arguments = given.iter().flat_map(|option| option.arguments());
    let arguments: Vec<_> = std::iter::once(OsString::from("tapecast")).chain(arguments).collect();
    CommandLine::from_arg_matches(&command.clone().try_get_matches_from(arguments)?)
}

/// The text of an error without the advice on usage, in one line.
pub fn error_cause(error: &Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_advice = |line: &&str| !line.starts_with("Usage:") && !line.starts_with("For more information");
    lines.take_while(is_advice).collect::<Vec<_>>().join(" ")
}

/// The names of the options in a text.
pub(super) fn option_names(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let names = words.filter_map(|word| word.strip_prefix("--")).filter(|name| !name.is_empty());
    names.map(ToOwned::to_owned).collect()
}

/// The required options that an error names.
fn missing(error: &Error) -> Vec<String> {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.clone(),
        Some(ContextValue::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// The invalid value that an error names.
fn named_value(error: &Error) -> Option<String> {
    match error.get(ContextKind::InvalidValue)? {
        ContextValue::String(value) => Some(value.clone()),
        _ => None,
    }
}
