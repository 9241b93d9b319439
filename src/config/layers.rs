//! The options of the server with the source of each: flag, environment, file or default.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::file::{FileEntry, FileOptions, FileValue, key_of};

/// Stands for a secret that is not shown.
pub(super) const MASK: &str = "***";

/// Where the value of an option comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// No one gave it.
    Default,
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line of the key, from 1.
        line: usize,
    },
    /// This environment variable.
    Environment(String),
    /// A flag.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File { path, line } => write!(out, "{} line {line}", path.display()),
            Self::Environment(name) => write!(out, "environment variable {name}"),
            Self::Flag => out.write_str("flag"),
        }
    }
}

/// An option with its values as texts.
#[derive(Clone, Debug)]
pub struct OptionValue {
    /// The name, as in `--max-sessions`, without hyphens in front.
    pub name: String,
    /// The values; empty if it has none, and for a flag that is off.
    pub values: Vec<String>,
    /// Where they come from.
    pub source: Source,
    /// The lines of the values in the file.
    pub(super) lines: Vec<usize>,
    heading: String,
    /// What is in force where no value is given, for people.
    absent: Option<String>,
    shape: Shape,
    is_secret: bool,
    /// The values where none are given.
    default: Vec<String>,
}

/// How an option is written in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Flag,
    One,
    Many,
}

/// Whether the option is a switch without a value.
pub(super) fn is_flag(arg: &Arg) -> bool {
    !arg.get_action().takes_values()
}

/// Whether the option may have several values.
pub(super) fn takes_many(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The options of the server, in the order of the help.
#[derive(Clone, Debug, Default)]
pub struct OptionValues(Vec<OptionValue>);

impl OptionValues {
    /// Reads flags, environment and file of this command, of which `find` gives the matches that have the options. Values
    /// are not checked; the second part is what is wrong with the file.
    pub(super) fn read(
        command: &Command,
        options: &Command,
        arguments: &[OsString],
        find: impl Fn(&ArgMatches) -> Option<&ArgMatches>,
    ) -> (Self, FileOptions) {
        let lenient = unchecked(command.clone()).ignore_errors(true);
        let Ok(matches) = lenient.try_get_matches_from(arguments) else { return Default::default() };
        let Some(matches) = find(&matches) else { return Default::default() };
        let config = matches.get_one::<OsString>("config").map(PathBuf::from);
        let file = config.as_deref().map(|path| FileOptions::read(path, options)).unwrap_or_default();
        let is_option = |arg: &&Arg| arg.get_long().is_some() && arg.get_env().is_some();
        let value = |arg: &Arg| {
            let entry = file.entries.iter().find(|entry| Some(entry.name.as_str()) == arg.get_long());
            OptionValue::of(arg, matches, config.as_deref().zip(entry))
        };
        (Self(options.get_arguments().filter(is_option).map(value).collect()), file)
    }

    /// All options.
    pub fn iter(&self) -> impl Iterator<Item = &OptionValue> {
        self.0.iter()
    }

    /// The option of this name.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.0.iter().find(|option| option.name == name)
    }

    /// The place of this option, for a message: the flag, the variable, or the line of the file.
    pub fn place(&self, name: &str) -> String {
        self.get(name).map_or_else(|| format!("--{name}"), |option| option.place(None))
    }

    /// Puts this option in place of that of the same name.
    pub fn adopt(&mut self, option: &OptionValue) {
        self.0.iter_mut().filter(|known| known.name == option.name).for_each(|known| *known = option.clone());
    }

    /// The options that have other values in `other`.
    pub fn changed<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a OptionValue> {
        let is_other =
            |option: &&OptionValue| self.get(&option.name).is_none_or(|known| known.values != option.values);
        other.0.iter().filter(is_other)
    }

    /// The options as a configuration file. Those without a value are comments, and secrets are masked.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut heading = "";
        for option in self.0.iter().filter(|option| option.name != "config") {
            if option.heading != heading {
                heading = &option.heading;
                let _ = writeln!(text, "\n# {heading}");
            }
            let key = key_of(&option.name);
            let _ = match option.to_toml() {
                Some(value) => writeln!(text, "{key} = {value} # {}", option.source),
                None => {
                    let absent = option.absent.as_deref().map(|absent| format!(": {absent}"));
                    writeln!(text, "# {key} is not set{}", absent.unwrap_or_default())
                }
            };
        }
        text
    }
}

