use std::sync::{Arc, OnceLock};

use crate::model::{Object, Timestamp, Universe};
use crate::wire::{Codec, Encoded};

/// Objects that were published together, in order, shared by all workers.
///
/// An encoding is made when the first worker asks for it and shared by all others: however many
/// sessions listen an object is encoded once, and an encoding that nobody listens to is not made.
#[derive(Debug)]
pub struct Batch {
    objects: Vec<Object>,
    newest: Timestamp,
    universe: Arc<Universe>,
    json: OnceLock<Encoded>,
    msgpack: OnceLock<Encoded>,
}

impl Batch {
    /// A batch of these objects of that universe, told up to `newest`.
    pub fn new(universe: Arc<Universe>, objects: Vec<Object>, newest: Timestamp) -> Self {
        Self { objects, newest, universe, json: OnceLock::new(), msgpack: OnceLock::new() }
    }

    /// The objects in the order in which they happened.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Up to when the market has told everything.
    pub const fn newest(&self) -> Timestamp {
        self.newest
    }

    /// The objects encoded, in the same order.
    ///
    /// The first caller pays about 150 ns for each object; a second one that comes meanwhile waits.
    pub fn encoded(&self, codec: Codec) -> &Encoded {
        let cell = match codec {
            Codec::Json => &self.json,
            Codec::MsgPack => &self.msgpack,
        };
        cell.get_or_init(|| Encoded::of(codec, &self.universe, &self.objects))
    }
}
