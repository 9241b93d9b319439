use bytes::Bytes;
use serde::Serialize;

use super::frame::{Opcode, message_frame};
use super::{Codec, Wanted};
use crate::model::Channel;

/// What the server says about the conversation itself: always alone, in an array of exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "T", rename_all = "lowercase")]
pub enum Notice {
    /// A step of the conversation went well.
    Success {
        /// `connected` or `authenticated`.
        msg: &'static str,
    },
    /// The whole state of the session's subscription.
    Subscription(Subscription),
    /// A command could not be carried out; nothing was changed by it.
    Error {
        /// The number of the error.
        code: u16,
        /// The error in words.
        msg: &'static str,
    },
}

impl Notice {
    /// The greeting, right after the handshake.
    pub const CONNECTED: Self = Self::Success { msg: "connected" };
    /// The credentials were accepted.
    pub const AUTHENTICATED: Self = Self::Success { msg: "authenticated" };

    /// The notice as a frame.
    pub fn to_frame(&self, codec: Codec) -> Bytes {
        match codec {
            Codec::Json => {
                let text = serde_json::to_vec(&[self]).expect("a notice has only plain fields");
                message_frame(Opcode::Text, &text)
            }
        }
    }
}

impl From<ErrorCode> for Notice {
    fn from(error: ErrorCode) -> Self {
        Self::Error { code: error as u16, msg: error.message() }
    }
}

/// The full state of a subscription: every key always, empty where nothing is wanted, because the
/// JavaScript SDK 3 throws on a missing one. `cancelErrors` and `corrections` follow `trades`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    trades: Vec<String>,
    quotes: Vec<String>,
    bars: Vec<String>,
    updated_bars: Vec<String>,
    daily_bars: Vec<String>,
    statuses: Vec<String>,
    lulds: Vec<String>,
    cancel_errors: Vec<String>,
    corrections: Vec<String>,
}

impl Subscription {
    /// The state in which each channel wants what `wanted` says.
    pub fn of(wanted: impl Fn(Channel) -> Wanted) -> Self {
        let names = |channel| wanted(channel).names();
        let trades = names(Channel::Trades);
        Self {
            quotes: names(Channel::Quotes),
            bars: names(Channel::Bars),
            updated_bars: names(Channel::UpdatedBars),
            daily_bars: names(Channel::DailyBars),
            statuses: Vec::new(),
            lulds: Vec::new(),
            cancel_errors: trades.clone(),
            corrections: trades.clone(),
            trades,
        }
    }
}

/// Why a command was not carried out, by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ErrorCode {
    /// Not JSON, no known action, or a symbol that cannot be one. Mend the command.
    InvalidSyntax = 400,
    /// A second `auth` on one connection. Harmless.
    AlreadyAuthenticated = 403,
    /// More symbols than the limit. The state is unchanged: ask for fewer.
    SymbolLimit = 405,
    /// Reads too slowly; the connection closes after this. Ask for less, or for conflation.
    SlowClient = 407,
}

impl ErrorCode {
    /// The error in words, as Alpaca has them.
    pub const fn message(self) -> &'static str {
        match self {
            Self::InvalidSyntax => "invalid syntax",
            Self::AlreadyAuthenticated => "already authenticated",
            Self::SymbolLimit => "symbol limit exceeded",
            Self::SlowClient => "slow client",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(notice: &Notice) -> String {
        String::from_utf8(notice.to_frame(Codec::Json).to_vec()[2..].to_vec()).unwrap()
    }

    #[test]
    fn a_notice_stands_alone_in_an_array_with_t_first() {
        assert_eq!(text(&Notice::CONNECTED), r#"[{"T":"success","msg":"connected"}]"#);
        assert_eq!(
            text(&ErrorCode::SymbolLimit.into()),
            r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#
        );
    }

    #[test]
    fn a_subscription_has_all_nine_keys_and_corrections_follow_trades() {
        let state = Subscription::of(|channel| match channel {
            Channel::Trades => Wanted { all: false, symbols: vec!["AAPL".parse().unwrap()] },
            Channel::Bars => Wanted { all: true, symbols: vec![] },
            _ => Wanted::default(),
        });

        let frame = Notice::Subscription(state).to_frame(Codec::Json);

        assert_eq!(
            frame[4..],
            *br#"[{"T":"subscription","trades":["AAPL"],"quotes":[],"bars":["*"],"updatedBars":[],"dailyBars":[],"statuses":[],"lulds":[],"cancelErrors":["AAPL"],"corrections":["AAPL"]}]"#
        );
    }
}
