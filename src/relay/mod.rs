//! The relay of an upstream feed: a client of another server's stream, as a source of this node.
//!
//! The thread of `connection` carries out what the pure `Conversation` decides, and puts what arrives into a bounded
//! inbox. The `UpstreamFeed` takes it from there, on the thread of the feed: as a mirror of an upstream that numbers
//! its objects as this server does, or as a source whose objects are numbered here.
//!
//! ```text
//! upstream ──WebSocket──▶ connection ──Arrival──▶ inbox ──▶ UpstreamFeed ──Arc<Batch>──▶ hub
//!                             ◀────────subscribe command────────┘
//! ```
//!
//! The upstream's REST gives what the stream does not: the names of instruments, when the market is open, the bars before
//! the start, and the trades of a hole. The thread of `background` asks for it, within one budget of requests.

mod assets;
mod back_off;
mod background;
mod command;
mod connection;
mod conversation;
mod history_plan;
mod inbox;
mod instruments;
mod mirror_feed;
mod outage;
mod relay_source;
mod rest;
mod rest_budget;
mod settings;
mod trade_backfill;
mod unanswered;
mod upstream_feed;

pub use settings::{
    DelayRange, ReconnectDelays, UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols,
};
pub use upstream_feed::{UpstreamFeed, UpstreamParts};
