use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess};
use serde::{Serialize, Serializer};

use super::TickerFields;
use super::fields_request::{FieldSelection, FieldsRequest};
use super::tolerant::{As, Content, FromEntries, Given, Number, RejectedNames, Tolerant};
use crate::model::{Channel, Symbol};

/// The extensions that a client opts into with `x`; a client that sends no `x` sees none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extensions {
    /// Echoed in the acknowledgement.
    pub id: Option<RequestId>,
    /// Conflation interval in milliseconds, 0 to 60,000: at most one data frame is sent per interval. 0 turns
    /// conflation off; larger values are granted as 60,000.
    pub conflate_ms: Option<u32>,
    /// Whether the latest object of each stream that this command adds is sent first.
    pub snapshot: bool,
    /// Heartbeat interval in milliseconds: a heartbeat is sent if no other frame was. 0 turns it off.
    pub heartbeat_ms: Option<u32>,
    /// Which fields of objects are sent.
    pub fields: FieldsRequest,
    /// Whether of tickers only the fields are sent that changed.
    pub delta: Option<bool>,
    /// The position from which to resume.
    pub resume: Option<ResumeRequest>,
    /// What the client knows the state of an alert of.
    pub since: Option<AlertPosition>,
    /// What the command says and the server does not understand.
    pub rejected: Rejected,
}

/// The parts of a command that are malformed or unknown. They cost no other part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Names that cannot be a symbol, by channel.
    pub symbols: Vec<(Channel, RejectedNames)>,
    /// Keys of the command that are no channel.
    pub channels: RejectedNames,
    /// Keys of `x` that are unknown or have no valid value, as paths: `conflate_ms`, `resume.epoch`.
    pub options: RejectedNames,
    /// Fields that cannot be selected, by channel.
    pub fields: BTreeMap<String, RejectedNames>,
}

impl Rejected {
    /// The most bytes that these names take in an acknowledgement.
    pub fn bytes(&self) -> usize {
        let symbols = self.symbols.iter().map(|(_, names)| names);
        let fields: usize = self.fields.keys().map(|channel| channel.len() * 6 + 6).sum();
        let names = symbols.chain([&self.channels, &self.options]).chain(self.fields.values());
        fields + names.map(RejectedNames::bytes).sum::<usize>()
    }
}

/// The id that a client gives a command: a number or a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A whole number.
    Number(i64),
    /// A text of at most 128 characters.
    Text(String),
}

/// The last sequence numbers that a client received, and their epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResumeRequest {
    /// The epoch of the numbers; empty, which is none, where the client did not give it.
    pub epoch: String,
    /// The last sequence number of each stream.
    pub last: Vec<(Channel, Symbol, u64)>,
}

/// The last trade of a symbol after which a client knows the state of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertPosition {
    /// The epoch of the number.
    pub epoch: String,
    /// The sequence number of the trade; 0 is before the first.
    pub sq: u64,
}

impl Tolerant<'_> for Given<RequestId> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    /// A long text is refused: it would be sent back as often as the client likes.
    fn text(text: &str) -> Self {
        const LONGEST: usize = 128;
        match text.chars().nth(LONGEST) {
            None => Self::Value(RequestId::Text(text.to_owned())),
            Some(_) => Self::Wrong,
        }
    }

    fn number(number: Number) -> Self {
        number.whole().map_or(Self::Wrong, |number| Self::Value(RequestId::Number(number)))
    }
}

impl<'de> FromEntries<'de> for Extensions {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let is_valid = match key {
            "id" => set(&mut self.id, map.next_value::<As<_>>()?.0),
            "conflate_ms" => set(&mut self.conflate_ms, milliseconds(map.next_value::<As<_>>()?.0)),
            "heartbeat_ms" => set(&mut self.heartbeat_ms, milliseconds(map.next_value::<As<_>>()?.0)),
            "snapshot" => {
                let mut snapshot = None;
                let is_valid = set(&mut snapshot, map.next_value::<As<_>>()?.0);
                self.snapshot = snapshot.unwrap_or_default();
                is_valid
            }
            "delta" => set(&mut self.delta, map.next_value::<As<_>>()?.0),
            "fields" => {
                let given = map.next_value::<As<Given<FieldSelection>>>()?.0;
                let is_valid = !matches!(given, Given::Wrong);
                self.rejected.options.remove_below("fields.");
                self.rejected.fields.clear();
                self.fields = match given {
                    Given::Value(fields) => fields.request(&mut self.rejected),
                    Given::Absent => FieldsRequest::All,
                    Given::Wrong => FieldsRequest::Unchanged,
                };
                is_valid
            }
            "resume" => {
                let mut resume = None;
                let is_valid = set(&mut resume, map.next_value::<As<Given<Resume>>>()?.0);
                self.rejected.options.remove_below("resume.");
                self.resume = resume.map(|resume| resume.request(&mut self.rejected.options));
                is_valid
            }
            "since" => {
                let mut since = None;
                let is_valid = set(&mut since, map.next_value::<As<Given<Since>>>()?.0);
                self.since = since.as_ref().and_then(Since::position);
                is_valid && since.is_some() == self.since.is_some()
            }
            unknown => {
                self.rejected.options.set(unknown, map.next_value::<As<_>>()?.0);
                return Ok(());
            }
        };
        self.rejected.options.set(key, if is_valid { Content::Nothing } else { Content::Something });
        Ok(())
    }
}

/// Sets a value that was given; false if it is not valid.
fn set<T>(place: &mut Option<T>, given: Given<T>) -> bool {
    let is_valid = !matches!(given, Given::Wrong);
    *place = match given {
        Given::Value(value) => Some(value),
        Given::Absent | Given::Wrong => None,
    };
    is_valid
}

