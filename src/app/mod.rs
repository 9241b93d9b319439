//! Composition: starts the parts of the service in order, and stops them.
//!
//! Start: check everything that can fail (addresses, certificate, keys), fill the archive with history, open the journal, start
//! the feeds, start the server. Each worker of the server starts a hub for each feed, which follows it; if there is
//! only one worker, the feeds start on its thread.
//!
//! Stop: refuse new sessions, close all sessions and let them drain, stop the feeds, stop the server, end the journal.

mod admin_client;
mod admin_command;
mod admin_table;
mod backfill;
mod check;
mod descriptors;
mod feed;
mod feeds;
mod gauges;
mod journal_command;
#[cfg(feature = "nats")]
mod leaders;
mod market;
#[cfg(feature = "nats")]
mod node;
mod reload;
#[cfg(any(feature = "relay", feature = "nats"))]
mod resume;
mod server;
mod service_manager;
mod signals;
#[cfg(feature = "jwt")]
mod tokens;
mod weather;
mod workers;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use actix_web::dev::ServerHandle;
use actix_web::rt::task::JoinHandle;
use actix_web::web;
use thiserror::Error;
use tracing::{info, warn};

use crate::alerts::AlertQuota;
use crate::auth::{AdminGate, AdminToken, AdminTokenError, KeyStore, KeyStoreError, Reachability};
use crate::clock::Clock;
#[cfg(feature = "nats")]
use crate::cluster::ClusterThread;
use crate::config::{self, AccessConfig, Config};
#[cfg(feature = "jwt")]
use crate::config::{TokenConfig, TokenKeys};
use crate::faults::Faults;
use crate::http::{Administration, AppState, ConnectionLimit, Draining, Feeds, LogFilter};
use crate::journal::{JournalError, JournalReplayError, JournalThread};
use crate::limits::{AnswerCapacity, OpenFiles, SessionCapacity, UsageCounter};
use crate::metrics::Metrics;
use crate::model::Timestamp;
use crate::source::ReplayError;
use crate::telemetry::LogControl;
use crate::topics::{Namespaces, SimulatedWeather};
use crate::transport::{Certificate, TlsError};
use crate::wire::Close;

pub use self::admin_command::run_admin_task;
pub use self::check::run_check;
use self::feeds::{ServiceParts, StartedFeeds};
use self::gauges::{ServiceGauges, optional_parts};
pub use self::journal_command::{run_journal_task, run_verify};
use self::server::{Listeners, capacity_limits, serve};
pub use self::service_manager::{ServiceManager, ServiceThreads};
pub use self::signals::{SignalRequest, Signals};
#[cfg(feature = "jwt")]
pub use self::tokens::TokenKeysError;
use self::weather::publish_weather;
use self::workers::WorkerPool;

/// The longest time in which the feed ends and the disk takes the end of the journal at a stop.
const JOURNAL_STOP: Duration = Duration::from_secs(10);

/// The longest time in which a node gives up its lease at a stop.
#[cfg(feature = "nats")]
const CLUSTER_STOP: Duration = Duration::from_secs(2);

