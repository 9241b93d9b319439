//! Many nodes over NATS: one feed numbers events, gateways follow it and serve clients.
//!
//! | module | what it holds |
//! |---|---|
//! | `message`, `topic_message` | the binary forms of what nodes send each other |
//! | `ring` | the latest batches of a leader, for repair |
//! | `publisher` | what a leader sends |
//! | `follower` | the state machine of a node that follows: join, follow, repair |
//! | `leading_topics` | what a leader does with commands for topics, and what a follower remembers for that |
//! | `lease` | the state machine of the lease that makes a node the leader |
//! | `wanted` | the symbols that all nodes want of a source on demand |
//! | `overview` | what the node knows of itself and of the others, for `GET /status` |
//! | `node_publisher` | gives what clients of this node publish to the leader |
//! | `topic_link` | the part of the connection that carries that, and tells of presence |
//! | `exchange` | the bounded queues between the thread of the feed and that of the connection |
//! | `connection` | the thread with the connection to NATS, which `nats_client` makes |
//! | `lease_task`, `history_fetch` | the tasks beside it: the requests for the lease, those for the history of instruments |
//! | `continued_feed` | the feed of an upstream or a journal as the continuation of the cluster's |
//! | `cluster_feed` | the batch source of a node: follows, or leads |
//!
//! Numbers are given once, by the feed node that leads. Core NATS carries batches at most once, so followers notice
//! what they lost by the numbers of batches, and ask the leader for it.

mod cluster_feed;
mod connection;
mod continued_feed;
mod credentials;
mod exchange;
mod follower;
mod history;
mod history_fetch;
mod leading_topics;
mod lease;
mod lease_task;
mod message;
mod nats_client;
mod node_publisher;
mod overview;
mod publisher;
mod ring;
mod settings;
#[cfg(test)]
mod simulated_link;
mod topic_link;
mod topic_message;
mod wanted;

pub use cluster_feed::{
    ClusterFeed, ClusterFeedMetrics, ClusterFeedParts, Followed, LeaderFeed, least_number,
};
pub use connection::{ClusterThread, NodeDemand, NodeTopics};
pub use continued_feed::{ContinuedFeed, ContinuedFeedParts};
pub use credentials::check_credentials;
pub use nats_client::check_server;
pub use node_publisher::NodePublisher;
pub use overview::{BatchHop, ClusterOverview, ClusterState, KnownNode};
pub use settings::{ClusterSettings, NodeRole};
#[cfg(test)]
pub(crate) use simulated_link::SimulatedLink;
