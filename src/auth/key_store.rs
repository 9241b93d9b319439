use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use thiserror::Error;

use super::attempts::FailedAttempts;
use super::key::Salted;
use super::{Credentials, Key, Revocation};
use crate::limits::{Rate, UsageCounter, UsagePermit};
use crate::model::Symbol;

/// The file of keys cannot be used.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// It cannot be read.
    #[error("cannot read the keys in {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line is no key.
    #[error("{path} line {line}: {why}")]
    SocketWriter {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Why credentials open nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No such key, or not its secret.
    Wrong,
    /// Too many wrong ones came from this address; these were not even looked at.
    FailedAttempts,
    /// The key is not good for this feed.
    Feed,
    /// The key has as many sessions as it may.
    Sessions,
}

impl Denied {
    /// The name in metrics and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::FailedAttempts => "attempts",
            Self::Feed => "feed",
            Self::Sessions => "sessions",
        }
    }
}

/// The keys of a file, which may be read again at any time.
#[derive(Debug)]
pub struct KeyStore {
    path: PathBuf,
    keys: RwLock<Arc<Keys>>,
    nobody: Salted,
    attempts: FailedAttempts,
    /// Outlives the reading of a new file, as the sessions do.
    sessions: UsageCounter<String>,
}

type Keys = HashMap<String, Arc<Key>>;

/// What came of reading the file again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reloaded {
    /// How many keys there are.
    pub keys: usize,
    /// How many there were that are no more, or have another secret.
    pub revoked: usize,
}

/// What a session with a key may do, for as long as it lasts.
#[derive(Debug)]
pub struct Grant {
    key: Arc<Key>,
    _session: UsagePermit<String>,
}

impl Grant {
    /// The key's id, for logs.
    pub fn id(&self) -> &str {
        self.key.id()
    }

    /// Whether it shows this symbol.
    pub fn shows(&self, symbol: &Symbol) -> bool {
        self.key.shows(symbol)
    }

    /// Whether it shows every symbol there is.
    pub fn shows_all(&self) -> bool {
        self.key.shows_all()
    }

    /// Names that the session may want.
    pub fn max_symbols(&self) -> usize {
        self.key.max_symbols
    }

    /// What tells when the session may go on no more.
    pub fn revocation(&self) -> Revocation {
        self.key.revocation()
    }
}

