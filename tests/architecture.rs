//! The structure of the source: which module may import which, what is pure, what is named how.
//!
//! The tests parse `src` with `syn`, so they see every form of `use`, paths in expressions, in macro
//! arguments and in `#[path]`.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

#[path = "architecture/graph.rs"]
mod graph;
#[path = "architecture/language.rs"]
mod language;
#[path = "architecture/packaging.rs"]
mod packaging;
#[path = "architecture/source_tree.rs"]
mod source_tree;
#[path = "architecture/syntax.rs"]
mod syntax;
#[path = "architecture/walkthroughs.rs"]
mod walkthroughs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use graph::FileGraph;
use source_tree::{Reference, SourceTree};
use test_support::TempFolder;

/// The modules in the order of the data. A module may import those before it, never one after.
///
/// `config` comes late because it collects the settings of the other modules; only `telemetry` and
/// `app` read it.
const ORDER: [&str; 23] = [
    "version",
    "model",
    "wire",
    "metrics",
    "clock",
    "limits",
    "auth",
    "transport",
    "source",
    "topics",
    "alerts",
    "archive",
    "feed",
    "journal",
    "faults",
    "relay",
    "cluster",
    "hub",
    "session",
    "http",
    "config",
    "telemetry",
    "app",
];

/// The modules that decide without a socket, a runtime, a clock or a source of randomness: time and
/// randomness are arguments.
const PURE: [&str; 16] = [
    "model", "wire", "clock", "limits", "auth", "source", "topics", "alerts", "archive", "feed", "journal",
    "faults", "relay", "cluster", "hub", "session",
];

/// Files of pure modules that are not pure, each with its reason. An entry that is no longer needed
/// fails the test.
const NOT_PURE: &[(&str, &str)] = &[
    ("clock/mod.rs", "the clock, which reads the system's"),
    ("auth/jwt/fetches.rs", "tokens wait in it for the keys that a task fetches"),
    ("auth/revocation.rs", "tells the sessions of a key over a watch channel that it was revoked"),
    ("cluster/cluster_feed.rs", "the batch source of a node, which reads the steady clock"),
    ("cluster/connection.rs", "the thread of the connection to NATS"),
    ("cluster/exchange.rs", "wakes the connection's thread"),
    ("cluster/history_fetch.rs", "the task that asks for the history of instruments"),
    ("cluster/lease_task.rs", "the task that asks the store for the lease"),
    ("cluster/node_publisher.rs", "waits for the answer of the leader"),
    ("cluster/topic_link.rs", "the part of the connection for topics"),
    ("cluster/nats_client.rs", "connects, and waits between two attempts"),
    ("faults/slow_line.rs", "a transport, which a task polls"),
    ("feed/followers.rs", "the recipients of batches on other threads"),
    ("hub/actor.rs", "the actor that carries batches and the clock to the hub"),
    ("hub/directory.rs", "the addresses of the hubs of all workers"),
    ("hub/requests.rs", "what an administrator asks of a hub from another thread"),
    ("hub/send_batch.rs", "stamps frames that were handed to their sockets"),
    ("journal/opened.rs", "begins the first segment now"),
    ("journal/thread.rs", "the thread that writes, and its clock"),
    ("limits/fair_queue.rs", "jobs wait in it, and it measures how long each takes"),
    ("limits/reactor_turn.rs", "waits until the reactor has run"),
    ("limits/turn_budget.rs", "a task renews it when the reactor has run"),
    ("relay/background.rs", "the thread that asks the REST of the upstream for history"),
    ("relay/connection.rs", "the socket of the upstream and its thread"),
    ("relay/inbox.rs", "passes what arrives to the thread of the feed"),
    ("relay/rest.rs", "sends requests to the REST of the upstream"),
    ("relay/upstream_feed.rs", "sends subscriptions to the thread of the connection"),
    ("session/actor.rs", "the actor that carries messages to the protocol"),
    ("session/echo.rs", "the actor of the echo endpoint"),
    ("session/faulty_line.rs", "the timers by which an actor makes faults of its line"),
    ("session/incoming.rs", "the stream that the actor reads, which stamps when the client was heard"),
    ("session/task.rs", "the task of a connection, and its deadline on shutdown"),
    ("source/ticks/mod.rs", "the ticks of sources"),
    ("source/ticks/timerfd.rs", "the ticks on Linux"),
    ("source/ticks/wake.rs", "the wake-up from another thread"),
];

/// Words that make a sentence hard to read, and how often they may occur in all comments and documents.
const RARE_WORDS: [(&[&str], usize); 3] = [
    (&["who", "whoever", "whom"], 40),
    (&["nobody", "somebody", "everybody"], 15),
    (&["so many", "so much", "so long"], 10),
];

/// Standard terms for what the server does, so that a search for them finds it.
const STANDARD_TERMS: [&str; 7] =
    ["backpressure", "rate limit", "fan-out", "slow consumer", "watermark", "fast path", "coalesce"];

/// Above this length a file usually holds a second concept.
const LONG_FILE_LINES: usize = 400;

