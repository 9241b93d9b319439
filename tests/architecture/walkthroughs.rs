//! The walkthroughs of `docs/ARCHITECTURE.md`, and whether the code that they name exists.
//!
//! A walkthrough is a section whose title begins with "Walkthrough". Each of its numbered items begins
//! with a file of `src` and a function in it: ``1. `feed/sequencer.rs` `Sequencer::record` …``.

use std::collections::BTreeSet;
use std::path::Path;

use syn::visit::{self, Visit};

/// A newcomer cannot follow more.
const MOST_STEPS: usize = 20;

/// What is wrong with the document, line by line.
pub(crate) fn faults(document: &str, src: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut walkthroughs, mut is_within, mut steps) = (0, false, 0);
    for (number, line) in document.lines().enumerate() {
        let mut fault = |what: &str| faults.push(format!("line {}: {what}: {line}", number + 1));
        if let Some(title) = line.strip_prefix("## ") {
            is_within = title.starts_with("Walkthrough");
            walkthroughs += usize::from(is_within);
            steps = 0;
        }
        let pairs = pairs(line);
        if is_within && is_numbered(line) {
            steps += 1;
            if steps > MOST_STEPS {
                fault("a walkthrough has at most 20 functions");
            }
            if !line.split_once(". ").is_some_and(|(_, item)| item.starts_with('`')) || pairs.is_empty() {
                fault("a numbered item begins with a file and a function");
            }
        }
        for file in files(line).filter(|file| !src.join(file).exists()) {
            fault(&format!("src/{file} does not exist"));
        }
        for (file, name) in pairs {
            if src.join(file).exists() && !defines(&src.join(file), name) {
                fault(&format!("src/{file} does not define {name}"));
            }
        }
    }
    if walkthroughs < 2 {
        faults.push(format!("{walkthroughs} of 2 walkthroughs"));
    }
    faults
}

fn is_numbered(line: &str) -> bool {
    line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}

/// What stands between backticks, and what follows it up to the next backtick.
fn code(line: &str) -> Vec<(&str, &str)> {
    let parts: Vec<_> = line.split('`').skip(1).collect();
    parts.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default())).collect()
}

/// The source files that a line names; those of other folders have `/` before them or another ending.
fn files(line: &str) -> impl Iterator<Item = &str> {
    let code = code(line).into_iter().map(|(code, _)| code.trim_start_matches("src/"));
    let is_source = |code: &&str| {
        let is_elsewhere = ["tests/", "benches/"].iter().any(|folder| code.starts_with(folder));
        code.ends_with(".rs") && !is_elsewhere && !code.contains(['*', ' ', '{'])
    };
    code.filter(is_source)
}

/// Each file with the name that directly follows it.
fn pairs(line: &str) -> Vec<(&str, &str)> {
    let code = code(line);
    let pairs = code.iter().zip(code.iter().skip(1));
    let named = pairs.filter(|((file, between), _)| file.ends_with(".rs") && matches!(*between, " " | " · "));
    named.map(|((file, _), (name, _))| (file.trim_start_matches("src/"), *name)).collect()
}

/// Whether a file defines a type, a function, or a method as `Type::method`.
fn defines(file: &Path, name: &str) -> bool {
    let text = std::fs::read_to_string(file).unwrap();
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(&text).unwrap());
    names.found.contains(name)
}

#[derive(Default)]
struct Names {
    found: BTreeSet<String>,
    /// The type whose `impl` or the trait whose definition is visited.
    owner: String,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Enum(item) => Some(&item.ident),
            syn::Item::Fn(item) => Some(&item.sig.ident),
            syn::Item::Struct(item) => Some(&item.ident),
            syn::Item::Trait(item) => Some(&item.ident),
            _ => None,
        };
        self.found.extend(name.map(ToString::to_string));
        visit::visit_item(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let syn::Type::Path(path) = &*item.self_ty {
            self.owner = path.path.segments.last().unwrap().ident.to_string();
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.owner = item.ident.to_string();
        visit::visit_item_trait(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.found.insert(format!("{}::{}", self.owner, item.sig.ident));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.found.insert(format!("{}::{}", self.owner, item.sig.ident));
    }
}

#[test]
fn a_wrong_walkthrough_is_told_what_is_wrong() {
    let folder = test_support::TempFolder::new();
    std::fs::write(folder.file("hub.rs"), "pub struct Hub; impl Hub { fn flush(&self) {} } fn send() {}")
        .unwrap();
    let check = |items: &str| {
        faults(&format!("## Walkthrough: one\n{items}\n## Walkthrough: two\n"), folder.path()).len()
    };

    assert_eq!(
        check("1. `hub.rs` `Hub::flush` and `src/hub.rs` · `send`: see `hub.rs` and `tests/tls.rs`."),
        0
    );
    assert_eq!(check("1. `hub.rs` `Hub::close` closes."), 1);
    assert_eq!(check("1. `hub/hub.rs` `Hub::flush` flushes."), 1);
    assert_eq!(check("1. The hub flushes."), 1);
    assert_eq!(check(&"1. `hub.rs` `send` sends.\n".repeat(21)), 1);
    assert_eq!(faults("## Walkthrough: only one", folder.path()).len(), 1);
}
