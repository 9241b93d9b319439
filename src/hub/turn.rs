use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::model::Object;
use crate::tape::Batch;
use crate::wire::{ArrayFrame, Codec, Deflate};

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

/// Frames by their form and by what they hold.
type Frames = FxHashMap<(Codec, Option<Deflate>, Box<[Pick]>), Bytes>;

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

    /// One frame of these objects, compressed where that is agreed and pays: once for all who share it.
    pub fn frame(&self, codec: Codec, deflate: Option<Deflate>, picks: &[Pick]) -> Bytes {
        let mut frames = self.frames.borrow_mut();
        let key = (codec, deflate, picks.into());
        let frame = frames.entry(key).or_insert_with(|| {
            let room = picks.iter().map(|pick| self.encoded(codec, *pick).len()).sum();
            let mut frame = ArrayFrame::with_capacity(codec, room);
            for pick in picks {
                frame.push(self.encoded(codec, *pick));
            }
            match deflate {
                Some(deflate) => deflate.pack(frame.finish()),
                None => frame.finish(),
            }
        });
        frame.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Seq, Timestamp};
    use crate::wire::{Agreed, fixtures};

    #[test]
    fn who_picks_alike_and_agreed_alike_gets_the_same_frame_compressed_once() {
        let objects = (1..=20).map(|seq| Object { seq: Seq(seq), ..fixtures::trade() }).collect();
        let universe = Arc::new(fixtures::universe());
        let batches = [Arc::new(Batch::new(universe, Timestamp::default(), objects, vec![]))];
        let turn = Turn::new(&batches);
        let picks: Vec<_> = (0..20).map(|place| Pick::new(0, place)).collect();
        let deflate = |offer| Agreed::from_offers([offer]).map(Agreed::deflate);
        let (wide, narrow) =
            (deflate("permessage-deflate"), deflate("permessage-deflate; server_max_window_bits=9"));

        let forms = [None, wide, narrow].map(|form| turn.frame(Codec::Json, form, &picks));
        let again = [None, wide, narrow].map(|form| turn.frame(Codec::Json, form, &picks));

        assert_eq!(
            forms.each_ref().map(|frame| frame.as_ptr()),
            again.each_ref().map(|frame| frame.as_ptr())
        );
        assert_eq!(turn.frames.borrow().len(), 3);
        assert!(forms[1].len().max(forms[2].len()) < forms[0].len());
    }
}
