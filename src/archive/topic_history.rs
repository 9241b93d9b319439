use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{Body, Channel, MessageHead, Object, Seq, StreamId, Timestamp};
use crate::topics::HistoryLimits;
use crate::wire::TopicMessage;

/// A retained object, with its content if it is a message of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct RetainedObject {
    /// The object.
    pub object: Object,
    /// The content.
    pub message: Option<Arc<TopicMessage>>,
    /// Whether it is known to be the first message of its topic, whose numbers may begin with any.
    pub is_first: bool,
}

impl From<Object> for RetainedObject {
    /// An object of an instrument.
    fn from(object: Object) -> Self {
        Self { object, message: None, is_first: false }
    }
}

/// The retained messages of all topics.
///
/// Each topic keeps as many as its namespace says. All together are bounded in bytes, beyond which the oldest is
/// forgotten, whatever its topic.
#[derive(Debug)]
pub(super) struct TopicHistory {
    topics: FxHashMap<StreamId, VecDeque<Entry>>,
    /// The number of the first message of each topic; 0 if that is not known.
    firsts: FxHashMap<StreamId, Seq>,
    /// The order of all messages, the oldest first. Some are forgotten already.
    order: VecDeque<(StreamId, Seq)>,
    retained: usize,
    bytes: usize,
    most_bytes: usize,
}

/// Whether a message can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It can: its content is retained, or nothing is known of it any more.
    Present,
    /// It was taken back.
    TakenBack,
    /// It has no content: it takes another message back.
    Deletion,
}

/// A retained message. What else its object has follows from its topic.
#[derive(Clone, Debug)]
struct Entry {
    seq: Seq,
    at: Timestamp,
    message: Arc<TopicMessage>,
}

impl Entry {
    fn object(&self, stream: StreamId) -> Object {
        let head = MessageHead { symbol: stream.symbol(), at: self.at };
        let body = match stream.channel() {
            Channel::States => Body::State(head),
            _ => Body::Message(head),
        };
        Object { seq: self.seq, body }
    }
}

/// The most bytes of all messages: 16,000 of the longest that clients may send, or 300,000 short ones.
const MOST_BYTES: usize = 64 << 20;

impl Default for TopicHistory {
    fn default() -> Self {
        Self {
            topics: FxHashMap::default(),
            firsts: FxHashMap::default(),
            order: VecDeque::new(),
            retained: 0,
            bytes: 0,
            most_bytes: MOST_BYTES,
        }
    }
}

impl TopicHistory {
    /// Appends a message, unless it has come before.
    pub(super) fn record(&mut self, object: Object, message: &Arc<TopicMessage>, limits: HistoryLimits) {
        let stream = object.stream();
        if self.last_seq(stream).is_some_and(|last| object.seq <= last) {
            return;
        }
        let at = time(&object);
        self.firsts.entry(stream).or_insert(object.seq);
        if let Some(taken_back) = message.deletes() {
            self.take_back(stream, taken_back, message);
        }
        self.topics.entry(stream).or_default().push_back(Entry {
            seq: object.seq,
            at,
            message: Arc::clone(message),
        });
        self.order.push_back((stream, object.seq));
        self.retained += 1;
        self.bytes += message.bytes();
        let age = i64::try_from(limits.age.as_nanos()).unwrap_or(i64::MAX);
        let oldest = at.nanos().saturating_sub(age);
        while let Some(messages) = self.topics.get(&stream)
            && let Some(first) = messages.front()
            && (messages.len() > limits.messages || first.at.nanos() < oldest)
        {
            self.forget_first(stream);
        }
        while self.bytes > self.most_bytes
            && let Some((stream, seq)) = self.order.pop_front()
        {
            if self.first_seq(stream) == Some(seq) {
                self.forget_first(stream);
            }
        }
        if self.order.len() > 2 * self.retained + 1_024 {
            let topics = &self.topics;
            let is_retained = |(stream, seq): &(StreamId, Seq)| {
                topics
                    .get(stream)
                    .and_then(|messages| messages.front())
                    .is_some_and(|first| first.seq <= *seq)
            };
            self.order.retain(is_retained);
        }
    }

