//! `tapecast admin`: what the subcommands ask of a running server, and what they print.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::admin_client::{AdminAddress, AdminAnswer, AdminCall, encoded};
use super::admin_table::{write_keys, write_overview, write_refusals, write_session, write_sessions};
use crate::config::{AdminKeysTask, AdminOptions, AdminTask, NewAdminKey, SessionsOptions, WRONG_ARGUMENTS};

/// Runs a subcommand of `admin`; the answer goes to `out`, faults to `errors`. The exit code is 1 if the server refuses or is
/// not reached, 2 for arguments that cannot be used.
///
/// # Errors
/// When the output cannot be written.
pub fn run_admin_task(
    options: &AdminOptions,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<ExitCode> {
    let arguments = AdminAddress::parse(&options.url)
        .map_err(|why| format!("--url: {why}"))
        .and_then(|address| Ok((address, options.token_file.as_deref().map(read_token).transpose()?)));
    let (address, token) = match arguments {
        Ok(arguments) => arguments,
        Err(why) => {
            writeln!(errors, "error: {why}")?;
            return Ok(ExitCode::from(WRONG_ARGUMENTS));
        }
    };
    let url = &options.url;
    let AdminAnswer { status, body } = match address.call(&call_of(&options.task), token.as_deref()) {
        Ok(answer) => answer,
        Err(error) => {
            writeln!(
                errors,
                "error: {url} cannot be reached: {error}. Is the server started with --admin-listen?"
            )?;
            return Ok(ExitCode::FAILURE);
        }
    };
    if !(200..300).contains(&status) {
        let why = body["message"].as_str().unwrap_or("no reason");
        writeln!(errors, "error: {url} answers {status}: {why}")?;
        return Ok(ExitCode::FAILURE);
    }
    match options.json {
        true if body.is_null() => {}
        true => writeln!(out, "{body}")?,
        false => write_answer(&options.task, &body, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn read_token(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("--token-file: {}: {error}", path.display()))?;
    let token = text.trim();
    match !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(token.to_owned()),
        false => Err(format!("--token-file: {}: expected one token and nothing else", path.display())),
    }
}

/// What a subcommand asks of the server.
fn call_of(task: &AdminTask) -> AdminCall {
    let call = |method, path: String, body| AdminCall { method, path, body };
    let get = |path: String| call("GET", path, None);
    let of_session = |id: &str| format!("sessions/{}", encoded(id));
    let mute = |id: &str, muted: bool| {
        call("PUT", format!("{}/muted", of_session(id)), Some(json!({"muted": muted})))
    };
    match task {
        AdminTask::Overview => get("overview".to_owned()),
        AdminTask::Sessions(options) => get(sessions_path(options)),
        AdminTask::Session { id } => get(of_session(id)),
        AdminTask::Disconnect { id, reason } => {
            let query = reason.as_deref().map(|reason| format!("?reason={}", encoded(reason)));
            call("DELETE", of_session(id) + &query.unwrap_or_default(), None)
        }
        AdminTask::Mute { id } => mute(id, true),
        AdminTask::Unmute { id } => mute(id, false),
        AdminTask::Drain { seconds } => call("POST", "drain".to_owned(), Some(json!({"seconds": seconds}))),
        AdminTask::Undrain => call("DELETE", "drain".to_owned(), None),
        AdminTask::LogLevel { level: None } => get("log-level".to_owned()),
        AdminTask::LogLevel { level: Some(level) } => {
            call("PUT", "log-level".to_owned(), Some(json!({"level": level})))
        }
        AdminTask::Keys(AdminKeysTask::List) => get("keys".to_owned()),
        AdminTask::Keys(AdminKeysTask::New(key)) => call("POST", "keys".to_owned(), Some(new_key(key))),
        AdminTask::Keys(AdminKeysTask::Rotate { id }) => {
            call("POST", format!("keys/{}/rotate", encoded(id)), None)
        }
        AdminTask::Keys(AdminKeysTask::Revoke { id }) => {
            call("DELETE", format!("keys/{}", encoded(id)), None)
        }
        AdminTask::Refusals { limit } => get(format!("refusals?limit={limit}")),
    }
}

fn sessions_path(options: &SessionsOptions) -> String {
    let mut path = format!("sessions?sort={}&limit={}", options.sort.name(), options.limit);
    if options.ascending {
        path += "&order=asc";
    }
    let worker = options.worker.map(|worker| worker.to_string());
    let muted = options.muted.then(|| "true".to_owned());
    let filters = [
        ("feed", &options.feed),
        ("key", &options.key),
        ("address", &options.address),
        ("worker", &worker),
        ("muted", &muted),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            path += &format!("&{name}={}", encoded(value));
        }
    }
    path
}

fn new_key(key: &NewAdminKey) -> Value {
    let mut body = json!({"control": key.control});
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[name] = value;
        }
    };
    let some = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    set("id", key.id.as_ref().map(|id| json!(id.as_str())));
    set("feeds", some(&key.feed));
    set("symbols", some(&key.symbol));
    set("max_sessions", key.max_sessions.map(|limit| json!(NonZeroUsize::get(limit))));
    set("max_symbols", key.max_symbols.map(|limit| json!(NonZeroUsize::get(limit))));
    body
}

