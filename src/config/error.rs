use thiserror::Error;

use super::{MAX_LISTINGS, MAX_WORKERS};
use crate::model::Feed;

/// The exit code for wrong arguments, the same as clap's.
pub const WRONG_ARGUMENTS: u8 = 2;

/// An option has an invalid value. The program reports it and exits with code 2.
#[derive(Debug, Error, PartialEq)]
pub enum ConfigError {
    /// The host name of an address to listen on cannot be resolved.
    #[error("{option}: cannot resolve the host name of {address}: {reason}")]
    UnknownHost {
        /// The option.
        option: &'static str,
        /// The value.
        address: String,
        /// Why.
        reason: String,
    },
    /// The number of instruments is out of range.
    #[error("--symbols must be from 1 to {MAX_LISTINGS}, not {0}")]
    Symbols(usize),
    /// A rate or a duration is out of range.
    #[error("{name} must be from 0 to {max}, not {value}")]
    Rate {
        /// The option.
        name: &'static str,
        /// The maximum.
        max: f64,
        /// The value.
        value: f64,
    },
    /// The length of bars is out of range.
    #[error("--bar-seconds must be from 1 to 3600, not {0}")]
    BarSeconds(u32),
    /// The number of workers is out of range.
    #[error("--workers must be from 1 to {MAX_WORKERS}, not {0}")]
    Workers(usize),
    /// Only one of certificate and private key is given.
    #[error("--tls-cert and --tls-key go together")]
    HalfTls,
    /// There is an address for TLS, and no certificate.
    #[error("--tls-listen needs --tls-cert and --tls-key")]
    NoCertificate,
    /// There are rules for tokens, and nothing that verifies them.
    #[error("--jwt-audience and --jwt-issuer need --jwt-jwks or --jwt-secret-file")]
    NoTokenKeys,
    /// Faults would be made for clients of other machines.
    #[error(
        "--faults breaks the connections of all clients: for addresses beyond loopback add --faults-anywhere"
    )]
    FaultsBeyondLoopback,
    /// An option of the replay is given without files.
    #[error("--speed, --from, --until, --loop, --clock, --symbols-map and --csv-map need --replay")]
    NoReplay,
    /// The replay would end before it starts.
    #[error("--from must be before --until")]
    EmptyReplay,
    /// A journal is asked for where no feed is.
    #[error("--journal is for feeds: --role gateway publishes nothing of its own")]
    JournalOfGateway,
    /// The upstream is no URL of a stream.
    #[error(
        "--upstream must be a URL such as wss://stream.example.org/v2/iex, of ws or wss and without a user in it, or \
         NAME=URL with a name of a-z, 0-9, - and _"
    )]
    UpstreamUrl,
    /// There are more upstreams than feeds may be.
    #[error("--upstream is given {given} times, and {most} are allowed")]
    Upstreams {
        /// How many are given.
        given: usize,
        /// How many may be.
        most: usize,
    },
    /// Two upstreams have the same name.
    #[error("--upstream is given twice for the feed {0}: name each, as in --upstream NAME=URL")]
    UpstreamsOfOneName(Feed),
    /// The URL of one of several upstreams does not name a feed.
    #[error("--upstream with a URL whose path ends in no name of a feed: name it, as in --upstream NAME=URL")]
    UpstreamWithoutName,
    /// An option of one feed is given with several upstreams.
    #[error("{0} is for one feed, and there are several --upstream")]
    SeveralUpstreams(&'static str),
    /// An option of upstreams has two values for one feed.
    #[error(
        "{0} is given twice: once for all feeds, and as NAME=VALUE once for each --upstream of this name"
    )]
    UpstreamOptionTwice(&'static str),
    /// An option of upstreams has an invalid value.
    #[error("{option}: {why}")]
    UpstreamOption {
        /// The option.
        option: &'static str,
        /// Why.
        why: String,
    },
    /// Only one of key and secret is given.
    #[error(
        "--upstream-key and --upstream-secret go together, or --upstream-key-file and --upstream-secret-file"
    )]
    HalfUpstreamKey,
    /// A file of the key cannot be read.
    #[error("{option} {path}: {reason}")]
    UpstreamKeyFile {
        /// The option.
        option: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// More symbols are named than may be.
    #[error("--upstream-symbols has {given} names, and --upstream-max-symbols allows {most}")]
    UpstreamSymbols {
        /// How many are named.
        given: usize,
        /// How many may be.
        most: usize,
    },
    /// An option for retained history is out of range.
    #[error("{name} must be from 1 to {max}, not {value}")]
    Retain {
        /// The option.
        name: &'static str,
        /// The maximum.
        max: usize,
        /// The value.
        value: usize,
    },
    /// Weather is to be published, and there is no namespace for it.
    #[error("--weather simulated needs a namespace `weather` in --topics")]
    NoWeather,
    /// The file of the topics cannot be read, or is none.
    #[error("--topics {path}: {reason}")]
    Topics {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
}
