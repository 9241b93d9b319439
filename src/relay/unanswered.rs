use std::collections::VecDeque;

use crate::model::Symbol;
use crate::wire::ServerMessage;

/// The commands that the upstream has yet to answer, each with the symbols on demand that it asks for.
///
/// A server answers commands in order, each with an acknowledgement or an error. So an error belongs to the oldest
/// command that waits, which need not be the last one that was sent.
#[derive(Debug, Default)]
pub(super) struct UnansweredCommands(VecDeque<Vec<Symbol>>);

/// The most commands that wait: those of some minutes. The oldest one is forgotten then.
const MOST_COMMANDS: usize = 1_024;

impl UnansweredCommands {
    /// A command was sent.
    pub(super) fn sent(&mut self, symbols: Vec<Symbol>) {
        if self.0.len() == MOST_COMMANDS {
            self.0.pop_front();
        }
        self.0.push_back(symbols);
    }

    /// The symbols of the command that this message answers; `None` if it answers none.
    pub(super) fn take_answered(&mut self, message: &ServerMessage) -> Option<Vec<Symbol>> {
        match message {
            ServerMessage::Subscription(_) | ServerMessage::Error { code: 400 | 405 | 410, .. } => {
                self.0.pop_front()
            }
            _ => None,
        }
    }

    /// Another connection begins.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fixtures;

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn an_answer_belongs_to_the_oldest_command() {
        let mut commands = UnansweredCommands::default();
        let error = |code| ServerMessage::Error { code, message: String::new() };
        let acknowledged = ServerMessage::Subscription(fixtures::acknowledgement(None));
        [&["A", "B"][..], &[], &["C"]].into_iter().for_each(|names| commands.sent(symbols(names)));

        assert_eq!(commands.take_answered(&error(405)), Some(symbols(&["A", "B"])));
        assert_eq!(commands.take_answered(&error(407)), None, "a slow client is no answer");
        assert_eq!(commands.take_answered(&acknowledged), Some(vec![]));
        commands.sent(symbols(&["D"]));
        assert_eq!(commands.take_answered(&error(405)), Some(symbols(&["C"])));
        commands.clear();
        assert_eq!(commands.take_answered(&acknowledged), None);
    }

    #[test]
    fn no_more_commands_wait_than_the_limit() {
        let mut commands = UnansweredCommands::default();

        (0..=MOST_COMMANDS)
            .for_each(|place| commands.sent(symbols(if place == 0 { &["A"] } else { &["B"] })));

        assert_eq!(commands.0.len(), MOST_COMMANDS);
        assert_eq!(commands.0[0], symbols(&["B"]));
    }
}
