//! Options for JSON Web Tokens of another log-in.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::ConfigError;
use crate::auth::jwt::TokenRules;

/// How far clocks may be apart at most: RFC 7519 allows a few minutes.
const MAX_LEEWAY_SECONDS: u32 = 300;

/// Options for JSON Web Tokens.
#[derive(Clone, Debug, Args)]
pub(super) struct TokenArgs {
    /// Let clients in with JSON Web Tokens of another log-in, signed by a key of this JWK Set (RS256, ES256): its file, or
    /// its https or http URL. SIGHUP reads it again
    #[arg(long, env = "TAPECAST_JWT_JWKS", value_name = "FILE|URL")]
    jwt_jwks: Option<TokenKeys>,

    /// Let clients in with JSON Web Tokens of another log-in, signed by the shared secret in this file (HS256), of 32
    /// bytes or more. SIGHUP reads it again
    #[arg(long, env = "TAPECAST_JWT_SECRET_FILE", value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,

    /// Names of this service, of which tokens must have one as audience (`aud`). Without it tokens must have none
    #[arg(long, env = "TAPECAST_JWT_AUDIENCE", value_name = "NAME", value_delimiter = ',')]
    jwt_audience: Vec<String>,

    /// Issuer that tokens must have (`iss`) [default: any]
    #[arg(long, env = "TAPECAST_JWT_ISSUER", value_name = "NAME")]
    jwt_issuer: Option<String>,

    /// How far the clocks of the log-in and of this server may be apart
    #[arg(long, env = "TAPECAST_JWT_LEEWAY_SECONDS", default_value_t = 30, value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_LEEWAY_SECONDS)))]
    jwt_leeway_seconds: u32,
}

/// Where the JWK Set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKeys {
    /// A file.
    File(PathBuf),
    /// A URL of `https` or `http`.
    Url(String),
}

impl FromStr for TokenKeys {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ERROR: &str =
            "expected a file, or a URL such as https://login.example.org/.well-known/jwks.json";
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::File(text.into())) };
        let is_http = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_url = is_http && text.parse::<actix_web::http::Uri>().is_ok();
        if is_url && !host.is_empty() && !host.contains('@') {
            Ok(Self::Url(text.to_owned()))
        } else {
            Err(ERROR)
        }
    }
}

/// The validated settings of tokens.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// Where the JWK Set is, if there is one.
    pub keys: Option<TokenKeys>,
    /// The file of the shared secret, if there is one.
    pub secret: Option<PathBuf>,
    /// What tokens must say.
    pub rules: TokenRules,
}

impl TokenConfig {
    /// Whether a server with these settings can go on with those: another file is read, another URL needs a restart.
    pub fn has_keys_of_kind(&self, other: &Self) -> bool {
        match (&self.keys, &other.keys) {
            (Some(TokenKeys::Url(running)), Some(TokenKeys::Url(new))) => running == new,
            (Some(TokenKeys::Url(_)), _) | (_, Some(TokenKeys::Url(_))) => false,
            _ => true,
        }
    }

    /// Whether the set comes from another machine without TLS.
    pub fn has_plain_url(&self) -> bool {
        let Some(TokenKeys::Url(url)) = &self.keys else { return false };
        let Ok(url) = url.parse::<actix_web::http::Uri>() else { return false };
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        url.scheme_str() == Some("http") && !is_local
    }
}

impl TryFrom<TokenArgs> for Option<TokenConfig> {
    type Error = ConfigError;

    fn try_from(args: TokenArgs) -> Result<Self, ConfigError> {
        let is_ruled = !args.jwt_audience.is_empty() || args.jwt_issuer.is_some();
        let rules = TokenRules {
            audiences: args.jwt_audience,
            issuer: args.jwt_issuer,
            leeway: Duration::from_secs(args.jwt_leeway_seconds.into()),
        };
        match (args.jwt_jwks, args.jwt_secret_file) {
            (None, None) if is_ruled => Err(ConfigError::NoTokenKeys),
            (None, None) => Ok(None),
            (keys, secret) => Ok(Some(TokenConfig { keys, secret, rules })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_tokens_are_in_a_file_or_at_a_url() {
        let url = "https://login.example.org/.well-known/jwks.json";
        assert_eq!(url.parse(), Ok(TokenKeys::Url(url.to_owned())));
        assert_eq!("/etc/jwks.json".parse(), Ok(TokenKeys::File("/etc/jwks.json".into())));
        for invalid in
            ["ftp://a/b", "https://", "https:///x", "https://u:p@h/x", "https://a b/c", "file:///x"]
        {
            assert!(invalid.parse::<TokenKeys>().is_err(), "{invalid}");
        }
    }
}
