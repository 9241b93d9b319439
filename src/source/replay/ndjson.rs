//! Objects in Alpaca's own shape, as a client received them: one object or one array of objects a line.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::lines::skip_rest_of_line;
use super::record::{BarPeriod, RecordContent, Recorded, RecordedKind, RecordingReader, SkipReason, Skipped};
use super::symbols::SymbolTable;
use crate::model::{Body, Event, SymbolId, Timestamp};
use crate::wire::{Codec, Decoded, DecodedObject, DeliveryKind, ObjectError, decode_objects};

/// The objects of a file of lines.
pub(super) struct NdjsonReader<R> {
    input: R,
    line: Vec<u8>,
    lines: u64,
    latest: Timestamp,
    /// The objects of the present line that are not read yet, the next one last.
    objects: Vec<Result<Decoded, ObjectError>>,
    /// The input failed: nothing behind is read.
    has_failed: bool,
    /// Bars of days before the first object that tells the time.
    undated: VecDeque<Recorded>,
    /// Lines without a bar are passed over.
    is_of_bars_alone: bool,
}

/// The longest line read: frames of this protocol have less than 1 MiB. Parsed, a line may take twenty times its length.
const MAX_LINE_BYTES: u64 = 4 << 20;

impl<R: BufRead + Send> NdjsonReader<R> {
    pub(super) fn new(input: R) -> Self {
        let latest = Timestamp::from_nanos(i64::MIN);
        Self {
            input,
            line: Vec::new(),
            lines: 0,
            latest,
            objects: Vec::new(),
            has_failed: false,
            undated: VecDeque::new(),
            is_of_bars_alone: false,
        }
    }

    /// Reads the objects of the next line that is not empty; false at the end.
    fn read_line(&mut self) -> Result<bool, Skipped> {
        loop {
            if self.has_failed {
                return Ok(false);
            }
            self.line.clear();
            self.lines += 1;
            let count = self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line);
            let count = count.map_err(|error| self.failed(&error))?;
            if count == 0 {
                return Ok(false);
            }
            if count as u64 == MAX_LINE_BYTES && !self.line.ends_with(b"\n") {
                skip_rest_of_line(&mut self.input).map_err(|error| self.failed(&error))?;
                return Err(self.skipped("the line is longer than 4 MiB"));
            }
            let line = self.line.trim_ascii();
            // A separator of JSON text sequences, and a byte order mark.
            let line =
                line.strip_prefix(b"\x1e").or(line.strip_prefix("\u{feff}".as_bytes())).unwrap_or(line);
            if line.is_empty() || self.is_of_bars_alone && !may_have_bar(line) {
                continue;
            }
            self.objects = objects(line).map_err(|error| self.skipped(&error.to_string()))?;
            self.objects.reverse();
            return Ok(true);
        }
    }

    fn failed(&mut self, error: &io::Error) -> Skipped {
        self.has_failed = true;
        self.skipped(&format!("the rest of the file is not read: {error}"))
    }

    fn skipped(&self, detail: &str) -> Skipped {
        Skipped { reason: SkipReason::Broken, position: self.lines, detail: detail.to_owned().into() }
    }

    /// What an object says, with its own time; `None` when it says nothing new.
    fn content(&self, object: &DecodedObject, symbol: SymbolId) -> Option<(Timestamp, RecordContent)> {
        let event = |at, event| Some((at, RecordContent::Event(event)));
        match object.body(symbol) {
            // A trade or a minute of a snapshot was published before.
            Body::Trade(_) | Body::Bar(_) | Body::UpdatedBar(_)
                if object.delivery == DeliveryKind::Snapshot =>
            {
                None
            }
            Body::Trade(trade) => event(trade.at, Event::Trade(trade)),
            Body::Quote(quote) => event(quote.at, Event::Quote(quote)),
            Body::Status(status) => event(status.at, Event::Status(status)),
            Body::Luld(luld) => event(luld.at, Event::Luld(luld)),
            Body::Cancel(cancel) => event(cancel.at, Event::Cancel(cancel)),
            Body::Correction(correction) => event(correction.at, Event::Correction(correction)),
            Body::Bar(bar) => event(BarPeriod::Minute.end(bar.start), Event::Bar(bar)),
            Body::UpdatedBar(bar) => event(BarPeriod::Minute.end(bar.start), Event::UpdatedBar(bar)),
            // It is sent each minute while its day lasts.
            Body::DailyBar(bar) => event(bar.start, Event::DailyBar(bar)),
            Body::Ticker(_) | Body::Message(_) | Body::State(_) => None,
        }
    }
}

