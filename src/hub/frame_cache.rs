use std::cell::{Ref, RefCell};
use std::hash::BuildHasher;
use std::mem;
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use super::ObjectRef;
use crate::wire::{Codec, Deflate, TickerFields};

/// The frames of one fan-out, by their form and by the objects in them.
///
/// Sessions that get the same objects in the same form share one frame: it is assembled for the first
/// and found by the others, without anything being known in advance about which sessions are alike.
/// Memory is kept from one fan-out to the next, so that a look-up or an insertion allocates nothing.
#[derive(Debug, Default)]
pub struct FrameCache(RefCell<CachedFrames>);

/// A frame of the current fan-out.
///
/// An index, not a reference-counted handle: to increment a counter for each of many sessions in a row
/// waits each time for outstanding loads from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameKey(pub(super) usize);

#[derive(Debug, Default)]
struct CachedFrames {
    entries: HashTable<CachedFrame>,
    frames: Vec<Bytes>,
    /// Of each frame the codec and the time at which its oldest batch was published.
    origins: Vec<FrameOrigin>,
    /// The objects of all frames, one frame after the other.
    objects: Vec<ObjectRef>,
    /// The frame that was shared last: sessions that are alike are called in a row.
    last: Option<LastFrame>,
}

#[derive(Debug)]
struct LastFrame {
    form: FrameForm,
    objects: Range<usize>,
    frame: FrameKey,
}

#[derive(Debug)]
struct CachedFrame {
    hash: u64,
    form: FrameForm,
    objects: Range<usize>,
    frame: FrameKey,
    is_shared: bool,
}

/// Where a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameOrigin {
    /// Its codec.
    pub(super) codec: Codec,
    /// When the oldest batch of which it has objects was published, if that is known.
    pub(super) published: Option<Instant>,
}

/// How the frames of a session are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameForm {
    /// How objects are encoded.
    pub codec: Codec,
    /// How frames are compressed, if that was negotiated.
    pub deflate: Option<Deflate>,
    /// The most bytes of objects in one frame.
    pub max_bytes: usize,
    /// The fields of tickers.
    pub tickers: TickerFields,
}

/// Capacity for objects and frames that is kept: some 100 KiB.
const KEPT_CAPACITY: usize = 4 << 10;

impl FrameCache {
    /// All frames of the fan-out, indexed by their keys. No frame can be added while they are borrowed.
    pub(super) fn all(&self) -> Ref<'_, [Bytes]> {
        Ref::map(self.0.borrow(), |cached| &*cached.frames)
    }

    /// Where all frames come from, indexed by their keys.
    pub(super) fn origins(&self) -> Ref<'_, [FrameOrigin]> {
        Ref::map(self.0.borrow(), |cached| &*cached.origins)
    }

    /// Forgets all frames: the next fan-out has other batches.
    pub(super) fn clear(&self) {
        let cached = &mut *self.0.borrow_mut();
        cached.last = None;
        cached.entries.clear();
        cached.entries.shrink_to(KEPT_CAPACITY, |entry| entry.hash);
        cached.frames.clear();
        cached.frames.shrink_to(KEPT_CAPACITY);
        cached.origins.clear();
        cached.origins.shrink_to(KEPT_CAPACITY);
        cached.objects.clear();
        cached.objects.shrink_to(KEPT_CAPACITY);
    }

    /// The number of different frames.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.borrow().entries.len()
    }

    /// Finds the frame of these objects, or assembles it by `make` for the first session; `share`
    /// prepares it when a second session wants it.
    pub(super) fn get_or_insert(
        &self,
        form: FrameForm,
        objects: &[ObjectRef],
        published: impl FnOnce() -> Option<Instant>,
        make: impl FnOnce() -> Option<Bytes>,
        share: impl FnOnce(Bytes) -> Bytes,
    ) -> Option<FrameKey> {
        let CachedFrames { entries, frames, origins, objects: known, last } = &mut *self.0.borrow_mut();
        if let Some(last) = last
            && last.form == form
            && known[last.objects.clone()] == *objects
        {
            return Some(last.frame);
        }
        let hash = FxBuildHasher.hash_one((form, objects));
        let is_same = |entry: &CachedFrame| entry.form == form && known[entry.objects.clone()] == *objects;
        if let Some(entry) = entries.find_mut(hash, is_same) {
            if !entry.is_shared {
                let frame = &mut frames[entry.frame.0];
                *frame = share(mem::take(frame));
                entry.is_shared = true;
            }
            *last = Some(LastFrame { form, objects: entry.objects.clone(), frame: entry.frame });
            return Some(entry.frame);
        }
        let frame = FrameKey(frames.len());
        frames.push(make()?);
        origins.push(FrameOrigin { codec: form.codec, published: published() });
        let start = known.len();
        known.extend_from_slice(objects);
        let entry = CachedFrame { hash, form, objects: start..known.len(), frame, is_shared: false };
        entries.insert_unique(hash, entry, |entry| entry.hash);
        Some(frame)
    }
}
