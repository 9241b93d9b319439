use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::archive::Place;
use crate::model::{Seq, Symbol, Timestamp};

/// A page token: the symbol and the position of the page's last row. The next page starts after it, even if
/// rows were added or dropped in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) symbol: Symbol,
    pub(super) place: Place,
}

impl Token {
    /// The token as text that needs no escaping in JSON or in a query string.
    pub(super) fn encode(&self) -> String {
        let Place { at, seq } = self.place;
        URL_SAFE_NO_PAD.encode(format!("{}|{}|{}", self.symbol, at.nanos(), seq.0))
    }

    /// Parses a token; `None` if it is not one of ours. Padding is ignored.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        // A symbol may hold the separator; numbers do not.
        let mut parts = text.rsplitn(3, '|');
        let seq = Seq(parts.next()?.parse().ok()?);
        let at = Timestamp::from_nanos(parts.next()?.parse().ok()?);
        Some(Self { symbol: parts.next()?.parse().ok()?, place: Place { at, seq } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_a_round_trip() {
        for symbol in ["AAPL", "BRK.B", "A|B"] {
            let place = Place { at: Timestamp::from_nanos(-5), seq: Seq(u64::MAX) };
            let token = Token { symbol: symbol.parse().unwrap(), place };

            let text = token.encode();

            assert_eq!(Token::decode(&text), Some(token));
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_a_token_is_none() {
        for text in ["", "%", "AAPL", "QUFQTA", "QUFQTHwxfHg", "____"] {
            assert_eq!(Token::decode(text), None, "{text}");
        }
    }
}
