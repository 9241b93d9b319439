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

use super::admission::{client_address, record, unavailable};
use super::state::AppState;
use crate::limits::AnswerPermit;
use crate::metrics::RefusalKind;

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

/// Middleware that sends long bodies in pieces. The permit of a response, if it has one, is held until the client
/// has taken it.
pub async fn pace_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut response = next.call(request).await?;
    let permit = response.response_mut().extensions_mut().remove::<AnswerPermit>();
    Ok(response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) if bytes.len() > BODY_PIECE => BoxBody::new(PacedBody { left: bytes, _permit: permit }),
        Ok(bytes) => BoxBody::new(bytes),
        Err(body) => body.boxed(),
    }))
}

/// Middleware of REST that bounds the bytes of responses under way, in total and per address: beyond it 503. It
/// gives long responses a permit for [`pace_bodies`] to hold.
pub(super) async fn bound_answers(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(state) = request.app_data::<Data<AppState>>().cloned() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let address = client_address(request.request(), &state);
    let refusal = || {
        record(&state, RefusalKind::Request, "answers", address, None);
        unavailable("too many responses under way")
    };
    if !state.answers.has_room(address) {
        return Ok(request.into_response(refusal()));
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    let is_shared = response.response().extensions().get::<SharedBody>().is_some();
    match response.response().body().size() {
        BodySize::Sized(bytes) if bytes > BODY_PIECE as u64 && !is_shared => {
            match state.answers.acquire(address, bytes as usize) {
                Some(permit) => _ = response.response_mut().extensions_mut().insert(permit),
                None => return Ok(response.into_response(refusal())),
            }
        }
        _ => {}
    }
    Ok(response)
}
