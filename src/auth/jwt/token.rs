use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use super::TokenFault;
use super::algorithm::Algorithm;
use super::strict_json;

/// The longest token. Those with many groups of a user have some 4 KiB; a request head has at most 16 KiB.
pub(super) const MAX_BYTES: usize = 8 << 10;

/// The longest id of a key.
const MAX_KEY_ID: usize = 256;

/// The values of `typ` for tokens that let a user in (RFC 7519 section 5.1, RFC 9068 section 2.1). Others, such as
/// `logout+jwt`, are for other purposes (RFC 8725 section 3.11).
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// A signed token in compact form (RFC 7515 section 7.1), of which nothing is verified yet.
#[derive(Debug)]
pub(super) struct WebToken<'a> {
    pub(super) algorithm: Algorithm,
    /// The id of its key, if it names one. It selects a key among those that are known, and is used for nothing else.
    pub(super) key_id: Option<String>,
    /// What the signature is of.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

impl<'a> WebToken<'a> {
    /// Takes a token apart. Where its key is (`jku`, `jwk`, `x5u`, `x5c`) is not read.
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenFault> {
        if text.len() > MAX_BYTES {
            return Err(TokenFault::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenFault::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenFault::Form)?;
        // Each token has one form: no padding, no bits that decode to nothing, no other character.
        let decoded = |part: &str| BASE64.decode(part).map_err(|_| TokenFault::Form);
        let (header, signature) = (decoded(header)?, decoded(signature)?);
        if payload.contains('.') {
            return Err(TokenFault::Form);
        }
        let header = strict_json::object(&header).ok_or(TokenFault::Header)?;
        let text_of = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(TokenFault::Header),
        };
        if header.contains_key("crit") {
            return Err(TokenFault::Critical);
        }
        let kind = text_of("typ")?.map(str::to_ascii_lowercase);
        let kind = kind.as_deref().map(|kind| kind.strip_prefix("application/").unwrap_or(kind));
        if kind.is_some_and(|kind| !TYPES.contains(&kind)) || header.contains_key("cty") {
            return Err(TokenFault::Kind);
        }
        let algorithm = text_of("alg")?.ok_or(TokenFault::Header)?;
        let algorithm = Algorithm::named(algorithm).ok_or(TokenFault::Algorithm)?;
        let key_id = text_of("kid")?.map(ToOwned::to_owned);
        if key_id.as_ref().is_some_and(|id| id.len() > MAX_KEY_ID) {
            return Err(TokenFault::Header);
        }
        Ok(Self { algorithm, key_id, signed: signed.as_bytes(), signature, payload })
    }

    /// The payload, to be read when the signature is verified.
    pub(super) fn payload(&self) -> Result<serde_json::Map<String, Value>, TokenFault> {
        let payload = BASE64.decode(self.payload).map_err(|_| TokenFault::Form)?;
        strict_json::object(&payload).ok_or(TokenFault::Payload)
    }
}
