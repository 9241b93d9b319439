use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::numbers_by_stream;
use crate::model::{Channel, Symbol};

/// What a client opts into with `x`. Whoever sends none of it sees none of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Extensions {
    /// Comes back in the acknowledgement.
    pub id: Option<RequestId>,
    /// At most one data frame in so many milliseconds, 0 to 60,000; 0 is every one. Larger values
    /// are granted as 60,000.
    pub conflate_ms: Option<u32>,
    /// Whether the newest object of each stream that is new in this command comes first.
    #[serde(default)]
    pub snapshot: bool,
    /// A sign of life after so many milliseconds without any other frame; 0 is none.
    pub heartbeat_ms: Option<u32>,
    /// What the client has already.
    pub resume: Option<ResumeRequest>,
}

/// A client's own name for a command: a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The last numbers that a client has, of which epoch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "RawResume")]
pub struct ResumeRequest {
    /// The epoch in which they were given.
    pub epoch: String,
    /// The last number of each stream.
    pub last: Vec<(Channel, Symbol, u64)>,
}

#[derive(Deserialize)]
struct RawResume {
    epoch: String,
    sq: BTreeMap<String, BTreeMap<String, u64>>,
}

impl From<RawResume> for ResumeRequest {
    fn from(typed: RawResume) -> Self {
        Self { epoch: typed.epoch, last: numbers_by_stream(typed.sq) }
    }
}

/// What an acknowledgement grants of what `x` asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantedExtensions {
    /// The command's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The epoch of all numbers on this connection.
    pub epoch: String,
    /// The conflation in force.
    pub conflate_ms: u32,
    /// The heartbeat in force.
    pub heartbeat_ms: u32,
    /// Symbols of this command that the market does not know, by channel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<&'static str, Vec<String>>,
}
