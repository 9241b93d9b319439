use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::subject::is_subject;
use super::{Entitlements, ParseError, Revocation, TopicRights};
use crate::model::{Feed, Symbol, Timestamp};
use crate::wire::TOKEN_KEY;

/// The id and secret that a client sends to authenticate; for a token the id is `jwt` and the secret is the token. `Debug`
/// hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key's id.
    pub key: String,
    /// The key's secret.
    pub secret: String,
}

impl Credentials {
    /// Those of a token of another log-in.
    pub fn of_token(token: String) -> Self {
        Self { key: TOKEN_KEY.to_owned(), secret: token }
    }

    /// The token, if they are one.
    pub fn token(&self) -> Option<&str> {
        (self.key == TOKEN_KEY && is_token(&self.secret)).then_some(&self.secret)
    }
}

/// Whether a text has the form of a signed token (RFC 7515 section 7.1): three parts, of which the first begins with `{`
/// in base64. Secrets from `tapecast key new` have no dots.
pub fn is_token(text: &str) -> bool {
    let begins_object = matches!(text.as_bytes(), [b'e', b'w'..=b'z' | b'0'..=b'9', ..]);
    begins_object && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The id of a key: 1 to 64 visible ASCII characters without colon.
///
/// Headers, queries and logs carry it as it is, and HTTP Basic ends it at the first colon. The id of a token's subject
/// has one, `jwt:SUB`, so it is never that of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    const MAX_LEN: usize = 64;

    /// The id of the subject of a token.
    #[cfg(feature = "jwt")]
    pub(super) fn of_subject(subject: &str) -> Self {
        Self(format!("{TOKEN_KEY}:{subject}"))
    }

    /// Whether a session may have this id: that of a key, or of the subject of a token.
    pub fn may_be_of_session(text: &str) -> bool {
        let subject = text.strip_prefix(TOKEN_KEY).and_then(|rest| rest.strip_prefix(':'));
        subject.map_or_else(|| text.parse::<Self>().is_ok(), is_subject)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        if !fits || !text.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            return Err(ParseError("an id has 1 to 64 visible ASCII characters without space and colon"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A line of the key file.
///
/// An unknown field is an error, because `symbol` instead of `symbols` would allow the whole market.
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    control: bool,
}

/// A key of the key file: an id, the hash of its secret, and what it allows. Or the same of a token.
#[derive(Debug)]
pub struct Key {
    id: KeyId,
    hash: SaltedHash,
    feeds: Option<Vec<Feed>>,
    /// Sorted.
    symbols: Option<Vec<Symbol>>,
    topics: TopicRights,
    max_sessions: usize,
    max_symbols: usize,
    control: bool,
    revocation: Revocation,
    expires: Option<Timestamp>,
}

impl Key {
    /// Parses a line of the key file.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line: KeyLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let hash = SaltedHash::parse(&line.hash).ok_or("`hash` is not sha256:SALT:HASH")?;
        let feed = |name: String| name.parse().map_err(|error| format!("invalid feed `{name}`: {error}"));
        let feeds = line.feeds.map(|names| names.into_iter().map(feed).collect::<Result<_, String>>());
        let symbol = |text: String| text.parse().map_err(|error| format!("invalid symbol `{text}`: {error}"));
        let symbols = line.symbols.map(|texts| texts.into_iter().map(symbol).collect::<Result<_, String>>());
        let entitlements = Entitlements {
            feeds: feeds.transpose()?,
            symbols: symbols.transpose()?,
            max_sessions: line.max_sessions,
            max_symbols: line.max_symbols,
            control: line.control,
        };
        let id = line.id.parse().map_err(|error: ParseError| format!("invalid `id`: {error}"))?;
        Ok(Self::new(id, hash, entitlements))
    }

    fn new(id: KeyId, hash: SaltedHash, entitlements: Entitlements) -> Self {
        let Entitlements { feeds, mut symbols, max_sessions, max_symbols, control } = entitlements;
        symbols.iter_mut().for_each(|symbols| symbols.sort_unstable());
        Self {
            id,
            hash,
            feeds,
            symbols,
            topics: TopicRights::default(),
            max_sessions: max_sessions.unwrap_or(usize::MAX),
            max_symbols: max_symbols.unwrap_or(usize::MAX),
            control,
            revocation: Revocation::default(),
            expires: None,
        }
    }

    /// The key of a token with these claims.
    #[cfg(feature = "jwt")]
    pub(super) fn of_token(claims: super::jwt::Claims) -> Self {
        let super::jwt::Claims { subject, expires, entitlements, topics } = claims;
        let id = KeyId::of_subject(&subject);
        Self { topics, expires: Some(expires), ..Self::new(id, SaltedHash::unmatchable(), entitlements) }
    }

    /// What it allows.
    pub fn entitlements(&self) -> Entitlements {
        let limit = |limit: usize| (limit != usize::MAX).then_some(limit);
        Entitlements {
            feeds: self.feeds.clone(),
            symbols: self.symbols.clone(),
            max_sessions: limit(self.max_sessions),
            max_symbols: limit(self.max_symbols),
            control: self.control,
        }
    }

    /// The id, which clients send and logs show.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Whether this is the key's secret. Takes the same time for any secret.
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        self.hash.matches(secret)
    }

    /// Tells when the key is revoked.
    pub fn revocation(&self) -> Revocation {
        self.revocation.clone()
    }

    /// Takes over the revocation of an earlier version of this key, and returns whether it is one.
    ///
    /// It is the same key if id and secret are the same; what it allows may differ.
    pub(super) fn succeed(&mut self, earlier: &Self) -> bool {
        let is_same = self.id == earlier.id && self.hash == earlier.hash;
        if is_same {
            self.revocation = earlier.revocation();
        }
        is_same
    }

    /// Whether it may use this feed.
    pub fn allows_feed(&self, feed: Feed) -> bool {
        self.feeds.as_ref().is_none_or(|feeds| feeds.contains(&feed))
    }

    /// Whether it may use every feed.
    pub fn allows_all_feeds(&self) -> bool {
        self.feeds.is_none()
    }

    /// Whether it may see this symbol.
    pub fn allows_symbol(&self, symbol: &Symbol) -> bool {
        self.symbols.as_ref().is_none_or(|symbols| symbols.binary_search(symbol).is_ok())
    }

    /// Whether it may see every symbol.
    pub fn allows_all_symbols(&self) -> bool {
        self.symbols.is_none()
    }

    /// What it may do with topics.
    pub const fn topics(&self) -> &TopicRights {
        &self.topics
    }

    /// When it ends, with the leeway; `None` if it does not end by itself, as all keys of a file.
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether it may control a replay.
    pub const fn allows_control(&self) -> bool {
        self.control
    }

    /// The most sessions at once; `usize::MAX` is no limit.
    pub fn max_sessions(&self) -> usize {
        self.max_sessions
    }

    /// The most symbols of one session, over all channels; `usize::MAX` is no limit.
    pub fn max_symbols(&self) -> usize {
        self.max_symbols
    }
}

/// The SHA-256 hash of a salt and a secret, from which the secret cannot be computed.
///
/// Slow hashes such as argon2 protect passwords that people choose. Our secrets are 256 random bits, which
/// cannot be guessed at any speed; so a login costs half a microsecond instead of 50 ms and 19 MiB, and a
/// reconnect storm is cheap. The salt makes the hashes of equal secrets differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SaltedHash {
    salt: Vec<u8>,
    hash: [u8; 32],
}