    /// Replaces the content of a message that is taken back: a client that resumes gets its number, and that it is gone.
    fn take_back(&mut self, stream: StreamId, seq: Seq, by: &TopicMessage) {
        let messages = self.topics.get_mut(&stream).into_iter().flatten();
        if let Some(entry) = messages.into_iter().find(|entry| entry.seq == seq) {
            let gone = TopicMessage::deleting(seq, by.by());
            self.bytes = self.bytes + gone.bytes() - entry.message.bytes();
            entry.message = Arc::new(gone);
        }
    }

    /// The oldest retained messages of a topic with numbers from `after` (exclusive) to `up_to` (inclusive), at most
    /// `most`. They end before numbers that a new leader of a cluster has skipped, so that they have no hole.
    pub(super) fn since(&self, stream: StreamId, after: Seq, up_to: Seq, most: usize) -> Vec<RetainedObject> {
        let messages = self.topics.get(&stream).into_iter().flatten();
        let wanted = messages.filter(|entry| entry.seq > after && entry.seq <= up_to).take(most);
        let mut next = None;
        let has_no_hole = |entry: &&Entry| {
            let before = next.replace(entry.seq.next());
            before.is_none_or(|expected| expected == entry.seq)
        };
        let first = self.firsts.get(&stream);
        let retained = |entry: &Entry| RetainedObject {
            object: entry.object(stream),
            message: Some(Arc::clone(&entry.message)),
            is_first: first == Some(&entry.seq),
        };
        wanted.take_while(has_no_hole).map(retained).collect()
    }

    /// The topic has begun before anything of it is recorded here.
    pub(super) fn has_begun(&mut self, stream: StreamId) {
        self.firsts.entry(stream).or_default();
    }

    /// The order of all messages, the oldest first. Some may be forgotten.
    pub(super) fn order(&self) -> Vec<(StreamId, Seq)> {
        self.order.iter().copied().collect()
    }

    /// The message of this number, if it is retained.
    pub(super) fn find(&self, stream: StreamId, seq: Seq) -> Option<(Object, Arc<TopicMessage>)> {
        let messages = self.topics.get(&stream)?;
        let entry = &messages[messages.binary_search_by_key(&seq, |entry| entry.seq).ok()?];
        Some((entry.object(stream), Arc::clone(&entry.message)))
    }

    /// What is known of the message of this number. O(retained messages of the topic) where it is not retained.
    pub(super) fn state_of(&self, stream: StreamId, seq: Seq) -> MessageState {
        if let Some((_, message)) = self.find(stream, seq) {
            return match message.deletes() {
                None => MessageState::Present,
                Some(deleted) if deleted == seq => MessageState::TakenBack,
                Some(_) => MessageState::Deletion,
            };
        }
        let mut messages = self.topics.get(&stream).into_iter().flatten();
        match messages.any(|entry| entry.message.deletes() == Some(seq)) {
            true => MessageState::TakenBack,
            false => MessageState::Present,
        }
    }

    /// Forgets the messages of a topic if any are missing between them and the one with this number.
    pub(super) fn forget_before_hole(&mut self, stream: StreamId, next: Seq) {
        while self.last_seq(stream).is_some_and(|last| last.next() < next) {
            self.forget_first(stream);
        }
    }

    fn last_seq(&self, stream: StreamId) -> Option<Seq> {
        Some(self.topics.get(&stream)?.back()?.seq)
    }

    /// Forgets all messages.
    pub(super) fn clear(&mut self) {
        *self = Self { most_bytes: self.most_bytes, ..Self::default() };
    }

    fn first_seq(&self, stream: StreamId) -> Option<Seq> {
        Some(self.topics.get(&stream)?.front()?.seq)
    }

    fn forget_first(&mut self, stream: StreamId) {
        let Some(messages) = self.topics.get_mut(&stream) else { return };
        if let Some(entry) = messages.pop_front() {
            self.retained -= 1;
            self.bytes -= entry.message.bytes();
        }
        if messages.is_empty() {
            self.topics.remove(&stream);
        }
    }
}

