use std::net::IpAddr;
use std::time::Instant;

use crate::model::Timestamp;

/// From where and when credentials come.
#[derive(Clone, Copy, Debug)]
pub struct AuthAttempt {
    /// The address of the client.
    pub from: IpAddr,
    /// When they came.
    pub now: Instant,
    /// The time of day, for tokens.
    pub wall: Timestamp,
}
