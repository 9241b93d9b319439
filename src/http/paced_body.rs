//! Bodies that leave in pieces, and a bound on the bytes of REST responses that clients have yet to take.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use bytes::Bytes;

use super::admission::{client_address, unavailable};
use super::state::AppState;
use crate::limits::AnswerPermit;

/// The most bytes of a body that are copied at a time: a client that reads slowly holds this much in its
/// connection's buffer, and shares the rest. A larger piece would cost fewer polls and more memory for each slow
/// reader.
pub const BODY_PIECE: usize = 8 << 10;

/// A body in memory that leaves in pieces of [`BODY_PIECE`]. HTTP copies what a body gives it into the
/// connection's buffer; a whole file of the page would be copied for each of its slow readers.
struct PacedBody {
    left: Bytes,
    _permit: Option<AnswerPermit>,
}

impl MessageBody for PacedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.left.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let left = &mut self.get_mut().left;
        let piece = left.split_to(left.len().min(BODY_PIECE));
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

/// Marks a response whose body is shared by all its readers, so that it does not count as memory of one.
pub(super) struct SharedBody;

/// Middleware that sends long bodies in pieces.
pub async fn pace_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > BODY_PIECE => BoxBody::new(PacedBody { left: bytes, _permit: None }),
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => body.boxed(),
    }))
}

/// Middleware of REST that bounds the bytes of responses under way, in total and per address: beyond it 503.
pub(super) async fn bound_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let address = client_address(request.request(), &state);
    let refusal = || {
        state.metrics.http().request_refused("answers");
        unavailable("too many responses under way")
    };
    if !state.answers.has_room(address) {
        return Ok(request.into_response(refusal()));
    }
    let response = next.call(request).await?;
    let is_shared = response.response().extensions().get::<SharedBody>().is_some();
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > BODY_PIECE && !is_shared => bytes,
        Ok(bytes) => return Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(bytes)))),
        Err(body) => return Ok(ServiceResponse::new(request, response.set_body(body.boxed()))),
    };
    let response = match state.answers.acquire(address, bytes.len()) {
        Some(permit) => response.set_body(BoxBody::new(PacedBody { left: bytes, _permit: Some(permit) })),
        None => refusal(),
    };
    Ok(ServiceResponse::new(request, response))
}