/// A time in milliseconds. One that is too long for the type is longer than any that is granted.
fn milliseconds(given: Given<u64>) -> Given<u32> {
    match given {
        Given::Value(value) => Given::Value(u32::try_from(value).unwrap_or(u32::MAX)),
        Given::Absent => Given::Absent,
        Given::Wrong => Given::Wrong,
    }
}

/// The value of `x.since`.
#[derive(Default)]
struct Since {
    epoch: Given<String>,
    sq: Given<u64>,
}

impl Since {
    /// The position, if it is whole: half of one says nothing.
    fn position(&self) -> Option<AlertPosition> {
        match (&self.epoch, &self.sq) {
            (Given::Value(epoch), Given::Value(sq)) => Some(AlertPosition { epoch: epoch.clone(), sq: *sq }),
            _ => None,
        }
    }
}

impl<'de> FromEntries<'de> for Since {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "epoch" => self.epoch = map.next_value::<As<_>>()?.0,
            "sq" => self.sq = map.next_value::<As<_>>()?.0,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// The value of `x.resume`.
#[derive(Default)]
struct Resume {
    epoch: Given<String>,
    sq: Given<LastNumbers>,
    unknown: RejectedNames,
}

impl<'de> FromEntries<'de> for Resume {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "epoch" => self.epoch = map.next_value::<As<_>>()?.0,
            "sq" => self.sq = map.next_value::<As<_>>()?.0,
            unknown => self.unknown.set(&format!("resume.{unknown}"), map.next_value::<As<_>>()?.0),
        }
        Ok(())
    }
}

impl Resume {
    /// The request; what of it is not valid is added to `rejected`. Without an epoch the numbers are those of
    /// an unknown one, so that the client is told what it does not get.
    fn request(self, rejected: &mut RejectedNames) -> ResumeRequest {
        rejected.extend(self.unknown);
        let epoch = match self.epoch {
            Given::Value(epoch) => epoch,
            Given::Absent | Given::Wrong => {
                rejected.add("resume.epoch");
                String::new()
            }
        };
        let numbers = match self.sq {
            Given::Value(numbers) => numbers,
            Given::Absent | Given::Wrong => {
                rejected.add("resume.sq");
                LastNumbers::default()
            }
        };
        let mut last = Vec::new();
        for (channel, given) in Channel::ALL.into_iter().zip(numbers.channels) {
            match given {
                Given::Absent => {}
                Given::Wrong => rejected.add(&format!("resume.sq.{}", channel.name())),
                Given::Value(numbers) => {
                    for (symbol, number) in numbers.into_sorted() {
                        match number {
                            Given::Value(number) => last.push((channel, symbol, number)),
                            Given::Absent => {}
                            Given::Wrong => rejected.add(&format!("resume.sq.{}.{symbol}", channel.name())),
                        }
                    }
                }
            }
        }
        rejected.extend(numbers.unknown);
        ResumeRequest { epoch, last }
    }
}

/// The last numbers of all channels.
#[derive(Default)]
struct LastNumbers {
    channels: [Given<NumbersOfChannel>; Channel::COUNT],
    unknown: RejectedNames,
}

impl<'de> FromEntries<'de> for LastNumbers {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match Channel::named(key) {
            Some(channel) => self.channels[channel.index()] = map.next_value::<As<_>>()?.0,
            None => self.unknown.set(&format!("resume.sq.{key}"), map.next_value::<As<_>>()?.0),
        }
        Ok(())
    }
}

/// The last numbers of one channel, in the order of the command. Keys that cannot be a symbol name no stream.
#[derive(Default)]
struct NumbersOfChannel(Vec<(Symbol, Given<u64>)>);

impl NumbersOfChannel {
    /// The numbers in the order of symbols, the last one of each.
    fn into_sorted(self) -> Vec<(Symbol, Given<u64>)> {
        let mut numbers = self.0;
        // The sort is stable and linear where they are sorted already.
        numbers.sort_by_key(|(symbol, _)| *symbol);
        numbers.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        numbers
    }
}

impl<'de> FromEntries<'de> for NumbersOfChannel {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key.parse() {
            Ok(symbol) => self.0.push((symbol, map.next_value::<As<_>>()?.0)),
            Err(_) => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// The extensions in force after a command: `x` in the acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantedExtensions {
    /// The id of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The epoch of all sequence numbers on this connection.
    pub epoch: String,
    /// The conflation interval in milliseconds; 0 if off.
    pub conflate_ms: u32,
    /// The heartbeat interval in milliseconds; 0 if off.
    pub heartbeat_ms: u32,
    /// `consolidated` where the sale conditions of a trade decide whether it is the last price. Absent where every trade is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tape: Option<&'static str>,
    /// The fields of objects that are sent, where the client selected some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<GrantedFields>,
    /// Whether of tickers only the fields are sent that changed; absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delta: bool,
    /// What of this command is not in force: symbols that the market does not know or that are malformed, by
    /// channel; unknown channels (`channels`), options (`x`) and fields (`fields`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<&'static str, RejectedValues>,
}

/// The selected fields of tickers, but those that need not be named: `fields` in the acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedFields(pub TickerFields);

impl Serialize for GrantedFields {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        let without_time = (!self.0.has_time()).then_some(TickerFields::WITHOUT_TIME);
        let keys: Vec<_> = self.0.keys().chain(without_time).collect();
        target.collect_map([(Channel::Tickers.name(), keys)])
    }
}

/// What is not in force of one part of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RejectedValues {
    /// Names.
    Names(Vec<String>),
    /// Names by channel.
    ByChannel(BTreeMap<String, Vec<String>>),
}
