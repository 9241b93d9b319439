use std::sync::Arc;

use super::frame::Opcode;
use super::json::{self, JsonEncoder};
use super::{TopicMessage, msgpack};
use crate::model::{Object, Universe};

/// The encoding of messages, chosen once by the upgrade request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// JSON in text frames.
    Json,
    /// MessagePack in binary frames.
    MsgPack,
}

/// How an object reaches one client: the fields in which its encodings differ between clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// As it happened; no field is added.
    Live,
    /// This number of earlier objects, at least 1, was merged into it (`cf`).
    Conflated(u64),
    /// As part of the snapshot after a subscription (`sn`).
    Snapshot,
}

impl DeliveryKind {
    /// The kind of an object that replaced this number of earlier ones.
    pub const fn conflated(objects: u64) -> Self {
        match objects {
            0 => Self::Live,
            objects => Self::Conflated(objects),
        }
    }
}

impl Codec {
    /// Both codecs.
    pub const ALL: [Self; 2] = [Self::Json, Self::MsgPack];

    /// The opcode of data frames in this codec.
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Json => Opcode::Text,
            Self::MsgPack => Opcode::Binary,
        }
    }

    /// Appends an object as another kind of delivery, given its encoding as a live one. Returns whether it
    /// could; if not, the caller must encode the object and drop the bytes that were appended.
    #[must_use]
    pub fn append_as(self, out: &mut Vec<u8>, live: &[u8], kind: DeliveryKind) -> bool {
        match self {
            Self::Json => json::append_as(out, live, kind),
            Self::MsgPack => msgpack::append_as(out, live, kind),
        }
    }

    /// Encodes one object, with the bytes that [`EncodedObjects`] has for it.
    pub fn write(self, out: &mut Vec<u8>, universe: &Universe, object: &Object, kind: DeliveryKind) {
        match self {
            Self::Json => JsonEncoder::default().object(out, universe, object, kind),
            Self::MsgPack => msgpack::object(out, universe, object, kind),
        }
    }

    /// Encodes one message of a topic, the same.
    pub fn write_message(
        self,
        out: &mut Vec<u8>,
        universe: &Universe,
        object: &Object,
        message: &TopicMessage,
        kind: DeliveryKind,
    ) {
        match self {
            Self::Json => JsonEncoder::default().message(out, universe, object, message, kind),
            Self::MsgPack => msgpack::message(out, universe, object, message, kind),
        }
    }

    /// Encodes one object, which is a message of a topic if it has a content.
    pub fn write_with(
        self,
        out: &mut Vec<u8>,
        universe: &Universe,
        object: &Object,
        content: Option<&TopicMessage>,
        kind: DeliveryKind,
    ) {
        match content {
            Some(message) => self.write_message(out, universe, object, message, kind),
            None => self.write(out, universe, object, kind),
        }
    }
}

/// Objects encoded once each, in one buffer.
///
/// The bytes of an object include the separator that follows it in an array, so any of them can be
/// concatenated to the content of an array: see [`super::ArrayFrame`].
#[derive(Debug, Default)]
pub struct EncodedObjects {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl EncodedObjects {
    /// Encodes these objects, in order.
    pub fn of(codec: Codec, universe: &Universe, objects: &[Object]) -> Self {
        const TYPICAL_OBJECT: usize = 160;
        let mut bytes = Vec::with_capacity(objects.len() * TYPICAL_OBJECT);
        let mut ends = Vec::with_capacity(objects.len());
        match codec {
            Codec::Json => {
                let mut writer = JsonEncoder::default();
                for object in objects {
                    writer.object(&mut bytes, universe, object, DeliveryKind::Live);
                    ends.push(bytes.len() as u32);
                }
            }
            Codec::MsgPack => {
                for object in objects {
                    msgpack::object(&mut bytes, universe, object, DeliveryKind::Live);
                    ends.push(bytes.len() as u32);
                }
            }
        }
        Self { bytes, ends }
    }

    /// Encodes these messages of topics, in order, each with the content in the same place.
    pub fn of_messages(
        codec: Codec,
        universe: &Universe,
        objects: &[Object],
        messages: &[Arc<TopicMessage>],
    ) -> Self {
        let mut encoded = Self::default();
        for (object, message) in objects.iter().zip(messages) {
            codec.write_message(&mut encoded.bytes, universe, object, message, DeliveryKind::Live);
            encoded.ends.push(encoded.bytes.len() as u32);
        }
        encoded
    }

    /// The bytes of the object at this place.
    ///
    /// # Panics
    /// If there are fewer objects.
    pub fn object(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[place] as usize]
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::wire::fixtures;

    /// Recorded SHA-256 hashes of the bytes: if one changes, clients get other bytes than before.
    #[test]
    fn the_bytes_on_the_wire_are_those_that_were_recorded() {
        let universe = fixtures::universe();
        let hash = |codec: Codec| {
            let mut out = Vec::new();
            for object in fixtures::objects().iter().chain(&fixtures::varied_objects()) {
                for mark in [
                    DeliveryKind::Live,
                    DeliveryKind::Conflated(3),
                    DeliveryKind::Conflated(70_000),
                    DeliveryKind::Snapshot,
                ] {
                    codec.write(&mut out, &universe, object, mark);
                }
            }
            let hash = Sha256::digest(&out);
            hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
        };

        assert_eq!(hash(Codec::Json), "932b18b3be6cc8e4d1aea6572a249b4b9e877c2096ea270828bbc1b441b60895");
        assert_eq!(hash(Codec::MsgPack), "c60f0376e6bb1b420437f90ab8d04d3d31973e8f12b4e5ad383b82d2a470869f");
    }
}
