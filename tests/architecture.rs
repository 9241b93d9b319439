//! The rule of rooms: import the rooms you listen to, never the one you speak to.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of a tick's journey. A room may import those before it, never one after.
/// `config` stands late because it gathers the settings of the rooms; only `app` and the log read it.
const JOURNEY: [&str; 15] = [
    "model",
    "wire",
    "metrics",
    "limits",
    "auth",
    "transport",
    "source",
    "archive",
    "feed",
    "hub",
    "session",
    "http",
    "config",
    "telemetry",
    "app",
];

const LONGEST_FILE: usize = 400;

fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        let is_theirs = ["node_modules", "dist", "target"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_theirs {
            found.extend(files(&path, endings));
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            found.push(path);
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn place(room: &str) -> usize {
    JOURNEY.iter().position(|known| *known == room).unwrap_or_else(|| panic!("{room} is not on the journey"))
}

/// The rooms that a line imports or names by `crate::`.
fn named_rooms(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).filter_map(|rest| {
        let name = rest.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next()?;
        (!name.is_empty()).then_some(name)
    })
}

#[test]
fn no_room_imports_the_room_it_speaks_to() {
    let source = root().join("src");
    let mut broken = Vec::new();
    for file in files(&source, &["rs"]) {
        let inside = file.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if ["lib", "main"].contains(&room) {
            continue;
        }
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            for named in named_rooms(line).filter(|named| place(named) > place(room)) {
                broken.push(format!("{}:{}: {room} names {named}", file.display(), number + 1));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_pure_rooms_know_no_actor_no_runtime_and_no_clock() {
    let mut broken = Vec::new();
    for room in ["model", "wire"] {
        for file in files(&root().join("src").join(room), &["rs"]) {
            for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
                let impure = ["actix", "tokio::", "Instant::now", "SystemTime::now"];
                if impure.iter().any(|word| line.contains(word)) {
                    broken.push(format!("{}:{}: {line}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn no_file_hides_a_noun() {
    let mut long = Vec::new();
    for folder in ["src", "benches", "tests", "web/src", "web/e2e"] {
        for file in files(&root().join(folder), &["rs", "ts", "css"]) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > LONGEST_FILE {
                long.push(format!("{}: {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}
