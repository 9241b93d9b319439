//! The dashboard's files are put into the binary: build it again when they change, or first appear.

fn main() {
    let page = std::path::Path::new("web/dist");
    let watched = if page.exists() { page } else { std::path::Path::new("web") };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed=build.rs");
    if !page.exists() && std::env::var("PROFILE").as_deref() == Ok("release") {
        println!(
            "cargo::warning=there is no web/dist: the server is built without the dashboard (`make page` builds it)"
        );
    }
}
