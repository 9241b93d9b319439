/// The version with the revision, such as `0.1.0 (4f2c81d09a3b)`, as `--version` prints it.
pub const VERSION: &str = env!("TAPECAST_VERSION");

/// The git revision of the source. A debug build has none, and a build without git only with `TAPECAST_REVISION` in its
/// environment.
pub const REVISION: Option<&str> = match option_env!("TAPECAST_REVISION") {
    Some(revision) if !revision.is_empty() => Some(revision),
    _ => None,
};
