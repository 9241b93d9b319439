//! The keys of JSON Web Tokens: read from files, or fetched again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::rt::time::sleep;
use awc::{Client, Connector};
use thiserror::Error;
use tracing::{info, warn};

use crate::auth::KeyStore;
use crate::auth::jwt::{
    FetchSchedule, KeyFetches, KeySet, KeySetError, KeySetOrigin, TokenVerifier, max_age,
};
use crate::clock::wall_clock;
use crate::config::{TokenConfig, TokenKeys};
use crate::metrics::TokenMetrics;
use crate::model::SECOND;
use crate::transport::{TlsError, client_config};

/// The longest time of a fetch: clients with a new key wait for it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of a set.
const MAX_SET_BYTES: usize = 512 << 10;

/// The keys of tokens cannot be used.
#[derive(Debug, Error)]
pub enum TokenKeysError {
    /// The file cannot be read.
    #[error("{option} {path}: {source}")]
    Unreadable {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// There are no keys in it.
    #[error("{option} {path}: {source}")]
    Unusable {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeySetError,
    },
}

impl TokenKeysError {
    /// The option, without hyphens in front.
    pub(super) const fn option(&self) -> &'static str {
        let (Self::Unreadable { option, .. } | Self::Unusable { option, .. }) = self;
        option.split_at(2).1
    }
}

/// Why a fetch gave no keys.
#[derive(Debug, Error)]
enum FetchError {
    /// The server answers something else.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// There is no answer.
    #[error("the server does not answer: {0}")]
    Unreachable(String),
    /// The answer has no keys.
    #[error("{0}")]
    Unusable(#[from] KeySetError),
}

/// Keys that were fetched, and how long they may be used.
struct FetchedKeys {
    keys: KeySet,
    max_age: Option<Duration>,
}

/// What verifies tokens by these settings.
pub(super) fn open(config: &TokenConfig, metrics: TokenMetrics) -> Result<TokenVerifier, TokenKeysError> {
    let (rules, secret) = (config.rules.clone(), read_secret(config.secret.as_deref())?);
    Ok(match &config.keys {
        Some(TokenKeys::Url(_)) => TokenVerifier::fetching(rules, secret, metrics),
        Some(TokenKeys::File(path)) => TokenVerifier::new(rules, secret, read_set(path)?, metrics),
        None => TokenVerifier::new(rules, secret, KeySet::default(), metrics),
    })
}

/// Reads the files again, and has a set that is fetched fetched.
pub(super) fn reload(tokens: &TokenVerifier, config: &TokenConfig) -> Result<(), TokenKeysError> {
    let secret = read_secret(config.secret.as_deref())?;
    let set = match &config.keys {
        Some(TokenKeys::File(path)) => Some(read_set(path)?),
        Some(TokenKeys::Url(_)) => None,
        None => Some(KeySet::default()),
    };
    tokens.set_secret(secret);
    set.into_iter().for_each(|set| tokens.set_keys(set));
    tokens.fetches().into_iter().for_each(KeyFetches::demand);
    Ok(())
}

fn read_secret(path: Option<&Path>) -> Result<KeySet, TokenKeysError> {
    path.map_or_else(|| Ok(KeySet::default()), |path| read("--jwt-secret-file", path, KeySet::of_secret))
}

fn read_set(path: &Path) -> Result<KeySet, TokenKeysError> {
    read("--jwt-jwks", path, |text| KeySet::of_jwks(text, KeySetOrigin::File))
}

fn read(
    option: &'static str,
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<KeySet, KeySetError>,
) -> Result<KeySet, TokenKeysError> {
    let path = path.to_owned();
    match std::fs::read(&path).map(|bytes| parse(&bytes)) {
        Ok(Ok(keys)) => Ok(keys),
        Ok(Err(source)) => Err(TokenKeysError::Unusable { option, path, source }),
        Err(source) => Err(TokenKeysError::Unreadable { option, path, source }),
    }
}

/// A client that fetches keys. It follows no redirect, which could lead from https to http.
pub(super) fn client() -> Result<Client, TlsError> {
    let tls = Arc::new(client_config(None)?);
    let connector = Connector::new().rustls_0_23(tls).timeout(FETCH_TIMEOUT);
    Ok(Client::builder().connector(connector).disable_redirects().timeout(FETCH_TIMEOUT).finish())
}

/// Fetches the keys once.
async fn fetch(client: &Client, url: &str) -> Result<FetchedKeys, FetchError> {
    let unreachable = |error: &dyn std::fmt::Display| FetchError::Unreachable(error.to_string());
    let response = client.get(url).insert_header(("accept", "application/jwk-set+json, application/json"));
    let response = response.send().await.map_err(|error| unreachable(&error))?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status()));
    }
    let lines = response.headers().get_all(CACHE_CONTROL).filter_map(|line| line.to_str().ok());
    let max_age = max_age(&lines.collect::<Vec<_>>().join(","));
    let body = response.timeout(FETCH_TIMEOUT).body().limit(MAX_SET_BYTES).await;
    let body = body.map_err(|error| unreachable(&error))?;
    Ok(FetchedKeys { keys: KeySet::of_jwks(&body, KeySetOrigin::Server)?, max_age })
}

/// Fetches the keys on a runtime of its own, and returns how many there are.
pub(super) fn fetch_once(url: &str) -> Result<usize, String> {
    let runtime = actix_web::rt::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let client = client().map_err(|error| error.to_string())?;
        fetch(&client, url).await.map(|fetched| fetched.keys.len()).map_err(|error| error.to_string())
    })
}

/// Fetches the keys when they become old, and when they are asked for. After an error the last ones remain.
pub(super) async fn follow(store: Arc<KeyStore>, client: Client, url: String) {
    let Some(tokens) = store.tokens() else { return };
    let Some(fetches) = tokens.fetches() else { return };
    let (mut schedule, mut known) = (FetchSchedule::default(), None);
    loop {
        fetches.begin(Instant::now());
        let fetched = fetch(&client, &url).await;
        let next = match fetched {
            Ok(FetchedKeys { keys, max_age }) => {
                tokens.metrics().fetch_succeeded();
                tokens.metrics().fetched.set(wall_clock().nanos() as f64 / SECOND as f64);
                if known.replace(keys.len()) != Some(keys.len()) {
                    info!(url, keys = keys.len(), "the keys of tokens are fetched");
                }
                tokens.set_keys(keys);
                schedule.succeeded(max_age)
            }
            Err(why) => {
                tokens.metrics().fetch_failed();
                let consequence = match known {
                    Some(_) => "the last ones remain",
                    None => "no token can be verified by them",
                };
                warn!(url, "the keys of tokens cannot be fetched, {consequence}: {why}");
                schedule.failed()
            }
        };
        fetches.end();
        tokio::select! {
            () = sleep(next) => {}
            () = fetches.wanted() => {}
        }
    }
}
