use super::Symbol;

/// A set of symbols in the order of their text, to which lists are added and from which lists are removed.
///
/// A sorted vector: ten thousand symbols are sorted in half the time that a tree takes to insert them one by
/// one, and are freed at once. One more among ten thousand moves half of them, which costs less than the
/// acknowledgement with the whole subscription that follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolSet(Vec<Symbol>);

impl SymbolSet {
    /// Whether the symbol is in the set.
    pub fn contains(&self, symbol: &Symbol) -> bool {
        self.0.binary_search(symbol).is_ok()
    }

    /// All symbols, in order.
    pub fn as_slice(&self) -> &[Symbol] {
        &self.0
    }

    /// The symbols of a list that are not in the set, in order, each once.
    pub fn without(&self, list: &[Symbol]) -> Vec<Symbol> {
        self.filter(list, |is_member| !is_member)
    }

    /// Adds a list; returns the symbols that were not in the set, in order.
    pub fn add(&mut self, list: &[Symbol]) -> Vec<Symbol> {
        let new = self.without(list);
        if let [one] = new[..] {
            let place = self.0.partition_point(|symbol| *symbol < one);
            self.0.insert(place, one);
        } else {
            self.0.extend_from_slice(&new);
            // Two sorted runs: the standard library's sort detects and merges them.
            self.0.sort();
        }
        new
    }

    /// Removes a list; returns the symbols that were in the set, in order.
    pub fn remove(&mut self, list: &[Symbol]) -> Vec<Symbol> {
        let removed = self.filter(list, |is_member| is_member);
        let mut next = removed.iter().peekable();
        self.0.retain(|symbol| next.next_if_eq(&symbol).is_none());
        self.0.shrink_to(2 * self.0.len());
        removed
    }

    /// The symbols of a list that `keep` accepts, given whether they are in the set; in order, each once.
    fn filter(&self, list: &[Symbol], keep: impl Fn(bool) -> bool) -> Vec<Symbol> {
        let mut filtered = list.to_vec();
        filtered.sort_unstable();
        filtered.dedup();
        if filtered.len() < self.0.len() / 16 {
            filtered.retain(|symbol| keep(self.contains(symbol)));
        } else {
            let mut members = self.0.iter().peekable();
            filtered.retain(|symbol| {
                while members.next_if(|member| *member < symbol).is_some() {}
                keep(members.peek() == Some(&symbol))
            });
        }
        filtered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use rand::{RngExt, SeedableRng, rngs::StdRng};

    #[test]
    fn a_set_behaves_as_a_tree_set() {
        let mut random = StdRng::seed_from_u64(5);
        let (mut set, mut tree) = (SymbolSet::default(), BTreeSet::new());

        for _ in 0..2_000 {
            let count = random.random_range(0..12);
            let list: Vec<Symbol> =
                (0..count).map(|_| format!("S{}", random.random_range(0..99)).parse().unwrap()).collect();
            let named = BTreeSet::from_iter(list.iter().copied());
            if random.random() {
                let new: Vec<_> = named.difference(&tree).copied().collect();
                assert_eq!((set.without(&list), set.add(&list)), (new.clone(), new));
                tree.extend(list);
            } else {
                let gone: Vec<_> = named.intersection(&tree).copied().collect();
                assert_eq!(set.remove(&list), gone);
                tree.retain(|symbol| !named.contains(symbol));
            }
            assert!(set.as_slice().iter().eq(&tree) && tree.iter().all(|symbol| set.contains(symbol)));
        }
    }
}
