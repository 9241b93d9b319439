use std::fmt;
use std::str::FromStr;

use super::ConfigError;
use crate::model::Feed;

/// The values of an option of upstreams: one for all feeds, and those for single ones.
pub(super) struct FeedOption {
    name: &'static str,
    for_all: Option<String>,
    by_feed: Vec<(Feed, String)>,
}

impl FeedOption {
    /// Reads the values of this option: `NAME=VALUE`, where `NAME` is one of these feeds, is for this feed alone; any other
    /// value is for all. Empty values count for nothing.
    ///
    /// # Errors
    /// When there are two values for one feed, or for all.
    pub(super) fn read(name: &'static str, values: &[String], feeds: &[Feed]) -> Result<Self, ConfigError> {
        let mut option = Self { name, for_all: None, by_feed: Vec::new() };
        for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
            let is_first = match split(value) {
                Some((feed, value)) if feeds.contains(&feed) => {
                    let is_first = option.by_feed.iter().all(|(known, _)| *known != feed);
                    option.by_feed.push((feed, value.to_owned()));
                    is_first
                }
                _ => option.for_all.replace(value.to_owned()).is_none(),
            };
            if !is_first {
                return Err(ConfigError::UpstreamOptionTwice(name));
            }
        }
        Ok(option)
    }

    /// The value for this feed.
    pub(super) fn of(&self, feed: Feed) -> Option<&str> {
        let own = self.by_feed.iter().find(|(name, _)| *name == feed).map(|(_, value)| value);
        own.or(self.for_all.as_ref()).map(String::as_str)
    }

    /// The parsed value for this feed.
    ///
    /// # Errors
    /// When the value cannot be parsed.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(&self, feed: Feed) -> Result<Option<T>, ConfigError> {
        let invalid = |why: T::Err| ConfigError::UpstreamOption { option: self.name, why: why.to_string() };
        self.of(feed).map(|value| value.parse().map_err(invalid)).transpose()
    }
}

/// Splits `NAME=VALUE`, where `NAME` may name a feed.
pub(super) fn split(text: &str) -> Option<(Feed, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((name.parse().ok()?, value))
}

/// The feeds for which a flag is set: for all by itself or by a word such as `true`, else for those that it names.
///
/// # Errors
/// When a value names none of these feeds.
pub(super) fn flagged(
    name: &'static str,
    values: &[String],
    feeds: &[Feed],
) -> Result<Vec<Feed>, ConfigError> {
    let mut flagged = Vec::new();
    for value in values.iter().map(|value| value.trim()) {
        match value.to_ascii_lowercase().as_str() {
            named if feeds.iter().any(|feed| feed.name() == named) => {
                flagged.extend(feeds.iter().filter(|feed| feed.name() == named));
            }
            "true" | "t" | "yes" | "y" | "on" | "1" => flagged.extend(feeds),
            "" | "false" | "f" | "no" | "n" | "off" | "0" => {}
            _ => {
                let why = format!("`{value}` is no feed of an --upstream");
                return Err(ConfigError::UpstreamOption { option: name, why });
            }
        }
    }
    Ok(flagged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEEDS: [Feed; 2] = [Feed::IEX, Feed::SIP];

    fn read(values: &[&str]) -> Result<FeedOption, ConfigError> {
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        FeedOption::read("--upstream-rest", &values, &FEEDS)
    }

    #[test]
    fn a_value_with_the_name_of_a_feed_precedes_that_for_all() {
        let option = read(&["http://a?x=y", "", "sip=http://b"]).unwrap();

        assert_eq!(option.of(Feed::IEX), Some("http://a?x=y"));
        assert_eq!(option.of(Feed::SIP), Some("http://b"));
        assert_eq!(read(&["sip=b"]).unwrap().of(Feed::IEX), None);
        assert_eq!(read(&["test=b"]).unwrap().of(Feed::IEX), Some("test=b"), "no feed here");
    }

    #[test]
    fn two_values_for_one_feed_are_refused() {
        for values in [["a", "b"], ["sip=a", "sip=b"]] {
            let error = read(&values).map(|_| ()).unwrap_err();
            assert_eq!(error, ConfigError::UpstreamOptionTwice("--upstream-rest"));
        }
    }

    #[test]
    fn a_flag_is_of_all_feeds_or_of_those_that_it_names() {
        let flagged = |values: &[&str]| {
            let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
            super::flagged("--upstream-foreign", &values, &FEEDS)
        };

        assert_eq!(flagged(&["true"]).unwrap(), FEEDS);
        assert_eq!(flagged(&["sip"]).unwrap(), [Feed::SIP]);
        assert_eq!(flagged(&["off"]).unwrap(), []);
        let error = flagged(&["polygon"]).unwrap_err();
        assert!(matches!(error, ConfigError::UpstreamOption { option: "--upstream-foreign", .. }));
    }
}
