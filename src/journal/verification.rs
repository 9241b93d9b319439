use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::client_recording::{ClientRecording, ReceivedNumbers, RecordedStream};
use crate::feed::Batch;
use crate::model::{Channel, Epoch, Object, Symbol};
use crate::wire::{Codec, DeliveryKind, TopicMessage};

/// Compares what a client recorded with what was published: received ∪ gaps ∪ merged = journal.
///
/// For each stream the comparison begins with the first number that the client knows about and ends with the last. A
/// number is *lost* if the journal has it and the client neither received it, nor an object that replaced it (`cf`), nor
/// the server's word that it is missing (`gap`).
#[derive(Debug)]
pub struct Verification {
    streams: BTreeMap<RecordedStream, StreamVerification>,
}

#[derive(Debug)]
struct StreamVerification {
    received: ReceivedNumbers,
    range: (u64, u64),
    report: StreamReport,
}

/// What was found of one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamReport {
    /// Numbers of the journal in the range of the client.
    pub published: u64,
    /// Numbers that the client received.
    pub received: u64,
    /// Numbers that others replaced.
    pub merged: u64,
    /// Numbers of which the server said that they are missing.
    pub gaps: u64,
    /// Ranges of numbers that the client does not know about.
    pub lost: Vec<(u64, u64)>,
    /// Numbers whose object has another value than the journal's, each with the first such key.
    pub unequal: Vec<(u64, String)>,
    /// Objects that the client received again.
    pub repeated: u64,
    /// Objects that the client received after later ones.
    pub disordered: u64,
    /// Numbers that the client received and the journal does not have: it has a hole, or ended before.
    pub unrecorded: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerificationReport {
    /// Of each stream: channel, symbol, what was found.
    pub streams: Vec<(RecordedStream, StreamReport)>,
}

impl Verification {
    /// Expects what this client recorded.
    pub fn new(recording: ClientRecording) -> Self {
        let expected = |(stream, received): (RecordedStream, ReceivedNumbers)| {
            let range = received.range()?;
            let report = StreamReport {
                repeated: received.repeated,
                disordered: received.disordered,
                ..StreamReport::default()
            };
            Some((stream, StreamVerification { received, range, report }))
        };
        Self { streams: recording.streams.into_iter().filter_map(expected).collect() }
    }

    /// Compares a batch of the journal. Batches have to come in the order of publication.
    pub fn batch(&mut self, epoch: Epoch, batch: &Batch) {
        for (object, content) in batch.with_contents() {
            self.object(epoch, batch, object, content);
        }
    }

    fn object(&mut self, epoch: Epoch, batch: &Batch, object: &Object, content: Option<&TopicMessage>) {
        let stream = object.stream();
        let channel = if stream.is_of_topic() { Channel::Messages } else { stream.channel() };
        let symbol = *batch.universe().name_of(stream);
        for epoch in [epoch.to_string(), String::new()] {
            let key = RecordedStream { epoch, channel, symbol };
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.object(batch, object, content);
            }
        }
    }

    /// What was found.
    pub fn report(self) -> VerificationReport {
        let report = |(stream, verification): (RecordedStream, StreamVerification)| {
            let StreamVerification { received, mut report, .. } = verification;
            report.unrecorded = (received.objects.len() as u64).saturating_sub(report.received);
            (stream, report)
        };
        VerificationReport { streams: self.streams.into_iter().map(report).collect() }
    }
}

impl StreamVerification {
    fn object(&mut self, batch: &Batch, object: &Object, content: Option<&TopicMessage>) {
        let number = object.seq.0;
        if !(self.range.0..=self.range.1).contains(&number) {
            return;
        }
        let report = &mut self.report;
        report.published += 1;
        let holds = |ranges: &[(u64, u64)]| ranges.iter().any(|(from, to)| (*from..=*to).contains(&number));
        if let Some(received) = self.received.objects.get(&number) {
            report.received += 1;
            if let Some(key) = unequal_key(received, &fields_of(batch, object, content)) {
                report.unequal.push((number, key));
            }
        } else if holds(&self.received.merged) {
            report.merged += 1;
        } else if holds(&self.received.gaps) {
            report.gaps += 1;
        } else {
            match report.lost.last_mut() {
                Some((_, to)) if *to + 1 == number => *to = number,
                _ => report.lost.push((number, number)),
            }
        }
    }
}

