use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use futures_util::future::LocalBoxFuture;

use super::attempts::FailedAttempts;
#[cfg(feature = "jwt")]
use super::jwt::{TokenFault, TokenVerifier};
use super::key::SaltedHash;
use super::key_file::{KeyChangeError, KeyEdit, KeyFile, KeyStoreError};
use super::{AuthAttempt, Credentials, Entitlements, GeneratedKey, Key, KeyId};
use crate::limits::{NodeUsage, Rate, UsagePermit};
use crate::model::Feed;

/// Why credentials are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The key is unknown, or the secret is wrong.
    Wrong,
    /// Too many wrong credentials came from this address; these were not checked.
    FailedAttempts,
    /// The key does not allow this feed.
    Feed,
    /// The key has its maximum of sessions.
    Sessions,
    /// The token has expired.
    Expired,
    /// Tokens cannot be verified yet, because their keys were never fetched.
    Unavailable,
}

impl Denied {
    /// The name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::FailedAttempts => "attempts",
            Self::Feed => "feed",
            Self::Sessions => "sessions",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The keys of a key file, which can be reloaded while sessions run, and what verifies tokens beside them.
#[derive(Debug)]
pub struct KeyStore {
    keys: RwLock<Arc<Keys>>,
    /// `None` where tokens alone let clients in.
    file: Mutex<Option<KeyFile>>,
    /// Held while an administrator changes the file.
    changes: Mutex<()>,
    #[cfg(feature = "jwt")]
    tokens: Option<Arc<TokenVerifier>>,
    unmatchable: SaltedHash,
    attempts: FailedAttempts,
    /// Sessions by key id. Survives a reload, as the sessions do.
    sessions: NodeUsage,
}

type Keys = HashMap<String, Arc<Key>>;

/// The result of reloading the key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// The number of keys now.
    pub keys: usize,
    /// The number of earlier keys that are gone or have another secret.
    pub revoked: usize,
    /// Whether the file has another content than before.
    pub is_changed: bool,
}

/// A session's right to use a key. It counts as one of the key's sessions until it is dropped.
#[derive(Debug)]
pub struct Grant {
    key: Arc<Key>,
    _session: UsagePermit<String>,
}

impl Grant {
    /// The key, as it was in the file when the session began, or as the session's newest token says.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Goes on with another key of the same id, that of a newer token. It is the same session.
    pub fn renew(&mut self, key: Arc<Key>) {
        self.key = key;
    }
}

impl KeyStore {
    /// Reads a key file: one JSON object per line. Empty lines and lines that start with `#` are ignored.
    ///
    /// `failures` limits the rate of wrong credentials from one address.
    ///
    /// # Errors
    /// When the file cannot be read or parsed.
    pub fn open(path: PathBuf, failures: Rate) -> Result<Self, KeyStoreError> {
        let file = KeyFile::read(path)?;
        let keys = shared(file.keys()?);
        Ok(Self::new(keys, Some(file), failures))
    }

    /// A store without a key file, to which [tokens](Self::accepting) let clients in.
    pub fn without_file(failures: Rate) -> Self {
        Self::new(Keys::new(), None, failures)
    }

    fn new(keys: Keys, file: Option<KeyFile>, failures: Rate) -> Self {
        Self {
            keys: RwLock::new(Arc::new(keys)),
            file: Mutex::new(file),
            changes: Mutex::new(()),
            #[cfg(feature = "jwt")]
            tokens: None,
            unmatchable: SaltedHash::unmatchable(),
            attempts: FailedAttempts::new(failures),
            sessions: NodeUsage::default(),
        }
    }

