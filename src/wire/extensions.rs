use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::numbers_by_stream;
use crate::model::{Channel, Symbol};

/// The extensions that a client opts into with `x`; a client that sends no `x` sees none of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Extensions {
    /// Echoed in the acknowledgement.
    pub id: Option<RequestId>,
    /// Conflation interval in milliseconds, 0 to 60,000: at most one data frame is sent per interval. 0 turns
    /// conflation off; larger values are granted as 60,000.
    pub conflate_ms: Option<u32>,
    /// Whether the latest object of each stream that this command adds is sent first.
    #[serde(default)]
    pub snapshot: bool,
    /// Heartbeat interval in milliseconds: a heartbeat is sent if no other frame was. 0 turns it off.
    pub heartbeat_ms: Option<u32>,
    /// The position from which to resume.
    pub resume: Option<ResumeRequest>,
}

/// The id that a client gives a command: a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The last sequence numbers that a client received, and their epoch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "RawResume")]
pub struct ResumeRequest {
    /// The epoch of the numbers.
    pub epoch: String,
    /// The last sequence number of each stream.
    pub last: Vec<(Channel, Symbol, u64)>,
}

#[derive(Deserialize)]
struct RawResume {
    epoch: String,
    sq: BTreeMap<String, BTreeMap<String, u64>>,
}

impl From<RawResume> for ResumeRequest {
    fn from(raw: RawResume) -> Self {
        Self { epoch: raw.epoch, last: numbers_by_stream(raw.sq) }
    }
}

/// The extensions in force after a command: `x` in the acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantedExtensions {
    /// The id of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The epoch of all sequence numbers on this connection.
    pub epoch: String,
    /// The conflation interval in milliseconds; 0 if off.
    pub conflate_ms: u32,
    /// The heartbeat interval in milliseconds; 0 if off.
    pub heartbeat_ms: u32,
    /// Symbols of this command that are not in the universe, by channel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<&'static str, Vec<String>>,
}