static SOURCE: LazyLock<SourceTree> = LazyLock::new(|| SourceTree::parse(&root().join("src")));

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The module of `src` that a file belongs to: `hub` for `hub/index.rs`, `metrics` for `metrics.rs`.
fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The folder of a file: `http/rest` for `http/rest/page.rs`.
fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or_else(|| module_of(file), |(folder, _)| folder)
}

fn position(module: &str) -> usize {
    ORDER.iter().position(|known| *known == module).unwrap_or_else(|| panic!("{module} is not in ORDER"))
}

fn fail_on(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n{}\n", faults.join("\n"));
}

#[test]
fn no_module_imports_one_that_it_sends_to() {
    let mut faults = Vec::new();
    for reference in &SOURCE.references {
        let (file, module) = (SOURCE.file(reference), module_of(SOURCE.file(reference)));
        if module == "lib" {
            continue;
        }
        // Both what is named and what that stands for: a re-export hides nothing.
        let named = match reference.segments.as_slice() {
            [first, second, ..] if first == "crate" => Some(second.clone()),
            _ => None,
        };
        let named = named.filter(|named| ORDER.contains(&&**named));
        let target = SOURCE.resolve(reference).and_then(|target| target.path.first().cloned());
        for imported in named.into_iter().chain(target).collect::<BTreeSet<_>>() {
            if position(&imported) > position(module) {
                let path = reference.segments.join("::");
                faults.push(format!("src/{file}:{}: {module} imports {imported} ({path})", reference.line));
            }
        }
    }
    fail_on(&faults, "a module imports only modules that come before it in ORDER");
}

#[test]
fn no_module_includes_a_file_of_another() {
    let foreign = |attribute: &&source_tree::PathAttribute| {
        attribute.target.as_deref().map(folder_of) != Some(folder_of(&attribute.file))
    };
    let faults: Vec<_> = SOURCE
        .path_attributes
        .iter()
        .filter(foreign)
        .map(|attribute| format!("src/{}:{}: #[path] leads elsewhere", attribute.file, attribute.line))
        .collect();
    fail_on(&faults, "#[path] names a file of the same folder");
}

#[test]
fn files_of_different_modules_do_not_import_each_other_in_a_circle() {
    let mut graph = FileGraph::default();
    for reference in SOURCE.references.iter().filter(|reference| !reference.is_test && !reference.is_reexport)
    {
        if let Some(target) = SOURCE.resolve(reference)
            && target.file != SOURCE.file(reference)
        {
            graph.add(SOURCE.file(reference), &target.file, reference.line);
        }
    }
    let mut faults = Vec::new();
    for circle in graph.circles() {
        let folders: BTreeSet<_> = circle.iter().map(|file| folder_of(file)).collect();
        if folders.len() > 1 || folders.iter().any(|folder| module_of(folder) == "http") {
            faults.push(format!("a circle of {} files:", circle.len()));
            faults.extend(graph.edges_within(&circle));
        }
    }
    fail_on(&faults, "no circle of imports between folders, nor within http");
}

/// What a pure file must not name: actors, the runtime, the clocks, the system's randomness.
fn impurity(reference: &Reference) -> Option<String> {
    let path = SOURCE.full_path(reference);
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let is_impure = match path.as_slice() {
        ["tokio", ..] => true,
        ["rand", rest @ ..] => matches!(rest, ["rng" | "random" | "random_range" | "random_iter", ..]),
        [.., "Instant" | "SystemTime", "now"] => true,
        [first, ..] => first.starts_with("actix"),
        [] => false,
    };
    is_impure.then(|| path.join("::"))
}

#[test]
fn pure_modules_use_no_actor_no_runtime_no_clock_and_no_system_randomness() {
    let mut impure: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for reference in SOURCE.references.iter().filter(|reference| !reference.is_test) {
        let file = SOURCE.file(reference);
        if PURE.contains(&module_of(file))
            && let Some(path) = impurity(reference)
        {
            impure.entry(file).or_default().entry(path).or_insert(reference.line);
        }
    }
    let mut faults = Vec::new();
    for (file, _) in NOT_PURE {
        if impure.remove(file).is_none() {
            faults.push(format!("NOT_PURE: {file} is pure or gone: remove the entry"));
        }
    }
    for (file, paths) in impure {
        faults.extend(paths.into_iter().map(|(path, line)| format!("src/{file}:{line}: {path}")));
    }
    fail_on(&faults, "a pure module takes time and randomness as arguments and knows no runtime");
}

#[test]
fn no_two_types_share_a_name() {
    let mut by_name: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for definition in &SOURCE.types {
        // One file may define a type twice, for two platforms.
        by_name.entry(&definition.name).or_default().entry(&definition.file).or_insert(definition.line);
    }
    let mut faults = Vec::new();
    for (name, places) in by_name.iter().filter(|(_, places)| places.len() > 1) {
        let places: Vec<_> = places.iter().map(|(file, line)| format!("src/{file}:{line}")).collect();
        faults.push(format!("{name}: {}", places.join(", ")));
    }
    fail_on(&faults, "one name, one type");
}

