//! The body of a request.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Payload};
use tokio::time::timeout;

use super::admission::client_address;
use super::error::ApiError;
use super::held_turn::wait_without_turn;
use super::state::AppState;
use crate::limits::rate_limit_key;

/// The most bodies of one address that are awaited at a time. What has arrived of them takes memory.
const MAX_AWAITED_PER_ADDRESS: usize = 16;

/// Why there is no body.
#[derive(Debug)]
pub(super) enum BodyFault {
    /// It is longer, or did not arrive in time.
    Unfit {
        /// The most bytes that it may have.
        most: usize,
    },
    /// Too many requests of the address wait.
    Busy,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit { most } => write!(out, "expected at most {most} bytes, in time"),
            Self::Busy => ApiError::Busy.fmt(out),
        }
    }
}

impl From<BodyFault> for ApiError {
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Unfit { .. } => Self::invalid("body", fault.to_string()),
            BodyFault::Busy => Self::Busy,
        }
    }
}

/// Reads the body, up to a maximum length. Gives up the request's turn in the fair queue meanwhile.
///
/// # Errors
/// When it is longer, does not arrive in time, or too many bodies of the address are awaited.
pub(super) async fn read_body(
    request: &HttpRequest,
    state: &AppState,
    body: Payload,
    most: usize,
) -> Result<Bytes, BodyFault> {
    let address = rate_limit_key(client_address(request, state));
    let awaited = state.awaited_bodies.acquire(address, MAX_AWAITED_PER_ADDRESS);
    let _awaited = awaited.ok_or(BodyFault::Busy)?;
    let body = timeout(state.http.head_timeout, body.to_bytes_limited(most));
    match wait_without_turn(request, body).await {
        Ok(Ok(Ok(Ok(body)))) => Ok(body),
        Ok(_) => Err(BodyFault::Unfit { most }),
        Err(_) => Err(BodyFault::Busy),
    }
}
