use std::sync::Arc;

use bytes::Bytes;

use super::message::{
    EncodedBatch, Fence, MAX_PART, NodeMessage, Origin, PayloadEncoder, RepairRequest, parts,
};
use super::ring::{RepairRing, RingLimits};
use crate::archive::Archive;
use crate::feed::{Batch, BatchEncoder, LastValues};
use crate::model::{Epoch, Timestamp, TradeRules, Universe};
use crate::topics::Moderation;
use crate::wire::varint::push_u64;

/// What a leader sends: batches, beats, and answers to requests. Pure: times are arguments.
#[derive(Debug)]
pub(super) struct Publisher {
    term: Option<Term>,
    encoder: PayloadEncoder,
    ring: RepairRing,
    /// The last batch and its watermark.
    last: (u64, Timestamp),
    rules: TradeRules,
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

/// The most bytes of the retained messages of topics in a snapshot, the newest. A node that has none of its own serves no
/// older ones.
const MAX_HISTORY: usize = 16 << 20;

/// A snapshot as it is sent.
#[derive(Clone, Debug)]
pub(super) struct EncodedSnapshot(Bytes);

impl Standing {
    /// Encodes the snapshot, about 50 bytes for each stream, with the messages of topics that this archive retains, as far
    /// as the last batch.
    pub(super) fn encode(&self, archive: &Archive) -> EncodedSnapshot {
        let mut encoder = BatchEncoder::default();
        let mut standing = Vec::new();
        let Self { universe, last_values } = self;
        let (number, watermark) = (last_values.batch(), last_values.watermark());
        let (objects, messages) = (last_values.iter(), last_values.messages());
        encoder.encode_objects(&mut standing, number, watermark, universe, objects, messages);
        let mut out = Vec::with_capacity(standing.len() + 64);
        push_u64(&mut out, standing.len() as u64);
        out.append(&mut standing);
        let retained = archive.retained_messages(|stream| last_values.seq(stream), MAX_HISTORY);
        let messages = retained.iter().map(|(object, message)| (object, message));
        encoder.encode_objects(&mut out, number, watermark, universe, std::iter::empty(), messages);
        EncodedSnapshot(out.into())
    }
}

impl Publisher {
    /// A publisher that does not lead yet.
    pub(super) fn new(limits: RingLimits) -> Self {
        let (encoder, ring) = (PayloadEncoder::default(), RepairRing::new(limits));
        Self { term: None, encoder, ring, last: Default::default(), rules: TradeRules::default() }
    }

    /// Says from now on that these trades are the last price.
    pub(super) fn set_rules(&mut self, rules: TradeRules) {
        self.rules = rules;
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
        messages(Origin { published, ..origin(*term, self.rules, sent) }, encoded)
    }

    /// The message that tells followers that nothing was published since the last batch.
    pub(super) fn beat(&self, sent: Timestamp) -> Option<Bytes> {
        let (number, watermark) = self.last;
        Some(NodeMessage::Beat(origin(self.term?, self.rules, sent), number, watermark).to_bytes())
    }

    /// The message that tells how publishers are restricted.
    pub(super) fn restrictions(
        &self,
        namespace: Box<str>,
        restrictions: Vec<Moderation>,
        sent: Timestamp,
    ) -> Option<Bytes> {
        let origin = origin(self.term?, self.rules, sent);
        Some(NodeMessage::Restrictions(origin, namespace, restrictions).to_bytes())
    }

    /// The answer to a request for batches.
    pub(super) fn repair(&self, request: &RepairRequest, sent: Timestamp) -> Vec<Bytes> {
        let Some(term) = self.term else { return Vec::new() };
        let origin = origin(term, self.rules, sent);
        match self.ring.range(request.from, request.to) {
            Some(batches) => messages(origin, batches.cloned().collect()),
            None => vec![NodeMessage::Gone(origin, request.request).to_bytes()],
        }
    }

    /// The answer to a request for a snapshot.
    pub(super) fn snapshot(&self, request: u64, snapshot: &EncodedSnapshot, sent: Timestamp) -> Vec<Bytes> {
        let Some(term) = self.term else { return Vec::new() };
        let origin = origin(term, self.rules, sent);
        parts(&snapshot.0).map(|part| NodeMessage::SnapshotPart(origin, request, part).to_bytes()).collect()
    }
}

const fn origin(Term { fence, epoch }: Term, rules: TradeRules, sent: Timestamp) -> Origin {
    Origin { fence, epoch, published: sent, sent, rules }
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