/// The fields of an object as clients get them.
fn fields_of(batch: &Batch, object: &Object, content: Option<&TopicMessage>) -> Map<String, Value> {
    let mut text = Vec::new();
    Codec::Json.write_with(&mut text, batch.universe(), object, content, DeliveryKind::Live);
    // The comma that separates objects.
    text.pop();
    match serde_json::from_slice(&text) {
        Ok(Value::Object(fields)) => fields,
        other => unreachable!("an encoded object is a JSON object, not {other:?}"),
    }
}

/// The first key of the received object whose value is not the published one. Fields of the delivery are no values.
fn unequal_key(received: &Map<String, Value>, published: &Map<String, Value>) -> Option<String> {
    let is_unequal =
        |(key, value): &(&String, &Value)| published.get(*key).is_some_and(|other| !are_equal(value, other));
    received.iter().find(is_unequal).map(|(key, _)| key.clone())
}

/// Whether two values are the same. Programs write the same number in different ways.
fn are_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

impl VerificationReport {
    /// Whether the client knows about each number, and each object is as it was published. If nothing could be compared,
    /// that is not known.
    pub fn is_complete(&self) -> bool {
        let is_whole = |report: &StreamReport| report.lost.is_empty() && report.unequal.is_empty();
        self.has_compared() && self.streams.iter().all(|(_, report)| is_whole(report))
    }

    fn has_compared(&self) -> bool {
        self.streams.iter().any(|(_, report)| report.published > 0)
    }
}

/// The totals, and below them each stream of which something is lost or unequal, with the first ten ranges of each.
impl fmt::Display for VerificationReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum =
            |of: fn(&StreamReport) -> u64| self.streams.iter().map(|(_, report)| of(report)).sum::<u64>();
        let lost = sum(|report| report.lost.iter().map(|(from, to)| to - from + 1).sum());
        writeln!(
            out,
            "{} streams: {} published, {} received, {} merged, {} in gaps, {lost} lost, {} unequal",
            self.streams.len(),
            sum(|report| report.published),
            sum(|report| report.received),
            sum(|report| report.merged),
            sum(|report| report.gaps),
            sum(|report| report.unequal.len() as u64),
        )?;
        writeln!(
            out,
            "received again {}, after later ones {}, not in the journal {}",
            sum(|report| report.repeated),
            sum(|report| report.disordered),
            sum(|report| report.unrecorded),
        )?;
        if !self.has_compared() {
            writeln!(out, "nothing was compared: the journal has no number that the client knows about")?;
        }
        for (RecordedStream { channel, symbol, .. }, report) in &self.streams {
            write_lost(out, *channel, symbol, report)?;
        }
        Ok(())
    }
}