/// The service cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is in use, or not one of this machine.
    #[error("{}", check::unusable(*.address, .source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The key file cannot be read or parsed.
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    /// The token file of the administration cannot be used.
    #[error("{0}")]
    AdminToken(#[from] AdminTokenError),
    /// The keys of tokens cannot be read.
    #[cfg(feature = "jwt")]
    #[error("{0}")]
    TokenKeys(#[from] TokenKeysError),
    /// A certificate or its private key cannot be used, or the authorities of the upstream.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The limit of open files is too low for the worker threads and a few connections.
    #[error("the limit of open files is {limit}, and {workers} workers need {needed}: raise it (ulimit -n)")]
    OpenFiles {
        /// The limit.
        limit: usize,
        /// The worker threads.
        workers: usize,
        /// The least limit.
        needed: usize,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The recording cannot be replayed.
    #[error("{0}")]
    Replay(#[from] ReplayError),
    /// The journal cannot be replayed.
    #[error(transparent)]
    JournalReplay(#[from] JournalReplayError),
    /// The thread of the connection to NATS cannot be started.
    #[cfg(feature = "nats")]
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The signal handlers cannot be installed.
    #[error("cannot listen for signals: {0}")]
    Signals(#[from] io::Error),
}

/// The warning that secrets of keys may be read on the network.
const KEYS_IN_CLEAR: &str = "plain http and ws are served beyond loopback, and keys are required: their secrets can be \
                             read on the network. Serve them on loopback or with --tls-only";

/// The warning that the administration refuses all requests.
const NO_ADMIN_TOKEN: &str =
    "without --admin-token-file the administration is refused at an address beyond loopback";

/// The warning that metrics and status are published.
const PUBLIC_OPERATIONS: &str = "metrics and status, which need no key, are served beyond loopback";

/// The running service.
pub struct Service {
    address: SocketAddr,
    tls_address: Option<SocketAddr>,
    admin_address: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    keys: Option<Arc<KeyStore>>,
    state: web::Data<AppState>,
    workers: WorkerPool,
    server: ServerHandle,
    server_task: JoinHandle<io::Result<()>>,
    journal: Option<JournalThread>,
    #[cfg(feature = "nats")]
    cluster: Option<ClusterThread>,
    drain: Duration,
    open_files: OpenFiles,
    topics: Namespaces,
    /// The file with the token of administrators.
    admin_token: Option<PathBuf>,
    /// The settings of tokens in force.
    #[cfg(feature = "jwt")]
    tokens: Option<TokenConfig>,
}

impl Service {
    /// Starts the service, and returns when it accepts sessions. Needs a running actix system.
    ///
    /// # Errors
    /// When an address cannot be listened on, or the keys or the certificate cannot be used. Nothing has
    /// started then.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        Self::start_with_log(config, None)
    }

    /// Starts the service, whose administration may change the filter of this log.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with_log(config: &Config, log: Option<LogControl>) -> Result<Self, StartError> {
        let listeners = Listeners::bind(config)?;
        let admin_token = open_admin_token(&config.access)?;
        let workers = config.workers;
        let open_files = descriptors::open_files(config);
        if !open_files.suffice() {
            let (limit, needed) = (open_files.limit, open_files.needed());
            return Err(StartError::OpenFiles { limit, workers, needed });
        }
        let capacity = capacity_limits(&config.access, open_files);

        let metrics = Arc::new(Metrics::measuring(&config.feeds(), config.latency_metrics));
        let keys = open_keys(&config.access, &metrics)?;
        let clock = Clock::system(metrics.clock());
        let faults = config.faults.map(Faults::new);
        if faults.is_some() {
            warn!("faults are made on purpose: GET /faults lists them");
        }
        let parts = ServiceParts { config, clock: &clock, metrics: &metrics, faults: faults.as_ref() };
        let feeds = StartedFeeds::start(parts, keys.as_deref())?;
        let symbols: usize = feeds.running.iter().map(|feed| feed.universe.len()).sum();
        let workers = WorkerPool::new(feeds.running, Arc::clone(&metrics), clock.clone(), config);
        let (address, tls_address) = (listeners.address, listeners.tls_address());
        let admin_address = listeners.admin_address();
        let certificate = listeners.certificate();
        let state = web::Data::new(AppState {
            feeds: Feeds::new(feeds.states),
            clock,
            metrics,
            limits: config.limits,
            outbox: config.outbox,
            alerts: AlertQuota::new(config.alerts),
            keys: keys.clone(),
            origins: config.access.origins.clone(),
            reachability: Reachability {
                hosts: config.access.hosts.clone(),
                proxies: config.access.proxies.clone(),
            }
            .into(),
            capacity: SessionCapacity::new(capacity),
            answers: AnswerCapacity::new(config.access.http.answers),
            awaited_bodies: UsageCounter::default(),
            echo: config.echo,
            http: config.access.http,
            faults: faults.clone(),
            admin: Administration {
                hubs: workers.directory(),
                gate: AdminGate::new(admin_token, !config.publishes_operations(), config.access.failed_auths),
                log: log.map(log_filter_of),
                started: Instant::now(),
                started_at: SystemTime::now().into(),
                workers: config.workers,
                draining: Draining::default(),
            },
        });
        state.metrics.add_gauges(ServiceGauges {
            state: Arc::downgrade(&state.clone().into_inner()),
            certificate: certificate.clone(),
            open_files,
            parts: optional_parts(config),
        });
        let access = &config.access;
        let limit = ConnectionLimit::new(
            &access.http,
            state.reachability.clone(),
            access.shared_addresses.clone(),
            state.metrics.http().clone(),
        );
        let server = serve(listeners, open_files, state.clone(), workers.clone(), limit)
            .map_err(|source| StartError::Listen { address, source })?;
        let handle = server.handle();
        let server_task = actix_web::rt::spawn(server);
        #[cfg(feature = "jwt")]
        follow_token_keys(&config.access, keys.as_ref())?;
        let topics = state.feeds.default_feed().topics.as_ref();
        if let Some(topics) = topics.filter(|_| config.publishes_weather()) {
            let weather = SimulatedWeather::new(config.simulation.seed);
            actix_web::rt::spawn(publish_weather(weather, topics.publisher.clone(), state.clock.clone()));
        }

        if config.serves_keys_in_clear() {
            warn!(%address, "{KEYS_IN_CLEAR}");
        }
        if let Some(address) = admin_address {
            if config.publishes_operations() {
                warn!(%address, "{PUBLIC_OPERATIONS}");
            }
            if config.lacks_admin_token() {
                warn!(%address, "{NO_ADMIN_TOKEN}");
            }
            let page = format!("{}admin/", url("http", address));
            info!(url = %page, %address, "serving administration, metrics and status");
        }
        if let (Some(address), Some(certificate)) = (tls_address, &certificate) {
            tell_of_certificate(certificate);
            info!(url = %url("https", address), %address, "serving over TLS");
        }
        info!(
            url = %url("http", address),
            version = %env!("CARGO_PKG_VERSION"),
            %address,
            sessions = capacity.sessions,
            symbols,
            seed = config.simulates().then_some(config.simulation.seed),
            "serving"
        );
        Ok(Self {
            address,
            tls_address,
            admin_address,
            certificate,
            keys,
            state,
            workers,
            server: handle,
            server_task,
            journal: feeds.journal,
            #[cfg(feature = "nats")]
            cluster: feeds.cluster,
            drain: config.drain,
            open_files,
            topics: config.topics.clone(),
            admin_token: config.access.admin_token.clone(),
            #[cfg(feature = "jwt")]
            tokens: config.access.tokens.clone(),
        })
    }

    /// The address of plain HTTP and WebSocket.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of HTTPS and WebSocket over TLS.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// The address of metrics and status alone.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// What finds the threads that serve: a worker is one of them when it has started.
    pub fn threads(&self) -> impl Fn() -> ServiceThreads + use<> {
        let workers = self.workers.clone();
        move || workers.threads()
    }

    /// The longest time that [`stop`](Self::stop) takes.
    pub fn longest_stop(&self) -> Duration {
        // The last is for what has no limit of its own: the end of the workers and of the log.
        let longest = self.drain + JOURNAL_STOP + Duration::from_secs(5);
        #[cfg(feature = "nats")]
        let longest = longest + CLUSTER_STOP;
        longest
    }

    /// Waits until the server ends by itself, which it does only when it cannot go on, and returns why.
    pub async fn server_ended(&mut self) -> io::Error {
        match (&mut self.server_task).await {
            Ok(Ok(())) => io::Error::other("it stopped without being asked to"),
            Ok(Err(error)) => error,
            Err(panicked) => io::Error::other(panicked),
        }
    }

    /// Shuts down gracefully: closes all sessions with the advice to reconnect, and waits until they have
    /// received what is queued, but no longer than the configuration allows.
    ///
    /// The server keeps accepting connections meanwhile and answers 503. Otherwise clients and load balancers
    /// would wait in the kernel's accept queue for an answer that never comes.
    pub async fn stop(self) {
        let began = Instant::now();
        self.state.feeds.end();
        self.workers.close_all(Close::Restart);
        let is_drained = self.workers.drain(began + self.drain).await;
        self.workers.stop_feeds();
        self.server.stop(is_drained).await;
        let _ = self.server_task.await;
        #[cfg(feature = "nats")]
        if let Some(cluster) = self.cluster {
            cluster.stop(Instant::now() + CLUSTER_STOP).await;
        }
        if let Some(journal) = self.journal {
            journal.stop(Instant::now() + JOURNAL_STOP).await;
        }
        let left = self.workers.sessions();
        if left > 0 {
            warn!(left, "stopped before all sessions had ended");
        }
        info!(duration_ms = began.elapsed().as_millis() as u64, "stopped");
    }
}

/// The URL of a listener on this machine.
fn url(scheme: &str, address: SocketAddr) -> String {
    let host: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("{scheme}://{}/", SocketAddr::new(host, address.port()))
}

/// Logs how long a certificate is valid, with a warning shortly before its end and after it.
fn tell_of_certificate(certificate: &Certificate) {
    let now = Timestamp::from(SystemTime::now());
    let Some(facts) = certificate.facts() else { return };
    let days = facts.days_left(now);
    match days < check::FEW_DAYS {
        true => warn!(days, "the certificate ends soon or has ended: {}", check::describe(&facts, now)),
        false => info!(days, "certificate {}", check::describe(&facts, now)),
    }
}

fn open_admin_token(access: &AccessConfig) -> Result<Option<AdminToken>, AdminTokenError> {
    access.admin_token.clone().map(AdminToken::read).transpose()
}

/// The filter of this log, as the administration reads and replaces it.
fn log_filter_of(log: LogControl) -> LogFilter {
    let control = log.clone();
    LogFilter::new(
        move || log.filter(),
        move |filter, checked| {
            let filter = config::log_filter(filter)?;
            checked();
            control.set_filter(&filter).map_err(|error| error.to_string())
        },
    )
}

/// What authenticates clients, if they need credentials.
fn open_keys(access: &AccessConfig, metrics: &Metrics) -> Result<Option<Arc<KeyStore>>, StartError> {
    if !access.requires_credentials() {
        return Ok(None);
    }
    let keys = match &access.keys {
        Some(path) => KeyStore::open(path.clone(), access.failed_auths)?,
        None => KeyStore::without_file(access.failed_auths),
    };
    #[cfg(feature = "jwt")]
    let keys = {
        let tokens =
            access.tokens.as_ref().map(|config| tokens::open(config, metrics.tokens())).transpose()?;
        keys.accepting(tokens.map(Arc::new))
    };
    #[cfg(not(feature = "jwt"))]
    let _ = metrics;
    Ok(Some(Arc::new(keys)))
}

/// Starts to fetch the keys of tokens, if they are fetched.
#[cfg(feature = "jwt")]
fn follow_token_keys(access: &AccessConfig, keys: Option<&Arc<KeyStore>>) -> Result<(), StartError> {
    let url = access.tokens.as_ref().and_then(|config| config.keys.as_ref());
    if let (Some(TokenKeys::Url(url)), Some(keys)) = (url, keys) {
        actix_web::rt::spawn(tokens::follow(Arc::clone(keys), tokens::client()?, url.clone()));
    }
    Ok(())
}
