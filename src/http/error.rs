use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use super::challenge::AuthChallenge;
use super::response;
use crate::source::ControlRefusal;

/// Why a request is refused. The client gets the text as `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// A required parameter is missing: 400.
    Missing(&'static str),
    /// A parameter cannot be parsed or is out of range: 400.
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A parameter that has one value is given more than once: 400.
    Repeated(String),
    /// The one symbol of the request is unknown: 404.
    UnknownSymbol(String),
    /// The symbol has no such record yet: 404.
    NoRecord {
        /// `trade`, `quote` or `bar`.
        kind: &'static str,
        /// The symbol.
        symbol: String,
    },
    /// A key is required and the request has none: 401.
    NoKey(AuthChallenge),
    /// The key is unknown, or the secret is wrong: 403.
    WrongKey,
    /// The same, and they came in the header `Authorization`: 401.
    WrongAuthorization(AuthChallenge),
    /// The token has expired: 401.
    ExpiredToken,
    /// The keys of tokens were never fetched: 503, with the advice to retry.
    NoTokenKeys,
    /// Too many wrong credentials came from the address: 429, with the advice to retry after a minute.
    TooManyAttempts,
    /// The key does not allow this symbol or feed: 403.
    NotEntitled(String),
    /// The client may not do this: 403.
    NotPermitted(&'static str),
    /// No replay is running: 404.
    NoReplay,
    /// The time is not one of the replay: 422.
    OutOfRange,
    /// The replay's files cannot be read again: 500.
    Unreadable(String),
    /// There is no such path: 404.
    NoSuchPath,
    /// Too many requests of the address wait on this worker: 503, with the advice to retry.
    Busy,
}

impl ApiError {
    /// The value of the label `reason` in `tapecast_requests_refused`.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::NoKey(_) => "no_key",
            Self::WrongKey | Self::WrongAuthorization(_) => "wrong_key",
            Self::ExpiredToken => "expired",
            Self::NoTokenKeys => "unavailable",
            Self::TooManyAttempts => "attempts",
            Self::NotEntitled(_) => "not_entitled",
            Self::NotPermitted(_) => "not_permitted",
            Self::Unreadable(_) => "unreadable",
            Self::Busy => "busy",
            Self::Missing(_) | Self::Invalid { .. } | Self::Repeated(_) | Self::OutOfRange => "invalid",
            Self::UnknownSymbol(_) | Self::NoRecord { .. } | Self::NoSuchPath | Self::NoReplay => "not_found",
        }
    }

    pub(super) fn invalid(name: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { name, why: why.into() }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(out, "{name} is required"),
            Self::Invalid { name, why } => write!(out, "invalid {name}: {why}"),
            Self::UnknownSymbol(symbol) => write!(out, "symbol not found: {symbol}"),
            Self::NoRecord { kind, symbol } => write!(out, "no {kind} found for {symbol}"),
            Self::Repeated(name) => write!(out, "{name} is given more than once"),
            Self::NoKey(_) => out.write_str("authentication required"),
            Self::WrongKey | Self::WrongAuthorization(_) => out.write_str("forbidden"),
            Self::ExpiredToken => out.write_str("the token has expired"),
            Self::NoTokenKeys => out.write_str("the keys of tokens could not be fetched yet"),
            Self::TooManyAttempts => out.write_str("too many failed attempts"),
            Self::NotEntitled(subject) => write!(out, "insufficient subscription: {subject}"),
            Self::NotPermitted(why) => out.write_str(why),
            Self::NoReplay => ControlRefusal::NoReplay.fmt(out),
            Self::OutOfRange => ControlRefusal::OutOfRange.fmt(out),
            Self::Unreadable(why) => write!(out, "the recording cannot be read again: {why}"),
            Self::NoSuchPath => out.write_str("endpoint not found"),
            Self::Busy => out.write_str("too many requests wait"),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoKey(_) | Self::WrongAuthorization(_) | Self::ExpiredToken => StatusCode::UNAUTHORIZED,
            Self::WrongKey | Self::NotEntitled(_) | Self::NotPermitted(_) => StatusCode::FORBIDDEN,
            Self::OutOfRange => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::NoTokenKeys => StatusCode::SERVICE_UNAVAILABLE,
            Self::Missing(_) | Self::Invalid { .. } | Self::Repeated(_) => StatusCode::BAD_REQUEST,
            Self::UnknownSymbol(_) | Self::NoRecord { .. } | Self::NoSuchPath | Self::NoReplay => {
                StatusCode::NOT_FOUND
            }
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = response::error(self.status_code(), &self.to_string());
        match self {
            Self::TooManyAttempts => {
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::Busy | Self::NoTokenKeys => {
                answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::ExpiredToken => AuthChallenge::append_expired_to(answer.headers_mut()),
            Self::NoKey(challenge) | Self::WrongAuthorization(challenge) => {
                challenge.append_to(answer.headers_mut());
            }
            _ => {}
        }
        answer
    }
}

/// The response for a path that does not exist.
pub(super) fn no_such_path() -> HttpResponse {
    ApiError::NoSuchPath.error_response()
}
