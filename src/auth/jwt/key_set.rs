use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use ring::signature::RsaPublicKeyComponents;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::TokenFault;
use super::algorithm::{Algorithm, KeyMaterial};
use super::token::WebToken;

/// The shortest secret: as long as the hash (RFC 7518 section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// The sizes of RSA keys, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// The most keys of a set.
const MAX_KEYS: usize = 256;

/// The keys that verify tokens.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<VerificationKey>);

#[derive(Clone, Debug)]
struct VerificationKey {
    id: Option<String>,
    material: KeyMaterial,
}

/// Where a set of keys is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetOrigin {
    /// A file of this machine.
    File,
    /// An HTTP server, which has public keys alone: what it calls a secret is none.
    Server,
}

/// Keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySetError {
    /// The text is no set.
    #[error("it is no JWK Set (RFC 7517), a JSON object with a list `keys`")]
    NotASet,
    /// The set has no key for the algorithms.
    #[error(
        "it has no key for RS256 (RSA of 2,048 to 8,192 bits), ES256 (P-256) or, in a file, HS256 (a secret of 32 bytes)"
    )]
    NoUsableKey,
    /// There are too many.
    #[error("it has more than {MAX_KEYS} keys")]
    TooMany,
    /// The secret can be guessed.
    #[error(
        "the secret has {0} bytes, and HS256 needs at least {MIN_SECRET_BYTES}: `openssl rand -base64 48` makes one"
    )]
    ShortSecret(usize),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// The members of a key that are used (RFC 7517 section 4, RFC 7518 section 6).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

impl KeySet {
    /// Parses a JWK Set. Keys for other purposes and of other kinds are left out (RFC 7517 section 5).
    ///
    /// # Errors
    /// When the text is no set, or no key can be used.
    pub fn of_jwks(text: &[u8], origin: KeySetOrigin) -> Result<Self, KeySetError> {
        let Set { keys } = serde_json::from_slice(text).map_err(|_| KeySetError::NotASet)?;
        if keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        let keys: Vec<_> = keys.filter_map(|key: Jwk| key.into_key(origin)).collect();
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey);
        }
        Ok(Self(keys))
    }

    /// The shared secret of a file: all of its bytes but a line end behind them.
    ///
    /// # Errors
    /// When the secret is shorter than the hash.
    pub fn of_secret(bytes: &[u8]) -> Result<Self, KeySetError> {
        let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeySetError::ShortSecret(secret.len()));
        }
        let material = KeyMaterial::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Self(vec![VerificationKey { id: None, material }]))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys of both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self([&self.0[..], &other.0[..]].concat())
    }

    /// Whether a token can be verified.
    pub(super) fn has_key_of(&self, token: &WebToken<'_>) -> bool {
        self.find(token.algorithm, token.key_id.as_deref()).is_some()
    }

    /// Verifies the signature of a token, by one key: the one of its algorithm and id; one without an id if no key has
    /// the token's; for a token without an id the only one of its algorithm.
    pub(super) fn verify(&self, token: &WebToken<'_>) -> Result<(), TokenFault> {
        let key = self.find(token.algorithm, token.key_id.as_deref()).ok_or(TokenFault::UnknownKey)?;
        key.material.verifies(token.signed, &token.signature).then_some(()).ok_or(TokenFault::Signature)
    }

    fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Option<&VerificationKey> {
        let fitting = || self.0.iter().filter(|key| key.material.algorithm() == algorithm);
        let only = |mut keys: Box<dyn Iterator<Item = _> + '_>| keys.next().filter(|_| keys.next().is_none());
        match id {
            Some(id) => fitting()
                .find(|key| key.id.as_deref() == Some(id))
                .or_else(|| only(Box::new(fitting().filter(|key| key.id.is_none())))),
            None => only(Box::new(fitting())),
        }
    }
}

impl Jwk {
    /// The key, if it is one for signatures of an algorithm that is accepted.
    fn into_key(self, origin: KeySetOrigin) -> Option<VerificationKey> {
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let may_verify = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_for_signatures || !may_verify {
            return None;
        }
        let material = self.material(origin)?;
        let is_of_algorithm =
            self.alg.as_deref().is_none_or(|alg| Algorithm::named(alg) == Some(material.algorithm()));
        is_of_algorithm.then_some(VerificationKey { id: self.kid, material })
    }

    fn material(&self, origin: KeySetOrigin) -> Option<KeyMaterial> {
        let decoded = |text: &Option<String>| BASE64.decode(text.as_deref()?).ok();
        match self.kty.as_str() {
            "RSA" => {
                let (n, e) = (without_zeros(decoded(&self.n)?), without_zeros(decoded(&self.e)?));
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                RSA_BITS.contains(&bits).then_some(KeyMaterial::Rsa(RsaPublicKeyComponents { n, e }))
            }
            "EC" if self.crv.as_deref() == Some("P-256") => {
                let point = [vec![4], decoded(&self.x)?, decoded(&self.y)?];
                let is_complete = point[1].len() == 32 && point[2].len() == 32;
                is_complete.then(|| point.concat().try_into().ok()).flatten().map(KeyMaterial::P256)
            }
            "oct" if origin == KeySetOrigin::File => {
                let secret = decoded(&self.k)?;
                let is_long = secret.len() >= MIN_SECRET_BYTES;
                is_long.then(|| KeyMaterial::Secret(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
            }
            _ => None,
        }
    }
}

/// A number without leading zeros, which some servers write.
fn without_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
