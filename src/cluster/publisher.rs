use std::sync::Arc;

use bytes::Bytes;

use super::message::{
    EncodedBatch, Fence, MAX_PART, NodeMessage, Origin, PayloadEncoder, RepairRequest, parts,
};
use super::ring::{RepairRing, RingLimits};
use crate::feed::{Batch, BatchEncoder, LastValues};
use crate::model::{Epoch, Timestamp, Universe};

/// What a leader sends: batches, beats, and answers to requests. Pure: times are arguments.
#[derive(Debug)]
pub(super) struct Publisher {
    term: Option<Term>,
    encoder: PayloadEncoder,
    ring: RepairRing,
    /// The last batch and its watermark.
    last: (u64, Timestamp),
}

/// The time in which a node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The fencing token.
    pub(super) fence: Fence,
    /// The epoch of the latest batch.
    pub(super) epoch: Epoch,
}

/// What a snapshot is made from.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The instruments as of the last batch.
    pub(super) universe: Arc<Universe>,
    /// The last values as of the last batch.
    pub(super) last_values: LastValues,
}

/// A snapshot as it is sent.
#[derive(Clone, Debug)]
pub(super) struct EncodedSnapshot(Bytes);

impl Standing {
    /// Encodes the snapshot: about 50 bytes for each stream.
    pub(super) fn encode(&self) -> EncodedSnapshot {
        let mut out = Vec::new();
        let Self { universe, last_values } = self;
        let (number, watermark) = (last_values.batch(), last_values.watermark());
        BatchEncoder::default().encode_objects(
            &mut out,
            number,
            watermark,
            universe,
            last_values.iter(),
            last_values.messages(),
        );
        EncodedSnapshot(out.into())
    }
}

impl Publisher {
    /// A publisher that does not lead yet.
    pub(super) fn new(limits: RingLimits) -> Self {
        let (encoder, ring) = (PayloadEncoder::default(), RepairRing::new(limits));
        Self { term: None, encoder, ring, last: Default::default() }
    }

    /// Leads from now on. If the epoch is that of the last term, its batches can still be repaired.
    pub(super) fn begin(&mut self, term: Term) {
        if self.term.is_none_or(|before| before.epoch != term.epoch) {
            self.encoder = PayloadEncoder::default();
            self.ring.clear();
        }
        self.term = Some(term);
    }

    /// The messages that carry these batches, in order, of which the first was published at this time; the batches are
    /// kept for repair.
    pub(super) fn publish(
        &mut self,
        batches: &[Arc<Batch>],
        published: Timestamp,
        sent: Timestamp,
    ) -> Vec<Bytes> {
        let Some(term) = &mut self.term else { return Vec::new() };
        let mut encoded = Vec::with_capacity(batches.len());
        for batch in batches {
            term.epoch = batch.begun_epoch().unwrap_or(term.epoch);
            self.last = (batch.number(), batch.watermark());
            let batch = self.encoder.encode(batch);
            self.ring.push(batch.clone());
            encoded.push(batch);
        }
        messages(Origin { published, ..origin(*term, sent) }, encoded)
    }

    /// The message that tells followers that nothing was published since the last batch.
    pub(super) fn beat(&self, sent: Timestamp) -> Option<Bytes> {
        let (number, watermark) = self.last;
        Some(NodeMessage::Beat(origin(self.term?, sent), number, watermark).to_bytes())
    }

    /// The answer to a request for batches.
    pub(super) fn repair(&self, request: &RepairRequest, sent: Timestamp) -> Vec<Bytes> {
        let Some(term) = self.term else { return Vec::new() };
        let origin = origin(term, sent);
        match self.ring.range(request.from, request.to) {
            Some(batches) => messages(origin, batches.cloned().collect()),
            None => vec![NodeMessage::Gone(origin, request.request).to_bytes()],
        }
    }

    /// The answer to a request for a snapshot.
    pub(super) fn snapshot(&self, request: u64, snapshot: &EncodedSnapshot, sent: Timestamp) -> Vec<Bytes> {
        let Some(term) = self.term else { return Vec::new() };
        let origin = origin(term, sent);
        parts(&snapshot.0).map(|part| NodeMessage::SnapshotPart(origin, request, part).to_bytes()).collect()
    }
}

const fn origin(Term { fence, epoch }: Term, sent: Timestamp) -> Origin {
    Origin { fence, epoch, published: sent, sent }
}

/// As few messages as the size of a part allows.
fn messages(origin: Origin, batches: Vec<EncodedBatch>) -> Vec<Bytes> {
    let mut messages = Vec::new();
    let (mut together, mut bytes) = (Vec::new(), 0);
    let send = |together: &mut Vec<EncodedBatch>, messages: &mut Vec<Bytes>| {
        if !together.is_empty() {
            messages.push(NodeMessage::Batches(origin, std::mem::take(together)).to_bytes());
        }
    };
    for batch in batches {
        let length = batch.bytes.len();
        if bytes + length > MAX_PART {
            send(&mut together, &mut messages);
            bytes = 0;
        }
        if length > MAX_PART {
            let part = |part| NodeMessage::BatchPart(origin, batch.number, part).to_bytes();
            messages.extend(parts(&batch.bytes).map(part));
        } else {
            together.push(batch);
            bytes += length;
        }
    }
    send(&mut together, &mut messages);
    messages
}
