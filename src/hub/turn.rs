use std::cell::RefCell;
use std::collections::hash_map::Entry;
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
type Frames = FxHashMap<(Codec, Option<Deflate>, Box<[Pick]>), Made>;

#[derive(Debug)]
struct Made {
    frame: Bytes,
    is_shared: bool,
}

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

    /// One frame of these objects, where it is agreed and pays a compressed one.
    ///
    /// A small frame is compressed for the second who wants it, and shared by all that follow: the
    /// first may be the only one.
    pub fn frame(&self, codec: Codec, deflate: Option<Deflate>, picks: &[Pick]) -> Bytes {
        match self.frames.borrow_mut().entry((codec, deflate, picks.into())) {
            Entry::Vacant(place) => {
                let frame = self.assemble(codec, picks);
                let frame = match deflate {
                    Some(deflate) => deflate.pack(frame),
                    None => frame,
                };
                place.insert(Made { frame, is_shared: false }).frame.clone()
            }
            Entry::Occupied(place) => {
                let made = place.into_mut();
                if let (false, Some(deflate)) = (made.is_shared, deflate) {
                    made.frame = deflate.pack_shared(made.frame.clone());
                }
                made.is_shared = true;
                made.frame.clone()
            }
        }
    }

    fn assemble(&self, codec: Codec, picks: &[Pick]) -> Bytes {
        let room = picks.iter().map(|pick| self.encoded(codec, *pick).len()).sum();
        let mut frame = ArrayFrame::with_capacity(codec, room);
        for pick in picks {
            frame.push(self.encoded(codec, *pick));
        }
        frame.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Seq, Timestamp};
    use crate::wire::{Agreed, fixtures};

    /// The first bytes of a turn's frame, by its window and how many objects it holds.
    fn frame(turn: &Turn<'_>, offer: Option<&str>, objects: usize) -> (u8, *const u8, usize) {
        let deflate = Agreed::from_offers(offer).map(Agreed::deflate);
        let picks: Vec<_> = (0..objects).map(|place| Pick::new(0, place)).collect();
        let frame = turn.frame(Codec::Json, deflate, &picks);
        (frame[0], frame.as_ptr(), frame.len())
    }

    fn batches() -> [Arc<Batch>; 1] {
        let objects = (1..=20).map(|seq| Object { seq: Seq(seq), ..fixtures::trade() }).collect();
        [Arc::new(Batch::new(Arc::new(fixtures::universe()), Timestamp::default(), objects, vec![]))]
    }

    const PLAIN: u8 = 0x81;
    const COMPRESSED: u8 = 0xC1;

    #[test]
    fn who_picks_alike_and_agreed_alike_gets_the_same_frame_compressed_once() {
        let batches = batches();
        let turn = Turn::new(&batches);
        let forms = [
            (None, PLAIN),
            (Some("permessage-deflate"), COMPRESSED),
            (Some("permessage-deflate; server_max_window_bits=9"), COMPRESSED),
        ];

        for (offer, first) in forms {
            let made = frame(&turn, offer, 20);
            assert_eq!(made.0, first);
            assert_eq!([frame(&turn, offer, 20), frame(&turn, offer, 20)], [made, made]);
        }
        assert_eq!(turn.frames.borrow().len(), forms.len());
    }

    #[test]
    fn a_small_frame_is_compressed_for_the_second_who_wants_it_and_then_shared() {
        let batches = batches();
        let turn = Turn::new(&batches);

        let asked = [(); 4].map(|()| frame(&turn, Some("permessage-deflate"), 4));

        assert_eq!(asked.map(|(first, ..)| first), [PLAIN, COMPRESSED, COMPRESSED, COMPRESSED]);
        assert_eq!(asked[1..], [asked[1]; 3]);
    }
}
