//! The program's command line: what it refuses, its exit codes, its log.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use test_support::TempFolder;

/// Runs the program with these options and variables and no others until it ends by itself.
fn run(options: &[&str], variables: &[(&str, &str)]) -> Output {
    let inherited = std::env::vars_os().map(|(name, _)| name);
    let ours = inherited.filter(|name| name.to_string_lossy().starts_with("TAPECAST_"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapecast"));
    ours.for_each(|name| {
        command.env_remove(name);
    });
    command.args(options).envs(variables.iter().copied()).output().unwrap()
}

/// The error text of a command line that is refused.
fn refusal(options: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(options, variables);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{options:?}: {text}");
    assert!(output.stdout.is_empty() && text.starts_with("error: "), "{options:?}: {text}");
    text
}

#[test]
fn a_wrong_command_line_is_refused_with_the_name_and_what_is_expected() {
    for (options, named) in [
        (&["--symbols", "0"][..], &["--symbols", "from 1 to"][..]),
        (&["--rate", "-1"], &["--rate"]),
        (&["--rate=-1"], &["--rate"]),
        (&["--listen", "nowhere"], &["--listen", "127.0.0.1:8080"]),
        (&["--listen", "8080"], &["--listen", "localhost:8080"]),
        (&["--listen", "nowhere.invalid:8080"], &["--listen", "cannot resolve"]),
        (&["--log", "loud=quiet=x"], &["--log"]),
        (&["--log", "inof"], &["--log", "inof", "debug"]),
        (&["--log-format", "xml"], &["--log-format", "possible values: text, json"]),
        (&["--arrivals", "foo"], &["--arrivals", "poisson", "even"]),
        (&["--listne", "127.0.0.1:0"], &["--listne", "similar argument exists: '--listen'"]),
        (&["--bogus"], &["--bogus", "--help"]),
        (&["--faults", "dorp=1"], &["--faults", "dorp", "close-1012"]),
        (&["--faults", "drop=0.1", "--listen", "0.0.0.0:0"], &["--faults", "--faults-anywhere"]),
        (&["--allow-origin", "example.org"], &["--allow-origin"]),
        (&["--trusted-proxy", "localhost"], &["--trusted-proxy"]),
        (&["--max-sessions", "0"], &["--max-sessions", "1 or more"]),
        (&["--workers", "513"], &["--workers", "512"]),
        (&["--echo=loud"], &["--echo", "conformance"]),
        (&["--tls-cert", "cert.pem"], &["--tls-key"]),
        (&["--tls-listen", "127.0.0.1:0"], &["--tls-listen", "--tls-cert"]),
        (&["--clock", "original"], &["--clock", "--replay"]),
        (&["--journal-days", "3"], &["--journal <DIR>"]),
        (&["--journal-gib", "3"], &["--journal <DIR>"]),
        (&["--replay", "a.csv", "--journal", "j"], &["--replay", "--journal"]),
        (
            &["--nats", "nats://127.0.0.1:4222", "--role", "gateway", "--journal", "j"],
            &["--journal", "--role gateway"],
        ),
        (&["--faults", "cut=25h"], &["cut", "86400s"]),
        (&["key", "new"], &["<ID>"]),
        (&["key", "new", ""], &["<ID>"]),
        (&["key", "new", "a b"], &["<ID>", "without space"]),
        (&["key", "new", "a\u{7}b"], &["<ID>"]),
        (&["key", "new", "desk", "--max-sessions", "0"], &["--max-sessions", "1 or more"]),
        (&["key", "new", "desk", "--max-symbols", "0"], &["--max-symbols", "1 or more"]),
        (&["key", "new", "desk", "--symbol", "AAPL,zzzzzzzzzzzz"], &["zzzzzzzzzzzz", "capital letters"]),
        (&["key", "new", "desk", "--feed", "NASDAQ"], &["--feed", "NASDAQ"]),
        (&["--listen", "127.0.0.1:0", "key", "new", "desk"], &["key"]),
    ] {
        let text = refusal(options, &[]);
        for part in named {
            assert!(text.contains(part), "{options:?} lacks `{part}`: {text}");
        }
    }
}

#[test]
fn a_missing_subcommand_is_answered_with_help_and_exit_code_2() {
    let output = run(&["key"], &[]);

    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && text.contains("new   Generate a key"), "{text}");
}

#[test]
fn an_invalid_environment_variable_is_named_unless_the_flag_is_given() {
    for (variable, value) in [
        ("TAPECAST_LISTEN", "foo"),
        ("TAPECAST_SYMBOLS", "0"),
        ("TAPECAST_LOG", "inof"),
        ("TAPECAST_SEED", "x"),
    ] {
        assert!(refusal(&[], &[(variable, value)]).contains(variable), "{variable}");
    }
    let text = refusal(&["--symbols", "0"], &[("TAPECAST_SYMBOLS", "9")]);
    assert!(!text.contains("TAPECAST_SYMBOLS"), "{text}");
}

#[test]
fn empty_environment_variables_are_absent() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).unwrap();
    let variables = help.split("[env: ").skip(1).filter_map(|rest| rest.split('=').next());
    let empty: Vec<_> = variables.map(|variable| (variable, "")).collect();
    assert!(empty.len() > 20, "{help}");

    // An error of the last check shows that all others passed.
    let text = refusal(&["--drain-seconds", "-1"], &empty);

    assert!(text.contains("--drain-seconds must be from 0"), "{text}");
}

