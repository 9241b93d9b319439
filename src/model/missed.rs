use super::{Seq, StreamId};

/// Objects of a stream that this node never got, and that are no longer to be had: a follower lost them on the way.
///
/// Clients of streams that do not conflate are told by a `gap`; for the others the newest object counts them as merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The stream.
    pub stream: StreamId,
    /// The first missing number.
    pub from: Seq,
    /// The last missing number.
    pub to: Seq,
}
