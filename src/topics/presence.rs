use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::{Namespaces, PresenceDetail};
use crate::model::{Symbol, Universe};

/// Which sessions subscribe to which topics by name, on all workers of a node and, as far as they have told, on the other
/// nodes of a cluster. Clones share the table.
///
/// It is locked when a session subscribes or ends, and never when a message is sent.
#[derive(Clone, Debug, Default)]
pub struct Presence(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    here: FxHashMap<Symbol, Attendees>,
    /// How often it has changed.
    revision: u64,
    elsewhere: FxHashMap<u64, FxHashMap<Symbol, NodePresence>>,
}

/// The presence at a topic on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePresence {
    /// The topic.
    pub topic: Symbol,
    /// The number of sessions.
    pub sessions: usize,
    /// The number of different names among them.
    pub names: usize,
    /// Some of the names, in alphabetical order.
    pub list: Vec<Box<str>>,
}

#[derive(Debug, Default)]
struct Attendees {
    sessions: usize,
    /// The sessions of each name.
    names: FxHashMap<Box<str>, usize>,
}

/// The presence at a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicPresence {
    /// The number of sessions.
    pub sessions: usize,
    /// The number of different names among them.
    pub names: usize,
    /// Some of the names, in alphabetical order, if they are told.
    pub list: Option<Vec<String>>,
}

/// The most names that are told of a topic: a room with more is a crowd, and its list is long.
const MOST_NAMES: usize = 100;

impl Presence {
    /// The presence at a topic, with what is told of it.
    pub fn at(&self, topic: &Symbol, detail: PresenceDetail) -> TopicPresence {
        let table = self.table();
        let here = table.here.get(topic);
        let elsewhere = || table.elsewhere.values().filter_map(|node| node.get(topic));
        let list = (detail == PresenceDetail::Names).then(|| {
            let of_nodes = elsewhere().flat_map(|node| node.list.iter().map(|name| &**name));
            let mut all: Vec<&str> = here.map(Attendees::first_names).unwrap_or_default();
            all.extend(of_nodes);
            all.sort_unstable();
            all.dedup();
            all.truncate(MOST_NAMES);
            all.into_iter().map(str::to_owned).collect()
        });
        let sessions = here.map_or(0, |here| here.sessions);
        let names = here.map_or(0, |here| here.names.len());
        TopicPresence {
            sessions: sessions + elsewhere().map(|node| node.sessions).sum::<usize>(),
            names: names + elsewhere().map(|node| node.names).sum::<usize>(),
            list,
        }
    }

    /// A number that changes when the presence on this node does; 0 if there never was any.
    pub fn revision(&self) -> u64 {
        self.table().revision
    }

    /// The presence of this node's sessions, for the topics with the most sessions: at most this number of topics, and this
    /// number of bytes of names in total.
    pub fn here(&self, most_topics: usize, most_bytes: usize) -> Vec<NodePresence> {
        let table = self.table();
        let mut topics: Vec<_> = table.here.iter().collect();
        topics.sort_unstable_by_key(|(topic, at)| (Reverse(at.sessions), topic.as_str()));
        topics.truncate(most_topics);
        let mut bytes = 0;
        let told = |(topic, attendees): (&Symbol, &Attendees)| {
            let mut list = attendees.first_names();
            bytes += list.iter().map(|name| name.len() + 1).sum::<usize>();
            if bytes > most_bytes {
                list.clear();
            }
            let list = list.into_iter().map(Into::into).collect();
            let (sessions, names) = (attendees.sessions, attendees.names.len());
            NodePresence { topic: *topic, sessions, names, list }
        };
        topics.into_iter().map(told).collect()
    }

    /// Replaces what another node has told.
    pub fn hear(&self, node: u64, told: Vec<NodePresence>) {
        let told = told.into_iter().map(|presence| (presence.topic, presence)).collect();
        self.table().elsewhere.insert(node, told);
    }

