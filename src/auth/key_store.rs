use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use futures_util::future::LocalBoxFuture;
use thiserror::Error;

use super::attempts::FailedAttempts;
#[cfg(feature = "jwt")]
use super::jwt::{TokenFault, TokenVerifier};
use super::key::SaltedHash;
use super::key_file::{self, KeyEdit};
use super::{AuthAttempt, Credentials, Entitlements, GeneratedKey, Key, KeyId};
use crate::limits::{NodeUsage, Rate, UsagePermit};
use crate::model::Feed;

/// The key file cannot be used.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A line cannot be parsed.
    #[error("{path} line {line}: {why}")]
    InvalidLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// A key cannot be changed.
#[derive(Debug, Error)]
pub enum KeyChangeError {
    /// There is no key file.
    #[error("the server has no key file (--keys)")]
    NoFile,
    /// There is no key with this id.
    #[error("there is no key `{0}`")]
    Unknown(String),
    /// There is one already.
    #[error("there is a key `{0}` already")]
    Exists(String),
    /// The file is not as it was when it was read: the change of another would be lost.
    #[error(
        "the key file {0} has been changed since it was read: reload it (SIGHUP), look at the keys, and try again"
    )]
    ChangedOnDisk(PathBuf),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] KeyStoreError),
    /// The file cannot be written.
    #[error("cannot write the key file {path}: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

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

/// The file of the keys as it was read last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyFile {
    path: PathBuf,
    text: String,
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
        let path = self.file().as_ref().map(|file| file.path.clone());
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
        let on_disk = KeyFile::read(known.path.clone())?;
        if on_disk != known {
            return Err(KeyChangeError::ChangedOnDisk(known.path));
        }
        let id_of = |line: &str| {
            let is_key = !line.is_empty() && !line.starts_with('#');
            is_key.then(|| Key::parse(line).ok().map(|key| key.id().to_owned())).flatten()
        };
        let text = edit.apply(&known.text, id_of);
        key_file::replace(&known.path, &text)
            .map_err(|source| KeyChangeError::Unwritable { path: known.path.clone(), source })?;
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

