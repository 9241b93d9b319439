use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::archive::Place;
use crate::model::{Seq, Symbol, Timestamp};

/// Where a page ended: after this row of this symbol. What the next page begins with follows on it,
/// whatever was added or forgotten meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) symbol: Symbol,
    pub(super) place: Place,
}

impl Token {
    /// As it goes to the client, which sends it back as it is. Needs no escapes anywhere.
    pub(super) fn encode(&self) -> String {
        let Place { at, seq } = self.place;
        URL_SAFE_NO_PAD.encode(format!("{}|{}|{}", self.symbol, at.nanos(), seq.0))
    }

    /// Nothing where we cannot have made it. Padding does no harm.
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
    fn a_token_comes_back_as_it_went() {
        for symbol in ["AAPL", "BRK.B", "A|B"] {
            let place = Place { at: Timestamp::from_nanos(-5), seq: Seq(u64::MAX) };
            let token = Token { symbol: symbol.parse().unwrap(), place };

            let text = token.encode();

            assert_eq!(Token::decode(&text), Some(token));
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "%", "AAPL", "QUFQTA", "QUFQTHwxfHg", "____"] {
            assert_eq!(Token::decode(text), None, "{text}");
        }
    }
}
