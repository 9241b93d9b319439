use serde::de::{MapAccess, SeqAccess};

use super::CommandFault;
use super::extensions::{AlertPosition, Extensions, RequestId};
use super::tolerant::{As, Given, Tolerant};
use crate::model::Symbol;

/// A price alert to be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertCommand {
    /// The instrument.
    pub symbol: Symbol,
    /// The client's name for the alert: 1 to 64 characters. One of the same name is replaced.
    pub alert: String,
    /// The condition as text.
    pub when: String,
    /// Whether it ends when it has fired; absent, it does.
    pub once: bool,
    /// What the client knows the state of the alert of, if it had it on another connection.
    pub since: Option<AlertPosition>,
    /// Echoed in the answer.
    pub id: Option<RequestId>,
}

/// Price alerts to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnalertCommand {
    /// Which.
    pub alerts: AlertNames,
    /// Echoed in the answer.
    pub id: Option<RequestId>,
}

/// The names of alerts. Names of none are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertNames {
    /// Whether `*`, which means all, is among them.
    pub all: bool,
    /// The other names.
    pub names: Vec<String>,
}

/// The keys of these commands before their combination is checked.
#[derive(Default)]
pub(super) struct AlertKeys {
    symbol: Given<String>,
    alert: Given<String>,
    when: Given<String>,
    once: Given<bool>,
    ids: Given<AlertNames>,
}

/// The longest name of an alert, in characters.
const LONGEST_NAME: usize = 64;

impl AlertKeys {
    pub(super) const NAMES: [&str; 5] = ["S", "id", "when", "once", "ids"];

    /// Which of the keys were given.
    pub(super) fn given(&self) -> [(&'static str, bool); 5] {
        let Self { symbol, alert, when, once, ids } = self;
        let [symbol, alert, when] = [symbol, alert, when].map(|text| !matches!(text, Given::Absent));
        let once = !matches!(once, Given::Absent);
        let ids = !matches!(ids, Given::Absent);
        let given = [symbol, alert, when, once, ids];
        std::array::from_fn(|place| (Self::NAMES[place], given[place]))
    }

    pub(super) fn entry<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "S" => self.symbol = map.next_value::<As<_>>()?.0,
            "id" => self.alert = map.next_value::<As<_>>()?.0,
            "when" => self.when = map.next_value::<As<_>>()?.0,
            "once" => self.once = map.next_value::<As<_>>()?.0,
            _ => self.ids = map.next_value::<As<_>>()?.0,
        }
        Ok(())
    }

    pub(super) fn alert(self, extensions: Option<Extensions>) -> Result<AlertCommand, CommandFault> {
        let symbol = match self.symbol {
            Given::Value(name) => name.parse().ok(),
            Given::Absent | Given::Wrong => None,
        };
        let symbol = symbol.ok_or(wrong("S", "a symbol"))?;
        let expected = "text of 1 to 64 characters other than `*`, and no control characters";
        let alert = text(self.alert).filter(|name| is_name(name)).ok_or(wrong("id", expected))?;
        let when = text(self.when).ok_or(wrong("when", "a condition as text"))?;
        let once = match self.once {
            Given::Value(once) => once,
            Given::Absent => true,
            Given::Wrong => return Err(wrong("once", "true or false")),
        };
        let Extensions { id, since, rejected, .. } = extensions.unwrap_or_default();
        // What a client must not believe to be in force.
        if rejected.options.contains("since") {
            return Err(wrong("x.since", "a map with an `epoch` and the number `sq`"));
        }
        Ok(AlertCommand { symbol, alert, when, once, since, id })
    }

    pub(super) fn unalert(self, extensions: Option<Extensions>) -> Result<UnalertCommand, CommandFault> {
        let Given::Value(alerts) = self.ids else {
            return Err(wrong("ids", "a list of ids of alerts, `*` for all"));
        };
        Ok(UnalertCommand { alerts, id: extensions.and_then(|x| x.id) })
    }
}

impl<'de> Tolerant<'de> for Given<AlertNames> {
    fn wrong() -> Self {
        Self::Wrong
    }

    fn null() -> Self {
        Self::Absent
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let (mut alerts, mut is_valid) = (AlertNames::default(), true);
        while let Some(As(name)) = list.next_element::<As<Given<String>>>()? {
            match name {
                Given::Value(name) if name == "*" => alerts.all = true,
                Given::Value(name) => alerts.names.push(name),
                Given::Absent => {}
                Given::Wrong => is_valid = false,
            }
        }
        Ok(if is_valid { Self::Value(alerts) } else { Self::Wrong })
    }
}

fn text(given: Given<String>) -> Option<String> {
    match given {
        Given::Value(text) => Some(text),
        Given::Absent | Given::Wrong => None,
    }
}

fn is_name(name: &str) -> bool {
    let length = name.chars().take(LONGEST_NAME + 1).count();
    (1..=LONGEST_NAME).contains(&length) && name != "*" && !name.chars().any(char::is_control)
}

const fn wrong(key: &'static str, expected: &'static str) -> CommandFault {
    CommandFault::WrongType { key, expected }
}