impl KeyFile {
    fn read(path: PathBuf) -> Result<Self, KeyStoreError> {
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(KeyStoreError::Unreadable { path, source }),
        }
    }

    fn keys(&self) -> Result<HashMap<String, Key>, KeyStoreError> {
        let Self { path, text } = self;
        let mut keys = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let invalid = |why| KeyStoreError::InvalidLine { path: path.to_owned(), line: index + 1, why };
            let key = Key::parse(line).map_err(invalid)?;
            if let Some(earlier) = keys.insert(key.id().to_owned(), key) {
                return Err(invalid(format!("duplicate key `{}`", earlier.id())));
            }
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Instant;

    use futures_util::FutureExt;

    use super::*;
    use crate::model::Timestamp;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    fn at(now: Instant) -> AuthAttempt {
        AuthAttempt { from: HERE, now, wall: Timestamp::default() }
    }

    /// A store whose file is removed when it is dropped.
    struct TestStore(KeyStore);

    impl Drop for TestStore {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(self.path());
        }
    }

    impl TestStore {
        fn new(name: &str, text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tapecast-keys-{name}-{}", std::process::id()));
            std::fs::write(&path, text).unwrap();
            Self(KeyStore::open(path, Rate::per_minute(2)).unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.file().as_ref().unwrap().path.clone()
        }

        fn rewrite(&self, text: impl AsRef<[u8]>) {
            std::fs::write(self.path(), text).unwrap();
        }
    }

    /// Credentials and their line, for the feed iex.
    fn generated(id: &str, max_sessions: usize) -> (Credentials, String) {
        let entitlements = Entitlements {
            feeds: Some(vec![Feed::IEX]),
            max_sessions: Some(max_sessions),
            ..Entitlements::default()
        };
        let GeneratedKey { secret, line } = GeneratedKey::new(id, entitlements, [9; 48]);
        (Credentials { key: id.into(), secret }, line)
    }

    #[test]
    fn a_session_is_granted_only_within_what_the_key_allows() {
        let (desk, line) = generated("desk", 1);
        let store = TestStore::new("allows", &format!("# ours\n\n{line}\n"));
        let now = Instant::now();
        let denied = |shown: &Credentials, feed| store.0.grant(shown, feed, at(now)).map(|_| ()).unwrap_err();

        let grant = store.0.grant(&desk, Feed::IEX, at(now)).unwrap();
        assert_eq!(denied(&desk, Feed::IEX), Denied::Sessions);
        assert_eq!(denied(&desk, Feed::SIP), Denied::Feed);
        drop(grant);
        assert!(store.0.grant(&desk, Feed::IEX, at(now)).is_ok());

        let wrong = Credentials { secret: "x".into(), ..desk.clone() };
        assert_eq!(denied(&wrong, Feed::IEX), Denied::Wrong);
        let unknown = Credentials { key: "unknown".into(), ..desk.clone() };
        assert_eq!(denied(&unknown, Feed::IEX), Denied::Wrong);
        assert_eq!(denied(&desk, Feed::IEX), Denied::FailedAttempts, "right credentials are refused as well");
    }

    #[test]
    fn a_broken_file_leaves_the_keys_unchanged() {
        let ((desk, line), (other, other_line)) = (generated("desk", 9), generated("other", 9));
        let store = TestStore::new("reload", &line);
        let now = Instant::now();

        store.rewrite(format!("{line}\n{{"));
        assert!(matches!(store.0.reload(), Err(KeyStoreError::InvalidLine { line: 2, .. })));
        store.rewrite(format!("{line}\n{line}"));
        assert!(matches!(store.0.reload(), Err(KeyStoreError::InvalidLine { line: 2, .. })));
        assert!(store.0.authenticate(&desk, at(now)).is_ok());

        store.rewrite(other_line);
        assert_eq!(store.0.reload().unwrap(), Reloaded { keys: 1, revoked: 1, is_changed: true });
        assert!(store.0.authenticate(&other, at(now)).is_ok());
        assert_eq!(store.0.authenticate(&desk, at(now)).unwrap_err(), Denied::Wrong);
    }

    #[test]
    fn sessions_of_a_removed_key_are_told_after_any_number_of_reloads() {
        let ((desk, line), (_, other_line)) = (generated("desk", 9), generated("other", 9));
        let store = TestStore::new("revoked", &format!("{line}\n{other_line}"));
        let now = Instant::now();
        let grant = store.0.grant(&desk, Feed::IEX, at(now)).unwrap();
        let is_revoked = || grant.key().revocation().revoked().now_or_never().is_some();

        let narrower = line.replacen('{', r#"{"symbols":["AAPL"],"#, 1);
        store.rewrite(format!("{narrower}\n{other_line}"));
        for is_changed in [true, false] {
            assert_eq!(store.0.reload().unwrap(), Reloaded { keys: 2, revoked: 0, is_changed });
        }
        assert!(!is_revoked() && grant.key().allows_all_symbols());
        let later = store.0.grant(&desk, Feed::IEX, at(now)).unwrap();
        assert!(!later.key().allows_all_symbols());

        store.rewrite(other_line);
        assert_eq!(store.0.reload().unwrap(), Reloaded { keys: 1, revoked: 1, is_changed: true });
        assert!(is_revoked());
    }

    #[test]
    fn keys_are_added_rotated_and_revoked_in_the_file() {
        let (desk, line) = generated("desk", 9);
        let store = TestStore::new("change", &format!("# ours\n{line}\n"));
        let now = Instant::now();
        let text = || std::fs::read_to_string(store.path()).unwrap();
        let id = |text: &str| text.parse::<KeyId>().unwrap();
        let is_good = |id: &str, secret: &str| {
            let shown = Credentials { key: id.into(), secret: secret.into() };
            store.0.authenticate(&shown, at(now)).is_ok()
        };

        let added = store.0.add(&id("bot"), Entitlements::default(), [1; 48]).unwrap();
        assert!(is_good("bot", &added) && text().starts_with(&format!("# ours\n{line}\n{{\"id\":\"bot\"")));
        let again = store.0.add(&id("bot"), Entitlements::default(), [2; 48]);
        assert!(matches!(again, Err(KeyChangeError::Exists(_))));

        let grant = store.0.grant(&desk, Feed::IEX, at(now)).unwrap();
        let rotated = store.0.rotate("desk", [3; 48]).unwrap();
        assert!(is_good("desk", &rotated));
        assert!(grant.key().revocation().revoked().now_or_never().is_some());
        assert_eq!(store.0.list()[1].entitlements().max_sessions, Some(9), "it allows what it did");
        assert!(matches!(store.0.rotate("nobody", [3; 48]), Err(KeyChangeError::Unknown(_))));

        store.0.revoke("bot").unwrap();
        assert_eq!(store.0.list().iter().map(|key| key.id()).collect::<Vec<_>>(), ["desk"]);
        assert!(matches!(store.0.revoke("bot"), Err(KeyChangeError::Unknown(_))));
    }

    #[test]
    fn a_file_that_was_changed_by_another_is_not_overwritten() {
        let ((_, line), (_, other)) = (generated("desk", 9), generated("other", 9));
        let store = TestStore::new("conflict", &line);

        store.rewrite(&other);
        assert!(matches!(store.0.revoke("desk"), Err(KeyChangeError::ChangedOnDisk(_))));
        assert_eq!(std::fs::read_to_string(store.path()).unwrap(), other);

        store.0.reload().unwrap();
        assert!(store.0.revoke("other").is_ok() && store.0.is_empty());
    }

    #[test]
    fn a_new_secret_revokes_the_sessions_of_the_old_one() {
        let (desk, line) = generated("desk", 9);
        let store = TestStore::new("secret", &line);
        let grant = store.0.grant(&desk, Feed::IEX, at(Instant::now())).unwrap();

        store.rewrite(GeneratedKey::new("desk", Entitlements::default(), [8; 48]).line);
        store.0.reload().unwrap();

        assert!(grant.key().revocation().revoked().now_or_never().is_some());
    }
}