impl KeyStore {
    /// Reads the keys of a file: one JSON object a line; empty lines and such as begin with `#` say
    /// nothing. From one address so many wrong credentials are looked at.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: PathBuf, failures: Rate) -> Result<Self, KeyStoreError> {
        let keys = RwLock::new(Arc::new(shared(read(&path)?)));
        let attempts = FailedAttempts::new(failures);
        Ok(Self { path, keys, nobody: Salted::of_nothing(), attempts, sessions: UsageCounter::default() })
    }

    /// Reads the file again. A key that is gone, or has another secret, lets nobody in any more, and
    /// whom it let in is told; one whose rights changed has the new ones for whom it lets in from now on.
    ///
    /// # Errors
    /// When the file cannot be used; then the keys are what they were.
    pub fn reload(&self) -> Result<Reloaded, KeyStoreError> {
        let mut keys = read(&self.path)?;
        let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut succeeds = |earlier: &Key| keys.get_mut(earlier.id()).is_some_and(|key| key.succeed(earlier));
        let revoked: Vec<_> = current.values().filter(|earlier| !succeeds(earlier)).cloned().collect();
        *current = Arc::new(shared(keys));
        revoked.iter().for_each(|key| key.revocation().come());
        Ok(Reloaded { keys: current.len(), revoked: revoked.len() })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is none, so that nobody comes in.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of these credentials.
    ///
    /// # Errors
    /// When they are wrong, or came from where too many wrong ones did.
    pub fn key(&self, shown: &Credentials, from: IpAddr, now: Instant) -> Result<Arc<Key>, Denied> {
        if !self.attempts.may_try(from, now) {
            return Err(Denied::FailedAttempts);
        }
        let key = self.keys().get(&shown.key).cloned();
        let is_good = match &key {
            Some(key) => key.has_secret(&shown.secret),
            None => self.nobody.is_of(&shown.secret),
        };
        key.filter(|_| is_good).ok_or_else(|| {
            self.attempts.failed(from, now);
            Denied::Wrong
        })
    }

    /// Lets a session in with these credentials, on this feed.
    ///
    /// # Errors
    /// As [`Self::key`]; and when the key is not good for this.
    pub fn admit(
        &self,
        shown: &Credentials,
        feed: &str,
        from: IpAddr,
        now: Instant,
    ) -> Result<Grant, Denied> {
        let key = self.key(shown, from, now)?;
        if !key.opens(feed) {
            return Err(Denied::Feed);
        }
        let session = self.sessions.take(key.id().to_owned(), key.max_sessions).ok_or(Denied::Sessions)?;
        Ok(Grant { key, _session: session })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn shared(keys: HashMap<String, Key>) -> Keys {
    keys.into_iter().map(|(id, key)| (id, Arc::new(key))).collect()
}

fn read(path: &PathBuf) -> Result<HashMap<String, Key>, KeyStoreError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| KeyStoreError::Unreadable { path: path.clone(), source })?;
    let mut keys = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |why| KeyStoreError::SocketWriter { path: path.clone(), line: number + 1, why };
        let key = Key::read(line).map_err(fault)?;
        if let Some(twice) = keys.insert(key.id().to_owned(), key) {
            return Err(fault(format!("a second key `{}`", twice.id())));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::auth::{Entitlements, GeneratedKey};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    /// A ring whose file is gone when it is dropped.
    struct Ring(KeyStore);

    impl Drop for Ring {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0.path);
        }
    }

    fn ring(name: &str, text: &str) -> Ring {
        let path = std::env::temp_dir().join(format!("tapecast-keyring-{name}-{}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Ring(KeyStore::open(path, Rate::per_minute(2)).unwrap())
    }

    fn minted(id: &str, max_sessions: usize) -> (Credentials, String) {
        let entitlement = Entitlements {
            feeds: Some(vec!["iex".into()]),
            max_sessions: Some(max_sessions),
            ..Entitlements::default()
        };
        let GeneratedKey { secret, line } = GeneratedKey::new(id, entitlement, [9; 48]).unwrap();
        (Credentials { key: id.into(), secret }, line)
    }

    #[test]
    fn only_what_fits_opens() {
        let (desk, line) = minted("desk", 1);
        let ring = ring("fits", &format!("# ours\n\n{line}\n"));
        let now = Instant::now();
        let deny = |shown: &Credentials, feed| ring.0.admit(shown, feed, HERE, now).map(|_| ()).unwrap_err();

        let pass = ring.0.admit(&desk, "iex", HERE, now).unwrap();
        assert_eq!(deny(&desk, "iex"), Denied::Sessions);
        assert_eq!(deny(&desk, "sip"), Denied::Feed);
        drop(pass);
        assert!(ring.0.admit(&desk, "iex", HERE, now).is_ok());

        let wrong = Credentials { secret: "x".into(), ..desk.clone() };
        assert_eq!(deny(&wrong, "iex"), Denied::Wrong);
        assert_eq!(deny(&Credentials { key: "nobody".into(), ..desk.clone() }, "iex"), Denied::Wrong);
        assert_eq!(deny(&desk, "iex"), Denied::FailedAttempts, "not even the right one any more");
    }

    #[test]
    fn a_broken_file_leaves_the_keys_as_they_were() {
        let ((desk, line), (other, other_line)) = (minted("desk", 9), minted("other", 9));
        let ring = ring("reload", &line);
        let now = Instant::now();

        std::fs::write(&ring.0.path, format!("{line}\n{{")).unwrap();
        assert!(matches!(ring.0.reload(), Err(KeyStoreError::SocketWriter { line: 2, .. })));
        std::fs::write(&ring.0.path, format!("{line}\n{line}")).unwrap();
        assert!(matches!(ring.0.reload(), Err(KeyStoreError::SocketWriter { line: 2, .. })));
        assert!(ring.0.key(&desk, HERE, now).is_ok());

        std::fs::write(&ring.0.path, other_line).unwrap();
        assert_eq!(ring.0.reload().unwrap(), Reloaded { keys: 1, revoked: 1 });
        assert!(ring.0.key(&other, HERE, now).is_ok());
        assert_eq!(ring.0.key(&desk, HERE, now).unwrap_err(), Denied::Wrong);
    }

    #[test]
    fn whom_a_key_let_in_is_told_when_it_is_gone_however_often_the_file_was_read_before() {
        let ((desk, line), (_, other_line)) = (minted("desk", 9), minted("other", 9));
        let ring = ring("revoked", &format!("{line}\n{other_line}"));
        let now = Instant::now();
        let pass = ring.0.admit(&desk, "iex", HERE, now).unwrap();
        let is_revoked = || pass.revocation().comes().now_or_never().is_some();

        let narrower = line.replacen('{', r#"{"symbols":["AAPL"],"#, 1);
        std::fs::write(&ring.0.path, format!("{narrower}\n{other_line}")).unwrap();
        for _ in 0..2 {
            assert_eq!(ring.0.reload().unwrap(), Reloaded { keys: 2, revoked: 0 });
        }
        assert!(!is_revoked() && pass.shows_all());
        assert!(!ring.0.admit(&desk, "iex", HERE, now).unwrap().shows_all());

        std::fs::write(&ring.0.path, other_line).unwrap();
        assert_eq!(ring.0.reload().unwrap(), Reloaded { keys: 1, revoked: 1 });
        assert!(is_revoked());
    }

    #[test]
    fn another_secret_is_another_key() {
        let (desk, line) = minted("desk", 9);
        let ring = ring("secret", &line);
        let pass = ring.0.admit(&desk, "iex", HERE, Instant::now()).unwrap();

        std::fs::write(
            &ring.0.path,
            GeneratedKey::new("desk", Entitlements::default(), [8; 48]).unwrap().line,
        )
        .unwrap();
        ring.0.reload().unwrap();

        assert!(pass.revocation().comes().now_or_never().is_some());
    }
}