    /// Forgets the nodes that are gone.
    pub fn retain_nodes(&self, is_known: impl Fn(u64) -> bool) {
        self.table().elsewhere.retain(|node, _| is_known(*node));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The topics at which one session is present, given up when it ends.
#[derive(Debug)]
pub struct Attendance {
    presence: Presence,
    name: Option<Box<str>>,
    /// Sorted.
    topics: Vec<Symbol>,
}

impl Attendance {
    /// No topics yet, of a session with this name.
    pub fn new(presence: Presence, name: Option<&str>) -> Self {
        Self { presence, name: name.map(Into::into), topics: Vec::new() }
    }

    /// The session has this name, if it is present nowhere yet.
    pub fn set_name(&mut self, name: &str) {
        if self.topics.is_empty() {
            self.name = Some(name.into());
        }
    }

    /// The session subscribes to these topics, which are sorted; it is present at those whose namespace tells it.
    pub fn set(&mut self, topics: &[Symbol], namespaces: &Namespaces, universe: &Universe) {
        if topics.is_empty() && self.topics.is_empty() {
            return;
        }
        let tells = |topic: &&Symbol| {
            namespaces.of(topic, universe).is_some_and(|it| it.presence != PresenceDetail::Off)
        };
        let topics: Vec<Symbol> = topics.iter().filter(tells).copied().collect();
        if topics == self.topics {
            return;
        }
        let mut table = self.presence.table();
        let name = self.name.as_deref();
        for topic in topics.iter().filter(|topic| self.topics.binary_search(topic).is_err()) {
            table.here.entry(*topic).or_default().join(name);
        }
        for topic in self.topics.iter().filter(|topic| topics.binary_search(topic).is_err()) {
            leave(&mut table, topic, name);
        }
        table.revision += 1;
        drop(table);
        self.topics = topics;
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        if !self.topics.is_empty() {
            let mut table = self.presence.table();
            table.revision += 1;
            self.topics.iter().for_each(|topic| leave(&mut table, topic, self.name.as_deref()));
        }
    }
}

impl Attendees {
    fn join(&mut self, name: Option<&str>) {
        self.sessions += 1;
        if let Some(name) = name {
            *self.names.entry(name.into()).or_default() += 1;
        }
    }

    /// The first names in alphabetical order, as many as are told. O(names).
    fn first_names(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.names.keys().map(|name| &**name).collect();
        if all.len() > MOST_NAMES {
            all.select_nth_unstable(MOST_NAMES);
            all.truncate(MOST_NAMES);
        }
        all.sort_unstable();
        all
    }
}

fn leave(table: &mut Table, topic: &Symbol, name: Option<&str>) {
    let Some(attendees) = table.here.get_mut(topic) else { return };
    attendees.sessions -= 1;
    if let Some(name) = name
        && let Some(sessions) = attendees.names.get_mut(name)
    {
        *sessions -= 1;
        if *sessions == 0 {
            attendees.names.remove(name);
        }
    }
    if attendees.sessions == 0 {
        table.here.remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics::{Namespace, PublishRight};
    use crate::wire::fixtures;

    #[test]
    fn sessions_and_names_are_counted_while_they_subscribe() {
        let (presence, universe) = (Presence::default(), fixtures::universe());
        let namespaces = Namespaces::new(vec![Namespace::chat(PublishRight::Nobody), Namespace::weather()]);
        let topics = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Symbol>>();
        let [lobby, weather] = ["chat:lobby", "weather:london"].map(|name| name.parse::<Symbol>().unwrap());
        let at = |topic: &Symbol, detail| {
            let TopicPresence { sessions, names, list } = presence.at(topic, detail);
            (sessions, names, list.map(|list| list.join(",")))
        };
        let attend = |name| {
            let mut attendance = Attendance::new(presence.clone(), name);
            attendance.set(&topics(&["chat:AAPL", "chat:lobby", "weather:london"]), &namespaces, &universe);
            attendance
        };

        let mut all = [attend(Some("anna")), attend(Some("anna")), attend(Some("ben")), attend(None)];

        assert_eq!(at(&lobby, PresenceDetail::Names), (4, 2, Some("anna,ben".to_owned())));
        assert_eq!(at(&lobby, PresenceDetail::Count), (4, 2, None));
        assert_eq!(at(&weather, PresenceDetail::Count), (0, 0, None), "its namespace tells nothing");
        all[2].set(&topics(&["chat:AAPL"]), &namespaces, &universe);
        assert_eq!(at(&lobby, PresenceDetail::Names), (3, 1, Some("anna".to_owned())));
        drop(all);
        assert_eq!(at(&lobby, PresenceDetail::Names), (0, 0, Some(String::new())));
        assert!(presence.table().here.is_empty());
    }

    #[test]
    fn presence_is_summed_over_the_nodes_that_are_known() {
        let (presence, universe) = (Presence::default(), fixtures::universe());
        let namespaces = Namespaces::new(vec![Namespace::chat(PublishRight::Nobody)]);
        let lobby: Symbol = "chat:lobby".parse().unwrap();
        let mut attendance = Attendance::new(presence.clone(), Some("anna"));
        assert_eq!(presence.revision(), 0);
        attendance.set(&[lobby], &namespaces, &universe);
        let of_node = |list: &[&str]| NodePresence {
            topic: lobby,
            sessions: 10,
            names: list.len(),
            list: list.iter().map(|name| (*name).into()).collect(),
        };

        presence.hear(7, vec![of_node(&["ben", "zoe"])]);
        presence.hear(8, vec![of_node(&["anna"])]);

        let at = |presence: &Presence| {
            let TopicPresence { sessions, names, list } = presence.at(&lobby, PresenceDetail::Names);
            (sessions, names, list.unwrap().join(","))
        };
        assert_eq!(at(&presence), (21, 4, "anna,ben,zoe".to_owned()));
        assert_eq!(presence.here(9, 99), [NodePresence { sessions: 1, ..of_node(&["anna"]) }]);
        assert_eq!(presence.here(9, 4)[0].list, [] as [Box<str>; 0], "names have a bound");
        presence.retain_nodes(|node| node == 8);
        assert_eq!(at(&presence), (11, 2, "anna".to_owned()));
        assert_eq!(presence.revision(), 1);
    }
}
