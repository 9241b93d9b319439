use std::fmt;
use std::str::FromStr;

/// The name of a data feed, which clients put into the path: `/v2/iex`. 1 to 32 small letters, digits, `-` and `_`.
///
/// At Alpaca each feed has its own sources and price. A server of one market gives it under all of Alpaca's names; one
/// with several upstreams has a feed for each. A key may be limited to some names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Feed {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

/// The text is not the name of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a feed has a name such as iex or sip, of 1 to {} of a-z, 0-9, - and _, which is not that of a path of REST",
    Feed::MAX_LEN
)]
pub struct FeedError;

impl Feed {
    /// The longest name.
    pub const MAX_LEN: usize = 32;

    /// Trades and quotes of the exchange IEX.
    pub const IEX: Self = Self::new("iex");
    /// The consolidated feed of all exchanges.
    pub const SIP: Self = Self::new("sip");
    /// The consolidated feed, 15 minutes late.
    pub const DELAYED_SIP: Self = Self::new("delayed_sip");
    /// Alpaca's feed for tests, which is also open at night.
    pub const TEST: Self = Self::new("test");

    /// The feeds of Alpaca.
    pub const ALPACA: [Self; 4] = [Self::IEX, Self::SIP, Self::DELAYED_SIP, Self::TEST];

    /// The paths of REST beside the feeds: `/v2/assets`.
    const RESERVED: [&str; 3] = ["assets", "clock", "stocks"];

    const fn new(name: &str) -> Self {
        let (name, mut bytes) = (name.as_bytes(), [0; Self::MAX_LEN]);
        let (used, _) = bytes.split_at_mut(name.len());
        used.copy_from_slice(name);
        Self { bytes, len: name.len() as u8 }
    }

    /// The name in paths and in the key file.
    pub fn name(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len as usize]).expect("a feed holds ASCII only")
    }
}

impl FromStr for Feed {
    type Err = FeedError;

    fn from_str(name: &str) -> Result<Self, FeedError> {
        let fits = (1..=Self::MAX_LEN).contains(&name.len());
        let clean = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
        match fits && clean && !Self::RESERVED.contains(&name) {
            true => Ok(Self::new(name)),
            false => Err(FeedError),
        }
    }
}

impl fmt::Display for Feed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Feed({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_keeps_its_name() {
        let longest = "x".repeat(Feed::MAX_LEN);
        for name in ["iex", "delayed_sip", "polygon-2", "7", &longest] {
            assert_eq!(name.parse::<Feed>().unwrap().name(), name);
        }
        assert_eq!("sip".parse(), Ok(Feed::SIP));
    }

    #[test]
    fn text_that_is_no_segment_of_a_path_or_one_of_rest_is_refused() {
        let too_long = "x".repeat(Feed::MAX_LEN + 1);
        for bad in ["", "IEX", "a b", "a/b", "a=b", "é", "assets", "clock", "stocks", &too_long] {
            assert_eq!(bad.parse::<Feed>(), Err(FeedError), "{bad:?}");
        }
    }
}
