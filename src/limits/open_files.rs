/// The file descriptors that sessions may not use: a twentieth of all, and at least 64.
///
/// They are left for listeners, files, REST and health checks, so that a server at capacity can still
/// answer that it is at capacity.
const fn reserve(open_files: usize) -> usize {
    let part = open_files / 20;
    if part > 64 { part } else { 64 }
}

/// The most sessions for this limit of open files: each session takes one descriptor.
pub const fn max_sessions_for(open_files: usize) -> usize {
    let sessions = open_files.saturating_sub(reserve(open_files));
    if sessions > 0 { sessions } else { 1 }
}

/// The most open connections, with or without a session, for this limit of open files.
///
/// Connections beyond it wait in the kernel's accept queue; without a limit `accept` would fail instead.
pub const fn max_connections(open_files: usize) -> usize {
    let connections = open_files.saturating_sub(reserve(open_files) / 2);
    if connections > 0 { connections } else { 1 }
}

/// Stands for the limit where the system sets none: more than any machine has memory for.
const UNLIMITED: u64 = 1 << 20;

/// Raises the soft limit of open files (`RLIMIT_NOFILE`) to the hard limit, and returns the new limit.
///
/// The soft limit is 1,024 on most systems for the sake of programs that use `select`, which this one does
/// not.
#[cfg(unix)]
pub fn raise_open_file_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(UNLIMITED);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    let granted = if raised.is_ok() { wanted } else { limit.current.unwrap_or(UNLIMITED) };
    granted.min(UNLIMITED) as usize
}

/// Returns the stand-in for no limit: on this system sockets are not files.
#[cfg(not(unix))]
pub fn raise_open_file_limit() -> usize {
    UNLIMITED as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_reserved() {
        for open_files in [64, 256, 1_024, 20_000, 1 << 20] {
            let (sessions, connections) = (max_sessions_for(open_files), max_connections(open_files));
            assert!(0 < sessions && sessions <= connections && connections < open_files, "{open_files}");
        }
        assert_eq!(max_sessions_for(20_000), 19_000);
    }

    #[test]
    #[cfg(unix)]
    fn the_returned_limit_is_in_force() {
        let raised = raise_open_file_limit();

        assert_eq!(raise_open_file_limit(), raised);
        assert!(raised >= 256, "{raised}");
    }
}
