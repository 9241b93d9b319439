//! Tapecast pushes stock ticks to browsers and bots over WebSocket: one market-data connection in,
//! a hundred thousand screens out.
//!
//! # The way of a tick
//! ```text
//! source ──Event──▶ feed ──Arc<Batch>──▶ hub (one per worker) ──▶ session (one per client) ──▶ transport
//! ```
//!
//! # The dependency rule
//! A stage imports the stages it receives from, never the next one; all may import the ground they share:
//! `model`, `wire`, `metrics`, `clock`, `limits`, `auth`, `transport`, `archive`. `app` composes them.
//! `tests/architecture.rs` enforces it, and `docs/ARCHITECTURE.md` follows a trade and a subscribe through
//! the functions.

/// Price alerts: conditions, and the index of those that a trade fires.
pub mod alerts;
/// Composition: the order of start and stop, the feed's thread, the workers, the server, signals.
pub mod app;
/// History in memory: the newest trades, quotes and bars of each instrument, and queries over them.
pub mod archive;
/// Access: keys, allowed origins, trusted proxies, failed attempts.
pub mod auth;
/// The time of the service, which follows the system's clock.
pub mod clock;
/// Many nodes over NATS: batches, snapshots and repair between a feed and its gateways, and the leader's lease.
#[cfg(feature = "nats")]
pub mod cluster;
/// The command line: what was typed, checked, and what it means.
pub mod config;
/// Faults on purpose, seeded and listed, for the authors of clients.
pub mod faults;
/// Numbers events, keeps last values, folds bars and tickers, and shares batches that are encoded once.
pub mod feed;
/// HTTP: routes, the upgrade to a session, REST, health, metrics, the dashboard's files.
pub mod http;
/// One worker's subscribers: the index from streams to subscribers, fan-out, timers, liveness.
pub mod hub;
/// The durable log of all batches: restarts go on from it, replays read it.
pub mod journal;
/// Limits: rate limits, the fair queue of long work, session capacity, open files.
pub mod limits;
/// Metrics and their text for Prometheus.
pub mod metrics;
/// Plain values: symbols, prices, trades, quotes, bars, channels, streams, sequence numbers, the calendar.
pub mod model;
/// The relay of an upstream feed: a client of another server's stream.
#[cfg(feature = "relay")]
pub mod relay;
/// One client: protocol state, subscriptions, and the outbox with its backpressure.
pub mod session;
/// Event sources: the simulated market and its clock, behind a trait.
pub mod source;
/// The log.
pub mod telemetry;
/// Topics: namespaces and their rules, what a publication must pass, presence.
pub mod topics;
/// Sockets: TCP and TLS transports, the writer of a session, kernel options.
pub mod transport;
/// The version of the program.
pub mod version;
/// The protocol: commands, control messages, objects in both codecs, frames, compression, close codes.
pub mod wire;
