//! The one place that knows everybody: the order of start and, its mirror, the order of stop.
//!
//! Start: the market and its tape, workers with their hubs. Stop: no new sessions, goodbye to all, the
//! market, the workers.

mod feed;
mod server;
mod signals;

use std::cell::OnceCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use actix::{Actor, Recipient};
use actix_web::dev::ServerHandle;
use actix_web::rt::task::JoinHandle;
use actix_web::web;
use thiserror::Error;
use tracing::{error, info, warn};

use crate::archive::Archive;
use crate::auth::{KeyStore, KeyStoreError, Reloaded};
use crate::config::{Config, Tls};
use crate::feed::{BatchSource, SequencedFeed, Sequencer};
use crate::http::{AppState, Readiness};
use crate::hub::{CloseAll, Hub, HubActor, LivenessTimeouts};
use crate::limits::{SessionCapacity, raise_open_file_limit};
use crate::metrics::Metrics;
use crate::model::{Timestamp, Universe, midnights};
use crate::source::{History, Listings, SimulatedMarket, Simulation};
use crate::transport::{Certificate, TlsError};
use crate::wire::Close;

use self::feed::{Feed, FeedMonitor};
use self::server::{Listeners, listen, seats, serve};
pub use self::signals::{SignalRequest, Signals};

/// The service could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody could come in.
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    /// Nobody would believe who we are.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Nobody can tell the process anything.
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] io::Error),
}

/// The service while it runs.
pub struct Service {
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    readiness: Readiness,
    keyring: Option<Arc<KeyStore>>,
    workers: WorkerPool,
    feed: Arc<Feed>,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
    drain: Duration,
}

/// The hubs of all workers, and how many sessions they have.
#[derive(Clone)]
struct WorkerPool {
    feed: Arc<Feed>,
    hubs: Arc<Mutex<Vec<Recipient<CloseAll>>>>,
    numbers: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    patience: LivenessTimeouts,
    max_delay: Duration,
    universe: Arc<Universe>,
}

thread_local! {
    /// The hub of this worker. The application is made once for each worker *and* each address that
    /// it listens on, and all of these must meet in one hub.
    static HUB: OnceCell<Rc<Hub>> = const { OnceCell::new() };
}

impl Service {
    /// Starts everything, and returns when new sessions are welcome. Needs a running actix system.
    ///
    /// # Errors
    /// When an address cannot be listened on, or keys or certificate cannot be used.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let open = |address| listen(address).map_err(|source| StartError::Listen { address, source });
        let plain = open(config.listen)?;
        let address = plain.local_addr().unwrap_or(config.listen);
        let tls = match &config.access.tls {
            Some(Tls { listen, certificate, key }) => {
                let certificate = Certificate::open(certificate.clone(), key.clone())?;
                Some((open(*listen)?, Arc::new(certificate)))
            }
            None => None,
        };
        let tls_address = tls.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let certificate = tls.as_ref().map(|(_, certificate)| Arc::clone(certificate));
        let listings = Listings::new(config.symbols, config.simulation.seed);
        let universe = Arc::clone(listings.universe());
        let metrics = Arc::new(Metrics::default());

        let now = Timestamp::from(SystemTime::now());
        let archive = Arc::new(Archive::new(universe.len(), config.retention));
        remember(&archive, &universe, config.simulation, now);
        let sequencer = Sequencer::new(Arc::clone(&universe), config.spans, now).resume(&archive);
        let events = Box::new(SimulatedMarket::new(&listings, config.simulation));
        let source = SequencedFeed::new(events, sequencer, Arc::clone(&archive), metrics.feed());
        let epoch = source.epoch();
        // Set before the feed starts, so that it does not hide a feed that ends at once. Requests are answered from
        // `serve` on.
        let readiness = Readiness::default();
        readiness.begin();
        let monitor = FeedMonitor::new(metrics.feed().up, readiness.clone());
        let feed = Arc::new(Feed::new(Box::new(source), config.workers, monitor));

