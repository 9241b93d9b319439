use std::str::FromStr;

use super::ParseError;
use crate::model::Symbol;

/// The topics that a pattern stands for: `*` for all, `chat:*` for those of a namespace, or one by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPattern(Pattern);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    All,
    /// What precedes the star, the colon included.
    Namespace(Box<str>),
    One(Box<str>),
}

impl FromStr for TopicPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        const ERROR: ParseError = ParseError("expected *, NAMESPACE:* or the name of a topic");
        if text == "*" {
            return Ok(Self(Pattern::All));
        }
        text.parse::<Symbol>().map_err(|_| ERROR)?;
        let (namespace, name) = text.split_once(':').ok_or(ERROR)?;
        match name {
            _ if namespace.is_empty() || namespace.contains('*') => Err(ERROR),
            "*" => Ok(Self(Pattern::Namespace(text.trim_end_matches('*').into()))),
            name if name.is_empty() || name.contains('*') => Err(ERROR),
            _ => Ok(Self(Pattern::One(text.into()))),
        }
    }
}

impl TopicPattern {
    /// Whether it includes the topic of this name, or all topics that `NAMESPACE:*` stands for.
    fn includes(&self, name: &str) -> bool {
        match &self.0 {
            Pattern::All => true,
            Pattern::Namespace(namespace) => name.starts_with(&**namespace),
            Pattern::One(one) => **one == *name,
        }
    }

    fn is_all(&self) -> bool {
        self.0 == Pattern::All
    }
}

/// What a key may do with topics, within the rules of their namespaces. `None` is what the namespace says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicRights {
    /// The topics that it may subscribe to.
    pub subscribe: Option<Vec<TopicPattern>>,
    /// The topics that it may publish to, also where the namespace has a list of keys.
    pub publish: Option<Vec<TopicPattern>>,
}

impl TopicRights {
    /// Whether it may subscribe to the topic of this name, or to all that `NAMESPACE:*` stands for.
    pub fn allow_subscription(&self, name: &str) -> bool {
        self.subscribe.as_ref().is_none_or(|patterns| patterns.iter().any(|it| it.includes(name)))
    }

    /// Whether it may subscribe to every topic.
    pub fn allow_all_subscriptions(&self) -> bool {
        self.subscribe.as_ref().is_none_or(|patterns| patterns.iter().any(TopicPattern::is_all))
    }

    /// Whether it may publish to the topic of this name; `None`: the namespace alone says so.
    pub fn publishing(&self, name: &str) -> Option<bool> {
        self.publish.as_ref().map(|patterns| patterns.iter().any(|it| it.includes(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Option<Vec<TopicPattern>> {
        Some(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_pattern_is_all_topics_a_namespace_or_one() {
        let rights =
            TopicRights { subscribe: patterns(&["chat:*", "weather:london"]), publish: patterns(&[]) };

        for (name, is_allowed) in [
            ("chat:AAPL", true),
            ("chat:*", true),
            ("chats:AAPL", false),
            ("weather:london", true),
            ("weather:london2", false),
            ("weather:*", false),
        ] {
            assert_eq!(rights.allow_subscription(name), is_allowed, "{name}");
        }
        assert!(!rights.allow_all_subscriptions());
        assert_eq!(rights.publishing("chat:AAPL"), Some(false));

        let all = TopicRights { subscribe: patterns(&["*"]), publish: None };
        assert!(all.allow_all_subscriptions() && all.allow_subscription("weather:*"));
        assert_eq!(all.publishing("chat:AAPL"), None);
    }

    #[test]
    fn a_text_that_stands_for_no_topic_is_an_error() {
        for text in ["", "chat", ":x", "chat:", "c*:x", "chat:A*", "*:*", "**", "chat:a b", "chat:\"x"] {
            assert!(text.parse::<TopicPattern>().is_err(), "{text}");
        }
    }
}