fn write_answer(task: &AdminTask, answer: &Value, out: &mut impl Write) -> io::Result<()> {
    match task {
        AdminTask::Overview => write_overview(answer, out),
        AdminTask::Sessions(_) => write_sessions(answer, out),
        AdminTask::Session { .. } => write_session(answer, out),
        AdminTask::Disconnect { id, .. } => writeln!(out, "session {id} is disconnected"),
        AdminTask::Mute { id } => writeln!(out, "session {id} may publish nothing"),
        AdminTask::Unmute { id } => writeln!(out, "session {id} may publish"),
        AdminTask::Drain { seconds } => {
            writeln!(out, "draining {} sessions over {seconds} s; new ones are refused", answer["sessions"])
        }
        AdminTask::Undrain => writeln!(out, "new sessions are accepted; {} are open", answer["sessions"]),
        AdminTask::LogLevel { .. } => writeln!(out, "{}", answer["level"].as_str().unwrap_or_default()),
        AdminTask::Keys(AdminKeysTask::List) => write_keys(answer, out),
        AdminTask::Keys(AdminKeysTask::New(_) | AdminKeysTask::Rotate { .. }) => {
            writeln!(out, "key:    {}", answer["key"]["id"].as_str().unwrap_or_default())?;
            writeln!(out, "secret: {}", answer["secret"].as_str().unwrap_or_default())?;
            writeln!(out, "The secret is stored nowhere: it is not shown again.")
        }
        AdminTask::Keys(AdminKeysTask::Revoke { id }) => writeln!(out, "key {id} is revoked"),
        AdminTask::Refusals { .. } => write_refusals(answer, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SortOption;

    #[test]
    fn a_subcommand_is_a_request() {
        let id = || "0-17".to_owned();
        let path = |task| {
            let AdminCall { method, path, body } = call_of(&task);
            format!("{method} {path} {}", body.unwrap_or_default())
        };

        assert_eq!(path(AdminTask::Session { id: "../drain".to_owned() }), "GET sessions/..%2Fdrain null");
        let reason = Some("too slow".to_owned());
        assert_eq!(
            path(AdminTask::Disconnect { id: id(), reason }),
            "DELETE sessions/0-17?reason=too%20slow null"
        );
        assert_eq!(path(AdminTask::Mute { id: id() }), "PUT sessions/0-17/muted {\"muted\":true}");
        assert_eq!(path(AdminTask::Drain { seconds: 5.0 }), "POST drain {\"seconds\":5.0}");
        let options = SessionsOptions {
            sort: SortOption::Stalled,
            ascending: true,
            limit: NonZeroUsize::MIN,
            feed: None,
            key: Some("a&b".to_owned()),
            address: None,
            worker: Some(1),
            muted: true,
        };
        let listed = "GET sessions?sort=stalled&limit=1&order=asc&key=a%26b&worker=1&muted=true null";
        assert_eq!(path(AdminTask::Sessions(options)), listed);
    }
}
