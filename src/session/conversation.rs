use std::sync::Arc;

use super::{Filter, Interest};
use crate::model::{Channel, Universe};
use crate::wire::{Command, ErrorCode, Notice, Subscription};

/// What one session may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most names, over all channels, `*` included. Default 30,000: three channels of 10,000
    /// symbols, about 2 MiB of memory; more gets error 405.
    pub symbols: usize,
    /// The longest message, in bytes, fragmented or not. Default 1 MiB, which is 10,000 symbols in
    /// each of ten channels; more closes with 1009.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { symbols: 30_000, message_bytes: 1 << 20 }
    }
}

/// What has been said so far, and what to answer next. The service is open: any key is accepted,
/// and who shows none may subscribe too.
#[derive(Debug)]
pub struct Conversation {
    universe: Arc<Universe>,
    limits: Limits,
    filter: Filter,
    is_authenticated: bool,
}

impl Conversation {
    /// A conversation before its first command. Who showed credentials on the upgrade request
    /// `is_authenticated` already.
    pub fn new(universe: Arc<Universe>, limits: Limits, is_authenticated: bool) -> Self {
        Self { universe, limits, filter: Filter::default(), is_authenticated }
    }

    /// What to say before anything was asked.
    pub fn greeting(&self) -> Vec<Notice> {
        match self.is_authenticated {
            true => vec![Notice::CONNECTED, Notice::AUTHENTICATED],
            false => vec![Notice::CONNECTED],
        }
    }

    /// Carries a command out. The answer goes out before any object that follows from `change`.
    pub fn answer(&mut self, command: Result<Command, ErrorCode>, change: impl FnMut(Interest)) -> Notice {
        match command {
            Err(error) => error.into(),
            Ok(Command::Auth { .. }) if self.is_authenticated => ErrorCode::AlreadyAuthenticated.into(),
            Ok(Command::Auth { .. }) => {
                self.is_authenticated = true;
                Notice::AUTHENTICATED
            }
            Ok(Command::Subscribe(more, _)) if self.filter.len_with(&more) > self.limits.symbols => {
                ErrorCode::SymbolLimit.into()
            }
            Ok(Command::Subscribe(more, _)) => {
                self.filter.add(&more, &self.universe, change);
                self.subscription()
            }
            Ok(Command::Unsubscribe(less, _)) => {
                self.filter.remove(&less, &self.universe, change);
                self.subscription()
            }
        }
    }

    /// What the client wants by now.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    fn subscription(&self) -> Notice {
        Notice::Subscription(Subscription::of(|channel: Channel| self.filter.of(channel), None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Stream, SymbolId};
    use crate::wire::{Codec, fixtures};

    fn conversation(symbols: usize) -> Conversation {
        let limits = Limits { symbols, ..Limits::default() };
        Conversation::new(Arc::new(fixtures::universe()), limits, false)
    }

    fn say(conversation: &mut Conversation, text: &str) -> (String, Vec<Interest>) {
        let mut changes = Vec::new();
        let notice =
            conversation.answer(Command::read(Codec::Json, text.as_bytes()), |change| changes.push(change));
        let frame = notice.to_frame(Codec::Json);
        let json = frame.iter().position(|byte| *byte == b'[').unwrap();
        (String::from_utf8(frame[json..].to_vec()).unwrap(), changes)
    }

    #[test]
    fn a_subscription_is_answered_with_the_whole_state() {
        let mut conversation = conversation(10);
        say(&mut conversation, r#"{"action":"subscribe","trades":["MSFT"]}"#);

        let (answer, changes) = say(&mut conversation, r#"{"action":"subscribe","trades":["AAPL"]}"#);

        assert!(
            answer.starts_with(r#"[{"T":"subscription","trades":["AAPL","MSFT"],"quotes":[],"#),
            "{answer}"
        );
        assert_eq!(changes, [Interest::Begin(Stream { channel: Channel::Trades, symbol: SymbolId(0) })]);
    }

    #[test]
    fn too_many_symbols_change_nothing() {
        let mut conversation = conversation(2);
        say(&mut conversation, r#"{"action":"subscribe","trades":["MSFT"]}"#);

        let (refused, changes) = say(&mut conversation, r#"{"action":"subscribe","trades":["A","B"]}"#);
        let (state, _) = say(&mut conversation, r#"{"action":"subscribe"}"#);

        assert!(refused.contains(r#""code":405"#), "{refused}");
        assert_eq!(changes, []);
        assert!(state.contains(r#""trades":["MSFT"]"#), "{state}");
    }

    #[test]
    fn a_second_authentication_is_an_error_and_harmless() {
        let mut conversation = conversation(2);
        let auth = r#"{"action":"auth","key":"K","secret":"S"}"#;

        let (first, _) = say(&mut conversation, auth);
        let (second, _) = say(&mut conversation, auth);

        assert_eq!(first, r#"[{"T":"success","msg":"authenticated"}]"#);
        assert!(second.contains(r#""code":403"#), "{second}");
    }

    #[test]
    fn credentials_on_the_upgrade_are_acknowledged_unasked() {
        let limits = Limits::default();
        let conversation = Conversation::new(Arc::new(fixtures::universe()), limits, true);

        assert_eq!(conversation.greeting(), [Notice::CONNECTED, Notice::AUTHENTICATED]);
    }
}
