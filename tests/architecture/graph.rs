//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet};

/// Edges between files, each with one line on which it is made.
#[derive(Default)]
pub(crate) struct FileGraph(BTreeMap<String, BTreeMap<String, usize>>);

impl FileGraph {
    pub(crate) fn add(&mut self, from: &str, to: &str, line: usize) {
        self.0.entry(to.to_owned()).or_default();
        self.0.entry(from.to_owned()).or_default().entry(to.to_owned()).or_insert(line);
    }

    /// The sets of two files or more that all reach each other.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reached: BTreeMap<_, _> = self.0.keys().map(|file| (&**file, self.reachable(file))).collect();
        let mut circles: Vec<BTreeSet<&str>> = Vec::new();
        for (file, reach) in &reached {
            let circle: BTreeSet<_> = reach.iter().copied().filter(|to| reached[to].contains(file)).collect();
            if circle.len() > 1 && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    /// The edges within a set of files, as `hub/hub.rs:12 → hub/index.rs`.
    pub(crate) fn edges_within(&self, files: &BTreeSet<&str>) -> Vec<String> {
        let edges = self.0.iter().flat_map(|(from, edges)| edges.iter().map(move |edge| (from, edge)));
        edges
            .filter(|(from, (to, _))| files.contains(&***from) && files.contains(&***to))
            .map(|(from, (to, line))| format!("  {from}:{line} → {to}"))
            .collect()
    }

    /// Every file that this one leads to, and itself if it stands in a circle.
    fn reachable<'a>(&'a self, from: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for to in self.0[file].keys() {
                if found.insert(&**to) {
                    open.push(to);
                }
            }
        }
        found
    }
}

#[test]
fn a_circle_is_found_and_a_chain_is_none() {
    let graph_of = |edges: &[(&str, &str)]| {
        let mut graph = FileGraph::default();
        edges.iter().for_each(|(from, to)| graph.add(from, to, 1));
        graph
    };
    let chain = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")];

    assert!(graph_of(&chain).circles().is_empty());
    let circular = graph_of(&[&chain[..], &[("c", "a")]].concat());
    assert_eq!(circular.circles(), [BTreeSet::from(["a", "b", "c"])]);
}
