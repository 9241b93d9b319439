use std::cell::{Ref, RefCell};
use std::hash::BuildHasher;
use std::mem;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::EncodedLastValues;
use crate::feed::Batch;
use crate::model::Object;
use crate::wire::{ArrayFrame, Codec, Deflate};

/// An object of the turn: its batch in the upper half, its place there in the lower. One number, so
/// that picks are compared at the speed of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef(u64);

/// The batches that are handed out together, the frames made of them so far, and how things stand
/// after them.
///
/// Whoever picks the same objects gets the same frame: it is assembled for the first and shared by
/// the rest, without anybody having to know in advance who wants alike.
#[derive(Debug)]
pub struct FanOut<'a> {
    batches: &'a [Arc<Batch>],
    frames: &'a FrameCache,
    newest: &'a EncodedLastValues,
    now: Instant,
}

/// Frames by their form and by what they hold. It keeps its room from turn to turn, so that looking
/// one up, or entering one, allocates nothing.
#[derive(Debug, Default)]
pub struct FrameCache(RefCell<CachedFrames>);

/// A frame of the turn, for as long as the turn lasts.
///
/// A place, and not a share of the bytes: to count owners, for each of those who are called in a row, is to wait
/// each time for everything that has not come from memory yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameKey(pub(super) usize);

#[derive(Debug, Default)]
struct CachedFrames {
    made: HashTable<Made>,
    frames: Vec<Bytes>,
    /// What the frames hold, one after the other.
    picks: Vec<ObjectRef>,
    /// The frame that was shared last: who wants alike is called in a row.
    last: Option<LastFrame>,
}

#[derive(Debug)]
struct LastFrame {
    form: FrameForm,
    picks: Range<usize>,
    frame: FrameKey,
}

#[derive(Debug)]
struct Made {
    hash: u64,
    form: FrameForm,
    picks: Range<usize>,
    frame: FrameKey,
    is_shared: bool,
}

type FrameForm = (Codec, Option<Deflate>);

/// Room for picks and for frames that is kept from turn to turn: some 100 KiB.
const KEPT_ROOM: usize = 4 << 10;

impl ObjectRef {
    /// The object at this place of that batch of the turn.
    pub fn new(batch: usize, place: usize) -> Self {
        Self((batch as u64) << 32 | place as u64)
    }

    const fn batch(self) -> usize {
        (self.0 >> 32) as usize
    }

    const fn place(self) -> usize {
        self.0 as u32 as usize
    }
}

impl<'a> FanOut<'a> {
    /// A turn of these batches at this time, with the frames made of them so far.
    pub fn new(
        batches: &'a [Arc<Batch>],
        frames: &'a FrameCache,
        newest: &'a EncodedLastValues,
        now: Instant,
    ) -> Self {
        Self { batches, frames, newest, now }
    }

    /// The newest objects.
    pub fn newest(&self) -> &'a EncodedLastValues {
        self.newest
    }

    /// When it is, near enough: a look at the clock for each subscriber is a fiftieth of a send.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The object itself.
    pub fn object(&self, pick: ObjectRef) -> &Object {
        self.batches[pick.batch()].object(pick.place())
    }

    /// The object's bytes.
    pub fn encoded(&self, codec: Codec, pick: ObjectRef) -> &[u8] {
        self.batches[pick.batch()].encoded(codec, pick.place())
    }

    /// One frame of these objects, where it is agreed and pays a compressed one; none where they have
    /// more than so many bytes.
    ///
    /// A small frame is compressed when a second one wants it, and shared by all who have not sent it yet:
    /// the first may be the only one.
    pub fn frame(
        &self,
        codec: Codec,
        deflate: Option<Deflate>,
        picks: &[ObjectRef],
        most: usize,
    ) -> Option<FrameKey> {
        let share = |frame| match deflate {
            Some(deflate) => deflate.pack_shared(frame),
            None => frame,
        };
        let make = || {
            let room = picks.iter().map(|pick| self.encoded(codec, *pick).len()).sum();
            if room > most {
                return None;
            }
            let mut frame = ArrayFrame::with_capacity(codec, room);
            for pick in picks {
                frame.push(self.encoded(codec, *pick));
            }
            Some(match deflate {
                Some(deflate) => deflate.pack(frame.finish()),
                None => frame.finish(),
            })
        };
        self.frames.get((codec, deflate), picks, make, share)
    }

    /// The bytes of a frame, for who keeps them longer than the turn.
    ///
    /// # Panics
    /// When it is not of this turn.
    pub fn bytes(&self, frame: FrameKey) -> Bytes {
        self.frames.all()[frame.0].clone()
    }
}

