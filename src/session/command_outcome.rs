use std::time::Duration;

use super::outbox::{SnapshotKind, TickerForm};
use crate::hub::SubscriptionChange;
use crate::model::{Channel, Epoch, Seq, StreamId};
use crate::wire::{Answered, Close, ControlMessage, RequestId};

/// The consequences of a command, in the order in which they are carried out.
#[derive(Debug)]
pub struct CommandOutcome {
    /// What changes in the hub's index.
    pub changes: Vec<SubscriptionChange>,
    /// The options in force, if the command opted in.
    pub options: Option<SessionOptions>,
    /// The epoch that the response tells, if the command opted in.
    pub epoch: Option<Epoch>,
    /// What is told before the response, if the command has two: that a newer token is accepted, before the
    /// subscription that is left.
    pub preface: Option<ControlMessage>,
    /// The response.
    pub response: ControlMessage,
    /// Streams that the client continues from a number that it has.
    pub resume: Vec<ResumePoint>,
    /// Streams whose newest object is sent.
    pub snapshot: Vec<SnapshotPart>,
    /// How the session ends after that, if it does.
    pub close: Option<Close>,
}

/// The options of a client that opted in with `x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// At most one data frame in this time (`conflate_ms`); zero sends data as it comes.
    pub interval: Duration,
    /// A heartbeat after this time without any frame (`heartbeat_ms`); zero sends none.
    pub heartbeat: Duration,
    /// The form of tickers (`fields` and `delta`).
    pub tickers: TickerForm,
}

/// A stream of which the client has something already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The stream.
    pub stream: StreamId,
    /// The last number that the client has; `None` if it is of another epoch.
    pub last: Option<Seq>,
}

/// A part of a requested snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotPart {
    /// One stream.
    Stream(StreamId, SnapshotKind),
    /// Every symbol of a channel, except the streams that are named or resumed besides.
    Channel(Channel, SnapshotKind),
}

impl CommandOutcome {
    /// The same as the outcome of the command of this id: an error repeats it.
    pub(super) fn answering(self, id: Option<RequestId>) -> Self {
        Self { response: self.response.answering(Answered::of(id)), ..self }
    }

    /// Nothing but this response.
    pub(super) fn only(response: ControlMessage) -> Self {
        let (changes, resume, snapshot) = (Vec::new(), Vec::new(), Vec::new());
        Self { changes, options: None, epoch: None, preface: None, response, resume, snapshot, close: None }
    }
}
