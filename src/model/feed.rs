use std::fmt;
use std::str::FromStr;

/// A data feed, by the name that clients put into the path: `/v2/iex`.
///
/// At Alpaca each has its own sources and price. Here all of them serve the same market, and a key may be
/// limited to some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Trades and quotes of the exchange IEX.
    Iex,
    /// The consolidated feed of all exchanges.
    Sip,
    /// The consolidated feed, 15 minutes late.
    DelayedSip,
    /// Alpaca's feed for tests, which is also open at night.
    Test,
}

/// There is no feed of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the feeds are iex, sip, delayed_sip and test")]
pub struct UnknownFeed;

impl Feed {
    /// Every feed.
    pub const ALL: [Self; 4] = [Self::Iex, Self::Sip, Self::DelayedSip, Self::Test];

    /// The name in paths and in the key file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iex => "iex",
            Self::Sip => "sip",
            Self::DelayedSip => "delayed_sip",
            Self::Test => "test",
        }
    }
}

impl FromStr for Feed {
    type Err = UnknownFeed;

    fn from_str(name: &str) -> Result<Self, UnknownFeed> {
        Self::ALL.into_iter().find(|feed| feed.name() == name).ok_or(UnknownFeed)
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feed_is_found_by_its_name() {
        for feed in Feed::ALL {
            assert_eq!(feed.to_string().parse(), Ok(feed));
        }
        assert_eq!("nasdaq".parse::<Feed>(), Err(UnknownFeed));
    }
}