impl FrameCache {
    /// All frames of the turn, at their keys' places. While it is looked at none may be made.
    pub(super) fn all(&self) -> Ref<'_, [Bytes]> {
        Ref::map(self.0.borrow(), |shelf| &*shelf.frames)
    }

    /// The batches change: what was made of them is of no use any more.
    pub(super) fn clear(&self) {
        let shelf = &mut *self.0.borrow_mut();
        shelf.last = None;
        shelf.made.clear();
        shelf.made.shrink_to(KEPT_ROOM, |made| made.hash);
        shelf.frames.clear();
        shelf.frames.shrink_to(KEPT_ROOM);
        shelf.picks.clear();
        shelf.picks.shrink_to(KEPT_ROOM);
    }

    /// What is there for the first who asks, `make` makes; `share` prepares it for the others.
    fn get(
        &self,
        form: FrameForm,
        picks: &[ObjectRef],
        make: impl FnOnce() -> Option<Bytes>,
        share: impl FnOnce(Bytes) -> Bytes,
    ) -> Option<FrameKey> {
        let CachedFrames { made, frames, picks: known, last } = &mut *self.0.borrow_mut();
        if let Some(last) = last
            && last.form == form
            && known[last.picks.clone()] == *picks
        {
            return Some(last.frame);
        }
        let hash = FxBuildHasher.hash_one((form, picks));
        let is_same = |made: &Made| made.form == form && known[made.picks.clone()] == *picks;
        if let Some(made) = made.find_mut(hash, is_same) {
            if !made.is_shared {
                let frame = &mut frames[made.frame.0];
                *frame = share(mem::take(frame));
                made.is_shared = true;
            }
            *last = Some(LastFrame { form, picks: made.picks.clone(), frame: made.frame });
            return Some(made.frame);
        }
        let frame = FrameKey(frames.len());
        frames.push(make()?);
        let start = known.len();
        known.extend_from_slice(picks);
        let picks = start..known.len();
        made.insert_unique(hash, Made { hash, form, picks, frame, is_shared: false }, |made| made.hash);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Seq, Timestamp};
    use crate::wire::{NegotiatedDeflate, fixtures};

    /// Asks a turn of so many trades for one frame of all of them, in each form.
    fn ask<const N: usize>(frames: &FrameCache, trades: u64, forms: [Option<Deflate>; N]) -> [Bytes; N] {
        let objects = (1..=trades).map(|seq| Object { seq: Seq(seq), ..fixtures::trade() }).collect();
        let universe = Arc::new(fixtures::universe());
        let batches = [Arc::new(Batch::new(universe, Timestamp::default(), objects, vec![]))];
        let newest = EncodedLastValues::new(1);
        let turn = FanOut::new(&batches, frames, &newest, Instant::now());
        let picks: Vec<_> = (0..trades as usize).map(|place| ObjectRef::new(0, place)).collect();
        forms.map(|form| turn.bytes(turn.frame(Codec::Json, form, &picks, 4096).unwrap()))
    }

    fn agreed(offer: &str) -> Option<Deflate> {
        NegotiatedDeflate::from_offers([offer]).map(NegotiatedDeflate::deflate)
    }

    #[test]
    fn who_picks_alike_and_agreed_alike_gets_the_same_frame_compressed_once() {
        let frames = FrameCache::default();
        let wide = agreed("permessage-deflate");
        let narrow = agreed("permessage-deflate; server_max_window_bits=9");

        let [plain, large, small, again @ ..] = ask(&frames, 20, [None, wide, narrow, None, wide, narrow]);

        let first = [&plain, &large, &small].map(|frame| frame.as_ptr());
        assert_eq!(first, again.each_ref().map(|frame| frame.as_ptr()));
        assert_eq!(frames.0.borrow().made.len(), 3);
        assert!(large.len().max(small.len()) < plain.len());
    }

    #[test]
    fn a_small_frame_is_compressed_for_the_second_who_wants_it_and_then_shared() {
        let asked = ask(&FrameCache::default(), 4, [agreed("permessage-deflate"); 4]);

        assert_eq!(asked.each_ref().map(|frame| frame[0]), [0x81, 0xC1, 0xC1, 0xC1]);
        assert!(asked[1..].iter().all(|frame| frame.as_ptr() == asked[1].as_ptr()));
    }
}
