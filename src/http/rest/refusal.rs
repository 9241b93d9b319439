use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

/// Why a request is not answered. The text goes to the client as `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
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
    /// No such path: 404.
    NoSuchPath,
}

#[derive(Serialize)]
struct Body {
    message: String,
}

/// An answer that says no, in the words that clients of REST look for.
pub(in crate::http) fn refused(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(Body { message: message.to_owned() })
}

impl Refusal {
    pub(super) fn invalid(name: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { name, why: why.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(out, "{name} is required"),
            Self::Invalid { name, why } => write!(out, "invalid {name}: {why}"),
            Self::UnknownSymbol(symbol) => write!(out, "symbol not found: {symbol}"),
            Self::None { what, symbol } => write!(out, "no {what} found for {symbol}"),
            Self::NoSuchPath => out.write_str("endpoint not found"),
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Missing(_) | Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::UnknownSymbol(_) | Self::None { .. } | Self::NoSuchPath => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        refused(self.status_code(), &self.to_string())
    }
}
