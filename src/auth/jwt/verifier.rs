use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tracing::{debug, info};

use super::token::WebToken;
use super::{Claims, KeyFetches, KeySet, TokenFault};
use crate::auth::AuthAttempt;
use crate::limits::{Rate, TokenBucket};
use crate::metrics::TokenMetrics;
use crate::model::Timestamp;

/// The refusals that are told at level info, so that a log-in with a mistake is seen and an attack does not fill the disk.
const TOLD_REFUSALS: Rate = Rate::per_second(1, 10);

/// What tokens must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// The names of this service, of which `aud` must have one. Empty: a token must not have `aud`.
    pub audiences: Vec<String>,
    /// What `iss` must be. `None`: whatever it says.
    pub issuer: Option<String>,
    /// How far clocks may be apart.
    pub leeway: Duration,
}

/// Verifies tokens. Rules and keys can be replaced while sessions run.
#[derive(Debug)]
pub struct TokenVerifier {
    state: RwLock<Arc<VerifierState>>,
    fetches: Option<KeyFetches>,
    metrics: TokenMetrics,
    told: Mutex<Option<TokenBucket>>,
}

#[derive(Clone, Debug, Default)]
struct VerifierState {
    rules: TokenRules,
    secret: KeySet,
    /// `None` before the first fetch.
    set: Option<KeySet>,
    /// The keys of both.
    keys: KeySet,
}

impl TokenVerifier {
    /// A verifier with these keys: a shared secret, a JWK Set, or both.
    pub fn new(rules: TokenRules, secret: KeySet, set: KeySet, metrics: TokenMetrics) -> Self {
        let verifier = Self::of(VerifierState { rules, secret, ..VerifierState::default() }, None, metrics);
        verifier.set_keys(set);
        verifier
    }

    /// A verifier whose JWK Set is fetched.
    pub fn fetching(rules: TokenRules, secret: KeySet, metrics: TokenMetrics) -> Self {
        let state = VerifierState { rules, keys: secret.clone(), secret, set: None };
        Self::of(state, Some(KeyFetches::default()), metrics)
    }

    fn of(state: VerifierState, fetches: Option<KeyFetches>, metrics: TokenMetrics) -> Self {
        Self { state: RwLock::new(Arc::new(state)), fetches, metrics, told: Mutex::default() }
    }

    /// The metrics.
    pub fn metrics(&self) -> &TokenMetrics {
        &self.metrics
    }

    /// The fetches, if the set is fetched.
    pub fn fetches(&self) -> Option<&KeyFetches> {
        self.fetches.as_ref()
    }

    /// Puts other rules in force, for tokens from now on.
    pub fn set_rules(&self, rules: TokenRules) {
        self.change(|state| state.rules = rules);
    }

    /// Replaces the JWK Set. Sessions of keys that are gone go on until their tokens expire.
    pub fn set_keys(&self, set: KeySet) {
        self.metrics.keys.set(set.len() as i64);
        self.change(|state| state.set = Some(set));
    }

    /// Replaces the shared secret.
    pub fn set_secret(&self, secret: KeySet) {
        self.change(|state| state.secret = secret);
    }

    fn change(&self, change: impl FnOnce(&mut VerifierState)) {
        let mut current = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut state = VerifierState::clone(&current);
        change(&mut state);
        state.keys = state.set.as_ref().map_or_else(|| state.secret.clone(), |set| state.secret.and(set));
        *current = Arc::new(state);
    }

    fn state(&self) -> Arc<VerifierState> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The claims of a token that is valid now.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenFault> {
        let token = WebToken::parse(token)?;
        let state = self.state();
        match state.keys.verify(&token) {
            Err(TokenFault::UnknownKey) if state.set.is_none() => return Err(TokenFault::NoKeys),
            verified => verified?,
        }
        Claims::check(token.payload()?, &state.rules, now)
    }

    /// Counts and tells that a token was refused: the reason, and never the token.
    pub(in crate::auth) fn refused(&self, why: TokenFault, AuthAttempt { from, now, .. }: AuthAttempt) {
        self.metrics.refused(why.name());
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_or_insert_with(|| TokenBucket::new(TOLD_REFUSALS, now)).take(now) {
            true => info!(address = %from, %why, "token refused"),
            false => debug!(address = %from, %why, "token refused"),
        }
    }

    /// What to wait for before this token is verified: a fetch, because its key is unknown.
    pub fn fetch_for(&self, token: &str, now: Instant) -> Option<impl Future<Output = ()> + use<>> {
        let fetches = self.fetches.as_ref()?;
        let token = WebToken::parse(token).ok()?;
        if self.state().keys.has_key_of(&token) { None } else { fetches.ask(now) }
    }
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
