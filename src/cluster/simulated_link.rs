//! The way from a leader to a gateway over a network that loses, repeats and reorders messages, for simulations.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::follower::{Follower, FollowerRequest};
use super::message::{Fence, NodeMessage};
use super::publisher::{Publisher, Standing, Term};
use super::ring::RingLimits;
use crate::archive::{Archive, Retention};
use crate::feed::{Batch, LastValues};
use crate::model::{Epoch, Timestamp, Universe};

/// A leader's publisher and a gateway's follower with the messages between them.
pub(crate) struct SimulatedLink {
    publisher: Publisher,
    follower: Follower,
    standing: Standing,
    in_transit: VecDeque<Bytes>,
    /// How many of the next messages are lost.
    to_lose: usize,
    is_next_repeated: bool,
    is_next_swapped: bool,
}

/// The batches that the leader keeps for repair: few, so that some followers must take a snapshot.
const KEPT_BATCHES: usize = 8;

impl SimulatedLink {
    /// A gateway that knows these instruments and has yet to join, behind a leader of this epoch.
    pub(crate) fn new(universe: &Arc<Universe>, epoch: Epoch) -> Self {
        let mut publisher = Publisher::new(RingLimits { bytes: 1 << 20, batches: KEPT_BATCHES });
        publisher.begin(Term { fence: Fence(1), epoch });
        let mut last_values = LastValues::new(universe.len());
        last_values.set_epoch(epoch);
        Self {
            publisher,
            follower: Follower::new(Fence::default(), Arc::clone(universe)),
            standing: Standing { universe: Arc::clone(universe), last_values },
            in_transit: VecDeque::new(),
            to_lose: 0,
            is_next_repeated: false,
            is_next_swapped: false,
        }
    }

    /// The leader publishes a batch, after which these values hold.
    pub(crate) fn publish(&mut self, batch: &Arc<Batch>, last_values: LastValues) {
        self.standing = Standing { universe: Arc::clone(batch.universe()), last_values };
        let messages =
            self.publisher.publish(&[Arc::clone(batch)], Timestamp::default(), Timestamp::default());
        messages.into_iter().for_each(|message| self.send(message));
    }

    /// The next messages, this many, are lost.
    pub(crate) fn lose(&mut self, messages: usize) {
        self.to_lose += messages;
    }

    /// The next message comes twice.
    pub(crate) fn repeat(&mut self) {
        self.is_next_repeated = true;
    }

    /// The next message comes behind the one after it.
    pub(crate) fn swap(&mut self) {
        self.is_next_swapped = true;
    }

    /// From now on nothing is lost.
    pub(crate) fn calm(&mut self) {
        self.to_lose = 0;
    }

    fn send(&mut self, message: Bytes) {
        if self.to_lose > 0 {
            self.to_lose -= 1;
            return;
        }
        if std::mem::take(&mut self.is_next_repeated) {
            self.in_transit.push_back(message.clone());
        }
        self.in_transit.push_back(message);
        let count = self.in_transit.len();
        if count > 1 && std::mem::take(&mut self.is_next_swapped) {
            self.in_transit.swap(count - 1, count - 2);
        }
    }

    /// The gateway takes in what has arrived, and what the leader answers to its requests; a beat comes with it.
    pub(crate) fn deliver(&mut self, now: Instant) {
        if let Some(beat) = self.publisher.beat(Timestamp::default()) {
            self.send(beat);
        }
        while let Some(message) = self.in_transit.pop_front() {
            self.follower.take_in(NodeMessage::from_bytes(&message).unwrap(), now);
        }
        self.follower.tick(now);
        while let Some(request) = self.follower.next_request() {
            let answer = match request {
                FollowerRequest::Snapshot(request) => {
                    let snapshot = self.standing.encode(&Archive::new(0, Retention::default()));
                    self.publisher.snapshot(request, &snapshot, Timestamp::default())
                }
                FollowerRequest::Repair(request) => self.publisher.repair(&request, Timestamp::default()),
            };
            answer.into_iter().for_each(|message| self.send(message));
        }
    }

    /// The next batch that the gateway passes on, which is entered in these last values.
    pub(crate) fn next_batch(&mut self, last_values: &mut LastValues) -> Option<Arc<Batch>> {
        self.follower.next_batch(last_values).map(Arc::new)
    }
}
