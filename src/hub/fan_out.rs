use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{EncodedLastValues, FrameCache, FrameForm, FrameKey};
use crate::feed::Batch;
use crate::model::Object;
use crate::wire::{ArrayFrame, Codec, DeliveryKind, NumberedTicker, TickerPart};

/// A reference to an object of a fan-out: its batch in the upper half, its index there in the lower. One
/// number, so that lists of references are compared at the speed of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef(u64);

/// The batches that are delivered together to all subscribers of a worker, the frames assembled of them
/// so far, and the last values after them.
#[derive(Debug)]
pub struct FanOut<'a> {
    batches: &'a [Arc<Batch>],
    /// The number of the first of them.
    first: usize,
    is_late: bool,
    is_ahead: bool,
    frames: &'a FrameCache,
    last_values: &'a EncodedLastValues,
    now: Instant,
}

impl ObjectRef {
    /// The object at this index of that batch of the fan-out.
    pub fn new(batch: usize, index: usize) -> Self {
        Self((batch as u64) << 32 | index as u64)
    }

    /// The number of its batch.
    pub(super) const fn batch(self) -> usize {
        (self.0 >> 32) as usize
    }

    const fn index(self) -> usize {
        self.0 as u32 as usize
    }
}

impl<'a> FanOut<'a> {
    /// A fan-out of these batches at this time.
    pub fn new(
        batches: &'a [Arc<Batch>],
        frames: &'a FrameCache,
        last_values: &'a EncodedLastValues,
        now: Instant,
    ) -> Self {
        Self { batches, first: 0, is_late: false, is_ahead: false, frames, last_values, now }
    }

    /// The same fan-out, in which the first batch has this number.
    #[must_use]
    pub const fn numbered_from(self, first: usize) -> Self {
        Self { first, ..self }
    }

    /// The same fan-out, of a worker that is behind.
    #[must_use]
    pub const fn late(self, is_late: bool) -> Self {
        Self { is_late, ..self }
    }

    /// Whether the worker is behind: subscribers take less then, the newest objects of what conflates.
    pub const fn is_late(&self) -> bool {
        self.is_late
    }

    /// The same fan-out, whose last values have objects that are yet to be delivered behind these.
    #[must_use]
    pub const fn ahead(self) -> Self {
        Self { is_ahead: true, ..self }
    }

    /// Whether the last values have objects that are yet to be delivered: a subscriber that looks one up now would get
    /// it twice.
    pub const fn is_ahead(&self) -> bool {
        self.is_ahead
    }

