use std::fmt;

use super::event::is_letter;

/// A short code that sources extend as they like: up to 7 [letters](is_letter).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Code {
    text: [u8; 7],
    len: u8,
}

/// A text is not a code: it is empty, longer than 7 characters, or has others than [letters](is_letter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has 1 to 7 printable ASCII characters, without quotation marks and backslashes")]
pub struct InvalidCode;

impl Code {
    /// # Panics
    /// When the text is not a code. For constants.
    const fn of(text: &str) -> Self {
        match Self::parse(text) {
            Some(code) => code,
            None => panic!("not a code"),
        }
    }

    const fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut code = Self { text: [0; 7], len: bytes.len() as u8 };
        if bytes.is_empty() || bytes.len() > code.text.len() {
            return None;
        }
        let mut at = 0;
        while at < bytes.len() {
            if !is_letter(bytes[at]) {
                return None;
            }
            code.text[at] = bytes[at];
            at += 1;
        }
        Some(code)
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.text[..usize::from(self.len)]).expect("a code is ASCII")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(out)
    }
}

macro_rules! declare_codes {
    (
        $(#[$doc:meta])* $name:ident, known: $known:ident;
        constants { $($constant:ident $code:literal $message:literal,)* }
        others { $($other:literal $other_message:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(Code);

        /// The known codes and what they mean.
        const $known: &[(&str, &str)] = &[$(($code, $message),)* $(($other, $other_message),)*];

        impl $name {
            $(
                #[doc = concat!("`", $code, "`: ", $message, ".")]
                pub const $constant: Self = Self(Code::of($code));
            )*

            /// The code on the wire.
            pub fn code(&self) -> &str {
                self.0.as_str()
            }

            /// The code as text; the code itself if it is not known.
            pub fn message(&self) -> &str {
                let known = $known.iter().find(|(code, _)| *code == self.code());
                known.map_or(self.code(), |(_, message)| message)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.code()
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidCode;

            fn try_from(code: &str) -> Result<Self, InvalidCode> {
                Code::parse(code).map(Self).ok_or(InvalidCode)
            }
        }
    };
}

declare_codes! {
    /// Whether an instrument trades (`sc`).
    ///
    /// Codes and messages are those of the two consolidated tapes: letters are of the UTP plan (trading action
    /// message), digits of the CTA plan (security status). Sources may have others.
    TradingStatus, known: STATUSES;
    constants {
        HALTED "H" "Trading Halt",
        RESUMED "T" "Trading Resumption",
    }
    others {
        "P" "Volatility Trading Pause",
        "Q" "Quotation Resumption",
        "2" "Trading Halt",
        "3" "Resume",
        "5" "Price Indication",
        "6" "Trading Range Indication",
        "7" "Market Imbalance Buy",
        "8" "Market Imbalance Sell",
        "A" "Market On Close Imbalance Buy",
        "B" "Market On Close Imbalance Sell",
        "D" "No Market Imbalance",
        "E" "Short Sale Restriction",
        "F" "Limit Up-Limit Down",
    }
}

declare_codes! {
    /// The reason of a change of the trading status (`rc`), with the codes of the UTP and CTA plans. Sources may have
    /// others.
    StatusReason, known: REASONS;
    constants {
        NEWS_PENDING "T1" "Halt News Pending",
        VOLATILITY_PAUSE "LUDP" "Volatility Trading Pause",
        RESUMPTION "T3" "News and Resumption Times",
    }
    others {
        "T2" "Halt News Dissemination",
        "T5" "Single Stock Trading Pause In Effect",
        "T6" "Regulatory Halt Extraordinary Market Activity",
        "T7" "Single Stock Trading Pause/Quotation-Only Period",
        "T8" "Halt ETF",
        "T12" "Trading Halted; For information requested by listing market",
        "H4" "Halt Non Compliance",
        "H9" "Halt Filings Not Current",
        "H10" "Halt SEC Trading Suspension",
        "H11" "Halt Regulatory Concern",
        "O1" "Operations Halt, Contact Market Operations",
        "IPO1" "IPO Issue not yet Trading",
        "M1" "Corporate Action",
        "M2" "Quotation Not Available",
        "LUDS" "Volatility Trading Pause - Straddle Condition",
        "MWC1" "Market Wide Circuit Breaker Halt - Level 1",
        "MWC2" "Market Wide Circuit Breaker Halt - Level 2",
        "MWC3" "Market Wide Circuit Breaker Halt - Level 3",
        "MWCQ" "Market Wide Circuit Breaker Resumption",
        "R4" "Qualifications Issues Reviewed/Resolved; Quotations/Trading to Resume",
        "R9" "Filing Requirements Satisfied/Resolved; Quotations/Trading To Resume",
        "C3" "Issuer News Not Forthcoming; Quotations/Trading To Resume",
        "C4" "Qualifications Halt ended; maint. Req. met; Resume",
        "C9" "Qualifications Halt Concluded; Filings Met; Quotes/Trades To Resume",
        "D" "News Dissemination",
        "P" "News Pending",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_has_its_message_and_another_one_is_its_own() {
        assert_eq!((TradingStatus::HALTED.code(), TradingStatus::HALTED.message()), ("H", "Trading Halt"));
        let reason = StatusReason::try_from("MWC1").unwrap();
        assert_eq!(reason.message(), "Market Wide Circuit Breaker Halt - Level 1");
        let unknown = StatusReason::try_from("ZZ99").unwrap();
        assert_eq!((unknown.code(), unknown.message()), ("ZZ99", "ZZ99"));
    }

    #[test]
    fn a_code_is_short_and_needs_no_escape_in_json() {
        for text in ["", "12345678", "a\"", "a\\", "\n", "é"] {
            assert_eq!(TradingStatus::try_from(text), Err(InvalidCode), "{text:?}");
        }
    }
}
