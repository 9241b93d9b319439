//! The one place that knows everybody: the order of start and, its mirror, the order of stop.
//!
//! Start: tape, workers with their hubs, market. Stop: no new sessions, goodbye to all, the market,
//! the workers.

use std::cell::OnceCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use actix::{Actor, Addr, Arbiter, Recipient};
use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::task::JoinHandle;
use actix_web::{App, HttpServer, web};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tracing::{info, warn};

use crate::config::Config;
use crate::http::{self, House, Readiness};
use crate::hub::{Dismiss, Hub, HubActor, Patience};
use crate::market::{self, History, MarketActor, Simulation, Simulator};
use crate::metrics::Metrics;
use crate::model::{Epoch, Timestamp, Universe};
use crate::tape::{self, Archive, Follow, Recorder, TapeActor};
use crate::wire::Close;

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
}

/// The service while it runs.
pub struct Service {
    address: SocketAddr,
    readiness: Readiness,
    workers: Workers,
    feed: Arbiter,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
    drain: Duration,
}

/// The hubs of all workers, and how many sessions they have.
#[derive(Clone)]
struct Workers {
    tape: Addr<TapeActor>,
    hubs: Arc<Mutex<Vec<Recipient<Dismiss>>>>,
    numbers: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    patience: Patience,
    max_delay: Duration,
    symbols: usize,
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
    /// When the address cannot be listened on.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let listener =
            listen(config.listen).map_err(|source| StartError::Listen { address: config.listen, source })?;
        let address = listener.local_addr().unwrap_or(config.listen);
        let universe = Arc::new(market::universe(config.symbols, config.simulation.seed));
        let metrics = Arc::new(Metrics::default());
        let feed = Arbiter::new();

        let now = Timestamp::from(SystemTime::now());
        // One number for each second of 136 years: no two runs of one server share it.
        let epoch = Epoch::new(now.seconds() as u32);
        let archive = Arc::new(Archive::new(universe.len(), config.retention));
        remember(&archive, &universe, config.simulation, now);
        let recorder =
            Recorder::new(Arc::clone(&universe), config.spans, now).retain_in(Arc::clone(&archive));
        let tape_metrics = metrics.tape();
        let tape = TapeActor::start_in_arbiter(&feed.handle(), |_| TapeActor::new(recorder, tape_metrics));

        let workers = Workers {
            tape: tape.clone(),
            hubs: Arc::default(),
            numbers: Arc::default(),
            metrics: Arc::clone(&metrics),
            patience: config.patience,
            max_delay: config.max_delay,
            symbols: universe.len(),
        };
        let readiness = Readiness::default();
        let house = web::Data::new(House {
            universe: Arc::clone(&universe),
            epoch,
            archive,
            metrics,
            limits: config.limits,
            outbox: config.outbox,
            readiness: readiness.clone(),
        });
        let server = serve(listener, config.workers, house, workers.clone())
            .map_err(|source| StartError::Listen { address, source })?;
        let handle = server.handle();
        let running = actix_web::rt::spawn(server);

        let simulator = Simulator::new(&universe, config.simulation);
        MarketActor::start_in_arbiter(&feed.handle(), |_| MarketActor::new(simulator, tape.recipient()));
        readiness.set(true);
        info!(%address, symbols = universe.len(), seed = config.simulation.seed, "serving");
        Ok(Self { address, readiness, workers, feed, server: handle, running, drain: config.drain })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops cleanly: takes no new session, tells every client to come back later and lets it take
    /// what is queued, for as long as the configuration allows; then ends.
    pub async fn stop(self) {
        let began = Instant::now();
        self.readiness.set(false);
        self.server.pause().await;
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

/// So many instruments have a past, the busiest ones: it costs 0.2 ms each at the start.
const MOST_WITH_A_PAST: usize = 10_000;

/// The days before today that are told.
const DAYS_OF_THE_PAST: usize = 365;

/// Puts an invented past into the archive, so that no chart begins empty.
fn remember(archive: &Archive, universe: &Universe, settings: Simulation, now: Timestamp) {
    let days = tape::midnights(now, DAYS_OF_THE_PAST);
    let history = History::new(universe, settings, &days, now);
    for instrument in universe.iter().take(MOST_WITH_A_PAST) {
        let past = history.of(instrument);
        archive.seed(instrument.id, &past.days, &past.minutes, &past.seconds);
    }
}

impl Workers {
    /// The hub of the calling worker thread; the first call starts it.
    fn hub(&self) -> Rc<Hub> {
        HUB.with(|hub| Rc::clone(hub.get_or_init(|| self.start_hub())))
    }

    fn start_hub(&self) -> Rc<Hub> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let hub = Rc::new(Hub::new(self.symbols, self.patience, self.max_delay, self.metrics.worker(number)));
        let ear = HubActor::new(Rc::clone(&hub)).start();
        self.hubs.lock().expect("nobody panics with this lock").push(ear.clone().recipient());
        self.tape.do_send(Follow(ear.recipient()));
        hub
    }

    fn dismiss_all(&self, why: Close) {
        for hub in self.hubs.lock().expect("nobody panics with this lock").iter() {
            hub.do_send(Dismiss(why));
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

/// So many connections may wait to be accepted: a storm of reconnects must not meet a full queue.
const BACKLOG: i32 = 4096;

/// 1 to 499 ms would leave some connections open for ever in actix-http 3.20, and from 1000 ms on a
/// client that waits a second for our FIN gives up first.
const DISCONNECT_TIMEOUT: Duration = Duration::from_millis(600);

/// What the connection may hold of assembled frames: they are stale the sooner the more there are.
const WRITE_BUFFER: usize = 16 << 10;

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn serve(
    listener: TcpListener,
    threads: usize,
    house: web::Data<House>,
    workers: Workers,
) -> io::Result<Server> {
    let server = HttpServer::new(move || App::new().configure(http::doors(house.clone(), workers.hub())));
    let server = server
        .workers(threads)
        .tcp_nodelay(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .shutdown_timeout(1)
        .disable_signals()
        .on_connect(http::tune)
        .listen(listener)?;
    Ok(server.run())
}
