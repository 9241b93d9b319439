//! The upstreams of a relay, one for each feed.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::ConfigError;
use super::feed_option::{FeedOption, flagged, split};
use crate::model::{Feed, Symbol};
use crate::relay::{ReconnectDelays, UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};

/// The upstream of one feed.
#[derive(Clone, Debug)]
pub struct NamedUpstream {
    /// The name of the feed.
    pub feed: Feed,
    /// The upstream.
    pub settings: UpstreamSettings,
}

impl From<UpstreamSettings> for NamedUpstream {
    /// The upstream of the feed `iex`.
    fn from(settings: UpstreamSettings) -> Self {
        Self { feed: Feed::IEX, settings }
    }
}

/// The most feeds of one process. Each has a thread, a hub on each worker, and retained history.
const MAX_UPSTREAMS: usize = 8;

/// The most symbols by name, as in Alpaca's free plan.
const DEFAULT_MAX_SYMBOLS: usize = 30;

/// The command line options of the relay. A variable of the environment holds one value on each line.
#[derive(Clone, Args)]
#[command(next_help_heading = "Relay")]
pub(super) struct UpstreamArgs {
    /// Relay the stream of this server instead of simulating a market: a URL of ws or wss, such as
    /// wss://stream.data.alpaca.markets/v2/iex, or that of another Tapecast. Given several times, each is a feed:
    /// NAME=URL names it, otherwise the last part of the URL's path does. Values of the options below are for all
    /// feeds, or as NAME=VALUE for one of several. See docs/RELAY.md
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM",
        value_name = "[NAME=]URL",
        value_delimiter = '\n',
        conflicts_with = "replay"
    )]
    upstream: Vec<String>,

    /// The key's id at the upstream
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM_KEY",
        value_name = "ID",
        value_delimiter = '\n',
        hide_env_values = true
    )]
    upstream_key: Vec<String>,

    /// The key's secret at the upstream. Other users of the machine see the arguments of processes: a file or the
    /// environment is better
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM_SECRET",
        value_name = "SECRET",
        value_delimiter = '\n',
        hide_env_values = true
    )]
    upstream_secret: Vec<String>,

    /// A file with the key's id
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM_KEY_FILE",
        value_name = "FILE",
        value_delimiter = '\n',
        conflicts_with = "upstream_key"
    )]
    upstream_key_file: Vec<String>,

    /// A file with the key's secret
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM_SECRET_FILE",
        value_name = "FILE",
        value_delimiter = '\n',
        conflicts_with = "upstream_secret"
    )]
    upstream_secret_file: Vec<String>,

    /// The feed at the upstream, where the URL has no path [default: iex]
    #[arg(long, env = "TAPECAST_UPSTREAM_FEED", value_name = "FEED", value_delimiter = '\n')]
    upstream_feed: Vec<String>,

    /// The symbols to subscribe to: a list such as AAPL,MSFT, `*` for all, or on-demand for those that clients
    /// subscribe to by name [default: *]
    #[arg(long, env = "TAPECAST_UPSTREAM_SYMBOLS", value_name = "LIST", value_delimiter = '\n')]
    upstream_symbols: Vec<String>,

    /// The most symbols that may be subscribed to by name, by all clients together if on demand [default: 30]
    #[arg(long, env = "TAPECAST_UPSTREAM_MAX_SYMBOLS", value_name = "N", value_delimiter = '\n')]
    upstream_max_symbols: Vec<String>,

    /// The upstream's REST. Default: that of the stream's host, without a leading `stream.`
    #[arg(long, env = "TAPECAST_UPSTREAM_REST", value_name = "URL", value_delimiter = '\n')]
    upstream_rest: Vec<String>,

    /// Number objects here, even if the upstream is a Tapecast that numbers them: those of all feeds, or of the
    /// named one of several
    #[arg(long, env = "TAPECAST_UPSTREAM_FOREIGN", value_name = "NAME", value_delimiter = '\n', num_args = 0..=1,
        require_equals = true, default_missing_value = "true")]
    upstream_foreign: Vec<String>,

    /// Certificates in PEM to trust beside those of the system
    #[arg(long, env = "TAPECAST_UPSTREAM_CA", value_name = "FILE", value_delimiter = '\n')]
    upstream_ca: Vec<String>,
}

impl std::fmt::Debug for UpstreamArgs {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("UpstreamArgs").finish_non_exhaustive()
    }
}

