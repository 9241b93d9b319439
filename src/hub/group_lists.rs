use rustc_hash::FxHashMap;

use super::group::ListId;

/// The lists of the index that contain a group, and the group's position in each.
///
/// Most groups are in few lists: a sorted vector takes 8 bytes for each, a hash table up to 18. A client that subscribes to
/// thousands of symbols one by one would move half of a vector each time, so a large set is a hash table.
#[derive(Debug)]
pub(super) enum GroupLists {
    /// Sorted.
    Few(Vec<(ListId, u32)>),
    Many(FxHashMap<ListId, u32>),
}

/// The most lists in a vector: to move half of them takes some 20 ns.
const MOST_FEW: usize = 128;

impl Default for GroupLists {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl GroupLists {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(lists) => lists.len(),
            Self::Many(lists) => lists.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn contains(&self, list: ListId) -> bool {
        match self {
            Self::Few(lists) => place_of(lists, list).is_ok(),
            Self::Many(lists) => lists.contains_key(&list),
        }
    }

    /// The lists, in no order.
    pub(super) fn ids(&self) -> impl Iterator<Item = ListId> + '_ {
        self.iter().map(|(list, _)| list)
    }

    /// The lists with the position in each, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ListId, u32)> + '_ {
        let (few, many) = match self {
            Self::Few(lists) => (Some(lists), None),
            Self::Many(lists) => (None, Some(lists)),
        };
        let few = few.into_iter().flatten().copied();
        few.chain(many.into_iter().flatten().map(|(list, position)| (*list, *position)))
    }

    /// Sets the position in a list.
    pub(super) fn set(&mut self, list: ListId, position: u32) {
        match self {
            Self::Few(lists) => match place_of(lists, list) {
                Ok(place) => lists[place].1 = position,
                Err(place) if lists.len() < MOST_FEW => lists.insert(place, (list, position)),
                Err(_) => {
                    let more = lists.drain(..).chain([(list, position)]);
                    *self = Self::Many(more.collect());
                }
            },
            Self::Many(lists) => _ = lists.insert(list, position),
        }
    }

    /// Removes a list; returns the position in it.
    pub(super) fn remove(&mut self, list: ListId) -> Option<u32> {
        match self {
            Self::Few(lists) => place_of(lists, list).ok().map(|place| lists.remove(place).1),
            Self::Many(lists) => lists.remove(&list),
        }
    }

    /// Gives back the memory that a change leaves over.
    pub(super) fn shrink(&mut self) {
        if let Self::Few(lists) = self {
            lists.shrink_to_fit();
        }
    }
}

fn place_of(lists: &[(ListId, u32)], list: ListId) -> Result<usize, usize> {
    lists.binary_search_by_key(&list, |entry| entry.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_small_and_a_large_set_behave_as_a_map() {
        let mut random = StdRng::seed_from_u64(3);
        for most in [20, 4 * MOST_FEW as u32] {
            let (mut lists, mut map) = (GroupLists::default(), BTreeMap::new());
            for position in 0..4_000 {
                let list = random.random_range(0..most);
                if random.random_range(0..3) > 0 {
                    lists.set(list, position);
                    map.insert(list, position);
                } else {
                    assert_eq!(lists.remove(list), map.remove(&list));
                }
                assert_eq!((lists.len(), lists.contains(list)), (map.len(), map.contains_key(&list)));
            }
            lists.shrink();
            assert_eq!(lists.iter().collect::<BTreeMap<_, _>>(), map);
            assert_eq!(lists.ids().count(), map.len());
        }
    }
}
