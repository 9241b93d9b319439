//! Tapecast pushes stock ticks to browsers and bots over WebSocket: one market-data connection in,
//! a hundred thousand screens out.
//!
//! # The journey of a tick
//! ```text
//! market ──events──▶ tape ──Arc<Batch>──▶ hub (one per worker) ──▶ session (one per client) ──▶ socket
//! ```
//!
//! # The rule of rooms
//! Import the rooms you listen to, never the one you speak to. Data goes right, imports go left;
//! you speak through a recipient, a callback or a sink that `app` handed you.

pub mod app;
pub mod archive;
pub mod auth;
pub mod config;
pub mod feed;
pub mod http;
pub mod hub;
pub mod limits;
pub mod metrics;
pub mod model;
pub mod session;
pub mod source;
pub mod telemetry;
pub mod transport;
pub mod wire;
