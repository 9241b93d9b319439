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
        self.0.file().as_ref().unwrap().path().to_owned()
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
