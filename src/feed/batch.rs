use std::sync::{Arc, OnceLock};

use crate::model::{Object, Timestamp, Universe};
use crate::wire::{Codec, Encoded};

/// Objects that were published together, in order, shared by all workers.
///
/// An encoding is made when the first worker asks for it and shared by all others: however many
/// sessions listen an object is encoded once, and an encoding that nobody listens to is not made.
/// Tickers stand apart, because most often nobody listens to these one by one.
#[derive(Debug)]
pub struct Batch {
    universe: Arc<Universe>,
    newest: Timestamp,
    events: Part,
    tickers: Part,
}

/// Objects that are encoded together.
#[derive(Debug)]
struct Part {
    objects: Vec<Object>,
    json: OnceLock<Encoded>,
    msgpack: OnceLock<Encoded>,
}

impl Batch {
    /// A batch of these objects of that universe, told up to `newest`: what happened, and the tickers
    /// that it changed.
    pub fn new(
        universe: Arc<Universe>,
        newest: Timestamp,
        events: Vec<Object>,
        tickers: Vec<Object>,
    ) -> Self {
        Self { universe, newest, events: Part::new(events), tickers: Part::new(tickers) }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.events.objects.len() + self.tickers.objects.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The objects in the order in which they happened, then the tickers.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.events.objects.iter().chain(&self.tickers.objects)
    }

    /// Up to when the market has told everything.
    pub const fn newest(&self) -> Timestamp {
        self.newest
    }

    /// The object at this place.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn object(&self, place: usize) -> &Object {
        let (part, place) = self.part_of(place);
        &part.objects[place]
    }

    /// The bytes of the object at this place, as [`Encoded`] has them.
    ///
    /// The first caller of a codec pays about 150 ns for each object; a second one that comes
    /// meanwhile waits.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn encoded(&self, codec: Codec, place: usize) -> &[u8] {
        let (part, place) = self.part_of(place);
        let cell = match codec {
            Codec::Json => &part.json,
            Codec::MsgPack => &part.msgpack,
        };
        cell.get_or_init(|| Encoded::of(codec, &self.universe, &part.objects)).object(place)
    }

    fn part_of(&self, place: usize) -> (&Part, usize) {
        match place.checked_sub(self.events.objects.len()) {
            None => (&self.events, place),
            Some(place) => (&self.tickers, place),
        }
    }
}

impl Part {
    const fn new(objects: Vec<Object>) -> Self {
        Self { objects, json: OnceLock::new(), msgpack: OnceLock::new() }
    }
}
