use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};

use super::super::body::BodyFault;
use super::super::response;
use crate::auth::{AdminRefusal, KeyChangeError};

/// The administration refuses a request.
#[derive(Debug)]
pub(super) enum AdminError {
    /// The sender is no administrator: 401, 403 or 429.
    Refused(AdminRefusal),
    /// The request cannot be understood: 400.
    Invalid(String),
    /// There is no such session or key: 404.
    Missing(String),
    /// What is asked for is not possible as the server runs now: 409.
    Conflict(String),
    /// Too many requests of the address wait: 503.
    Busy,
}

impl AdminError {
    pub(super) fn invalid(why: impl fmt::Display) -> Self {
        Self::Invalid(why.to_string())
    }
}

impl From<BodyFault> for AdminError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Unfit { .. } => Self::invalid(format!("the body: {fault}")),
            BodyFault::Busy => Self::Busy,
        }
    }
}

impl From<KeyChangeError> for AdminError {
    fn from(error: KeyChangeError) -> Self {
        match error {
            KeyChangeError::Unknown(_) => Self::Missing(error.to_string()),
            KeyChangeError::NoFile
            | KeyChangeError::Exists(_)
            | KeyChangeError::ChangedOnDisk(_)
            | KeyChangeError::File(_)
            | KeyChangeError::Unwritable { .. } => Self::Conflict(error.to_string()),
        }
    }
}

impl fmt::Display for AdminError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(out),
            Self::Invalid(why) | Self::Missing(why) | Self::Conflict(why) => out.write_str(why),
            Self::Busy => out.write_str("too many requests wait"),
        }
    }
}

impl ResponseError for AdminError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(AdminRefusal::NoToken | AdminRefusal::WrongToken) => StatusCode::UNAUTHORIZED,
            Self::Refused(AdminRefusal::TooManyAttempts) => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused(
                AdminRefusal::TokenRequired
                | AdminRefusal::Host
                | AdminRefusal::Forwarded
                | AdminRefusal::Origin,
            ) => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = response::error(self.status_code(), &self.to_string());
        let header = match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tapecast admin\"")))
            }
            StatusCode::TOO_MANY_REQUESTS => Some((RETRY_AFTER, HeaderValue::from_static("60"))),
            _ => None,
        };
        if let Some((name, value)) = header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}