    /// The same store, which accepts tokens too.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn accepting(self, tokens: Option<Arc<TokenVerifier>>) -> Self {
        Self { tokens, ..self }
    }

    /// What verifies tokens, if they are accepted.
    #[cfg(feature = "jwt")]
    pub fn tokens(&self) -> Option<&TokenVerifier> {
        self.tokens.as_deref()
    }

    /// Whether there is a key file.
    pub fn has_file(&self) -> bool {
        self.file().is_some()
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// As [`reload_from`](Self::reload_from).
    pub fn reload(&self) -> Result<Reloaded, KeyStoreError> {
        let path = self.file().as_ref().map(|file| file.path().to_owned());
        match path {
            Some(path) => self.reload_from(path),
            None => Ok(Reloaded { keys: 0, revoked: 0, is_changed: false }),
        }
    }

    /// Limits the rate of wrong credentials from one address from now on.
    pub fn limit_failures(&self, failures: Rate) {
        self.attempts.set_rate(failures);
    }

    fn file(&self) -> MutexGuard<'_, Option<KeyFile>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads this file in place of the earlier one, or that again.
    ///
    /// A key that is gone or has another secret is revoked, which ends its sessions. A change of what a key
    /// allows applies to new sessions.
    ///
    /// # Errors
    /// When the file cannot be read or parsed; the keys are then unchanged.
    pub fn reload_from(&self, path: PathBuf) -> Result<Reloaded, KeyStoreError> {
        let file = KeyFile::read(path)?;
        let mut keys = file.keys()?;
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut survives = |earlier: &Key| keys.get_mut(earlier.id()).is_some_and(|key| key.succeed(earlier));
        let revoked: Vec<_> = current.values().filter(|earlier| !survives(earlier)).cloned().collect();
        *current = Arc::new(shared(keys));
        revoked.iter().for_each(|key| key.revocation().revoke());
        let earlier = self.file().replace(file.clone());
        Ok(Reloaded { keys: current.len(), revoked: revoked.len(), is_changed: earlier != Some(file) })
    }

    /// The keys, in the order of their ids.
    pub fn list(&self) -> Vec<Arc<Key>> {
        let mut keys: Vec<_> = self.keys().values().cloned().collect();
        keys.sort_by(|one, other| one.id().cmp(other.id()));
        keys
    }

    /// Adds a key to the file, and returns its secret. 48 random bytes are the secret and the salt.
    ///
    /// # Errors
    /// When there is such a key, the file was changed meanwhile, or cannot be written.
    pub fn add(
        &self,
        id: &KeyId,
        entitlements: Entitlements,
        random: [u8; 48],
    ) -> Result<String, KeyChangeError> {
        let id = id.as_str();
        let GeneratedKey { secret, line } = GeneratedKey::new(id, entitlements, random);
        self.change(|keys| match keys.contains_key(id) {
            true => Err(KeyChangeError::Exists(id.to_owned())),
            false => Ok(KeyEdit::Add { line: &line }),
        })?;
        Ok(secret)
    }

    /// Gives a key another secret, and returns it. The sessions of the earlier one end.
    ///
    /// # Errors
    /// As [`add`](Self::add), when there is no such key.
    pub fn rotate(&self, id: &str, random: [u8; 48]) -> Result<String, KeyChangeError> {
        let entitlements = self.keys().get(id).map(|key| key.entitlements()).unwrap_or_default();
        let GeneratedKey { secret, line } = GeneratedKey::new(id, entitlements, random);
        self.change(|keys| match keys.contains_key(id) {
            true => Ok(KeyEdit::Replace { id, line: &line }),
            false => Err(KeyChangeError::Unknown(id.to_owned())),
        })?;
        Ok(secret)
    }

    /// Removes a key, whose sessions end.
    ///
    /// # Errors
    /// As [`rotate`](Self::rotate).
    pub fn revoke(&self, id: &str) -> Result<(), KeyChangeError> {
        self.change(|keys| match keys.contains_key(id) {
            true => Ok(KeyEdit::Remove { id }),
            false => Err(KeyChangeError::Unknown(id.to_owned())),
        })
    }

    /// Changes the file, and takes the keys from it. One change at a time; blocks while the disk writes.
    fn change<'a>(
        &self,
        edit: impl FnOnce(&Keys) -> Result<KeyEdit<'a>, KeyChangeError>,
    ) -> Result<(), KeyChangeError> {
        let _one_at_a_time = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let edit = edit(&self.keys())?;
        let known = self.file().clone().ok_or(KeyChangeError::NoFile)?;
        known.change(edit)?;
        self.reload()?;
        Ok(())
    }

    /// The sessions of each key, here and at the other nodes of a cluster.
    pub fn sessions(&self) -> NodeUsage {
        self.sessions.clone()
    }

    /// The id in these credentials, if it is that of a key: what a stranger calls a key may be a secret.
    pub fn known_id<'a>(&self, credentials: &'a Credentials) -> Option<&'a str> {
        let is_known = credentials.token().is_none() && self.has(&credentials.key);
        is_known.then_some(&credentials.key)
    }

    /// Whether there is a key of this id.
    pub fn has(&self, id: &str) -> bool {
        self.keys().contains_key(id)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key, so that all credentials are refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of these credentials: that of the file, or that of a token.
    ///
    /// # Errors
    /// When they are wrong, or too many wrong ones came from this address.
    pub fn authenticate(&self, credentials: &Credentials, attempt: AuthAttempt) -> Result<Arc<Key>, Denied> {
        let AuthAttempt { from, now, .. } = attempt;
        if !self.attempts.may_try(from, now) {
            return Err(Denied::FailedAttempts);
        }
        #[cfg(feature = "jwt")]
        if let Some((tokens, token)) = self.tokens.as_ref().zip(credentials.token()) {
            return self.key_of_token(tokens, token, attempt);
        }
        let key = self.keys().get(&credentials.key).cloned();
        let is_good = match &key {
            Some(key) => key.has_secret(&credentials.secret),
            None => self.unmatchable.matches(&credentials.secret),
        };
        key.filter(|_| is_good).ok_or_else(|| {
            self.attempts.record(from, now);
            Denied::Wrong
        })
    }

    /// The key of a token. One that has expired does not count as a failed attempt: its signature is right, and the
    /// browsers of an office that wakes up would lock each other out.
    #[cfg(feature = "jwt")]
    fn key_of_token(
        &self,
        tokens: &TokenVerifier,
        token: &str,
        attempt: AuthAttempt,
    ) -> Result<Arc<Key>, Denied> {
        let fault = match tokens.verify(token, attempt.wall) {
            Ok(claims) => return Ok(Arc::new(Key::of_token(claims))),
            Err(fault) => fault,
        };
        tokens.refused(fault, attempt);
        match fault {
            TokenFault::Expired => Err(Denied::Expired),
            TokenFault::NoKeys => Err(Denied::Unavailable),
            _ => {
                self.attempts.record(attempt.from, attempt.now);
                Err(Denied::Wrong)
            }
        }
    }

    /// What to wait for before these credentials are authenticated: the keys of tokens are fetched, because that of this
    /// token is unknown. `None`, and no fetch, where credentials from the address are not checked.
    #[cfg(feature = "jwt")]
    pub fn fetch_for(
        &self,
        credentials: &Credentials,
        AuthAttempt { from, now, .. }: AuthAttempt,
    ) -> Option<LocalBoxFuture<'static, ()>> {
        let (tokens, token) = self.tokens.as_ref().zip(credentials.token())?;
        let fetched = self.attempts.may_try(from, now).then(|| tokens.fetch_for(token, now)).flatten()?;
        Some(Box::pin(fetched))
    }

    /// Nothing to wait for.
    #[cfg(not(feature = "jwt"))]
    pub fn fetch_for(&self, _: &Credentials, _: AuthAttempt) -> Option<LocalBoxFuture<'static, ()>> {
        None
    }

    /// Whether tokens let clients in.
    pub fn accepts_tokens(&self) -> bool {
        #[cfg(feature = "jwt")]
        return self.tokens.is_some();
        #[cfg(not(feature = "jwt"))]
        false
    }

    /// Whether the keys of tokens are fetched.
    pub fn fetches_keys(&self) -> bool {
        #[cfg(feature = "jwt")]
        return self.tokens.as_ref().is_some_and(|tokens| tokens.fetches().is_some());
        #[cfg(not(feature = "jwt"))]
        false
    }

    /// Grants a session on this feed to these credentials.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; also when the key does not allow the feed or one more session.
    pub fn grant(
        &self,
        credentials: &Credentials,
        feed: Feed,
        attempt: AuthAttempt,
    ) -> Result<Grant, Denied> {
        self.grant_session(self.authenticate_for(credentials, feed, attempt)?)
    }

    /// The key of these credentials, which allows the feed.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; also when the key does not allow the feed.
    pub fn authenticate_for(
        &self,
        credentials: &Credentials,
        feed: Feed,
        attempt: AuthAttempt,
    ) -> Result<Arc<Key>, Denied> {
        let key = self.authenticate(credentials, attempt)?;
        if key.allows_feed(feed) { Ok(key) } else { Err(Denied::Feed) }
    }

    /// Grants a session to this key, on no feed.
    ///
    /// # Errors
    /// When the key does not allow one more session.
    pub fn grant_session(&self, key: Arc<Key>) -> Result<Grant, Denied> {
        let session = self.sessions.acquire(key.id().to_owned(), key.max_sessions());
        Ok(Grant { key, _session: session.ok_or(Denied::Sessions)? })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn shared(keys: HashMap<String, Key>) -> Keys {
    keys.into_iter().map(|(id, key)| (id, Arc::new(key))).collect()
}

#[cfg(test)]
#[path = "key_store_tests.rs"]
mod tests;