/// Whether one of the values of a line is the type of a bar.
fn may_have_bar(line: &[u8]) -> bool {
    line.windows(3).any(|text| matches!(text, b"\"b\"" | b"\"u\"" | b"\"d\""))
}

/// The objects of a line.
fn objects(line: &[u8]) -> Result<Vec<Result<Decoded, ObjectError>>, ObjectError> {
    let wrapped: Vec<u8>;
    let array = if line.starts_with(b"[") {
        line
    } else {
        wrapped = [b"[", line, b"]"].concat();
        &wrapped
    };
    match decode_objects(Codec::Json, array) {
        Ok(objects) => Ok(objects.into_iter().map(Ok).collect()),
        Err(ObjectError::Syntax) => Err(ObjectError::Syntax),
        // One invalid object does not cost the others of its line, and `T` may stand anywhere.
        Err(_) => {
            let values: Vec<Value> = serde_json::from_slice(array).map_err(|_| ObjectError::Syntax)?;
            Ok(values.into_iter().map(one_object).collect())
        }
    }
}

fn one_object(value: Value) -> Result<Decoded, ObjectError> {
    let Value::Object(mut fields) = value else { return Err(ObjectError::NoType) };
    let t = fields.remove("T").ok_or(ObjectError::NoType)?;
    let rest = Value::Object(fields).to_string();
    let separator = if rest == "{}" { "" } else { "," };
    let text = format!("[{{\"T\":{t}{separator}{}]", &rest[1..]);
    let objects = decode_objects(Codec::Json, text.as_bytes())?;
    objects.into_iter().next().ok_or(ObjectError::Syntax)
}

impl<R: BufRead + Send> RecordingReader for NdjsonReader<R> {
    fn kind(&self) -> RecordedKind {
        RecordedKind::Events
    }

    fn reads_bars_alone(&mut self) -> bool {
        self.is_of_bars_alone = true;
        true
    }

    fn next(&mut self, symbols: &mut SymbolTable) -> Result<Option<Recorded>, Skipped> {
        loop {
            let object = match self.objects.pop() {
                Some(Ok(Decoded::Object(object))) => object,
                // A control message, or a channel that is not known.
                Some(Ok(Decoded::Unknown { t })) if matches!(&*t, "success" | "subscription" | "h") => {
                    continue;
                }
                Some(Ok(Decoded::Unknown { t })) => {
                    let detail = format!("objects of type {t:?} are not replayed");
                    return Err(Skipped { reason: SkipReason::Unknown, ..self.skipped(&detail) });
                }
                Some(Err(error)) => return Err(self.skipped(&error.to_string())),
                None if self.latest.nanos() > i64::MIN && !self.undated.is_empty() => {
                    return Ok(self.undated.pop_front().map(|day| Recorded { at: self.latest, ..day }));
                }
                None if self.read_line()? => continue,
                None => return Ok(self.undated.pop_front()),
            };
            let symbol = symbols
                .id(object.symbol.as_str())
                .map_err(|_| Skipped { reason: SkipReason::Unnamed, ..self.skipped("it has no symbol") })?;
            if let Some((at, content)) = self.content(&object, symbol) {
                if self.latest.nanos() == i64::MIN
                    && matches!(content, RecordContent::Event(Event::DailyBar(_)))
                {
                    self.undated.push_back(Recorded { at, content });
                    continue;
                }
                self.latest = self.latest.max(at);
                return Ok(Some(Recorded { at: self.latest, content }));
            }
        }
    }
}

#[cfg(test)]
#[path = "ndjson_tests.rs"]
mod tests;
