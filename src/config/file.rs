//! Reads the configuration file: each key is the name of an option, with `_` for `-`.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnosis::Problem;
use super::layers::{MASK, is_flag, takes_many};

/// The option that names the file, which the file cannot give.
const CONFIG: &str = "config";

/// An option that the file gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileEntry {
    /// The name of the option.
    pub(super) name: String,
    /// The line of the key, from 1.
    pub(super) line: usize,
    /// The values. A flag that is off has none.
    pub(super) values: Vec<FileValue>,
}

/// A value in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileValue {
    pub(super) text: String,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// What a file gives, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct FileOptions {
    pub(super) entries: Vec<FileEntry>,
    pub(super) problems: Vec<Problem>,
}

/// The key of an option in the file.
pub(super) fn key_of(name: &str) -> String {
    name.replace('-', "_")
}

impl FileOptions {
    /// Reads a file with options of this command.
    pub(super) fn read(path: &Path, command: &Command) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path, command),
            Err(error) => {
                let what = match error.kind() {
                    ErrorKind::NotFound => "there is no such file: name another with --config".to_owned(),
                    ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
                    _ => format!("cannot read the file: {error}"),
                };
                let problem = Problem::new(path.display().to_string(), what);
                Self { problems: vec![problem], ..Self::default() }
            }
        }
    }

    fn parse(text: &str, path: &Path, command: &Command) -> Self {
        let mut options = Self::default();
        let line_of = |span: Range<usize>| text[..span.start.min(text.len())].matches('\n').count() + 1;
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let line = error.span().map_or(1, line_of);
            let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            options.problems.push(Problem::of_line(path, line, what));
        }
        if !options.problems.is_empty() {
            // What a file with errors of syntax gives is a guess.
            return options;
        }
        let mut entries: Vec<_> = table.get_ref().iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let line = line_of(key.span());
            let entry =
                option_of(command, key.get_ref()).and_then(|arg| Ok((arg, values_of(arg, value, &line_of)?)));
            match entry {
                Ok((arg, values)) => {
                    let name = arg.get_long().unwrap_or_default().to_owned();
                    options.entries.push(FileEntry { name, line, values });
                }
                Err(what) => options.problems.push(Problem::of_line(path, line, what)),
            }
        }
        options
    }
}

/// The option with this key.
fn option_of<'a>(command: &'a Command, key: &str) -> Result<&'a Arg, String> {
    let named = |name: &str| {
        command.get_arguments().find(|arg| arg.get_long() == Some(name) && arg.get_env().is_some())
    };
    if key == CONFIG {
        return Err("a configuration file does not name another: remove `config`".to_owned());
    }
    if let Some(arg) = named(&key.replace('_', "-")).filter(|_| !key.contains('-')) {
        return Ok(arg);
    }
    let known = |name: &str| named(name).map(|_| key_of(name));
    let similar = known(&key.replace('_', "-")).or_else(|| known(&similar_to(command, key)?));
    match similar {
        Some(similar) => Err(format!("unknown key `{key}`: did you mean `{similar}`?")),
        None => Err(format!("unknown key `{key}`: `tapecast --help` lists the options")),
    }
}

/// The option that clap takes to be meant by this key.
fn similar_to(command: &Command, key: &str) -> Option<String> {
    let typed = format!("--{}", key.replace('_', "-"));
    let error = command.clone().try_get_matches_from(["tapecast", &typed]).err()?;
    match error.get(ContextKind::SuggestedArg)? {
        ContextValue::String(name) => Some(name.trim_start_matches('-').to_owned()),
        _ => None,
    }
}

