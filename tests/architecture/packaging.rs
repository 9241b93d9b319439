//! What builds the image and what the tests fetch: the Dockerfile, the Makefile, `.ci`.

use std::collections::BTreeSet;
use std::fs;

use super::{fail_on, root};

/// Crates that compile C, with the programs that they need besides gcc and libc6-dev, which the image
/// `rust:…-slim` has.
const C_CRATES: [(&str, &[&str]); 5] =
    [("alloca", &[]), ("generator", &[]), ("ring", &[]), ("tikv-jemalloc-sys", &["make"]), ("zstd-sys", &[])];

/// Crates that other crates compile C with, or find a C library with.
const C_BUILDERS: [&str; 5] = ["autotools", "bindgen", "cc", "cmake", "pkg-config"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The words of the instructions of this stage of the Dockerfile.
fn stage(name: &str) -> Vec<String> {
    let dockerfile = read("docker/Dockerfile");
    let stages = dockerfile.split("\nFROM ");
    let mut named = stages.filter(|stage| stage.lines().next().unwrap().ends_with(&format!(" AS {name}")));
    let lines = named.next().unwrap().lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[test]
fn the_image_has_the_programs_that_the_c_code_of_dependencies_is_built_with() {
    let lock = read("Cargo.lock");
    let needs_c = lock.split("[[package]]").filter(|package| {
        let dependencies = package.split("dependencies = [").nth(1).unwrap_or_default();
        C_BUILDERS.iter().any(|builder| dependencies.contains(&format!("\"{builder}\"")))
    });
    let names: BTreeSet<_> = needs_c
        .map(|package| package.split("name = \"").nth(1).unwrap().split('"').next().unwrap())
        .collect();
    let known: BTreeSet<_> = C_CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known, "name what each crate needs, then run docker/check-stages");

    let words = stage("dependencies");
    let tools = C_CRATES.iter().flat_map(|(_, tools)| *tools);
    let faults: Vec<_> = tools
        .filter(|tool| !words.iter().any(|word| word == *tool))
        .map(|tool| format!("docker/Dockerfile does not install {tool}"))
        .collect();
    fail_on(&faults, "the image installs what dependencies are built with");
}

#[test]
fn no_command_of_the_project_installs_anything_on_the_machine() {
    let mut faults = Vec::new();
    for file in ["Makefile", ".ci/run", ".ci/debian-tool"] {
        for (number, line) in read(file).lines().enumerate() {
            let installs =
                line.contains("apt") && line.contains(" install") && !line.contains("--download-only");
            let forbidden = ["sudo", "systemctl", "dpkg --install", "npm install --global"];
            if !line.starts_with('#') && (installs || forbidden.iter().any(|word| line.contains(word))) {
                faults.push(format!("{file}:{}: {line}", number + 1));
            }
        }
    }
    fail_on(&faults, "`make test` leaves the machine as it was");
}
