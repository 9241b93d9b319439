//! The fields of objects that a client selects with `x.fields`.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{MapAccess, SeqAccess};

use super::tolerant::{As, FromEntries, Given, RejectedNames, Tolerant};
use super::{Rejected, TickerFields};
use crate::model::Channel;

/// What a client asks for with `fields`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldsRequest {
    /// Nothing: the selection before stays.
    #[default]
    Unchanged,
    /// All fields again.
    All,
    /// These fields of tickers, besides those that need not be named.
    Tickers(TickerFields),
}

/// The value of `x.fields`.
#[derive(Default)]
pub(super) struct FieldSelection {
    tickers: Given<FieldNames>,
    /// What is named for other channels, of which nothing can be selected.
    others: BTreeMap<String, Given<FieldNames>>,
}

impl<'de> FromEntries<'de> for FieldSelection {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        /// The most channels of which an acknowledgement says that nothing can be selected.
        const MOST_OTHERS: usize = 16;
        let given = map.next_value::<As<_>>()?.0;
        if key == Channel::Tickers.name() {
            self.tickers = given;
        } else {
            self.others.insert(RejectedNames::shorten(key), given);
            if self.others.len() > MOST_OTHERS {
                self.others.pop_last();
            }
        }
        Ok(())
    }
}

impl FieldSelection {
    /// The request; what of it is not valid is added to `rejected`.
    pub(super) fn request(self, rejected: &mut Rejected) -> FieldsRequest {
        for (channel, given) in self.others {
            match given {
                Given::Absent => {}
                Given::Wrong => rejected.options.add(&format!("fields.{channel}")),
                Given::Value(FieldNames { mut unknown, known }) => {
                    known.into_iter().for_each(|name| unknown.add(name));
                    rejected.fields.insert(channel, unknown);
                }
            }
        }
        let tickers = Channel::Tickers.name();
        match self.tickers {
            Given::Absent => FieldsRequest::All,
            Given::Wrong => {
                rejected.options.add(&format!("fields.{tickers}"));
                FieldsRequest::Unchanged
            }
            Given::Value(FieldNames { unknown, known }) => {
                if !unknown.is_empty() {
                    rejected.fields.insert(tickers.to_owned(), unknown);
                }
                let time = match known.contains(TickerFields::WITHOUT_TIME) {
                    true => TickerFields::NONE,
                    false => TickerFields::TIME,
                };
                let known = known.into_iter().filter(|key| *key != TIME_KEY).filter_map(TickerFields::named);
                FieldsRequest::Tickers(known.fold(time, TickerFields::with))
            }
        }
    }
}

/// A list of keys of objects: those of tickers, and others.
#[derive(Default)]
struct FieldNames {
    known: BTreeSet<&'static str>,
    unknown: RejectedNames,
}

impl<'de> Tolerant<'de> for Given<FieldNames> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut names = FieldNames::default();
        while let Some(As(name)) = list.next_element()? {
            match name {
                Given::Value(FieldName::Known(name)) => _ = names.known.insert(name),
                Given::Value(FieldName::Unknown(name)) => names.unknown.add(&name),
                Given::Wrong => names.unknown.add("?"),
                Given::Absent => {}
            }
        }
        Ok(Self::Value(names))
    }
}

/// The key of the time of an object.
const TIME_KEY: &str = "t";

/// One name of such a list.
enum FieldName {
    Known(&'static str),
    Unknown(String),
}

impl Tolerant<'_> for Given<FieldName> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn text(text: &str) -> Self {
        /// The keys that need not be named, and the wish to leave one of them out.
        const UNNAMED: [&str; 6] = ["T", "S", "sq", "cf", TIME_KEY, TickerFields::WITHOUT_TIME];
        let known = UNNAMED.into_iter().chain(TickerFields::ALL.keys()).find(|key| *key == text);
        Self::Value(match known {
            Some(key) => FieldName::Known(key),
            None => FieldName::Unknown(RejectedNames::shorten(text)),
        })
    }
}
