//! The turn of a request in the fair queue, which its handler can give up while it waits for I/O.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use actix_web::{HttpMessage, HttpRequest};

use super::error::ApiError;
use crate::hub::Hub;
use crate::limits::{ClientAddress, WorkPermit};

/// The turn of a request, among its extensions. Clones share it.
#[derive(Clone)]
pub(super) struct HeldTurn {
    hub: Rc<Hub>,
    client: ClientAddress,
    permit: Rc<RefCell<Option<WorkPermit>>>,
}

impl HeldTurn {
    /// The turn of this client in the fair queue of the hub's worker.
    pub(super) fn new(hub: Rc<Hub>, client: ClientAddress, permit: WorkPermit) -> Self {
        Self { hub, client, permit: Rc::new(RefCell::new(Some(permit))) }
    }

    /// Admits the next request.
    pub(super) fn give_up(&self) {
        drop(self.permit.take());
    }
}

/// Waits for I/O, such as the body of the request or the response of another server, without holding the turn.
/// The time does not count as work.
///
/// # Errors
/// When too many requests of the address wait.
pub(super) async fn wait_without_turn<T>(
    request: &HttpRequest,
    wait: impl Future<Output = T>,
) -> Result<T, ApiError> {
    let mut wait = std::pin::pin!(wait);
    let turn = request.extensions().get::<HeldTurn>().cloned();
    let Some(turn) = turn else { return Ok(wait.await) };
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await {
        return Ok(done);
    }
    turn.give_up();
    let done = wait.await;
    let again = turn.hub.fair_queue().acquire(turn.client).map_err(|_| ApiError::Busy)?.await;
    turn.permit.replace(Some(again));
    Ok(done)
}