impl SaltedHash {
    /// A hash that no secret matches. It is compared when the id is unknown, so that an unknown id takes as
    /// long to refuse as a wrong secret.
    pub(super) fn unmatchable() -> Self {
        Self { salt: vec![0; 16], hash: [0; 32] }
    }

    fn parse(text: &str) -> Option<Self> {
        let (salt, hash) = text.strip_prefix("sha256:")?.split_once(':')?;
        let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
        Some(Self { salt, hash: hash.try_into().ok()? })
    }

    pub(super) fn matches(&self, secret: &str) -> bool {
        digest(&self.salt, secret).ct_eq(&self.hash).into()
    }
}

fn digest(salt: &[u8], secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(secret).finalize().into()
}

/// A new key: the secret for its owner and the line for the key file.
#[derive(Debug)]
pub struct GeneratedKey {
    /// The secret. It is stored nowhere.
    pub secret: String,
    /// The line for the key file, with the secret's hash.
    pub line: String,
}

impl GeneratedKey {
    /// Generates a key with this id from 48 random bytes.
    pub fn new(id: &str, entitlements: Entitlements, random: [u8; 48]) -> Self {
        let (salt, secret) = random.split_at(16);
        let secret = BASE64.encode(secret);
        let hash = format!("sha256:{}:{}", BASE64.encode(salt), BASE64.encode(digest(salt, &secret)));
        let line = KeyLine {
            id: id.to_owned(),
            hash,
            feeds: entitlements.feeds.map(|feeds| feeds.iter().map(Feed::to_string).collect()),
            symbols: entitlements.symbols.map(|symbols| symbols.iter().map(Symbol::to_string).collect()),
            max_sessions: entitlements.max_sessions,
            max_symbols: entitlements.max_symbols,
            control: entitlements.control,
        };
        let line = serde_json::to_string(&line).expect("strings and numbers can be written as JSON");
        Self { secret, line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(entitlements: Entitlements) -> (String, Key) {
        let GeneratedKey { secret, line } = GeneratedKey::new("desk", entitlements, [7; 48]);
        (secret, Key::parse(&line).unwrap())
    }

    #[test]
    fn a_key_accepts_its_secret_and_no_other() {
        let (secret, key) = generated(Entitlements::default());

        assert_eq!(secret.len(), 43, "256 bits");
        assert!(key.has_secret(&secret));
        for wrong in ["", "x", &secret[1..], &secret.to_lowercase()] {
            assert!(!key.has_secret(wrong), "{wrong}");
        }
        assert!(!SaltedHash::unmatchable().matches(""));
    }

    #[test]
    fn a_key_allows_what_its_line_says() {
        let symbol = |text: &str| text.parse::<Symbol>().unwrap();
        let some = Entitlements {
            feeds: Some(vec![Feed::IEX]),
            symbols: Some(vec![symbol("MSFT"), symbol("AAPL")]),
            max_sessions: Some(2),
            max_symbols: Some(9),
            control: true,
        };
        let ((_, key), (_, all)) = (generated(some), generated(Entitlements::default()));

        assert!(key.allows_feed(Feed::IEX) && !key.allows_feed(Feed::SIP) && !key.allows_all_feeds());
        for (text, allowed) in [("AAPL", true), ("MSFT", true), ("KO", false)] {
            assert_eq!(key.allows_symbol(&symbol(text)), allowed, "{text}");
        }
        assert!(!key.allows_all_symbols() && (key.max_sessions(), key.max_symbols()) == (2, 9));
        assert!(all.allows_feed(Feed::SIP) && all.allows_all_feeds());
        assert!(all.allows_symbol(&symbol("KO")) && all.allows_all_symbols());
    }

    #[test]
    fn a_line_with_a_mistake_is_an_error() {
        let good = GeneratedKey::new("desk", Entitlements::default(), [7; 48]).line;
        let with = |field: &str| good.replacen('{', &format!("{{{field},"), 1);
        for bad in [
            "{}",
            r#"{"id":"desk"}"#,
            r#"{"id":"desk","hash":"secret"}"#,
            r#"{"id":"desk","hash":"sha256:AAAA:AAAA"}"#,
            &with(r#""symbol":["AAPL"]"#),
            &with(r#""feeds":["NASDAQ"]"#),
            &with(r#""symbols":["A B"]"#),
            &with(r#""max_sessions":-1"#),
            &good.replace("desk", ""),
            &good.replace("desk", "my desk"),
        ] {
            assert!(Key::parse(bad).is_err(), "{bad}");
        }
        assert!(Key::parse(&with(r#""max_sessions":1"#)).is_ok());
    }

    #[test]
    fn an_id_is_what_headers_queries_and_basic_credentials_can_carry() {
        let longest = "x".repeat(KeyId::MAX_LEN);
        for valid in ["desk", "a@example.org", "7", &longest] {
            assert_eq!(valid.parse::<KeyId>().unwrap().as_str(), valid);
        }
        for of_session in ["desk", "jwt", "jwt:anna", "jwt:auth0|a:b"] {
            assert!(KeyId::may_be_of_session(of_session), "{of_session}");
        }
        for of_none in ["", "jwt:", "jwt:a b", "jwt2:a"] {
            assert!(!KeyId::may_be_of_session(of_none), "{of_none}");
        }
        for invalid in ["", " ", "a b", "a\tb", "a\nb", "a:b", "Bücher", &format!("{longest}x")] {
            assert!(invalid.parse::<KeyId>().is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn a_token_is_told_from_a_secret_by_its_form() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.AAAA";
        assert!(is_token(token) && is_token("ewogImFsZyI6MX0.e30.AA"));
        assert_eq!(Credentials::of_token(token.into()).token(), Some(token));
        for other in
            ["", "e", "ey", "eyJ.x", "desk.eu.secret", "..", "eyJ.a.b.c", "e.y.J", &token.replace('.', ":")]
        {
            assert!(!is_token(other), "{other}");
        }
        let (secret, _) = generated(Entitlements::default());
        for (key, secret) in [("jwt", &*secret), ("desk", token), ("JWT", token)] {
            assert_eq!(Credentials { key: key.into(), secret: secret.into() }.token(), None);
        }
    }

    #[test]
    fn debug_output_of_credentials_hides_the_secret() {
        let shown = format!("{:?}", Credentials { key: "desk".into(), secret: "hush".into() });

        assert!(shown.contains("desk") && !shown.contains("hush"), "{shown}");
    }
}