/// The value of `--upstream-symbols`.
#[derive(Clone, Debug, PartialEq)]
struct SymbolsOption(UpstreamSymbols);

impl FromStr for SymbolsOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "*" => return Ok(Self(UpstreamSymbols::All)),
            "on-demand" => return Ok(Self(UpstreamSymbols::OnDemand)),
            _ => {}
        }
        let symbol = |name: &str| match name.trim().parse() {
            // That of an option for one feed whose name no feed has.
            Ok(_) if name.contains('=') => {
                Err(format!("`{name}` is no symbol of a feed: no feed has this name"))
            }
            Ok(symbol) => Ok(symbol),
            Err(_) => Err(format!("`{name}` is no symbol")),
        };
        text.split(',')
            .map(symbol)
            .collect::<Result<Vec<Symbol>, _>>()
            .map(|list| Self(UpstreamSymbols::Listed(list)))
    }
}

/// The options beside the URLs.
struct UpstreamOptions {
    key: FeedOption,
    secret: FeedOption,
    key_file: FeedOption,
    secret_file: FeedOption,
    feed: FeedOption,
    symbols: FeedOption,
    max_symbols: FeedOption,
    rest: FeedOption,
    authorities: FeedOption,
    /// The feeds whose upstreams' numbers are ignored.
    foreign: Vec<Feed>,
}

impl TryFrom<UpstreamArgs> for Vec<NamedUpstream> {
    type Error = ConfigError;

    fn try_from(args: UpstreamArgs) -> Result<Self, ConfigError> {
        let given = args.upstream.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let given: Vec<_> =
            given.map(|text| split(text).map_or((None, text), |(name, url)| (Some(name), url))).collect();
        if given.is_empty() {
            return Ok(Vec::new());
        }
        if given.len() > MAX_UPSTREAMS {
            return Err(ConfigError::Upstreams { given: given.len(), most: MAX_UPSTREAMS });
        }
        // One without a name is served under those of Alpaca, whatever its URL.
        let is_plain = matches!(given.as_slice(), [(None, _)]);
        let feeds = match is_plain {
            true => vec![Feed::IEX],
            false => feeds(&given, &args.upstream_feed)?,
        };
        let names: &[Feed] = if is_plain { &[] } else { &feeds };
        let option = |name, values: &[String]| FeedOption::read(name, values, names);
        let options = UpstreamOptions {
            key: option("--upstream-key", &args.upstream_key)?,
            secret: option("--upstream-secret", &args.upstream_secret)?,
            key_file: option("--upstream-key-file", &args.upstream_key_file)?,
            secret_file: option("--upstream-secret-file", &args.upstream_secret_file)?,
            feed: option("--upstream-feed", &args.upstream_feed)?,
            symbols: option("--upstream-symbols", &args.upstream_symbols)?,
            max_symbols: option("--upstream-max-symbols", &args.upstream_max_symbols)?,
            rest: option("--upstream-rest", &args.upstream_rest)?,
            authorities: option("--upstream-ca", &args.upstream_ca)?,
            foreign: flagged("--upstream-foreign", &args.upstream_foreign, &feeds)?,
        };
        let upstream = |(feed, (_, url)): (&Feed, &(_, &str))| {
            Ok(NamedUpstream { feed: *feed, settings: options.settings(*feed, url)? })
        };
        feeds.iter().zip(&given).map(upstream).collect()
    }
}

/// The names of the feeds of these upstreams: as given, or the last part of the URL's path, or `at_upstream` where it has
/// none.
fn feeds(given: &[(Option<Feed>, &str)], at_upstream: &[String]) -> Result<Vec<Feed>, ConfigError> {
    let for_all: Vec<_> = at_upstream.iter().filter(|value| split(value).is_none()).cloned().collect();
    let for_all = FeedOption::read("--upstream-feed", &for_all, &[])?;
    let mut feeds = Vec::new();
    for (name, url) in given {
        let of_url = || match last_segment(url) {
            Some(segment) => segment.parse().map_err(|_| ConfigError::UpstreamWithoutName),
            None => Ok(for_all.parsed(Feed::IEX)?.unwrap_or(Feed::IEX)),
        };
        let name = name.map_or_else(of_url, Ok)?;
        if feeds.contains(&name) {
            return Err(ConfigError::UpstreamsOfOneName(name));
        }
        feeds.push(name);
    }
    Ok(feeds)
}

