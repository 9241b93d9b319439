use serde::{Serialize, Serializer};

use super::clock_text::rfc3339;
use super::control::Answered;
use super::msgpack::timestamp_extension;
use crate::model::{Price, Timestamp};

/// The price alerts of a session: the answer to each command about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertList {
    /// All of them, in the order in which they were set.
    pub list: Vec<AlertEntry>,
    /// The epoch of the numbers.
    pub epoch: String,
    /// The command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<Answered>,
}

/// One price alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertEntry {
    /// The symbol.
    #[serde(rename = "S")]
    pub symbol: String,
    /// The client's name for it.
    pub id: String,
    /// The condition, as the client wrote it.
    pub when: String,
    /// Whether it ends when it has fired.
    pub once: bool,
    /// `true` if the price is beyond already: it fires when the price was on the other side. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub now: bool,
    /// The number of the symbol's last trade up to which the alert was evaluated: a later command may say `since` it.
    pub sq: u64,
}

/// A price alert that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertNotice {
    /// The symbol.
    #[serde(rename = "S")]
    pub symbol: String,
    /// The client's name for it.
    pub id: String,
    /// The condition, as the client wrote it.
    pub when: String,
    /// The price of the trade that crossed.
    pub p: WirePrice,
    /// The number of that trade.
    pub sq: u64,
    /// How many earlier times it fired that were not told: they were merged into this one. Absent if none.
    #[serde(rename = "cf", skip_serializing_if = "Option::is_none")]
    pub merged: Option<u64>,
    /// The time of that trade.
    pub t: WireTime,
}

/// A price in dollars: a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WirePrice(pub Price);

/// A time in the form of data objects: RFC 3339 in JSON, a timestamp extension in MessagePack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireTime(pub Timestamp);

impl Serialize for WirePrice {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        target.serialize_f64(self.0.to_dollars())
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        if target.is_human_readable() {
            return target.serialize_str(&rfc3339(self.0));
        }
        let (kind, bytes) = timestamp_extension(self.0);
        target.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &(kind, ExtensionBytes(&bytes)))
    }
}

struct ExtensionBytes<'a>(&'a [u8]);

impl Serialize for ExtensionBytes<'_> {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        target.serialize_bytes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;
    use crate::wire::{Codec, ControlMessage, DeliveryKind, fixtures};

    fn notice() -> AlertNotice {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        let (symbol, id) = ("AAPL".to_owned(), "a\"1".to_owned());
        let (p, t) = (WirePrice(Price::from_cents(19_002)), WireTime(trade.at));
        AlertNotice { symbol, id, when: "p>=190.00".to_owned(), p, sq: 8842, merged: None, t }
    }

    fn json(message: &ControlMessage) -> String {
        String::from_utf8(fixtures::payload(&message.to_frame(Codec::Json)).to_vec()).unwrap()
    }

    #[test]
    fn a_fired_alert_has_the_keys_of_the_trade_that_crossed() {
        let at = rfc3339(notice().t.0);
        assert_eq!(
            json(&ControlMessage::Alert(notice())),
            format!(
                r#"[{{"T":"a","S":"AAPL","id":"a\"1","when":"p>=190.00","p":190.02,"sq":8842,"t":"{at}"}}]"#
            )
        );
        let merged = ControlMessage::Alert(AlertNotice { merged: Some(3), ..notice() });
        assert!(json(&merged).contains(r#""sq":8842,"cf":3,"t":"#));
    }

    #[test]
    fn the_answer_lists_all_alerts() {
        let (symbol, id, when) = ("AAPL".to_owned(), "a1".to_owned(), "chg>=5%".to_owned());
        let entry = AlertEntry { symbol, id, when, once: true, now: true, sq: 7 };
        let other = AlertEntry { now: false, ..entry.clone() };
        let list = AlertList { list: vec![entry, other], epoch: "k3".to_owned(), x: None };

        assert_eq!(
            json(&ControlMessage::Alerts(list)),
            r#"[{"T":"alerts","list":[{"S":"AAPL","id":"a1","when":"chg>=5%","once":true,"now":true,"sq":7},{"S":"AAPL","id":"a1","when":"chg>=5%","once":true,"sq":7}],"epoch":"k3"}]"#
        );
    }

    /// The bytes that a trade has for its time.
    #[test]
    fn in_messagepack_the_time_is_that_of_a_trade() {
        let frame = ControlMessage::Alert(notice()).to_frame(Codec::MsgPack);
        let mut encoded = Vec::new();
        Codec::MsgPack.write(&mut encoded, &fixtures::universe(), &fixtures::trade(), DeliveryKind::Live);
        let time = |bytes: &[u8]| {
            let key = bytes.windows(2).rposition(|two| two == [0xa1, b't']).unwrap();
            bytes[key + 2..key + 12].to_vec()
        };

        assert_eq!(time(&frame), time(&encoded));
        assert_eq!(fixtures::payload(&frame)[..2], [0x91, 0x87]);
    }
}
