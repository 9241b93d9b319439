use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// Why a request is not answered. The text goes to the client as `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum RestError {
    /// A parameter that must be there is not: 400.
    Missing(&'static str),
    /// A parameter cannot be meant: 400.
    Invalid {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The market does not know the one symbol that was asked for: 404.
    UnknownSymbol(String),
    /// There is none of it yet: 404.
    None {
        /// `trade`, `quote` or `bar`.
        what: &'static str,
        /// Of which symbol.
        symbol: String,
    },
    /// A key is demanded and none was shown: 401.
    NoKey,
    /// No such key, or not its secret: 403.
    WrongKey,
    /// Too many wrong ones came from there: 429, and again in a minute.
    TooManyAttempts,
    /// The key is not good for this: 403.
    NotEntitled(String),
    /// No such path: 404.
    NoSuchPath,
}

#[derive(Serialize)]
struct ErrorBody {
    message: String,
}

/// An answer that says no, in the words that clients of REST look for.
pub(in crate::http) fn refused(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(ErrorBody { message: message.to_owned() })
}

impl RestError {
    /// The name in metrics, of those that are counted.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::WrongKey => "wrong_key",
            Self::TooManyAttempts => "attempts",
            Self::NotEntitled(_) => "not_entitled",
            Self::Missing(_) | Self::Invalid { .. } => "invalid",
            Self::UnknownSymbol(_) | Self::None { .. } | Self::NoSuchPath => "not_found",
        }
    }

    pub(super) fn invalid(name: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { name, why: why.into() }
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(out, "{name} is required"),
            Self::Invalid { name, why } => write!(out, "invalid {name}: {why}"),
            Self::UnknownSymbol(symbol) => write!(out, "symbol not found: {symbol}"),
            Self::None { what, symbol } => write!(out, "no {what} found for {symbol}"),
            Self::NoKey => out.write_str("authentication required"),
            Self::WrongKey => out.write_str("forbidden"),
            Self::TooManyAttempts => out.write_str("too many failed attempts"),
            Self::NotEntitled(what) => write!(out, "insufficient subscription: {what}"),
            Self::NoSuchPath => out.write_str("endpoint not found"),
        }
    }
}

impl ResponseError for RestError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoKey => StatusCode::UNAUTHORIZED,
            Self::WrongKey | Self::NotEntitled(_) => StatusCode::FORBIDDEN,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::Missing(_) | Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::UnknownSymbol(_) | Self::None { .. } | Self::NoSuchPath => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = refused(self.status_code(), &self.to_string());
        if *self == Self::TooManyAttempts {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        answer
    }
}