/// The last part of the path of this URL, if it has one.
fn last_segment(url: &str) -> Option<String> {
    let parsed: actix_web::http::Uri = url.parse().ok()?;
    let segment = parsed.path().rsplit('/').find(|part| !part.is_empty())?;
    Some(segment.to_owned())
}

impl UpstreamOptions {
    /// The settings of the upstream of this feed.
    fn settings(&self, feed: Feed, url: &str) -> Result<UpstreamSettings, ConfigError> {
        let id = key_text("--upstream-key-file", self.key.of(feed), self.key_file.of(feed))?;
        let secret = key_text("--upstream-secret-file", self.secret.of(feed), self.secret_file.of(feed))?;
        let key = match (id, secret) {
            (Some(id), Some(secret)) => Some(UpstreamKey { id, secret }),
            (None, None) => None,
            _ => return Err(ConfigError::HalfUpstreamKey),
        };
        let symbols =
            self.symbols.parsed(feed)?.map_or(UpstreamSymbols::All, |SymbolsOption(symbols)| symbols);
        let max_symbols = self.max_symbols.parsed(feed)?.map_or(DEFAULT_MAX_SYMBOLS, NonZeroUsize::get);
        if let UpstreamSymbols::Listed(list) = &symbols
            && list.len() > max_symbols
        {
            return Err(ConfigError::UpstreamSymbols { given: list.len(), most: max_symbols });
        }
        let at_upstream = self.feed.parsed(feed)?.unwrap_or(Feed::IEX);
        Ok(UpstreamSettings {
            url: stream_url(url, at_upstream).ok_or(ConfigError::UpstreamUrl)?,
            rest: self.rest.of(feed).map(str::to_owned).or_else(|| rest_url(url)),
            key,
            symbols,
            max_symbols,
            numbers: match self.foreign.contains(&feed) {
                true => UpstreamNumbers::Ignored,
                false => UpstreamNumbers::Kept,
            },
            authorities: self.authorities.of(feed).map(PathBuf::from),
            delays: ReconnectDelays::default(),
        })
    }
}

/// What was given, or the first line of a file.
fn key_text(
    option: &'static str,
    text: Option<&str>,
    file: Option<&str>,
) -> Result<Option<String>, ConfigError> {
    let Some(file) = file else { return Ok(text.map(str::to_owned)) };
    let unusable = |reason: String| ConfigError::UpstreamKeyFile { option, path: file.into(), reason };
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(Some(line.to_owned())),
        _ => Err(unusable("the first line is empty".to_owned())),
    }
}

/// The URL of the stream; `None` if this is none of WebSocket, or has a user's name in it, which logs would show.
fn stream_url(url: &str, feed: Feed) -> Option<String> {
    let parsed: actix_web::http::Uri = url.parse().ok()?;
    let is_stream = matches!(parsed.scheme_str(), Some("ws" | "wss"));
    let authority = parsed.authority().filter(|authority| is_stream && !authority.as_str().contains('@'))?;
    if matches!(parsed.path(), "" | "/") && parsed.query().is_none() {
        return Some(format!("{}://{authority}/v2/{feed}", parsed.scheme_str()?));
    }
    Some(url.to_owned())
}

/// The URL of the REST that belongs to a stream.
fn rest_url(url: &str) -> Option<String> {
    let parsed: actix_web::http::Uri = url.parse().ok()?;
    let scheme = if parsed.scheme_str() == Some("wss") { "https" } else { "http" };
    let authority = parsed.authority()?.as_str();
    Some(format!("{scheme}://{}", authority.strip_prefix("stream.").unwrap_or(authority)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_an_upstream_is_at_its_host() {
        assert_eq!(
            rest_url("wss://stream.data.alpaca.markets/v2/iex").as_deref(),
            Some("https://data.alpaca.markets")
        );
        assert_eq!(rest_url("ws://127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080"));
    }

    #[test]
    fn a_url_without_a_path_is_of_the_feed() {
        let url = |url| stream_url(url, Feed::SIP);

        assert_eq!(url("ws://h:8080").as_deref(), Some("ws://h:8080/v2/sip"));
        assert_eq!(url("wss://h/").as_deref(), Some("wss://h/v2/sip"));
        assert_eq!(url("wss://h/v2/iex").as_deref(), Some("wss://h/v2/iex"));
        for wrong in ["http://h/v2/iex", "h:8080", "ws://user:secret@h/v2/iex", ""] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }
}
