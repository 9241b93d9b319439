/// The limit of open files, and what takes descriptors beside connections.
#[derive(Clone, Copy, Debug)]
pub struct OpenFiles {
    /// The limit (`RLIMIT_NOFILE`).
    pub limit: usize,
    /// The worker threads.
    pub workers: usize,
    /// The descriptors that listeners, files and connections of the service's own take.
    pub others: usize,
}

/// The descriptors of the process itself: standard streams, the main thread's runtime, files that are read again.
const FIXED: usize = 16;

/// The descriptors of a worker's runtime.
const PER_WORKER: usize = 4;

/// Below this number of descriptors for connections the server does not start.
const LEAST_CONNECTIONS: usize = 8;

impl OpenFiles {
    /// The least limit for these workers.
    pub const fn needed(self) -> usize {
        self.taken() + LEAST_CONNECTIONS
    }

    /// The descriptors that are no connections.
    const fn taken(self) -> usize {
        FIXED + PER_WORKER * self.workers + self.others
    }

    /// Whether the limit suffices to start.
    pub const fn suffice(self) -> bool {
        self.limit >= self.needed()
    }

    /// The descriptors for connections.
    const fn available(self) -> usize {
        self.limit.saturating_sub(self.taken())
    }

    /// The descriptors for connections that sessions may not use: a twentieth, and at least 64 or half of them.
    ///
    /// They are left for REST and health checks, so that a server at capacity can still answer that it is at
    /// capacity.
    fn reserve(self) -> usize {
        let available = self.available();
        (available / 20).max((available / 2).min(64))
    }

    /// The most sessions: each takes one descriptor.
    pub fn max_sessions(self) -> usize {
        (self.available() - self.reserve()).max(1)
    }

    /// The most open connections, with or without a session.
    ///
    /// Connections beyond it wait in the kernel's accept queue; without a limit `accept` would fail instead.
    pub fn max_connections(self) -> usize {
        (self.available() - self.reserve() / 2).max(1)
    }
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
    fn descriptors_are_left_for_workers_and_for_answers_at_capacity() {
        for workers in [1, 2, 128, 512] {
            for extra in [0, 1, 20, 500, 20_000, 1 << 20] {
                let needed = OpenFiles { limit: 0, workers, others: 0 }.needed();
                let files = OpenFiles { limit: needed + extra, workers, others: 0 };
                assert!(files.suffice());
                let (sessions, connections) = (files.max_sessions(), files.max_connections());
                assert!(0 < sessions && sessions < connections, "{files:?}");
                assert!(connections + files.taken() <= files.limit, "{files:?}");
            }
        }
        assert_eq!(OpenFiles { limit: 20_020, workers: 1, others: 0 }.max_sessions(), 19_000);
        assert_eq!(OpenFiles { limit: 1_024, workers: 128, others: 0 }.max_sessions(), 432);
        assert_eq!(OpenFiles { limit: 1_024, workers: 128, others: 100 }.max_sessions(), 332);
    }

    #[test]
    fn a_limit_that_does_not_suffice_for_the_workers_is_told() {
        assert!(!OpenFiles { limit: 20, workers: 1, others: 0 }.suffice());
        assert!(!OpenFiles { limit: 256, workers: 64, others: 0 }.suffice());
        assert!(OpenFiles { limit: 64, workers: 2, others: 0 }.suffice());
    }

    #[test]
    #[cfg(unix)]
    fn the_returned_limit_is_in_force() {
        let raised = raise_open_file_limit();

        assert_eq!(raise_open_file_limit(), raised);
        assert!(raised >= 256, "{raised}");
    }
}