fn write_lost(
    out: &mut fmt::Formatter<'_>,
    channel: Channel,
    symbol: &Symbol,
    report: &StreamReport,
) -> fmt::Result {
    const SHOWN: usize = 10;
    let name = format!("{}/{symbol}", channel.name());
    for (from, to) in report.lost.iter().take(SHOWN) {
        writeln!(out, "lost     {name} {from} to {to}")?;
    }
    if let Some(more) = report.lost.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        writeln!(out, "lost     {name} and {more} more ranges")?;
    }
    for (number, key) in report.unequal.iter().take(SHOWN) {
        writeln!(out, "unequal  {name} {number}: `{key}` is not as published")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Seq, Timestamp};
    use crate::wire::fixtures;

    const EPOCH: Epoch = Epoch::new(7);

    /// What is found when trades with the numbers 1 to 10 were published.
    fn verify(recorded: &str) -> VerificationReport {
        let recording = ClientRecording::read(recorded.as_bytes()).unwrap();
        let mut verification = Verification::new(recording);
        let universe = Arc::new(fixtures::universe());
        for number in 1..=10 {
            let trade = Object { seq: Seq(number), ..fixtures::trade() };
            let batch = Batch::new(Arc::clone(&universe), Timestamp::default(), vec![trade], vec![]);
            verification.batch(EPOCH, &batch);
        }
        verification.report()
    }

    fn only(report: VerificationReport) -> StreamReport {
        let [(_, report)] = &report.streams[..] else { panic!("{report:?}") };
        report.clone()
    }

    fn trade(number: u64, more: &str) -> String {
        format!("{{\"T\":\"t\",\"S\":\"AAPL\",\"sq\":{number}{more}}}\n")
    }

    #[test]
    fn a_client_that_knows_about_each_number_lost_nothing() {
        let recorded = [
            trade(2, ""),
            trade(5, r#","cf":2"#),
            r#"{"T":"gap","ch":"trades","S":"AAPL","from":6,"to":7}"#.to_owned() + "\n",
            trade(8, ""),
        ];
        let report = verify(&recorded.concat());

        assert!(report.is_complete());
        let report = only(report);
        assert_eq!((report.published, report.received, report.merged, report.gaps), (7, 3, 2, 2));
    }

    #[test]
    fn what_a_client_lost_is_listed_as_ranges() {
        let report = verify(&[trade(1, ""), trade(4, ""), trade(5, ""), trade(9, "")].concat());

        assert!(!report.is_complete());
        assert!(report.to_string().contains("lost     trades/AAPL 2 to 3\n"), "{report}");
        assert_eq!(only(report).lost, [(2, 3), (6, 8)]);
    }

    #[test]
    fn a_value_that_was_changed_is_named_and_another_form_of_a_number_is_not() {
        let published = verify(&trade(3, r#","p":126.550,"s":1.0,"c":["@","I"]"#));
        assert!(published.is_complete(), "{published}");

        let changed = verify(&trade(3, r#","p":126.56"#));
        assert_eq!(only(changed).unequal, [(3, "p".to_owned())]);
    }

    #[test]
    fn messages_of_topics_are_compared_like_objects_of_the_market() {
        let verify = |recorded: &[&str]| {
            let recording = ClientRecording::read(recorded.join("\n").as_bytes()).unwrap();
            let mut verification = Verification::new(recording);
            for number in 1..=6 {
                let content = Arc::new(TopicMessage::new(&serde_json::json!({"n": number}), Some("anna")));
                let batch =
                    Batch::new(Arc::new(fixtures::topics()), Timestamp::default(), Vec::new(), Vec::new())
                        .with_messages(vec![fixtures::chat_message(number)], vec![content]);
                verification.batch(EPOCH, &batch);
            }
            only(verification.report())
        };
        let first = r#"{"T":"m","S":"chat:AAPL","d":{"n":1},"by":"anna","sq":1}"#;
        let gap = r#"{"T":"gap","ch":"topics","S":"chat:AAPL","from":2,"to":3}"#;

        let whole = verify(&[first, gap, r#"{"T":"m","S":"chat:AAPL","d":{"n":6},"sq":6,"cf":2}"#]);
        assert_eq!((whole.published, whole.received, whole.merged, whole.gaps), (6, 2, 2, 2));
        assert!(whole.lost.is_empty() && whole.unequal.is_empty(), "{whole:?}");
        let other = verify(&[first, r#"{"T":"m","S":"chat:AAPL","d":{"n":7},"sq":6}"#]);
        assert_eq!((other.lost, other.unequal), (vec![(2, 5)], vec![(6, "d".to_owned())]));
        let taken_back = verify(&[first, r#"{"T":"m","S":"chat:AAPL","del":2,"sq":2}"#]);
        assert!(taken_back.unequal.is_empty(), "a client that comes later is told so in its place");
    }

    #[test]
    fn numbers_of_another_epoch_are_not_those_of_the_journal() {
        let of = |epoch: &str| {
            let ack = format!("{{\"T\":\"subscription\",\"x\":{{\"epoch\":\"{epoch}\"}}}}\n");
            only(verify(&(ack + &trade(3, "") + &trade(4, ""))))
        };

        assert_eq!((of(&EPOCH.to_string()).received, of(&EPOCH.to_string()).unrecorded), (2, 0));
        assert_eq!((of("other").received, of("other").unrecorded), (0, 2));
    }

    #[test]
    fn a_recording_that_has_nothing_of_the_journal_is_not_complete() {
        for recorded in [String::new(), trade(11, "")] {
            let report = verify(&recorded);

            assert!(!report.is_complete());
            assert!(report.to_string().contains("nothing was compared"), "{report}");
        }
    }
}
