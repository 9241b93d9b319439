//! The turn of a request in its worker's fair queue.

use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::UPGRADE;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, ResponseError};

use super::admission::{client_address, record_request};
use super::error::ApiError;
use super::held_turn::HeldTurn;
use super::replay;
use super::state::{AppState, hubs_of};

/// Paths that are served at once: health checks must not wait behind clients, and the controls of a replay are cheap and have a
/// body, whose sender could keep others waiting.
const AT_ONCE: [&str; 3] = ["/healthz", "/readyz", replay::PATH];

/// Middleware by which each request waits in the fair queue, and holds its turn until the response begins.
///
/// Requests of an address wait for each other, and all together take a part of the worker's time. Handshakes do not
/// wait: a session is bounded by its own limits. A request waits as a head of at most 16 KiB: it is read further, and
/// its key checked, when its turn has come; for the rest of its body it gives the turn up.
pub async fn wait_for_turn(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let state = request.app_data::<Data<AppState>>();
    let Some(state) = state.filter(|_| !AT_ONCE.contains(&request.path()) && !is_handshake(&request)) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let hub = Rc::clone(hubs_of(request.request()).any());
    let client = client_address(request.request(), state).into();
    let Ok(turn) = hub.fair_queue().acquire(client) else {
        hub.metrics().refused_work.inc();
        record_request(state, request.request(), ApiError::Busy.name(), None);
        return Ok(request.into_response(ApiError::Busy.error_response()));
    };
    let held = HeldTurn::new(hub, client, turn.await);
    request.extensions_mut().insert(held.clone());
    let response = next.call(request).await;
    // The request may live as long as the response.
    held.give_up();
    response.map(ServiceResponse::map_into_boxed_body)
}

fn is_handshake(request: &ServiceRequest) -> bool {
    request.headers().contains_key(UPGRADE)
}