    /// The newest objects.
    pub fn last_values(&self) -> &'a EncodedLastValues {
        self.last_values
    }

    /// The time at which the fan-out began: to read the clock for each subscriber costs a fiftieth of a
    /// send.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The object itself.
    pub fn object(&self, reference: ObjectRef) -> &Object {
        self.batches[reference.batch() - self.first].object(reference.index())
    }

    /// The object's bytes.
    pub fn encoded(&self, codec: Codec, reference: ObjectRef) -> &[u8] {
        self.batches[reference.batch() - self.first].encoded(codec, reference.index())
    }

    /// The shared frame of these objects, compressed where that was negotiated and pays; `None` if they
    /// exceed one frame.
    ///
    /// A small frame is compressed when a second session wants it, and shared by all that have not sent
    /// it yet: the first may be the only one.
    pub fn frame(&self, form: FrameForm, objects: &[ObjectRef]) -> Option<FrameKey> {
        let FrameForm { codec, deflate, max_bytes, tickers } = form;
        let share = |frame| match deflate {
            Some(deflate) => deflate.pack_shared(frame),
            None => frame,
        };
        let make = || {
            if !tickers.is_all() {
                return self.frame_of_parts(form, objects);
            }
            let size = objects.iter().map(|object| self.encoded(codec, *object).len()).sum();
            if size > max_bytes {
                return None;
            }
            let mut frame = ArrayFrame::with_capacity(codec, size);
            for object in objects {
                frame.push(self.encoded(codec, *object));
            }
            Some(match deflate {
                Some(deflate) => deflate.pack(frame.finish()),
                None => frame.finish(),
            })
        };
        let published = || self.published_at(objects);
        self.frames.get_or_insert(form, objects, published, make, share)
    }

    /// The frame of these objects for sessions that selected fields of tickers.
    fn frame_of_parts(&self, form: FrameForm, objects: &[ObjectRef]) -> Option<Bytes> {
        let FrameForm { codec, deflate, max_bytes, tickers } = form;
        let mut frame = ArrayFrame::with_capacity(codec, 0);
        for reference in objects {
            match NumberedTicker::of(self.object(*reference)) {
                Some(ticker) => frame.push_with(|out| {
                    let part = TickerPart::of(tickers);
                    self.last_values.write_ticker(out, codec, ticker, DeliveryKind::Live, part);
                }),
                None => frame.push(self.encoded(codec, *reference)),
            }
            if frame.len() > max_bytes {
                return None;
            }
        }
        Some(match deflate {
            Some(deflate) => deflate.pack(frame.finish()),
            None => frame.finish(),
        })
    }

    /// How long the oldest of these objects has waited since it was published, if that is known.
    pub(super) fn age(&self, objects: &[ObjectRef]) -> Option<Duration> {
        self.published_at(objects).map(|published| self.now.saturating_duration_since(published))
    }

    fn published_at(&self, objects: &[ObjectRef]) -> Option<Instant> {
        self.batches[objects.first()?.batch() - self.first].published_at()
    }

    /// The bytes of a frame, for a subscriber that keeps them beyond the fan-out.
    ///
    /// # Panics
    /// If the frame is not of this fan-out.
    pub fn bytes(&self, frame: FrameKey) -> Bytes {
        self.frames.all()[frame.0].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Seq, Timestamp};
    use crate::wire::{Deflate, NegotiatedDeflate, TickerFields, fixtures};

    /// The frame of this many trades, in each form, from one fan-out.
    fn frames_of<const N: usize>(
        frames: &FrameCache,
        trades: u64,
        forms: [Option<Deflate>; N],
    ) -> [Bytes; N] {
        let objects = (1..=trades).map(|seq| Object { seq: Seq(seq), ..fixtures::trade() }).collect();
        let universe = Arc::new(fixtures::universe());
        let batches = [Arc::new(Batch::new(Arc::clone(&universe), Timestamp::default(), objects, vec![]))];
        let last_values = EncodedLastValues::new(universe);
        let fan_out = FanOut::new(&batches, frames, &last_values, Instant::now());
        let objects: Vec<_> = (0..trades as usize).map(|index| ObjectRef::new(0, index)).collect();
        forms.map(|deflate| {
            let form = FrameForm { codec: Codec::Json, deflate, max_bytes: 4096, tickers: TickerFields::ALL };
            fan_out.bytes(fan_out.frame(form, &objects).unwrap())
        })
    }

    fn agreed(offer: &str) -> Option<Deflate> {
        NegotiatedDeflate::from_offers([offer]).map(NegotiatedDeflate::deflate)
    }

    #[test]
    fn sessions_with_the_same_objects_and_form_share_a_frame_that_is_compressed_once() {
        let frames = FrameCache::default();
        let wide = agreed("permessage-deflate");
        let narrow = agreed("permessage-deflate; server_max_window_bits=9");

        let [plain, large, small, again @ ..] =
            frames_of(&frames, 20, [None, wide, narrow, None, wide, narrow]);

        let first = [&plain, &large, &small].map(|frame| frame.as_ptr());
        assert_eq!(first, again.each_ref().map(|frame| frame.as_ptr()));
        assert_eq!(frames.len(), 3);
        assert!(large.len().max(small.len()) < plain.len());
    }

    #[test]
    fn a_small_frame_is_compressed_for_the_second_session_and_then_shared() {
        let frames = frames_of(&FrameCache::default(), 4, [agreed("permessage-deflate"); 4]);

        assert_eq!(frames.each_ref().map(|frame| frame[0]), [0x81, 0xC1, 0xC1, 0xC1]);
        assert!(frames[1..].iter().all(|frame| frame.as_ptr() == frames[1].as_ptr()));
    }
}
