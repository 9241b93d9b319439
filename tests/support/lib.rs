//! Support for the integration tests: a whole service in this process, and clients that can send anything.
//!
//! | module | what it holds |
//! |---|---|
//! | [`program`](Program) | the program as a child process, its log, signals |
//! | [`server`](Server) | the service on a port of its own, its metrics, reload and stop |
//! | [`proxy`](Proxy) | a network: a proxy that delays, holds back and cuts |
//! | [`upstream`](upstream()) | the upstream of a relay |
//! | [`recording`](odd_lots()) | a recording to be replayed |
//! | [`nats`](NatsServer) | a NATS server as a child process |
//! | [`client`](Client) | a WebSocket client that sends any bytes, valid or not |
//! | [`events`](EventStream) | a client of event streams |
//! | [`tls`](TlsClient) | a session over TLS, and certificates for it |
//! | [`frame`](Frame) | server frames and permessage-deflate |
//! | [`http`](HttpResponse) | plain HTTP requests |
//! | [`tokens`](TokenSigner) | the log-in of another service: signed tokens, and a server of its keys |
//! | [`sequence`](SequenceLedger) | the check that no object is lost or repeated |
//! | [`schema`](Description) | the OpenAPI and AsyncAPI descriptions |
//!
//! Everything here panics when it cannot continue, because a test that cannot continue has failed. Every wait has
//! a deadline, [`DEADLINE`]; a test never sleeps to give an event time to happen.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod client;
mod events;
mod frame;
mod http;
mod nats;
mod program;
mod proxy;
mod recording;
mod schema;
mod sequence;
mod server;
mod temp;
mod tls;
mod tokens;
mod upstream;
mod wait;

pub use client::Client;
pub use events::{EventStream, ServerEvent};
pub use frame::{Frame, deflate};
pub use http::{
    HttpResponse, connect_from, exchange, get, get_json, get_with, post, request, send_json, try_post,
};
pub use jsonschema::Validator;
pub use nats::NatsServer;
pub use program::{Program, SERVING};
pub use proxy::{LinkQuality, Proxy};
pub use recording::odd_lots;
pub use schema::{Description, assert_valid};
pub use sequence::SequenceLedger;
pub use server::{Server, metric};
pub use temp::TempFolder;
pub use tls::{TlsClient, TlsFiles};
pub use tokens::{KeyServer, TokenSigner, unix_seconds};
pub use upstream::upstream;
pub use wait::{DEADLINE, wait_for, wait_until};
