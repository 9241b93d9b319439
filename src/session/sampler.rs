use rustc_hash::FxHashMap;

use crate::feed::LastValues;
use crate::model::{Seq, StreamId};

/// Streams of which a client wants the newest object now and then, and no other.
///
/// Nothing happens here when an object is published: only when the client's next frame is due each
/// stream is compared with the newest. A client that looks four times a second costs that, however
/// many ticks there are between two looks.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    rows: Vec<SampledStream>,
    places: FxHashMap<StreamId, usize>,
    /// Where the next look begins: behind what the last one had room for.
    cursor: usize,
}

#[derive(Debug)]
struct SampledStream {
    stream: StreamId,
    /// The last number that the client has or that is on its way.
    last: Seq,
}

impl Sampler {
    /// This stream as well, of which the client has everything up to `last`.
    pub(super) fn add(&mut self, stream: StreamId, last: Seq) {
        self.places.entry(stream).or_insert_with(|| {
            self.rows.push(SampledStream { stream, last });
            self.rows.len() - 1
        });
    }

    /// This stream no more.
    pub(super) fn remove(&mut self, stream: StreamId) {
        let Some(place) = self.places.remove(&stream) else { return };
        self.rows.swap_remove(place);
        if let Some(moved) = self.rows.get(place) {
            self.places.insert(moved.stream, place);
        }
    }

    /// Up to which number the client has this stream, if it is watched.
    pub(super) fn last(&self, stream: StreamId) -> Option<Seq> {
        self.places.get(&stream).map(|place| self.rows[*place].last)
    }

    /// What the client has of this stream is not what was thought.
    pub(super) fn set_last(&mut self, stream: StreamId, last: Seq) {
        if let Some(place) = self.places.get(&stream) {
            self.rows[*place].last = last;
        }
    }

    /// The streams, and up to which number the client has each.
    pub(super) fn iter(&self) -> impl Iterator<Item = (StreamId, Seq)> + '_ {
        self.rows.iter().map(|row| (row.stream, row.last))
    }

    /// Gives each stream whose newest object the client does not have, with how many that one
    /// replaces, as long as `give` has room; says whether all were given.
    pub(super) fn look(
        &mut self,
        latest: &LastValues,
        mut give: impl FnMut(StreamId, u64) -> Capacity,
    ) -> SampleResult {
        for _ in 0..self.rows.len() {
            self.cursor = if self.cursor < self.rows.len() { self.cursor } else { 0 };
            let row = &mut self.rows[self.cursor];
            self.cursor += 1;
            let newest = latest.seq(row.stream);
            if newest <= row.last {
                continue;
            }
            let replaced = newest.0 - row.last.0 - 1;
            row.last = newest;
            if give(row.stream, replaced) == Capacity::Full {
                return SampleResult::Partly;
            }
        }
        SampleResult::Everywhere
    }
}

/// Whether there is room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capacity {
    Left,
    Full,
}

/// How far a look came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleResult {
    Everywhere,
    Partly,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Body, Object, Quote, SymbolId};
    use crate::wire::fixtures;

    fn quote(symbol: u32, seq: u64) -> Object {
        let Body::Quote(quote) = fixtures::quote().body else { unreachable!() };
        Object { seq: Seq(seq), body: Body::Quote(Quote { symbol: SymbolId(symbol), ..quote }) }
    }

    fn look(watch: &mut Sampler, latest: &LastValues, room: usize) -> Vec<(u32, u64, u64)> {
        let mut given = Vec::new();
        let _ = watch.look(latest, |stream, replaced| {
            given.push((stream.symbol().0, latest.seq(stream).0, replaced));
            if given.len() < room { Capacity::Left } else { Capacity::Full }
        });
        given
    }

    #[test]
    fn only_the_newest_is_given_and_it_says_how_many_it_replaces() {
        let mut latest = LastValues::new(2);
        let mut watch = Sampler::default();
        watch.add(quote(0, 1).stream(), Seq(3));
        (1..=9).for_each(|seq| latest.put(quote(0, seq)));

        assert_eq!(look(&mut watch, &latest, 9), [(0, 9, 5)]);
        assert_eq!(look(&mut watch, &latest, 9), []);
    }

    #[test]
    fn what_had_no_room_comes_first_the_next_time() {
        let mut latest = LastValues::new(3);
        let mut watch = Sampler::default();
        for symbol in 0..3 {
            watch.add(quote(symbol, 1).stream(), Seq(0));
            latest.put(quote(symbol, 1));
        }

        assert_eq!(look(&mut watch, &latest, 1), [(0, 1, 0)]);
        latest.put(quote(0, 2));
        assert_eq!(look(&mut watch, &latest, 2), [(1, 1, 0), (2, 1, 0)]);
    }

    #[test]
    fn who_is_removed_is_not_looked_at() {
        let mut latest = LastValues::new(3);
        let mut watch = Sampler::default();
        (0..3).for_each(|symbol| watch.add(quote(symbol, 1).stream(), Seq(0)));
        (0..3).for_each(|symbol| latest.put(quote(symbol, 1)));

        watch.remove(quote(0, 1).stream());

        let mut given = look(&mut watch, &latest, 9);
        given.sort_unstable();
        assert_eq!(given, [(1, 1, 0), (2, 1, 0)]);
        watch.remove(quote(2, 1).stream());
        latest.put(quote(1, 2));
        assert_eq!(look(&mut watch, &latest, 9), [(1, 2, 0)]);
    }
}
