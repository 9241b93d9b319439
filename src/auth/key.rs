use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{ParseError, Revocation};
use crate::model::Symbol;

/// The feeds of the stream; all serve the same market, and a key may be good for some of them.
pub const FEEDS: [&str; 4] = ["iex", "sip", "delayed_sip", "test"];

/// What a client shows to be let in. Its secret never comes into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key's id.
    pub key: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a key is good for. What is not said is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entitlements {
    /// Feeds that it opens.
    pub feeds: Option<Vec<String>>,
    /// Symbols that it shows.
    pub symbols: Option<Vec<String>>,
    /// Sessions at once.
    pub max_sessions: Option<usize>,
    /// Names that one of its sessions may want, over all channels.
    pub max_symbols: Option<usize>,
}

/// One line of the file of keys, as it is written.
///
/// An unknown field is an error: `symbol` instead of `symbols` would open the whole market.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyLine {
    id: String,
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feeds: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    symbols: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_sessions: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_symbols: Option<usize>,
}

/// A key that opens the service.
#[derive(Debug)]
pub struct Key {
    id: String,
    hash: Salted,
    feeds: Option<Vec<String>>,
    symbols: Option<Vec<Symbol>>,
    /// Sessions at once.
    pub max_sessions: usize,
    /// Names that one of its sessions may want.
    pub max_symbols: usize,
    revocation: Revocation,
}

impl Key {
    /// Reads a line of the file.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let line: KeyLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let hash = Salted::read(&line.hash).ok_or("`hash` is not sha256:SALT:HASH")?;
        if let Some(unknown) = line.feeds.iter().flatten().find(|feed| !FEEDS.contains(&feed.as_str())) {
            return Err(format!("there is no feed `{unknown}`"));
        }
        let read = |text: &String| text.parse().map_err(|_| format!("`{text}` is no symbol"));
        let symbols = line.symbols.map(|symbols| symbols.iter().map(read).collect::<Result<Vec<_>, _>>());
        let mut symbols: Option<Vec<Symbol>> = symbols.transpose()?;
        if let Some(symbols) = &mut symbols {
            symbols.sort_unstable();
        }
        Ok(Self {
            id: line.id,
            hash,
            feeds: line.feeds,
            symbols,
            max_sessions: line.max_sessions.unwrap_or(usize::MAX),
            max_symbols: line.max_symbols.unwrap_or(usize::MAX),
            revocation: Revocation::default(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether this is its secret. Takes the same time whatever the answer.
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        self.hash.is_of(secret)
    }

    /// What tells those whom it let in when it is taken back.
    pub fn revocation(&self) -> Revocation {
        self.revocation.clone()
    }

    /// Goes on as this key, if it is the same one: it has the same secret, whatever it is good for now.
    pub(super) fn succeed(&mut self, earlier: &Self) -> bool {
        let is_same = self.id == earlier.id && self.hash == earlier.hash;
        if is_same {
            self.revocation = earlier.revocation();
        }
        is_same
    }

    /// Whether it opens this feed.
    pub fn opens(&self, feed: &str) -> bool {
        self.feeds.as_ref().is_none_or(|feeds| feeds.iter().any(|open| open == feed))
    }

    /// Whether it shows this symbol.
    pub fn shows(&self, symbol: &Symbol) -> bool {
        self.symbols.as_ref().is_none_or(|symbols| symbols.binary_search(symbol).is_ok())
    }

    /// Whether it shows every symbol there is.
    pub fn shows_all(&self) -> bool {
        self.symbols.is_none()
    }
}

/// A hash from which nobody finds the secret: SHA-256 of a salt and the secret.
///
/// Slow hashes like argon2 are made for passwords that people think up. Our secrets are 256 random
/// bits, which no speed of guessing finds; so a storm of reconnects costs half a microsecond a head
/// and not 50 ms and 19 MiB. The salt keeps two equal secrets from looking equal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Salted {
    salt: Vec<u8>,
    hash: [u8; 32],
}

impl Salted {
    /// The hash of no secret, to compare with where there is no key: an unknown id must take as long
    /// to refuse as a wrong secret.
    pub(super) fn of_nothing() -> Self {
        Self { salt: vec![0; 16], hash: [0; 32] }
    }