fn time(object: &Object) -> Timestamp {
    match object.body {
        Body::Message(head) | Body::State(head) => head.at,
        _ => Timestamp::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;
    use serde_json::json;
    use std::time::Duration;

    fn limits(messages: usize) -> HistoryLimits {
        HistoryLimits { messages, age: Duration::from_hours(1) }
    }

    fn message(text: &str) -> Arc<TopicMessage> {
        Arc::new(TopicMessage::new(&json!(text), None))
    }

    fn seqs(history: &TopicHistory, stream: StreamId, after: u64) -> Vec<u64> {
        let found = history.since(stream, Seq(after), Seq(u64::MAX), 9);
        found.iter().map(|retained| retained.object.seq.0).collect()
    }

    #[test]
    fn a_topic_keeps_its_latest_messages() {
        let mut history = TopicHistory::default();
        for seq in 1..=5 {
            history.record(fixtures::chat_message(seq), &message("x"), limits(3));
        }
        let chat = fixtures::chat_message(1).stream();

        assert_eq!(seqs(&history, chat, 0), [3, 4, 5]);
        assert_eq!(seqs(&history, chat, 4), [5]);
        assert_eq!(seqs(&history, fixtures::weather_message(1).stream(), 0), [0u64; 0]);
        assert_eq!(history.since(chat, Seq(0), Seq(4), 1)[0].object.seq, Seq(3));
        history.clear();
        assert_eq!((seqs(&history, chat, 0), history.bytes), (vec![], 0));
    }

    #[test]
    fn what_is_read_has_no_hole_and_tells_where_a_topic_begins() {
        let (mut history, chat) = (TopicHistory::default(), fixtures::chat_message(1).stream());
        for seq in [50, 51, 70, 51, 71] {
            history.record(fixtures::chat_message(seq), &message("x"), limits(9));
        }

        assert_eq!((seqs(&history, chat, 0), seqs(&history, chat, 51)), (vec![50, 51], vec![70, 71]));
        let is_first =
            |history: &TopicHistory, after| history.since(chat, Seq(after), Seq(99), 1)[0].is_first;
        assert_eq!((is_first(&history, 0), is_first(&history, 50)), (true, false));
        assert!(history.find(chat, Seq(70)).is_some() && history.find(chat, Seq(60)).is_none());
        history.forget_before_hole(chat, Seq(72));
        assert_eq!(seqs(&history, chat, 51), [70, 71]);
        history.forget_before_hole(chat, Seq(73));
        assert_eq!(seqs(&history, chat, 0), [0u64; 0]);

        let mut joined = TopicHistory::default();
        joined.has_begun(chat);
        joined.record(fixtures::chat_message(70), &message("x"), limits(9));
        assert!(!is_first(&joined, 0), "it may have begun before");
    }

    #[test]
    fn a_message_that_is_too_old_is_forgotten_when_the_next_one_comes() {
        let mut history = TopicHistory::default();
        let chat = fixtures::chat_message(1);
        let Body::Message(mut head) = chat.body else { unreachable!() };
        history.record(chat, &message("x"), limits(9));
        head.at = head.at + Duration::from_secs(3_601);

        history.record(Object { seq: Seq(2), body: Body::Message(head) }, &message("y"), limits(9));

        assert_eq!(seqs(&history, chat.stream(), 0), [2]);
    }

    #[test]
    fn all_topics_together_are_bounded_and_the_oldest_message_goes_first() {
        let long = message(&"x".repeat(1_000));
        let mut history = TopicHistory { most_bytes: 4 * long.bytes(), ..TopicHistory::default() };
        for seq in 1..=2 {
            history.record(fixtures::chat_message(seq), &long, limits(9));
            history.record(fixtures::weather_message(seq), &long, limits(9));
        }

        history.record(fixtures::weather_message(3), &long, limits(9));

        let [chat, weather] = [fixtures::chat_message(1), fixtures::weather_message(1)].map(|it| it.stream());
        assert_eq!((seqs(&history, chat, 0), seqs(&history, weather, 0)), (vec![2], vec![1, 2, 3]));
        for seq in 4..9_000 {
            history.record(fixtures::weather_message(seq), &message(""), limits(2));
        }
        assert!(
            history.order.len() < 2_000 && history.retained == 3,
            "{} {}",
            history.order.len(),
            history.retained
        );
    }

    #[test]
    fn a_message_that_was_taken_back_keeps_its_number_and_loses_its_content() {
        let mut history = TopicHistory::default();
        history.record(fixtures::chat_message(1), &message("secret"), limits(9));

        history.record(
            fixtures::chat_message(2),
            &Arc::new(TopicMessage::deleting(Seq(1), Some("mod"))),
            limits(9),
        );

        let all = history.since(fixtures::chat_message(1).stream(), Seq(0), Seq(9), 9);
        let deleted: Vec<_> = all.iter().map(|it| it.message.as_ref().unwrap().deletes()).collect();
        assert_eq!((deleted, all.len()), (vec![Some(Seq(1)); 2], 2));
    }
}
