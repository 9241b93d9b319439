use super::json::JsonWriter;
use crate::model::{Object, Universe};

/// How objects are written: chosen once, by the upgrade request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// JSON in text frames.
    Json,
}

impl Codec {
    /// Writes one object, into which so many earlier ones of its stream were merged, as
    /// [`Encoded`] would have it.
    pub fn write_merged(self, out: &mut Vec<u8>, universe: &Universe, object: &Object, merged: u64) {
        match self {
            Self::Json => JsonWriter::default().object(out, universe, object, merged),
        }
    }
}

/// Many objects, each encoded once, in one buffer.
///
/// An object's bytes end with whatever separates it from a next one in an array, so that any
/// selection of them, laid end to end, is the inside of an array: see [`super::ArrayFrame`].
#[derive(Debug, Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Encoded {
    /// Encodes these objects, in order.
    pub fn of(codec: Codec, universe: &Universe, objects: &[Object]) -> Self {
        const TYPICAL_OBJECT: usize = 160;
        let mut bytes = Vec::with_capacity(objects.len() * TYPICAL_OBJECT);
        let mut ends = Vec::with_capacity(objects.len());
        match codec {
            Codec::Json => {
                let mut writer = JsonWriter::default();
                for object in objects {
                    writer.object(&mut bytes, universe, object, 0);
                    ends.push(bytes.len() as u32);
                }
            }
        }
        Self { bytes, ends }
    }

    /// The bytes of the object at this place.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn object(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.bytes[start..self.ends[place] as usize]
    }
}
