//! Checks that apply to every request, and the count of connections that sent none.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use actix_web::Error;
use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::admin::paths;
use super::admission::record_request;
use super::state::AppState;
use super::{replay, response, surface, topic_api};
use crate::metrics::HttpMetrics;
use crate::transport::{BodyAllowance, Connection, ReadingEnd, StreamMode};

/// Lives as long as a connection, and counts it when it ends without a request.
struct ConnectionGuard {
    has_request: Cell<bool>,
    reading: ReadingEnd,
    body: BodyAllowance,
    stream: StreamMode,
    is_tls: bool,
    metrics: HttpMetrics,
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        if !self.has_request.get() {
            self.metrics.connections_without_request.inc();
        }
    }
}

/// Counts a new connection if it ends without a request.
pub fn watch_connection(metrics: HttpMetrics, connection: &impl Connection, extensions: &mut Extensions) {
    let (reading, body, stream) =
        (connection.reading_end(), connection.body_allowance(), connection.stream_mode());
    let (has_request, is_tls) = (Cell::new(false), connection.is_tls());
    extensions.insert(Rc::new(ConnectionGuard { has_request, reading, body, stream, is_tls, metrics }));
}

/// Whether the connection of this request is one of TLS.
pub(super) fn is_tls(request: &HttpRequest) -> bool {
    request.conn_data::<Rc<ConnectionGuard>>().is_some_and(|connection| connection.is_tls)
}

/// Makes the connection of this request that of a session, whose events are the response.
pub(super) fn begin_stream(request: &HttpRequest) {
    if let Some(connection) = request.conn_data::<Rc<ConnectionGuard>>() {
        connection.stream.begin();
    }
}

/// Middleware that rejects oversized heads (431) and bodies that no endpoint takes (413), and closes the connection.
pub async fn reject_oversized(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(connection) = request.conn_data::<Rc<ConnectionGuard>>() {
        connection.has_request.set(true);
    }
    let Some(state) = request.app_data::<Data<AppState>>() else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let command = command_bytes(request.request());
    let fault = if head_bytes(request.request()) > state.http.head_bytes {
        Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head", "request head too large"))
    } else if has_body(request.request()) && command.is_none() {
        Some((StatusCode::PAYLOAD_TOO_LARGE, "body", "no endpoint accepts this body"))
    } else {
        None
    };
    match fault {
        Some((status, reason, message)) => {
            record_request(state, request.request(), reason, None);
            let mut answer = response::error(status, message);
            // The rest of the request is not read.
            answer.head_mut().set_connection_type(ConnectionType::Close);
            if let Some(connection) = request.conn_data::<Rc<ConnectionGuard>>() {
                connection.reading.set();
            }
            Ok(request.into_response(answer))
        }
        None if command.is_some() => {
            if let (Some(connection), Some(bytes)) = (request.conn_data::<Rc<ConnectionGuard>>(), command) {
                connection.body.set(bytes);
                // The body may have come with the head: nothing else would have the connection read it.
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    Poll::Ready(())
                })
                .await;
            }
            let mut answer = next.call(request).await?.map_into_boxed_body();
            // What a refusal left of the body is no request.
            answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
            Ok(answer)
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

/// Whether one of the two fields is present that announce a body (RFC 9112 section 6).
fn has_body(request: &HttpRequest) -> bool {
    let length = request.headers().get(CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() != b"0")
        || request.headers().contains_key(TRANSFER_ENCODING)
}

/// The length of the body if it is a command for a replay or a call of the API of topics or of the administration, and the length is told and allowed.
fn command_bytes(request: &HttpRequest) -> Option<usize> {
    let length = request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    let most = match request.path() {
        replay::PATH => replay::MAX_COMMAND_BYTES,
        path if topic_api::is_path(path) => topic_api::MAX_BYTES,
        path if paths::is_path(path) && surface::is_of_operations(request) => paths::MAX_BODY_BYTES,
        _ => return None,
    };
    let has_body_method = match *request.method() {
        Method::POST => true,
        Method::PUT => paths::is_path(request.path()),
        _ => false,
    };
    let is_command = has_body_method && !request.headers().contains_key(TRANSFER_ENCODING);
    (is_command && length <= most).then_some(length)
}
