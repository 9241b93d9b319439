use super::Symbol;

/// Symbols in the order of their text, each once; it grows and shrinks by lists of them.
///
/// It is a sorted vector: ten thousand are sorted in half the time in which a tree takes them one by
/// one, and they are freed at once. One more among ten thousand costs what it takes to move half of them,
/// less than telling the client its whole state, which follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolSet(Vec<Symbol>);

impl SymbolSet {
    /// Whether this one is there.
    pub fn contains(&self, symbol: &Symbol) -> bool {
        self.0.binary_search(symbol).is_ok()
    }

    /// All of them, in order.
    pub fn as_slice(&self) -> &[Symbol] {
        &self.0
    }

    /// Those of a list that are not there, in order, each once.
    pub fn without(&self, list: &[Symbol]) -> Vec<Symbol> {
        self.sift(list, |is_there| !is_there)
    }

    /// Takes a list in; answers those that were not there, in order.
    pub fn add(&mut self, list: &[Symbol]) -> Vec<Symbol> {
        let new = self.without(list);
        if let [one] = new[..] {
            let place = self.0.partition_point(|symbol| *symbol < one);
            self.0.insert(place, one);
        } else {
            self.0.extend_from_slice(&new);
            // Two lists in order: the sort finds that out, and merges them.
            self.0.sort();
        }
        new
    }

    /// Takes a list out; answers those that were there, in order.
    pub fn remove(&mut self, list: &[Symbol]) -> Vec<Symbol> {
        let gone = self.sift(list, |is_there| is_there);
        let mut going = gone.iter().peekable();
        self.0.retain(|symbol| going.next_if_eq(&symbol).is_none());
        self.0.shrink_to(2 * self.0.len());
        gone
    }

    fn sift(&self, list: &[Symbol], wanted: impl Fn(bool) -> bool) -> Vec<Symbol> {
        let mut sifted = list.to_vec();
        sifted.sort_unstable();
        sifted.dedup();
        if sifted.len() < self.0.len() / 16 {
            sifted.retain(|symbol| wanted(self.contains(symbol)));
        } else {
            let mut there = self.0.iter().peekable();
            sifted.retain(|symbol| {
                while there.next_if(|known| *known < symbol).is_some() {}
                wanted(there.peek() == Some(&symbol))
            });
        }
        sifted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use rand::{RngExt, SeedableRng, rngs::StdRng};

    #[test]
    fn it_does_as_a_tree_would() {
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