    fn read(text: &str) -> Option<Self> {
        let (salt, hash) = text.strip_prefix("sha256:")?.split_once(':')?;
        let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
        Some(Self { salt, hash: hash.try_into().ok()? })
    }

    pub(super) fn is_of(&self, secret: &str) -> bool {
        digest(&self.salt, secret).ct_eq(&self.hash).into()
    }
}

fn digest(salt: &[u8], secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(secret).finalize().into()
}

/// A new key: what its owner keeps, and what the file gets.
#[derive(Debug)]
pub struct GeneratedKey {
    /// Known to nobody but the owner from now on.
    pub secret: String,
    /// The line for the file.
    pub line: String,
}

impl GeneratedKey {
    /// Makes a key of this name that is good for so much, out of 48 random bytes.
    ///
    /// # Errors
    /// When the line could not be read again.
    pub fn new(id: &str, entitlement: Entitlements, random: [u8; 48]) -> Result<Self, ParseError> {
        let (salt, secret) = random.split_at(16);
        let secret = BASE64.encode(secret);
        let hash = format!("sha256:{}:{}", BASE64.encode(salt), BASE64.encode(digest(salt, &secret)));
        let Entitlements { feeds, symbols, max_sessions, max_symbols } = entitlement;
        let line = KeyLine { id: id.to_owned(), hash, feeds, symbols, max_sessions, max_symbols };
        let line = serde_json::to_string(&line).expect("a line has only plain fields");
        Key::read(&line).map_err(|_| ParseError("no such feed, or no such symbol"))?;
        Ok(Self { secret, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted(entitlement: Entitlements) -> (String, Key) {
        let GeneratedKey { secret, line } = GeneratedKey::new("desk", entitlement, [7; 48]).unwrap();
        (secret, Key::read(&line).unwrap())
    }

    #[test]
    fn a_key_knows_its_secret_and_no_other() {
        let (secret, key) = minted(Entitlements::default());

        assert_eq!(secret.len(), 43, "256 bits");
        assert!(key.has_secret(&secret));
        for wrong in ["", "x", &secret[1..], &secret.to_lowercase()] {
            assert!(!key.has_secret(wrong), "{wrong}");
        }
        assert!(!Salted::of_nothing().is_of(""));
    }

    #[test]
    fn a_key_opens_what_its_line_says() {
        let some = Entitlements {
            feeds: Some(vec!["iex".into()]),
            symbols: Some(vec!["MSFT".into(), "AAPL".into()]),
            max_sessions: Some(2),
            max_symbols: Some(9),
        };
        let ((_, key), (_, all)) = (minted(some), minted(Entitlements::default()));
        let symbol = |text: &str| text.parse::<Symbol>().unwrap();

        assert!(key.opens("iex") && !key.opens("sip"));
        assert!(key.shows(&symbol("AAPL")) && key.shows(&symbol("MSFT")) && !key.shows(&symbol("KO")));
        assert!(!key.shows_all() && (key.max_sessions, key.max_symbols) == (2, 9));
        assert!(all.opens("sip") && all.shows(&symbol("KO")) && all.shows_all());
    }

    #[test]
    fn a_line_with_a_slip_opens_nothing() {
        let good = GeneratedKey::new("desk", Entitlements::default(), [7; 48]).unwrap().line;
        let with = |field: &str| good.replacen('{', &format!("{{{field},"), 1);
        for bad in [
            "{}",
            r#"{"id":"desk"}"#,
            r#"{"id":"desk","hash":"secret"}"#,
            r#"{"id":"desk","hash":"sha256:AAAA:AAAA"}"#,
            &with(r#""symbol":["AAPL"]"#),
            &with(r#""feeds":["nasdaq"]"#),
            &with(r#""symbols":["A B"]"#),
            &with(r#""max_sessions":-1"#),
        ] {
            assert!(Key::read(bad).is_err(), "{bad}");
        }
        assert!(Key::read(&with(r#""max_sessions":1"#)).is_ok());
    }

    #[test]
    fn credentials_do_not_tell_their_secret() {
        let shown = format!("{:?}", Credentials { key: "desk".into(), secret: "hush".into() });

        assert!(shown.contains("desk") && !shown.contains("hush"), "{shown}");
    }
}