/// The parser sees every form in which one module can name another.
#[test]
fn every_form_of_import_is_seen() {
    let folder = TempFolder::new();
    let write = |file: &str, text: &str| {
        let file = folder.file(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("lib.rs", "pub mod hub;\npub mod wire;\npub mod http { pub mod rest; }");
    write("hub/mod.rs", "mod index;\npub use index::{Index, key as subscriber_key};");
    write("hub/index.rs", "pub struct Index;\npub fn key() {}");
    write("http/rest.rs", "#[cfg(test)]\nmod tests { fn f() { super::super::super::hub::Index; } }");
    for (number, form) in [
        "use crate::{wire, hub};",
        "use crate::{wire::{self, Frame}, hub::{Index as I}};",
        "use super::hub::*;",
        "use crate::hub; fn f() { hub::Index; }",
        "fn f() -> crate::hub::Index { todo!() }",
        "fn f() { crate::hub::subscriber_key(); }",
        "fn f() { assert!(true, \"{}\", [crate::hub::Index]); }",
        "mod inner { mod deeper { use super::super::super::hub::Index; } }",
        "#[arg(value_parser = crate::hub::subscriber_key)] struct S;",
        "impl<T> From<Vec<Option<super::hub::Index>>> for S<T> {}",
    ]
    .iter()
    .enumerate()
    {
        write("wire.rs", form);
        let tree = SourceTree::parse(folder.path());

        let mut targets = tree.references.iter().filter(|reference| tree.file(reference) == "wire.rs");
        let leads_to_hub = |reference: &Reference| {
            tree.resolve(reference).is_some_and(|target| module_of(&target.file) == "hub")
        };
        assert!(targets.any(leads_to_hub), "form {number}: {form}");
    }
    let tree = SourceTree::parse(folder.path());
    let is_within = |reference: &&Reference| tree.file(reference) == "http/rest.rs" && reference.is_test;
    let targets = tree.references.iter().filter(is_within).filter_map(|reference| tree.resolve(reference));
    let files: Vec<_> = targets.map(|target| &*target.file).collect();
    assert_eq!(files, ["hub/index.rs"], "through the re-export, from a test");
}

fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let path = entry.path();
        let is_generated = ["node_modules", "dist", "target"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_generated {
            found.extend(files(&path, extensions));
        } else if path
            .extension()
            .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_files_and_functions_of_the_walkthroughs_exist() {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md");
    fail_on(
        &walkthroughs::faults(&document, &root().join("src")),
        "docs/ARCHITECTURE.md describes this source",
    );
}

/// A warning and no failure: to cut a file is right when it holds two concepts, not when it is long.
#[test]
fn long_files_are_reported() {
    for folder in ["src", "benches", "tests", "web/src", "web/e2e"] {
        for file in files(&root().join(folder), &["rs", "ts", "css"]) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            if lines > LONG_FILE_LINES {
                let file = file.strip_prefix(root()).unwrap().display();
                // Past the capture of a passing test's output.
                writeln!(std::io::stderr(), "warning: {file} has {lines} lines").unwrap();
            }
        }
    }
}

/// Every file with comments, and every document, by path.
fn prose() -> Vec<(PathBuf, String)> {
    let extensions = ["rs", "ts", "css", "html", "py", "mjs", "md"];
    let folders = ["src", "web/src", "benches", "tests", "docs"];
    let mut found: Vec<_> =
        folders.iter().flat_map(|folder| files(&root().join(folder), &extensions)).collect();
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    found.extend(top.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    found
        .into_iter()
        .map(|file| {
            let prose = language::prose(&file, &fs::read_to_string(&file).unwrap());
            (file.strip_prefix(root()).unwrap().to_owned(), prose)
        })
        .collect()
}

#[test]
fn comments_and_documents_use_plain_sentences() {
    let prose = prose();
    let mut faults = Vec::new();
    for (words, most) in RARE_WORDS {
        let mut by_file: Vec<_> =
            prose.iter().map(|(file, prose)| (language::count(prose, words), file)).collect();
        by_file.retain(|(count, _)| *count > 0);
        by_file.sort_unstable();
        let count: usize = by_file.iter().map(|(count, _)| count).sum();
        let summary = format!("{}: {count} times, at most {most}", words.join(", "));
        if count > most {
            let worst =
                by_file.iter().rev().take(10).map(|(count, file)| format!("  {count} {}", file.display()));
            faults.push(summary);
            faults.extend(worst);
        } else {
            writeln!(std::io::stderr(), "{summary}").unwrap();
        }
    }
    fail_on(&faults, "these words are rare");
}

#[test]
fn the_source_names_what_it_does_by_the_standard_terms() {
    let source = files(&root().join("src"), &["rs"]);
    let source: String = source.iter().map(|file| fs::read_to_string(file).unwrap().to_lowercase()).collect();
    let missing = STANDARD_TERMS.iter().filter(|term| !source.contains(**term));
    let faults: Vec<_> = missing.map(|term| format!("{term}: not found in src")).collect();
    fail_on(&faults, "a search for a standard term finds the code");
}