impl OptionValue {
    fn of(arg: &Arg, matches: &ArgMatches, file: Option<(&Path, &FileEntry)>) -> Self {
        let id = arg.get_id().as_str();
        let variable = arg.get_env().unwrap_or_default().to_string_lossy().into_owned();
        let raw = || {
            let values = matches.get_raw(id).into_iter().flatten();
            values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let given = || match is_flag(arg) {
            true => matches.get_flag(id).then(|| "true".to_owned()).into_iter().collect(),
            false => raw(),
        };
        let (source, values, lines) = match (matches.value_source(id), file) {
            (Some(ValueSource::CommandLine), _) => (Source::Flag, given(), Vec::new()),
            (Some(ValueSource::EnvVariable), _) => (Source::Environment(variable), given(), Vec::new()),
            (_, Some((path, entry))) => {
                let text = |value: &FileValue| value.text.clone();
                let source = Source::File { path: path.to_owned(), line: entry.line };
                let lines = entry.values.iter().map(|value| value.line).collect();
                (source, entry.values.iter().map(text).collect(), lines)
            }
            _ => (Source::Default, given(), Vec::new()),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let absent = help.rsplit_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']'));
        Self {
            name: arg.get_long().unwrap_or_default().to_owned(),
            values,
            source,
            lines,
            heading: arg.get_help_heading().unwrap_or("Server").to_owned(),
            absent: absent.map(|absent| absent.split_whitespace().collect::<Vec<_>>().join(" ")),
            shape: match (is_flag(arg), takes_many(arg)) {
                (true, _) => Shape::Flag,
                (false, false) => Shape::One,
                (false, true) => Shape::Many,
            },
            is_secret: arg.is_hide_env_values_set(),
            default: arg
                .get_default_values()
                .iter()
                .map(|value| value.to_string_lossy().into_owned())
                .collect(),
        }
    }

    /// The option as arguments of a command line. A default in the file gives none, so that it needs no other option: all
    /// that is printed can be read back.
    pub(super) fn arguments(&self) -> impl Iterator<Item = OsString> {
        let argument = |value: &String| match self.shape {
            Shape::Flag => format!("--{}", self.name),
            Shape::One | Shape::Many => format!("--{}={value}", self.name),
        };
        let is_default = matches!(self.source, Source::File { .. }) && self.values == self.default;
        let given = if is_default { &[][..] } else { &self.values };
        given.iter().map(move |value| argument(value).into())
    }

    /// Where this value of the option was given, or the option itself.
    pub(super) fn place(&self, value: Option<&str>) -> String {
        match &self.source {
            Source::Default | Source::Flag => format!("--{}", self.name),
            Source::Environment(_) => self.source.to_string(),
            Source::File { path, line } => {
                let mut of_values = self.values.iter().zip(&self.lines);
                let of_value = of_values.find(|(text, _)| Some(text.as_str()) == value);
                let line = of_value.map_or(*line, |(_, line)| *line);
                Source::File { path: path.clone(), line }.to_string()
            }
        }
    }

    /// The file that the option has its value from, if it is a secret.
    pub fn secret_file(&self) -> Option<&Path> {
        match &self.source {
            Source::File { path, .. } if self.has_secret() => Some(path),
            _ => None,
        }
    }

    /// Whether there is something to mask.
    fn has_secret(&self) -> bool {
        self.is_secret && self.values.iter().any(|value| masked(value) != *value)
    }

    /// The key in the file.
    pub fn key(&self) -> String {
        key_of(&self.name)
    }

    /// The values for people, in which secrets are masked.
    pub fn shown(&self) -> String {
        self.to_toml().unwrap_or_else(|| "not set".to_owned())
    }

    /// The value in TOML; `None` if there is none.
    fn to_toml(&self) -> Option<String> {
        let quoted = |value: &String| match self.is_secret {
            true => toml_text(&masked(value)),
            false => toml_scalar(value),
        };
        match (self.shape, &self.values[..]) {
            (Shape::Flag, values) => Some((!values.is_empty()).to_string()),
            (_, []) => None,
            (Shape::One, [value, ..]) => Some(quoted(value)),
            (Shape::Many, values) => {
                let values: Vec<_> = values.iter().map(quoted).collect();
                Some(format!("[{}]", values.join(", ")))
            }
        }
    }
}

/// A secret as it is shown: of a URL only the user and the password are masked.
fn masked(value: &str) -> String {
    match value.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{MASK}@{host}"),
            None => value.to_owned(),
        },
        None => MASK.to_owned(),
    }
}

/// A number as it is, anything else as a text.
fn toml_scalar(value: &str) -> String {
    let is_integer = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    let is_float =
        value.contains('.') && value.parse::<f64>().is_ok_and(|number| number.to_string() == value);
    if is_integer || is_float { value.to_owned() } else { toml_text(value) }
}

/// A text with the escapes of TOML, which are those of JSON and one more.
fn toml_text(value: &str) -> String {
    serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007f")
}

/// The command without checks of values: it gives all of them as they are.
fn unchecked(command: Command) -> Command {
    let unchecked_arg = |arg: Arg| match is_flag(&arg) {
        true => arg,
        false => arg.value_parser(ValueParser::os_string()),
    };
    command.mut_args(unchecked_arg).mut_subcommands(unchecked)
}

/// Whether the option's environment variable is empty, which is as if it were absent.
pub(super) fn has_empty_variable(arg: &Arg) -> bool {
    arg.get_env().and_then(std::env::var_os).is_some_and(|value| AsRef::<OsStr>::as_ref(&value).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_and_of_a_url_its_user() {
        assert_eq!(masked("hush"), MASK);
        assert_eq!(masked("nats://127.0.0.1:4222"), "nats://127.0.0.1:4222");
        assert_eq!(masked("nats://a:b@h:4222"), "nats://***@h:4222");
    }

    #[test]
    fn values_are_written_as_toml_reads_them() {
        assert_eq!(toml_scalar("5"), "5");
        assert_eq!(toml_scalar("0.5"), "0.5");
        for text in ["05", "+5", "1e3", "inf", "true", "info", "a\"b\\c\n"] {
            let table: toml::Table = format!("x = {}", toml_scalar(text)).parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
    }
}
