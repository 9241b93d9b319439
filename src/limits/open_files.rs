/// What is kept back of the process's descriptors: for listeners, files, REST and health checks, so
/// that a full house can still say that it is full. A twentieth, and no less than 64.
const fn reserve(descriptors: usize) -> usize {
    let part = descriptors / 20;
    if part > 64 { part } else { 64 }
}

/// How many sessions so many descriptors are enough for: each takes one.
pub const fn max_sessions_for(descriptors: usize) -> usize {
    let seats = descriptors.saturating_sub(reserve(descriptors));
    if seats > 0 { seats } else { 1 }
}

/// How many connections may be open, sessions or not: the rest wait to be accepted, which is better
/// than to find no descriptor for them.
pub const fn max_connections(descriptors: usize) -> usize {
    let connections = descriptors.saturating_sub(reserve(descriptors) / 2);
    if connections > 0 { connections } else { 1 }
}

/// More than any machine has memory for, where the system sets no limit.
const UNLIMITED: u64 = 1 << 20;

/// Raises the limit of open files as far as the system lets us, and says where it is then.
///
/// The soft limit, 1,024 on most systems, is there for programs that use `select`; this is none.
#[cfg(unix)]
pub fn raise_open_file_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(UNLIMITED);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    let granted = if raised.is_ok() { wanted } else { limit.current.unwrap_or(UNLIMITED) };
    granted.min(UNLIMITED) as usize
}

/// Sockets are no files there.
#[cfg(not(unix))]
pub fn raise_open_file_limit() -> usize {
    UNLIMITED as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_back() {
        for descriptors in [64, 256, 1_024, 20_000, 1 << 20] {
            let (seats, connections) = (max_sessions_for(descriptors), max_connections(descriptors));
            assert!(0 < seats && seats <= connections && connections < descriptors, "{descriptors}");
        }
        assert_eq!(max_sessions_for(20_000), 19_000);
    }

    #[test]
    #[cfg(unix)]
    fn the_limit_is_where_it_is_said_to_be() {
        let raised = raise_open_file_limit();

        assert_eq!(raise_open_file_limit(), raised);
        assert!(raised >= 256, "{raised}");
    }
}
