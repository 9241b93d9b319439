//! CPU time, memory and steal time from `/proc`.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU time and memory of a process, and steal time of the machine, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSample {
    pub(crate) at: Instant,
    /// User and system time since the process started.
    pub(crate) cpu: Duration,
    /// Resident set size.
    pub(crate) rss_bytes: u64,
    /// Steal time of all cores since boot; 0 where the system does not report it.
    pub(crate) steal: Duration,
}

impl ProcessSample {
    /// `None` without `/proc` or if there is no such process.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let machine = fs::read_to_string("/proc/stat").unwrap_or_default();
        Some(Self {
            at: Instant::now(),
            cpu: duration(cpu_ticks(&stat)?),
            rss_bytes: rss_bytes(&status)?,
            steal: duration(steal_ticks(&machine).unwrap_or(0)),
        })
    }
}

fn duration(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Fields 14 and 15 of `/proc/PID/stat`, counted after the name, which may contain spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The eighth field of the `cpu` line in `/proc/stat`, which sums all cores.
fn steal_ticks(stat: &str) -> Option<u64> {
    stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().nth(7)?.parse().ok()
}

fn rss_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// The CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The run-queue wait of the calling thread; 0 where the system does not report it.
pub(crate) fn thread_wait() -> Duration {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = schedstat.split_ascii_whitespace().nth(1).and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_after_any_process_name() {
        let stat = "42 (a ) b (c) S 1 2 3 4 5 6 7 8 9 10 700 33 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ticks(stat), Some(733));
        assert_eq!(cpu_ticks("42 (x"), None);
    }

    #[test]
    fn steal_time_is_found() {
        assert_eq!(steal_ticks("cpu  10 20 30 40 50 60 70 80 90 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n"), Some(80));
        assert_eq!(steal_ticks("cpu  10 20\n"), None);
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(rss_bytes("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n"), Some(2 << 20));
        assert_eq!(rss_bytes("Name:\tkernel\n"), None);
    }

    #[test]
    fn a_busy_thread_uses_cpu_time() {
        let before = thread_cpu();
        while thread_cpu() - before < Duration::from_millis(1) {}
    }
}
