//! The methods of HTTP: every address answers GET and HEAD; the controls of a replay answer POST too, the API of topics
//! answers POST alone, and each path of the administration has its own.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCESS_CONTROL_REQUEST_METHOD, ALLOW, HeaderValue, ORIGIN};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use super::admin::paths;
use super::admission::record_request;
use super::error::no_such_path;
use super::state::AppState;
use super::{replay, response, surface, topic_api};

/// The methods that a request may use, other than CORS's preflight.
const ALLOWED: &str = "GET, HEAD";

/// Those of the controls of a replay.
const CONTROL_ALLOWED: &str = "GET, HEAD, POST";

/// Marks a request of the method HEAD.
struct AnsweredAsGet;

/// Whether the method of the request was HEAD: its response has no body to stream.
pub(super) fn is_head(request: &HttpRequest) -> bool {
    request.extensions().get::<AnsweredAsGet>().is_some()
}

/// Middleware that answers HEAD as GET (RFC 9110 section 9.3.2; the codec sends no body), refuses other methods
/// with 405, and those that HTTP does not define with 501.
///
/// A preflight passes: CORS answers it where it applies, and `not_allowed` elsewhere.
pub async fn restrict_methods(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = match *request.method() {
        Method::GET => None,
        Method::HEAD => {
            request.head_mut().method = Method::GET;
            request.extensions_mut().insert(AnsweredAsGet);
            None
        }
        Method::POST | Method::PUT | Method::DELETE
            if paths::has_method(request.path(), request.method())
                && surface::is_of_operations(request.request()) =>
        {
            None
        }
        Method::POST if request.path() == replay::PATH || topic_api::is_path(request.path()) => None,
        Method::OPTIONS if is_preflight(&request) => None,
        Method::CONNECT
        | Method::DELETE
        | Method::OPTIONS
        | Method::PATCH
        | Method::POST
        | Method::PUT
        | Method::TRACE => {
            let is_elsewhere =
                paths::is_path(request.path()) && !surface::is_of_operations(request.request());
            Some(if is_elsewhere { no_such_path() } else { not_allowed(request.path()) })
        }
        _ => Some(response::error(StatusCode::NOT_IMPLEMENTED, "method not implemented")),
    };
    match refusal {
        None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        Some(mut refusal) => {
            if let Some(state) = request.app_data::<Data<AppState>>() {
                let is_missing = refusal.status() == StatusCode::NOT_FOUND;
                let reason = if is_missing { "not_found" } else { "method" };
                record_request(state, request.request(), reason, None);
            }
            // A body is not read.
            refusal.head_mut().set_connection_type(ConnectionType::Close);
            Ok(request.into_response(refusal))
        }
    }
}

fn is_preflight(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The response to a method that the address does not have: 404 where there is no such call below `/api/`, of which a client
/// of Centrifugo knows more than there are here.
pub(super) fn not_allowed(path: &str) -> HttpResponse {
    let allowed = match path {
        replay::PATH => CONTROL_ALLOWED,
        path if topic_api::is_path(path) => "POST",
        path if paths::is_path(path) => match paths::methods_of(path) {
            Some(methods) => methods,
            None => return no_such_path(),
        },
        path if path.starts_with("/api/") => return no_such_path(),
        _ => ALLOWED,
    };
    let mut refusal = response::error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    refusal
}
