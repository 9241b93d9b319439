use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::capacity::{UsageCounter, UsagePermit};

/// How many permits each holder has at this node and, as far as they have told, at the other nodes of a cluster. Clones
/// share it.
///
/// A limit holds for the sum. What another node has granted since it told last is not in it, so nodes that grant at the
/// same time may exceed a limit together.
#[derive(Clone, Debug, Default)]
pub struct NodeUsage {
    here: UsageCounter<String>,
    elsewhere: Arc<Mutex<HashMap<u64, HashMap<String, usize>>>>,
}

impl NodeUsage {
    /// Acquires a permit for the holder; `None` if it holds `limit` permits already, at all nodes together.
    pub fn acquire(&self, holder: String, limit: usize) -> Option<UsagePermit<String>> {
        let elsewhere: usize = self.lock().values().filter_map(|usage| usage.get(&holder)).sum();
        self.here.acquire(holder, limit.saturating_sub(elsewhere))
    }

    /// The holders at this node with their permits, in order of the holders.
    pub fn here(&self) -> Vec<(String, usize)> {
        let mut held = self.here.held();
        held.sort_unstable();
        held
    }

    /// Replaces what another node has told.
    pub fn hear(&self, node: u64, usage: impl IntoIterator<Item = (String, usize)>) {
        self.lock().insert(node, usage.into_iter().collect());
    }

    /// Forgets the nodes that are gone.
    pub fn retain(&self, is_known: impl Fn(u64) -> bool) {
        self.lock().retain(|node, _| is_known(*node));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, HashMap<String, usize>>> {
        self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_holds_for_the_sum_over_all_nodes_that_are_known() {
        let usage = NodeUsage::default();
        let acquire = |limit| usage.acquire("desk".to_owned(), limit);
        usage.hear(7, [("desk".to_owned(), 2), ("other".to_owned(), 9)]);
        usage.hear(8, [("desk".to_owned(), 1)]);

        let _first = acquire(4).unwrap();
        assert!(acquire(4).is_none());
        assert_eq!(usage.here(), [("desk".to_owned(), 1)]);

        usage.hear(7, []);
        let _second = acquire(4).unwrap();
        let _third = acquire(4).unwrap();
        assert!(acquire(4).is_none());
        usage.retain(|node| node == 7);
        assert!(acquire(4).is_some());
    }
}
