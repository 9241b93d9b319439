use thiserror::Error;

/// Why a token is refused. The texts go into the log, so they hold nothing of a token but the names of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// It is longer than any token may be.
    #[error("the token has more than {} bytes", super::token::MAX_BYTES)]
    TooLong,
    /// It is no compact signed token.
    #[error("not three parts in base64url without padding (RFC 7515)")]
    Form,
    /// The header is no JSON object, has a member twice, or one of another type.
    #[error("the header is malformed")]
    Header,
    /// The header has an extension that must be understood.
    #[error("the header has `crit`, and no extension is supported")]
    Critical,
    /// The token is of another kind: nested, or for another purpose.
    #[error("`typ` or `cty` says that the token is of another kind")]
    Kind,
    /// The algorithm is another one.
    #[error("the algorithm is none of HS256, RS256 and ES256")]
    Algorithm,
    /// No key of this id is for the algorithm.
    #[error("no key has the id and the algorithm of the header")]
    UnknownKey,
    /// There are no keys yet.
    #[error("the keys were never fetched")]
    NoKeys,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// The payload is no JSON object, or has a member twice.
    #[error("the payload is no JSON object whose members are given once")]
    Payload,
    /// A required claim is missing.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// A claim is malformed.
    #[error("the claim `{0}` is malformed")]
    Malformed(&'static str),
    /// The token is for another audience.
    #[error("the audience is none of --jwt-audience")]
    Audience,
    /// The token is by another issuer.
    #[error("the issuer is not --jwt-issuer")]
    Issuer,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// It is not valid yet.
    #[error("the token is not valid yet: compare the clocks")]
    NotYetValid,
}

impl TokenFault {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong | Self::Form | Self::Header | Self::Critical | Self::Kind | Self::Payload => "form",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::NoKeys => "no_keys",
            Self::Signature => "signature",
            Self::Missing(_) | Self::Malformed(_) => "claims",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
        }
    }
}