        let workers = WorkerPool {
            feed: Arc::clone(&feed),
            hubs: Arc::default(),
            numbers: Arc::default(),
            metrics: Arc::clone(&metrics),
            patience: config.liveness,
            max_delay: config.max_delay,
            universe: Arc::clone(&universe),
        };
        let open = |path| KeyStore::open(path, config.access.failed_auths).map(Arc::new);
        let keyring = config.access.keys.clone().map(open).transpose()?;
        let descriptors = raise_open_file_limit();
        let seats = seats(&config.access, descriptors);
        let house = web::Data::new(AppState {
            universe: Arc::clone(&universe),
            epoch,
            archive,
            metrics,
            limits: config.limits,
            outbox: config.outbox,
            keys: keyring.clone(),
            origins: config.access.origins.clone(),
            proxies: config.access.proxies.clone(),
            capacity: SessionCapacity::new(seats),
            http: config.access.http,
            readiness: readiness.clone(),
        });
        let listeners = Listeners { plain, tls };
        let server = serve(listeners, config.workers, descriptors, house, workers.clone())
            .map_err(|source| StartError::Listen { address, source })?;
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);

        if let Some(address) = tls_address {
            info!(%address, "serving over TLS");
        }
        info!(%address, sessions = seats.sessions, symbols = universe.len(), seed = config.simulation.seed, "serving");
        Ok(Self {
            address,
            tls_address,
            certificate,
            readiness,
            keyring,
            workers,
            feed,
            server: handle,
            running,
            drain: config.drain,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for TLS.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// Reads again what may change while sessions go on: the keys and the certificate. Sessions whose key
    /// is gone end. What cannot be used is reported, and what was in force stays so.
    pub fn reload(&self) {
        match self.keyring.as_ref().map(|keyring| keyring.reload()) {
            Some(Ok(Reloaded { keys, revoked })) => info!(keys, revoked, "keys read again"),
            Some(Err(error)) => error!("the keys stay as they were: {error}"),
            None => {}
        }
        match self.certificate.as_ref().map(|certificate| certificate.reload()) {
            Some(Ok(())) => info!("certificate read again"),
            Some(Err(error)) => error!("the certificate stays as it was: {error}"),
            None => {}
        }
    }

    /// Stops cleanly: takes no new session, tells every client to come back later and lets it take
    /// what is queued, for as long as the configuration allows; then ends.
    ///
    /// Until then it answers whoever comes that it is not ready. If it accepted nobody, they would wait
    /// in the kernel's queue for an answer that never comes, and a load balancer with them.
    pub async fn stop(self) {
        let began = Instant::now();
        self.readiness.end();
        self.workers.dismiss_all(Close::Restart);
        let is_drained = self.workers.drained(began + self.drain).await;
        self.feed.stop();
        self.server.stop(is_drained).await;
        let _ = self.running.await;
        let left = self.workers.sessions();
        if left > 0 {
            warn!(left, "stopped before all sessions had ended");
        }
        info!(duration_ms = began.elapsed().as_millis() as u64, "stopped");
    }
}

/// The number of instruments that have a history, the most active first: 0.23 ms of CPU time each at the start,
/// of which the archive takes 0.03.
const MOST_WITH_A_PAST: usize = 10_000;

/// The days before today that are told.
const DAYS_OF_THE_PAST: usize = 365;

/// Puts an invented past into the archive, so that no chart begins empty.
fn remember(archive: &Archive, universe: &Universe, settings: Simulation, now: Timestamp) {
    let days = midnights(now, DAYS_OF_THE_PAST);
    let history = History::new(universe, settings, &days, now);
    for instrument in universe.iter().take(MOST_WITH_A_PAST) {
        let past = history.of(instrument);
        archive.seed(instrument.id, &past.days, &past.minutes, &past.seconds);
    }
}

impl WorkerPool {
    /// The hub of the calling worker thread; the first call starts it.
    fn hub(&self) -> Rc<Hub> {
        HUB.with(|hub| Rc::clone(hub.get_or_init(|| self.start_hub())))
    }

    fn start_hub(&self) -> Rc<Hub> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (universe, metrics) = (Arc::clone(&self.universe), self.metrics.worker(number));
        let hub = Rc::new(Hub::new(universe, self.patience, self.max_delay, metrics, Instant::now()));
        let actor = HubActor::new(Rc::clone(&hub)).start();
        self.hubs.lock().expect("nobody panics with this lock").push(actor.clone().recipient());
        self.feed.add_worker(&hub, actor);
        hub
    }

    fn dismiss_all(&self, why: Close) {
        for hub in self.hubs.lock().expect("nobody panics with this lock").iter() {
            hub.do_send(CloseAll(why));
        }
    }

    fn sessions(&self) -> i64 {
        (0..self.numbers.load(Ordering::Relaxed)).map(|n| self.metrics.worker(n).sessions.get()).sum()
    }

    /// Waits until no session is left, and says whether that came before the deadline.
    async fn drained(&self, deadline: Instant) -> bool {
        const LOOK: Duration = Duration::from_millis(10);
        while self.sessions() > 0 {
            if Instant::now() >= deadline {
                return false;
            }
            actix_web::rt::time::sleep(LOOK).await;
        }
        true
    }
}
