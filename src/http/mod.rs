//! HTTP: the upgrade to a session, REST, health checks, metrics and the dashboard's files.

mod access;
mod admission;
mod assets;
mod challenge;
mod compression;
mod connection_limit;
mod cors;
mod credentials;
mod error;
mod faults;
mod handover;
mod handshake;
mod health;
mod limits;
mod methods;
mod middleware;
mod paced_body;
mod query;
mod response;
pub mod rest;
mod routes;
mod security_headers;
mod state;
mod upgrade;

pub use self::challenge::AuthChallenge;
pub use self::connection_limit::ConnectionLimit;
pub use self::error::ApiError;
pub use self::handover::hand_over;
pub use self::handshake::can_leave_http;
pub use self::limits::HttpLimits;
pub use self::methods::restrict_methods;
pub use self::middleware::{reject_oversized, watch_connection};
pub use self::paced_body::{BODY_PIECE, pace_bodies};
pub use self::routes::routes;
pub use self::security_headers::security_headers;
pub use self::state::{AppState, EchoMode, Readiness};