#[test]
fn a_subcommand_does_not_read_the_variables_of_the_server() {
    let output = run(&["key", "new", "desk"], &[("TAPECAST_LISTEN", "foo"), ("TAPECAST_SYMBOLS", "0")]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn the_version_names_the_revision_if_the_build_knows_it() {
    let output = run(&["--version"], &[]);

    let text = String::from_utf8(output.stdout).unwrap();
    let revision = tapecast::version::REVISION.map(|revision| format!(" ({revision})")).unwrap_or_default();
    assert_eq!(text, format!("tapecast {}{revision}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_name_commands_and_options_in_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell], &[("TAPECAST_LISTEN", "foo")]);

        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for part in ["max-sessions", "journal", "completions"] {
            assert!(text.contains(part), "{shell} lacks {part}");
        }
    }
    let text = refusal(&["completions", "tcsh"], &[]);
    assert!(text.contains("possible values: bash"), "{text}");
}

#[test]
fn there_is_a_manual_page_of_each_command() {
    let output = run(&["man"], &[("TAPECAST_LISTEN", "foo")]);
    let page = String::from_utf8(output.stdout).unwrap();
    for part in [".TH tapecast 1", "\\-\\-max\\-sessions", "TAPECAST_MAX_SESSIONS", "tapecast\\-check(1)"] {
        assert!(page.contains(part), "`{part}` in {page}");
    }
    let folder = TempFolder::new();

    let output = run(&["man", folder.file("man1").to_str().unwrap()], &[]);

    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let page = |name: &str| std::fs::read_to_string(folder.file("man1").join(name)).unwrap();
    assert_eq!(page("tapecast.1"), String::from_utf8(run(&["man"], &[]).stdout).unwrap());
    for name in
        ["tapecast-check.1", "tapecast-config-print.1", "tapecast-key-new.1", "tapecast-journal-export.1"]
    {
        assert!(page(name).contains(".SH SYNOPSIS"), "{name}");
    }
    assert!(!folder.file("man1").join("tapecast-help.1").exists());
}

#[test]
fn the_text_log_starts_with_url_and_version_and_has_no_escape_codes_in_a_pipe() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tapecast"))
        .args(["--listen", "0.0.0.0:0"])
        .env_remove("NO_COLOR")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stderr.take().unwrap()).read_line(&mut line).unwrap();
    program.kill().unwrap();
    program.wait().unwrap();

    let version = format!("version={}", env!("CARGO_PKG_VERSION"));
    for part in [" INFO ", "serving", "url=http://127.0.0.1:", &version] {
        assert!(line.contains(part), "`{part}` in {line:?}");
    }
    assert!(!line.contains('\u{1b}'), "{line:?}");
}

#[test]
fn too_few_open_files_end_the_program_with_one_line() {
    let output = Command::new("sh")
        .args(["-c", r#"ulimit -n 20 && exec "$0" --listen 127.0.0.1:0"#, env!("CARGO_BIN_EXE_tapecast")])
        .output()
        .unwrap();

    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("limit of open files is 20") && text.lines().count() == 1, "{text}");
}
