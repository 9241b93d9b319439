use std::hash::{Hash, Hasher};
use std::iter::{Skip, zip};
use std::ops::Index;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::{Symbol, SymbolId, Topic, TopicKind};

/// All topics of a universe, in order of their ids.
///
/// A copy shares its parts, and what is appended copies some of them: to add one topic to 100,000 takes some µs, and not
/// a copy of all.
#[derive(Clone, Debug, Default)]
pub struct TopicTable {
    /// All but the last one are full.
    chunks: Vec<Arc<Vec<Topic>>>,
    /// The ids by name, in one of [`SHARDS`] by its hash; none while there is no topic.
    by_name: Vec<Arc<FxHashMap<Symbol, SymbolId>>>,
}

/// Topics of a chunk: an append copies one chunk, 16 KB, and the list of all.
const CHUNK: usize = 512;

/// Parts of the index, of which an append copies one.
const SHARDS: usize = 64;

impl TopicTable {
    /// The number of topics.
    pub fn len(&self) -> usize {
        match self.chunks.as_slice() {
            [] => 0,
            [full @ .., last] => full.len() * CHUNK + last.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The topic at this position.
    pub fn get(&self, position: usize) -> Option<&Topic> {
        self.chunks.get(position / CHUNK)?.get(position % CHUNK)
    }

    /// The topic of this name.
    pub fn find(&self, name: &Symbol) -> Option<&Topic> {
        self.get(self.by_name.get(shard_of(name))?.get(name)?.index())
    }

    /// All topics, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The topics from this position on, in order.
    pub fn iter_from(&self, position: usize) -> Skip<impl Iterator<Item = &Topic>> {
        let chunks = self.chunks.iter().skip(position / CHUNK);
        chunks.flat_map(|chunk| chunk.iter()).skip(position % CHUNK)
    }

    /// Whether it begins with the topics of another one.
    pub fn starts_with(&self, other: &Self) -> bool {
        // Most often one has been made from the other, and they share their full chunks.
        let is_equal = |(one, other): (&Arc<Vec<Topic>>, &Arc<Vec<Topic>>)| {
            Arc::ptr_eq(one, other) || one.starts_with(other)
        };
        self.len() >= other.len() && zip(&self.chunks, &other.chunks).all(is_equal)
    }

    /// Appends a topic, unless there is one of this name.
    pub(super) fn push(&mut self, name: Symbol, kind: TopicKind) {
        if self.find(&name).is_some() {
            return;
        }
        let id = SymbolId(self.len() as u32);
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Arc::default());
        }
        self.by_name.resize_with(SHARDS, Arc::default);
        Arc::make_mut(&mut self.by_name[shard_of(&name)]).insert(name, id);
        let last = self.chunks.last_mut().expect("a chunk with room is there");
        Arc::make_mut(last).push(Topic { id, name, kind });
    }
}

impl Index<usize> for TopicTable {
    type Output = Topic;

    fn index(&self, position: usize) -> &Topic {
        &self.chunks[position / CHUNK][position % CHUNK]
    }
}

fn shard_of(name: &Symbol) -> usize {
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    // The index within a shard is of other bits.
    (hasher.finish() >> 32) as usize % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Symbol {
        format!("a:{number}").parse().unwrap()
    }

    #[test]
    fn topics_keep_their_places_across_chunks_and_copies_do_not_change() {
        let mut table = TopicTable::default();
        let mut copies = vec![table.clone()];
        for number in 0..3 * CHUNK {
            table.push(name(number), TopicKind::Log);
            table.push(name(number / 2), TopicKind::State);
            copies.push(table.clone());
        }

        for (len, copy) in copies.iter().enumerate() {
            assert!(copy.len() == len && copy.iter().count() == len && copy.is_empty() == (len == 0));
            assert!(table.starts_with(copy) && (len == table.len() || !copy.starts_with(&table)));
            assert_eq!(copy.find(&name(len)), None);
        }
        for number in 0..table.len() {
            let topic = table.find(&name(number)).unwrap();
            assert_eq!((topic.id.index(), &table[number], table.get(number)), (number, topic, Some(topic)));
            assert_eq!(table.iter_from(number).next(), Some(topic));
        }
        assert_eq!((table.get(table.len()), table.iter_from(table.len()).count()), (None, 0));
    }

    #[test]
    fn another_topic_in_the_middle_is_another_beginning() {
        let [mut one, mut other] = [TopicTable::default(), TopicTable::default()];
        for number in 0..CHUNK + 9 {
            one.push(name(number), TopicKind::Log);
            other.push(name(if number == 7 { 9_999 } else { number }), TopicKind::Log);
        }

        assert!(!one.starts_with(&other) && one.starts_with(&one));
    }
}
