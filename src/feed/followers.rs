use std::sync::Arc;

use actix::{Message, Recipient};

use super::{Batch, LastValues};
use crate::source::{ControlRefusal, ReplayCommand, ReplayStatus};
use crate::topics::{Moderation, Publication, PublicationNumber, PublishRefusal};

/// Asks the feed to send this recipient a [`Published::Snapshot`] and then every batch that follows it.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Follow(pub Recipient<Published>);

/// Changes a running replay, if there is a command, and answers where it is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Result<ReplayStatus, ControlRefusal>")]
pub struct ControlReplay(pub Option<ReplayCommand>);

/// Publishes a message, and answers with its number when it is on its way to the hubs.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<PublicationNumber, PublishRefusal>")]
pub struct Publish(pub Publication);

/// Restricts the publishers of topics.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), PublishRefusal>")]
pub struct Moderate(pub Moderation);

/// A message of the feed to a follower: one snapshot first, then every batch in order, none missing.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub enum Published {
    /// The last object of each stream, before the batches that follow.
    Snapshot(Arc<LastValues>),
    /// The objects that are new.
    Batch(Arc<Batch>),
}

/// The actors that get every batch by message.
///
/// A message costs the mailbox's allocation and a wake-up of the follower's thread, so the hub of a feed with one
/// worker is called directly instead. The feed never waits: batches of a follower that is behind wait in its mailbox.
#[derive(Default)]
pub struct Followers(Vec<Recipient<Published>>);

impl Followers {
    /// Sends a follower the snapshot, and from now on every batch.
    pub fn add(&mut self, follower: Recipient<Published>, snapshot: LastValues) {
        follower.do_send(Published::Snapshot(Arc::new(snapshot)));
        self.0.push(follower);
    }

    /// Sends a batch to all followers; those that have stopped are removed.
    pub fn publish(&mut self, batch: &Arc<Batch>) {
        self.0.retain(Recipient::connected);
        for follower in &self.0 {
            follower.do_send(Published::Batch(Arc::clone(batch)));
        }
    }
}
