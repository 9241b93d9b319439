//! The service manager that started the process, such as systemd: it is told when the service is ready, reloads and stops,
//! and its watchdog is fed. The protocol is that of `sd_notify(3)`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use futures_util::future::join_all;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tracing::{error, warn};

use super::url;
use crate::hub::LivenessProbe;

/// The service manager, if the process has one.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager {
    socket: Option<Arc<NotifySocket>>,
    /// The time after which the service manager restarts a service whose watchdog is not fed.
    watchdog: Option<Duration>,
}

/// What the service manager is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Notification {
    /// The service serves; the text is for people.
    Ready(String),
    /// The configuration is read again since this time of the monotonic clock.
    Reloading(Duration),
    /// The service stops, and may take this long.
    Stopping(Duration),
    /// All threads answer.
    Alive,
}

impl Notification {
    /// The message of the protocol.
    fn text(&self) -> String {
        match self {
            Self::Ready(status) => format!("READY=1\nSTATUS={status}"),
            Self::Reloading(at) => {
                format!("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=Reloading", at.as_micros())
            }
            Self::Stopping(longest) => {
                format!("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS=Draining sessions", longest.as_micros())
            }
            Self::Alive => "WATCHDOG=1".to_owned(),
        }
    }
}

/// The variables that the service manager sets.
#[derive(Clone, Debug, Default)]
struct Variables {
    notify_socket: Option<String>,
    watchdog_usec: Option<String>,
    watchdog_pid: Option<String>,
}

impl Variables {
    fn of_environment() -> Self {
        let read = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            notify_socket: read("NOTIFY_SOCKET"),
            watchdog_usec: read("WATCHDOG_USEC"),
            watchdog_pid: read("WATCHDOG_PID"),
        }
    }

    /// The interval of the watchdog, if it is this process that feeds it.
    fn watchdog(&self, process: u32) -> Option<Duration> {
        let is_ours = self.watchdog_pid.as_ref().is_none_or(|pid| pid.parse() == Ok(process));
        let micros = self.watchdog_usec.as_ref()?.parse().ok().filter(|micros| *micros > 0)?;
        is_ours.then_some(Duration::from_micros(micros))
    }
}

impl ServiceManager {
    /// The service manager that the environment names. Without one, all notifications do nothing.
    pub fn of_environment() -> Self {
        let variables = Variables::of_environment();
        let Some(name) = &variables.notify_socket else { return Self::default() };
        match NotifySocket::open(name) {
            Ok(socket) => {
                Self { socket: Some(Arc::new(socket)), watchdog: variables.watchdog(std::process::id()) }
            }
            Err(error) => {
                warn!("cannot notify the service manager at {name}: {error}");
                Self::default()
            }
        }
    }

    /// The service serves at this address.
    pub fn ready(&self, address: SocketAddr) {
        self.notify(&Notification::Ready(format!("Serving {}", url("http", address))));
    }

    /// The configuration is being read again; [`ready`](Self::ready) ends it.
    pub fn reloading(&self) {
        // The clock cannot be before its start.
        let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
        self.notify(&Notification::Reloading(now));
    }

    /// The service stops, in at most this time.
    pub fn stopping(&self, longest: Duration) {
        self.notify(&Notification::Stopping(longest));
    }

    /// Feeds the watchdog at half of its interval, as long as all of these threads answer. One that does not answer
    /// is waited for, and the service manager restarts the service if that takes too long. Ends when a thread has
    /// ended.
    pub async fn feed_watchdog(self, threads: impl Fn() -> ServiceThreads) {
        let Some(limit) = self.watchdog else { return };
        let mut ticks = interval_at(Instant::now(), limit / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let threads = threads();
            let answers = threads.all_answer();
            tokio::pin!(answers);
            let are_alive = match timeout(limit / 4, &mut answers).await {
                Ok(are_alive) => are_alive,
                Err(_) => {
                    error!("a worker or feed does not answer: the watchdog is not fed");
                    answers.await
                }
            };
            if !are_alive {
                error!("a worker or feed has ended: the watchdog is not fed any more");
                return;
            }
            self.notify(&Notification::Alive);
        }
    }

    fn notify(&self, notification: &Notification) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(&notification.text())
        {
            warn!("cannot notify the service manager: {error}");
        }
    }
}

/// The threads that serve: each worker by its hubs, and the feeds.
#[derive(Clone)]
pub struct ServiceThreads(pub(super) Vec<Recipient<LivenessProbe>>);

