use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::{Namespaces, PresenceDetail};
use crate::model::{Symbol, Universe};

/// Which sessions subscribe to which topics by name, on all workers of a node. Clones share the table.
///
/// It is locked when a session subscribes or ends, and never when a message is sent.
#[derive(Clone, Debug, Default)]
pub struct Presence(Arc<Mutex<Table>>);

type Table = FxHashMap<Symbol, Attendees>;

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
        let Some(Attendees { sessions, names }) = table.get(topic) else {
            let list = (detail == PresenceDetail::Names).then(Vec::new);
            return TopicPresence { list, ..TopicPresence::default() };
        };
        let list = (detail == PresenceDetail::Names).then(|| {
            let mut all: Vec<_> = names.keys().map(ToString::to_string).collect();
            all.sort_unstable();
            all.truncate(MOST_NAMES);
            all
        });
        TopicPresence { sessions: *sessions, names: names.len(), list }
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
            table.entry(*topic).or_default().join(name);
        }
        for topic in self.topics.iter().filter(|topic| topics.binary_search(topic).is_err()) {
            leave(&mut table, topic, name);
        }
        drop(table);
        self.topics = topics;
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        if !self.topics.is_empty() {
            let mut table = self.presence.table();
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
}

fn leave(table: &mut Table, topic: &Symbol, name: Option<&str>) {
    let Some(attendees) = table.get_mut(topic) else { return };
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
        table.remove(topic);
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
        assert!(presence.table().is_empty());
    }
}
