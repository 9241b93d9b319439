use bytes::Bytes;

use super::Codec;
use super::frame::{MAX_HEADER, header};

/// Builds one data message: an array of objects in one frame.
///
/// The objects are written after space reserved for the longest header. The header is known only at the
/// end and is then written directly before them, so no object is moved or copied.
#[derive(Debug)]
pub struct ArrayFrame {
    codec: Codec,
    bytes: Vec<u8>,
    count: usize,
    merged: u64,
}

/// The header of the frame, then the opening of the array: one byte in JSON, up to five in
/// MessagePack.
const HEADROOM: usize = MAX_HEADER + 5;

impl ArrayFrame {
    /// An empty array with capacity for this number of bytes of objects.
    pub fn with_capacity(codec: Codec, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADROOM + capacity);
        bytes.resize(HEADROOM, 0);
        Self { codec, bytes, count: 0, merged: 0 }
    }

    /// An array of this one object.
    pub fn of(codec: Codec, object: &[u8]) -> Self {
        let mut array = Self::with_capacity(codec, object.len());
        array.push(object);
        array
    }

    /// Appends an object with the bytes that [`super::EncodedObjects`] has for it.
    pub fn push(&mut self, object: &[u8]) {
        self.bytes.extend_from_slice(object);
        self.count += 1;
    }

    /// Appends an object that `write` appends to the bytes.
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.count += 1;
    }

    /// Removes the last object, which begins after this number of bytes of objects.
    pub fn pop(&mut self, begins: usize) -> Vec<u8> {
        self.count -= 1;
        self.bytes.split_off(HEADROOM + begins)
    }

    /// The length of the objects in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len() - HEADROOM
    }

    /// The number of objects.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Counts objects that were merged into those of the array.
    pub fn count_merged(&mut self, objects: u64) {
        self.merged += objects;
    }

    /// The number of objects that were merged into those of the array.
    pub fn merged(&self) -> u64 {
        self.merged
    }

    /// Whether the array has no object.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finished frame.
    pub fn finish(mut self) -> Bytes {
        let array_start = self.open_array();
        let (header, from) = header(self.codec.opcode(), self.bytes.len() - array_start);
        let frame_start = array_start - (MAX_HEADER - from);
        self.bytes[frame_start..array_start].copy_from_slice(&header[from..]);
        Bytes::from(self.bytes).slice(frame_start..)
    }

    /// Writes the opening of the array before the objects, and in JSON its end; returns where the opening
    /// begins.
    fn open_array(&mut self) -> usize {
        match self.codec {
            Codec::Json => {
                self.bytes[HEADROOM - 1] = b'[';
                match self.bytes.last_mut() {
                    Some(comma) if self.count > 0 => *comma = b']',
                    _ => self.bytes.push(b']'),
                }
                HEADROOM - 1
            }
            Codec::MsgPack => {
                let mut opening = Vec::with_capacity(5);
                rmp::encode::write_array_len(&mut opening, self.count as u32)
                    .expect("writing to a vector does not fail");
                let start = HEADROOM - opening.len();
                self.bytes[start..HEADROOM].copy_from_slice(&opening);
                start
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_one_array_in_one_text_frame() {
        let mut frame = ArrayFrame::with_capacity(Codec::Json, 64);

        frame.push(br#"{"T":"t"},"#);
        frame.push(br#"{"T":"q"},"#);

        assert_eq!(frame.count(), 2);
        assert_eq!(frame.finish(), &b"\x81\x15[{\"T\":\"t\"},{\"T\":\"q\"}]"[..]);
    }

    #[test]
    fn a_long_array_gets_a_long_header() {
        let mut frame = ArrayFrame::with_capacity(Codec::Json, 0);
        let object = [&[b'1'; 999][..], b","].concat();

        for _ in 0..100 {
            frame.push(&object);
        }

        let bytes = frame.finish();
        assert_eq!(bytes[..11], *b"\x81\x7f\0\0\0\0\0\x01\x86\xa1[");
        assert_eq!(bytes.len(), 10 + 100_001);
    }
}
