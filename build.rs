//! What the binary contains beside the code: the dashboard's files, and the revision of the source.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_release = std::env::var("PROFILE").as_deref() == Ok("release");
    embed_page(is_release);
    tell_revision(is_release);
}

/// The files are read by a macro: compile again when they change, or first appear.
fn embed_page(is_release: bool) {
    let page = Path::new("web/dist");
    let watched = if page.exists() { page } else { Path::new("web") };
    println!("cargo::rerun-if-changed={}", watched.display());
    if !page.exists() && is_release {
        println!(
            "cargo::warning=there is no web/dist: the server is built without the dashboard (`make page` builds it)"
        );
    }
}

/// The revision is that of `TAPECAST_REVISION`, as in a build from a tarball, or of git. A debug build does not ask
/// git: each commit would compile it again.
fn tell_revision(is_release: bool) {
    println!("cargo::rerun-if-env-changed=TAPECAST_REVISION");
    let given = std::env::var("TAPECAST_REVISION").ok().filter(|revision| !revision.is_empty());
    let revision = given.or_else(|| if is_release { git_revision() } else { None }).unwrap_or_default();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = if revision.is_empty() { version } else { format!("{version} ({revision})") };
    println!("cargo::rustc-env=TAPECAST_REVISION={revision}");
    println!("cargo::rustc-env=TAPECAST_VERSION={version}");
}

/// The revision of the checkout whose top is this folder; none of one that contains this folder by chance.
fn git_revision() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // A commit, or another branch, changes one of these.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let file = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&file).exists() {
            println!("cargo::rerun-if-changed={file}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
