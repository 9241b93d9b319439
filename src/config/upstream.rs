//! The upstream of a relay.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::ConfigError;
use super::command_line::positive;
use crate::model::{Feed, Symbol};
use crate::relay::{ReconnectDelays, UpstreamKey, UpstreamNumbers, UpstreamSettings, UpstreamSymbols};

/// The command line options of the relay.
#[derive(Clone, Args)]
#[command(next_help_heading = "Relay")]
pub(super) struct UpstreamArgs {
    /// Relay the stream of this server instead of simulating a market: a URL of ws or wss, such as
    /// wss://stream.data.alpaca.markets/v2/iex, or that of another Tapecast. See docs/RELAY.md
    #[arg(long, env = "TAPECAST_UPSTREAM", value_name = "URL", conflicts_with_all = ["replay", "journal"])]
    upstream: Option<String>,

    /// The key's id at the upstream
    #[arg(long, env = "TAPECAST_UPSTREAM_KEY", value_name = "ID", hide_env_values = true)]
    upstream_key: Option<String>,

    /// The key's secret at the upstream. Other users of the machine see the arguments of processes: a file or the
    /// environment is better
    #[arg(long, env = "TAPECAST_UPSTREAM_SECRET", value_name = "SECRET", hide_env_values = true)]
    upstream_secret: Option<String>,

    /// A file with the key's id
    #[arg(long, env = "TAPECAST_UPSTREAM_KEY_FILE", value_name = "FILE", conflicts_with = "upstream_key")]
    upstream_key_file: Option<PathBuf>,

    /// A file with the key's secret
    #[arg(
        long,
        env = "TAPECAST_UPSTREAM_SECRET_FILE",
        value_name = "FILE",
        conflicts_with = "upstream_secret"
    )]
    upstream_secret_file: Option<PathBuf>,

    /// The feed, where the URL has no path: iex, sip, delayed_sip or test
    #[arg(long, env = "TAPECAST_UPSTREAM_FEED", value_name = "FEED", default_value = "iex")]
    upstream_feed: Feed,

    /// The symbols to subscribe to: a list such as AAPL,MSFT, `*` for all, or on-demand for those that clients
    /// subscribe to by name
    #[arg(long, env = "TAPECAST_UPSTREAM_SYMBOLS", value_name = "LIST", default_value = "*")]
    upstream_symbols: SymbolsOption,

    /// The most symbols that may be subscribed to by name, by all clients together if on demand
    #[arg(long, env = "TAPECAST_UPSTREAM_MAX_SYMBOLS", value_name = "N", default_value = "30",
        value_parser = positive::<std::num::NonZeroUsize>)]
    upstream_max_symbols: std::num::NonZeroUsize,

    /// The upstream's REST. Default: that of the stream's host, without a leading `stream.`
    #[arg(long, env = "TAPECAST_UPSTREAM_REST", value_name = "URL")]
    upstream_rest: Option<String>,

    /// Number objects here, even if the upstream is a Tapecast that numbers them
    #[arg(long, env = "TAPECAST_UPSTREAM_FOREIGN")]
    upstream_foreign: bool,

    /// Certificates in PEM to trust beside those of the system
    #[arg(long, env = "TAPECAST_UPSTREAM_CA", value_name = "FILE")]
    upstream_ca: Option<PathBuf>,
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
        let symbol = |name: &str| name.trim().parse().map_err(|_| format!("`{name}` is no symbol"));
        text.split(',')
            .map(symbol)
            .collect::<Result<Vec<Symbol>, _>>()
            .map(|list| Self(UpstreamSymbols::Listed(list)))
    }
}

impl TryFrom<UpstreamArgs> for Option<UpstreamSettings> {
    type Error = ConfigError;

    fn try_from(args: UpstreamArgs) -> Result<Self, ConfigError> {
        let Some(url) = args.upstream else { return Ok(None) };
        let id = given(args.upstream_key, args.upstream_key_file.as_deref())?;
        let secret = given(args.upstream_secret, args.upstream_secret_file.as_deref())?;
        let key = match (id, secret) {
            (Some(id), Some(secret)) => Some(UpstreamKey { id, secret }),
            (None, None) => None,
            _ => return Err(ConfigError::HalfUpstreamKey),
        };
        let SymbolsOption(symbols) = args.upstream_symbols;
        let max_symbols = args.upstream_max_symbols.get();
        if let UpstreamSymbols::Listed(list) = &symbols
            && list.len() > max_symbols
        {
            return Err(ConfigError::UpstreamSymbols { given: list.len(), most: max_symbols });
        }
        Ok(Some(UpstreamSettings {
            url: stream_url(&url, args.upstream_feed).ok_or(ConfigError::UpstreamUrl)?,
            rest: args.upstream_rest.or_else(|| rest_url(&url)),
            key,
            symbols,
            max_symbols,
            numbers: match args.upstream_foreign {
                true => UpstreamNumbers::Ignored,
                false => UpstreamNumbers::Kept,
            },
            authorities: args.upstream_ca,
            delays: ReconnectDelays::default(),
        }))
    }
}

/// What was given, or the first line of a file.
fn given(text: Option<String>, file: Option<&Path>) -> Result<Option<String>, ConfigError> {
    let Some(file) = file else { return Ok(text) };
    let unreadable = |error: std::io::Error| ConfigError::UpstreamKeyFile {
        path: file.to_owned(),
        reason: error.to_string(),
    };
    let text = fs::read_to_string(file).map_err(unreadable)?;
    Ok(Some(text.lines().next().unwrap_or_default().trim().to_owned()))
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
