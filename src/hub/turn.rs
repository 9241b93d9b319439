use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::model::Object;
use crate::tape::Batch;
use crate::wire::{ArrayFrame, Codec};

/// An object of the turn, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pick {
    batch: u16,
    place: u32,
}

/// The batches that are handed out together, and the frames made of them so far.
///
/// Whoever picks the same objects gets the same frame: it is assembled for the first and shared by
/// the rest, without anybody having to know in advance who wants alike.
#[derive(Debug)]
pub struct Turn<'a> {
    batches: &'a [Arc<Batch>],
    frames: RefCell<Frames>,
}

/// Frames by what they hold.
type Frames = FxHashMap<(Codec, Box<[Pick]>), Bytes>;

impl Pick {
    /// The object at this place of that batch of the turn.
    pub fn new(batch: usize, place: usize) -> Self {
        Self { batch: batch as u16, place: place as u32 }
    }
}

impl<'a> Turn<'a> {
    /// A turn of these batches, of which no frame is made yet.
    pub fn new(batches: &'a [Arc<Batch>]) -> Self {
        Self { batches, frames: RefCell::default() }
    }

    /// The object itself.
    pub fn object(&self, pick: Pick) -> &Object {
        self.batches[pick.batch as usize].object(pick.place as usize)
    }

    /// The object's bytes.
    pub fn encoded(&self, codec: Codec, pick: Pick) -> &[u8] {
        self.batches[pick.batch as usize].encoded(codec, pick.place as usize)
    }

    /// One frame of these objects.
    pub fn frame(&self, codec: Codec, picks: &[Pick]) -> Bytes {
        let mut frames = self.frames.borrow_mut();
        let key = (codec, picks.into());
        let frame = frames.entry(key).or_insert_with(|| {
            let room = picks.iter().map(|pick| self.encoded(codec, *pick).len()).sum();
            let mut frame = ArrayFrame::with_capacity(codec, room);
            for pick in picks {
                frame.push(self.encoded(codec, *pick));
            }
            frame.finish()
        });
        frame.clone()
    }
}
