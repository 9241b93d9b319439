//! The service under test.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tapecast::app::Service;
use tapecast::config::Config;
use tapecast::hub::MaxDelay;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::{DEADLINE, get};

/// A service on a free loopback port, stopped when dropped.
pub struct Server {
    /// Where it listens for plain connections.
    pub address: SocketAddr,
    /// Where it listens for TLS, if the configuration asks for it.
    pub tls_address: Option<SocketAddr>,
    /// Where it serves metrics and status alone, if the configuration asks for that.
    pub admin_address: Option<SocketAddr>,
    reload: UnboundedSender<mpsc::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a service with the default configuration, changed by `configure`.
    pub fn start(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            // Topics have what tests publish.
            simulates_weather: false,
            // How busy the machine is decides nothing.
            max_delay: MaxDelay::Fixed(Duration::ZERO),
            ..Config::default()
        };
        configure(&mut config);
        let (started, on_start) = mpsc::channel();
        let (stop, mut on_stop) = oneshot::channel();
        let (reload, mut on_reload) = tokio::sync::mpsc::unbounded_channel::<mpsc::Sender<()>>();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = Service::start(&config).expect("a free port can be listened on");
                started
                    .send((service.address(), service.tls_address(), service.admin_address()))
                    .expect("the test waits for the address");
                loop {
                    tokio::select! {
                        _ = &mut on_stop => break,
                        Some(done) = on_reload.recv() => {
                            service.reload();
                            let _ = done.send(());
                        }
                    }
                }
                service.stop().await;
            });
        });
        let (address, tls_address, admin_address) =
            on_start.recv_timeout(DEADLINE).expect("the service starts");
        Self { address, tls_address, admin_address, reload, stop: Some(stop), thread: Some(thread) }
    }

    /// Starts a service whose market does not trade, so that all it does is for the client under test.
    pub fn without_trades(configure: impl FnOnce(&mut Config)) -> Self {
        Self::start(|config| {
            config.simulation.trades_per_second = 0.0;
            configure(config);
        })
    }

    /// Reloads what the program reloads on SIGHUP, and waits until that is done.
    pub fn reload(&self) {
        let (done, on_done) = mpsc::channel();
        self.reload.send(done).expect("the service runs");
        on_done.recv_timeout(DEADLINE).expect("the service reloads");
    }

    /// Begins a graceful shutdown without waiting for its end.
    pub fn begin_shutdown(&mut self) {
        self.stop.take();
    }

    /// The sum over all workers of the samples whose line in `/metrics` starts with `prefix`.
    pub fn metric(&self, prefix: &str) -> f64 {
        metric(self.address, prefix)
    }

    /// The number of sessions that ended for this reason.
    pub fn sessions_closed(&self, reason: &str) -> f64 {
        let label = format!(",reason=\"{reason}\"");
        sum_of_samples(self.address, |line| {
            line.starts_with("tapecast_sessions_closed_total") && line.contains(&label)
        })
    }

    /// The number of upgrades refused for this reason.
    pub fn upgrades_refused(&self, reason: &str) -> f64 {
        self.metric(&format!("tapecast_upgrades_refused_total{{reason=\"{reason}\"}}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The sum over all workers of the samples whose line in the `/metrics` at `address` starts with `prefix`.
pub fn metric(address: SocketAddr, prefix: &str) -> f64 {
    sum_of_samples(address, |line| line.starts_with(prefix))
}

fn sum_of_samples(address: SocketAddr, is_wanted: impl Fn(&str) -> bool) -> f64 {
    let text = get(address, "/metrics").1;
    let samples = text.lines().filter(|line| !line.starts_with('#') && is_wanted(line));
    samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
