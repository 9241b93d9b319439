use std::sync::Arc;

use crate::model::{BegunEpoch, Object, Timestamp, Universe};
use crate::wire::TopicMessage;

/// Batches that are missing in the journal, because the disk was too slow or failed.
#[derive(Clone, Debug)]
pub struct Hole {
    /// The number of the first missing batch.
    pub from: u64,
    /// The number of the last missing batch.
    pub to: u64,
    /// The watermark of that batch.
    pub watermark: Timestamp,
    /// The instruments that are known after it.
    pub universe: Arc<Universe>,
    /// The last object of each stream that the missing batches have objects of.
    pub last_objects: Vec<Object>,
    /// The last message of each topic that they have messages of.
    pub last_messages: Vec<(Object, Arc<TopicMessage>)>,
    /// The epoch that began within it. It is not written with a hole: the segment after the hole is of that epoch.
    pub begun: Option<BegunEpoch>,
}
