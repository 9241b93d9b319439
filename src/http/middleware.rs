//! What every request passes before it comes to a door, and what every connection leaves behind.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::AppState;
use super::rest::refused;
use crate::metrics::HttpMetrics;

/// How a request must come.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// A request's head must be whole in this time, and a TLS handshake before it: half-open
    /// handshakes and one byte a second end here. Default 5 s: a head is one packet, and the slowest
    /// phone sends it in one.
    pub head_timeout: Duration,
    /// A connection without a session may be idle for so long. Default 15 s: pages and pollers come
    /// back sooner, and each holds one of the process's descriptors.
    pub idle_timeout: Duration,
    /// The most bytes of a request's head. Default 16 KiB: twice what browsers send with all their
    /// cookies; 431 beyond. The parser itself reads no more than 128 KiB or 96 lines.
    pub head_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15),
            head_bytes: 16 << 10,
        }
    }
}

/// One connection, for as long as it is open. It counts itself when it ends without a request.
struct ConnectionGuard {
    has_asked: Cell<bool>,
    metrics: HttpMetrics,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if !self.has_asked.get() {
            self.metrics.connections_without_request.inc();
        }
    }
}

/// Begins to watch a connection.
pub fn watch_connection(metrics: HttpMetrics, extensions: &mut Extensions) {
    extensions.insert(Rc::new(ConnectionGuard { has_asked: Cell::new(false), metrics }));
}

/// Sends away what asks in a way that no client of ours does.
pub async fn threshold(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(visit) = request.conn_data::<Rc<ConnectionGuard>>() {
        visit.has_asked.set(true);
    }
    let Some(house) = request.app_data::<Data<AppState>>() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let fault = if head_bytes(request.request()) > house.manners.head_bytes {
        Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head", "request head too large"))
    } else if has_body(request.request()) {
        Some((StatusCode::PAYLOAD_TOO_LARGE, "body", "no request here has a body"))
    } else {
        None
    };
    match fault {
        Some((status, reason, message)) => {
            house.metrics.doors().request_refused(reason);
            let mut response = refused(status, message);
            // What is left of it is not worth reading.
            response.head_mut().set_connection_type(ConnectionType::Close);
            Ok(request.into_response(response))
        }
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
    }
}

fn head_bytes(request: &HttpRequest) -> usize {
    const PER_LINE: usize = ": \r\n".len();
    let fields = request.headers().iter();
    let lines = fields.map(|(name, value)| name.as_str().len() + value.len() + PER_LINE);
    request.path().len() + request.query_string().len() + lines.sum::<usize>()
}

/// RFC 9112 section 6: one of these two fields says that there is a body.
fn has_body(request: &HttpRequest) -> bool {
    let length = request.headers().get(CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() != b"0")
        || request.headers().contains_key(TRANSFER_ENCODING)
}