impl ServiceThreads {
    /// Waits until all have answered, and returns whether none has ended.
    async fn all_answer(&self) -> bool {
        let answers = join_all(self.0.iter().map(|thread| thread.send(LivenessProbe))).await;
        answers.iter().all(Result::is_ok)
    }
}

/// The datagram socket of the service manager.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct NotifySocket {
    socket: std::os::unix::net::UnixDatagram,
    address: std::os::unix::net::SocketAddr,
}

#[cfg(target_os = "linux")]
impl NotifySocket {
    /// A socket for this path or, after `@`, this abstract name.
    fn open(name: &str) -> io::Result<Self> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixDatagram};
        let address = match name.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None if name.starts_with('/') => SocketAddr::from_pathname(name)?,
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "neither a path nor an abstract name",
                ));
            }
        };
        let socket = UnixDatagram::unbound()?;
        // A service manager that does not read must not keep the service from its signals.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }

    fn send(&self, message: &str) -> io::Result<()> {
        self.socket.send_to_addr(message.as_bytes(), &self.address).map(|_| ())
    }
}

/// Other systems have no such service manager.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct NotifySocket;

#[cfg(not(target_os = "linux"))]
impl NotifySocket {
    fn open(_: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn send(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use actix::{Actor, Arbiter, Context, Handler, System};

    use super::*;

    struct Thread;

    impl Actor for Thread {
        type Context = Context<Self>;
    }

    impl Handler<LivenessProbe> for Thread {
        type Result = ();

        fn handle(&mut self, _: LivenessProbe, _: &mut Self::Context) {}
    }

    fn start(arbiter: &Arbiter) -> Recipient<LivenessProbe> {
        Thread::start_in_arbiter(&arbiter.handle(), |_| Thread).recipient()
    }

    #[test]
    fn messages_have_the_form_of_the_protocol() {
        let text = |notification: Notification| notification.text();

        assert_eq!(text(Notification::Ready("Serving".to_owned())), "READY=1\nSTATUS=Serving",);
        assert!(
            text(Notification::Reloading(Duration::from_millis(7)))
                .starts_with("RELOADING=1\nMONOTONIC_USEC=7000\n")
        );
        assert!(
            text(Notification::Stopping(Duration::from_secs(2)))
                .starts_with("STOPPING=1\nEXTEND_TIMEOUT_USEC=2000000\n")
        );
    }

    #[test]
    fn the_watchdog_is_that_of_this_process() {
        let variables = |usec: Option<&str>, pid: Option<&str>| Variables {
            watchdog_usec: usec.map(str::to_owned),
            watchdog_pid: pid.map(str::to_owned),
            ..Variables::default()
        };

        assert_eq!(variables(Some("30000000"), Some("5")).watchdog(5), Some(Duration::from_secs(30)));
        assert_eq!(variables(Some("30000000"), None).watchdog(5), Some(Duration::from_secs(30)));
        for (usec, pid) in
            [(Some("30000000"), Some("6")), (None, Some("5")), (Some("0"), None), (Some("x"), None)]
        {
            assert_eq!(variables(usec, pid).watchdog(5), None, "{usec:?} {pid:?}");
        }
    }

    #[test]
    fn a_blocked_thread_does_not_answer_until_it_goes_on() {
        System::new().block_on(async {
            let (free, blocked) = (Arbiter::new(), Arbiter::new());
            let threads = ServiceThreads(vec![start(&free), start(&blocked)]);
            assert!(threads.all_answer().await);
            let (release, released) = mpsc::channel::<()>();
            let (block, is_blocked) = tokio::sync::oneshot::channel();
            blocked.spawn_fn(move || {
                let _ = block.send(());
                let _ = released.recv();
            });
            is_blocked.await.unwrap();

            let answers = threads.all_answer();
            tokio::pin!(answers);
            assert!(timeout(Duration::from_millis(50), &mut answers).await.is_err());

            release.send(()).unwrap();
            assert!(answers.await);
        });
    }

    #[test]
    fn a_thread_that_has_ended_does_not_count_as_alive() {
        System::new().block_on(async {
            let (free, ended) = (Arbiter::new(), Arbiter::new());
            let threads = ServiceThreads(vec![start(&free), start(&ended)]);
            assert!(threads.all_answer().await);

            ended.stop();
            ended.join().unwrap();

            assert!(!threads.all_answer().await);
        });
    }
}
