use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::model::{Channel, Symbol};

/// What a client recorded: the messages that it received, one JSON value on each line, in the order of receipt.
///
/// A line is a message as it came, an array of objects, or one object. Objects need `T`, `S` and `sq`; the other fields
/// may be left out. Lines of several connections follow each other.
#[derive(Debug, Default)]
pub struct ClientRecording {
    /// What was received of each stream in each epoch. The epoch is empty before the first acknowledgement names one.
    pub streams: BTreeMap<RecordedStream, ReceivedNumbers>,
}

/// A stream in an epoch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedStream {
    /// The epoch as text; empty where the client does not know it.
    pub epoch: String,
    /// The channel; for topics of both kinds, which a client does not know, [`Channel::Messages`].
    pub channel: Channel,
    /// The symbol, or the topic.
    pub symbol: Symbol,
}

/// The numbers of a stream that a client knows about.
#[derive(Debug, Default)]
pub struct ReceivedNumbers {
    /// The objects, by their number.
    pub objects: BTreeMap<u64, Map<String, Value>>,
    /// Ranges of numbers that stand for objects which others replaced (`cf`).
    pub merged: Vec<(u64, u64)>,
    /// Ranges of numbers of which the server said that they are missing.
    pub gaps: Vec<(u64, u64)>,
    /// Objects whose number had come before, and that are no snapshots.
    pub repeated: u64,
    /// Objects whose number is lower than the one before, and that are no snapshots.
    pub disordered: u64,
    last: u64,
}

/// A line of the recording cannot be used.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no JSON.
    #[error("line {line} is no JSON: {error}")]
    Syntax {
        /// Its number, from 1.
        line: usize,
        /// Why not.
        error: serde_json::Error,
    },
}

impl ClientRecording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When a line cannot be read or is no JSON. Values that are no objects of the protocol are passed over.
    pub fn read(lines: impl BufRead) -> Result<Self, RecordingError> {
        let mut recording = Self::default();
        let mut epoch = String::new();
        for (index, line) in lines.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let value = serde_json::from_str(&line)
                .map_err(|error| RecordingError::Syntax { line: index + 1, error })?;
            let objects = match value {
                Value::Array(objects) => objects,
                object => vec![object],
            };
            for object in objects {
                if let Value::Object(object) = object {
                    recording.take(object, &mut epoch);
                }
            }
        }
        Ok(recording)
    }

    fn take(&mut self, object: Map<String, Value>, epoch: &mut String) {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let number = |key: &str| object.get(key).and_then(Value::as_u64);
        match text("T") {
            Some("subscription") => {
                let named = object.get("x").and_then(|x| x.get("epoch")).and_then(Value::as_str);
                if let Some(named) = named {
                    named.clone_into(epoch);
                }
            }
            // The trades that alerts were not evaluated for may have been received.
            Some("gap") if object.contains_key("alerts") => {}
            Some("gap") => {
                let channel = text("ch").and_then(Channel::named);
                let Some(stream) = stream_of(epoch, channel, text("S")) else { return };
                if let (Some(from), Some(to)) = (number("from"), number("to")) {
                    self.streams.entry(stream).or_default().gap(from, to);
                }
            }
            Some(letter) => {
                let channel = letter.parse().ok().and_then(Channel::with_letter);
                let Some(stream) = stream_of(epoch, channel, text("S")) else { return };
                if let Some(sq) = number("sq") {
                    let (merged, is_snapshot) = (number("cf").unwrap_or(0), object.contains_key("sn"));
                    self.streams.entry(stream).or_default().object(sq, merged, is_snapshot, object);
                }
            }
            None => {}
        }
    }
}

fn stream_of(epoch: &str, channel: Option<Channel>, symbol: Option<&str>) -> Option<RecordedStream> {
    Some(RecordedStream { epoch: epoch.to_owned(), channel: channel?, symbol: symbol?.parse().ok()? })
}

impl ReceivedNumbers {
    fn object(&mut self, sq: u64, merged: u64, is_snapshot: bool, object: Map<String, Value>) {
        if merged > 0 {
            self.merged.push((sq.saturating_sub(merged), sq.saturating_sub(1)));
        }
        if !is_snapshot {
            self.disordered += u64::from(sq < self.last);
            self.repeated += u64::from(self.objects.contains_key(&sq));
        }
        self.last = sq;
        self.objects.insert(sq, object);
    }

    fn gap(&mut self, from: u64, to: u64) {
        self.gaps.push((from, to));
        self.last = self.last.max(to);
    }

    /// The first and the last number that the client should know about.
    pub fn range(&self) -> Option<(u64, u64)> {
        let ends = |ranges: &[(u64, u64)]| {
            let first = ranges.iter().map(|(from, _)| *from).min();
            (first, ranges.iter().map(|(_, to)| *to).max())
        };
        let objects = (self.objects.keys().next().copied(), self.objects.keys().next_back().copied());
        let all = [objects, ends(&self.merged), ends(&self.gaps)];
        let first = all.iter().filter_map(|(first, _)| *first).min()?;
        Some((first, all.iter().filter_map(|(_, last)| *last).max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClientRecording {
        ClientRecording::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn objects_gaps_and_merged_numbers_are_known_of_each_stream_and_epoch() {
        let recording = read(concat!(
            r#"[{"T":"success","msg":"connected"}]"#,
            "\n",
            r#"[{"T":"subscription","trades":["AAPL"],"x":{"epoch":"e1"}}]"#,
            "\n",
            r#"[{"T":"t","S":"AAPL","sq":5},{"T":"t","S":"AAPL","sq":6}]"#,
            "\n\n",
            r#"{"T":"q","S":"AAPL","sq":9,"cf":3}"#,
            "\n",
            r#"[{"T":"gap","ch":"trades","S":"AAPL","from":7,"to":8}]"#,
            "\n",
            r#"[{"T":"gap","ch":"trades","S":"AAPL","from":1,"to":90,"alerts":["a1"]}]"#,
            "\n",
            r#"[{"T":"subscription","x":{"epoch":"e2"}},{"T":"t","S":"AAPL","sq":1}]"#,
        ));

        let of = |epoch: &str, channel| {
            let stream = RecordedStream { epoch: epoch.to_owned(), channel, symbol: "AAPL".parse().unwrap() };
            recording.streams.get(&stream).unwrap()
        };
        assert_eq!(of("e1", Channel::Trades).range(), Some((5, 8)));
        assert_eq!(of("e1", Channel::Quotes).range(), Some((6, 9)));
        assert_eq!(of("e1", Channel::Quotes).merged, [(6, 8)]);
        assert_eq!(of("e2", Channel::Trades).range(), Some((1, 1)));
        assert_eq!(recording.streams.len(), 3);
    }

    #[test]
    fn what_comes_again_or_too_late_is_counted_unless_it_is_a_snapshot() {
        let recording = read(
            r#"[{"T":"t","S":"A","sq":5},{"T":"t","S":"A","sq":7},{"T":"t","S":"A","sq":6},{"T":"t","S":"A","sq":6},{"T":"t","S":"A","sq":7,"sn":true}]"#,
        );

        let numbers = recording.streams.values().next().unwrap();
        assert_eq!((numbers.disordered, numbers.repeated), (1, 1));
    }

    #[test]
    fn a_line_that_is_no_json_is_named() {
        let error = ClientRecording::read(&b"[]\n\n{"[..]).unwrap_err();

        assert!(error.to_string().starts_with("line 3 is no JSON"), "{error}");
    }
}
