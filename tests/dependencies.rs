//! What we build on: from where, under which licences, and what has no place here.
//!
//! It asks cargo alone, so it needs no tool and no network that a build does not need. `make lint`
//! says also which crates come in two versions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Licences that ask for no more than to be named. Each is one that a crate of ours has.
const ALLOWED: [&str; 9] =
    ["MIT", "MIT-0", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unicode-3.0", "Unlicense", "Zlib"];

/// What must not come in by the back door, and why.
const BANNED: [(&str, &str); 4] = [
    ("openssl-sys", "TLS is rustls'"),
    ("native-tls", "TLS is rustls'"),
    ("aws-lc-sys", "ring does rustls' arithmetic; one of the two is enough to build and to watch"),
    ("libz-sys", "deflate is in Rust"),
];

/// All packages of the lock file that this platform builds.
fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(package: &Value) -> String {
    format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap())
}

/// Whether an SPDX expression can be fulfilled with the allowed licences alone: AND binds closer
/// than OR, and `/` is how OR was written once.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = expression.split_whitespace().collect();
    let (allowed, rest) = either(&words);
    allowed && rest.is_empty()
}

fn either<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = both(words);
    while let Some((&"OR", after)) = rest.split_first() {
        let (other, left) = both(after);
        (allowed, rest) = (allowed | other, left);
    }
    (allowed, rest)
}

fn both<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = one(words);
    while let Some((&"AND", after)) = rest.split_first() {
        let (other, left) = one(after);
        (allowed, rest) = (allowed & other, left);
    }
    (allowed, rest)
}

fn one<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", within @ ..] => {
            let (allowed, rest) = either(within);
            (allowed, rest.strip_prefix(&[")"]).expect("a parenthesis is closed"))
        }
        [_, "WITH", _, rest @ ..] => (false, rest),
        [licence, rest @ ..] => (ALLOWED.contains(licence), rest),
        [] => (false, &[]),
    }
}

#[test]
fn everything_comes_from_the_registry_under_a_licence_that_is_allowed() {
    let mut faults = Vec::new();
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none");
        let source = package["source"].as_str();
        if source.is_some_and(|source| source != CRATES_IO) {
            faults.push(format!("{} comes from {}", name(&package), package["source"]));
        }
        if !is_allowed(licence) {
            faults.push(format!("{} is under {licence}", name(&package)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn nothing_comes_in_by_the_back_door() {
    let packages = packages();
    for (banned, why) in BANNED {
        assert!(packages.iter().all(|package| package["name"] != banned), "{banned}: {why}");
    }
}

/// A warning and no fault: it is for others to mend, and costs time to build.
#[test]
fn what_comes_in_two_versions_is_told() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        println!("warning: {name} comes as {}", versions.iter().cloned().collect::<Vec<_>>().join(" and "));
    }
}

#[test]
fn an_expression_is_allowed_when_some_way_through_it_is() {
    for allowed in ["MIT", "MIT/GPL-3.0", "(Apache-2.0 OR GPL-3.0) AND ISC", "GPL-2.0 AND MIT OR Zlib"] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for not in ["", "none", "GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0 WITH LLVM-exception"] {
        assert!(!is_allowed(not), "{not}");
    }
}