/// The values of this option.
fn values_of(
    arg: &Arg,
    value: &Spanned<DeValue<'_>>,
    line_of: &impl Fn(Range<usize>) -> usize,
) -> Result<Vec<FileValue>, String> {
    let key = key_of(arg.get_long().unwrap_or_default());
    let scalar = |value: &Spanned<DeValue<'_>>| {
        let text = text_of(value.get_ref())
            .ok_or_else(|| format!("`{key}` takes a text or a number, not {}", value.get_ref().type_str()))?;
        if arg.is_hide_env_values_set() && text.contains(MASK) {
            return Err(format!("`{key}` is masked, as `tapecast config print` does: give the real value"));
        }
        Ok(FileValue { text, line: line_of(value.span()) })
    };
    match value.get_ref() {
        DeValue::Table(_) => Err(format!("`{key}` is no section: write `{key} = …`")),
        DeValue::Boolean(false) if is_flag(arg) => Ok(Vec::new()),
        DeValue::Boolean(true) if is_flag(arg) => Ok(vec![scalar(value)?]),
        _ if is_flag(arg) => Err(format!("`{key}` is true or false")),
        DeValue::Array(values) if takes_many(arg) => values.iter().map(scalar).collect(),
        DeValue::Array(_) => Err(format!("`{key}` has one value, not a list")),
        _ => Ok(vec![scalar(value)?]),
    }
}

/// The value as a flag would have it.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix()).ok();
            Some(decimal.map_or_else(|| number.to_string(), |number| number.to_string()))
        }
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(is_set) => Some(is_set.to_string()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::CommandLine;

    fn parse(text: &str) -> FileOptions {
        FileOptions::parse(text, Path::new("t.toml"), &CommandLine::command())
    }

    #[test]
    fn a_key_has_the_name_of_its_option_and_values_as_a_flag_has_them() {
        let options = parse(
            "max_sessions = 5_000\nrate = 1e3\nloop = true\nfaults_anywhere = false\n\nallow_origin = [\n  'null',\n  \"*\",\n]\nfrom = 2013-10-07T09:30:00Z\n",
        );

        assert_eq!(options.problems, []);
        let entries: Vec<_> = options
            .entries
            .iter()
            .map(|entry| {
                let values: Vec<_> =
                    entry.values.iter().map(|value| (value.text.as_str(), value.line)).collect();
                (entry.name.as_str(), entry.line, values)
            })
            .collect();
        let expected = [
            ("max-sessions", 1, vec![("5000", 1)]),
            ("rate", 2, vec![("1e3", 2)]),
            ("loop", 3, vec![("true", 3)]),
            ("faults-anywhere", 4, vec![]),
            ("allow-origin", 6, vec![("null", 7), ("*", 8)]),
            ("from", 10, vec![("2013-10-07T09:30:00Z", 10)]),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn what_no_option_takes_is_told_with_its_line() {
        for (text, line, part) in [
            ("\nmax-sessions = 1", 2, "did you mean `max_sessions`?"),
            ("listne = 'x'", 1, "did you mean `listen`?"),
            ("zzz = 1", 1, "--help"),
            ("help = true", 1, "unknown key"),
            ("config = 'b.toml'", 1, "remove `config`"),
            ("[access]\nkeys = 'k'", 1, "unknown key `access`"),
            ("[rate]\n", 1, "no section"),
            ("listen = ['a', 'b']", 1, "one value"),
            ("allow_origin = [['a']]", 1, "a text or a number"),
            ("loop = 'yes'", 1, "true or false"),
            ("rate = 1\nrate = 2", 2, "duplicate key"),
            ("rate = 1\nseed =", 2, ""),
        ] {
            let options = parse(text);
            let [problem] = &options.problems[..] else { panic!("{text}: {:?}", options.problems) };
            assert_eq!(problem.place, format!("t.toml line {line}"), "{text}: {problem}");
            assert!(problem.what.contains(part), "{text}: {problem}");
        }
    }

    #[test]
    #[cfg(feature = "relay")]
    fn a_masked_secret_is_no_value() {
        let options = parse("upstream_secret = '***'");

        assert!(options.problems[0].what.contains("masked"), "{:?}", options.problems);
    }
}
