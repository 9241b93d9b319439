use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use actix_web::middleware::Condition;

use super::credentials::{KEY_HEADER, SECRET_HEADER};
use crate::auth::AllowedOrigins;

/// How long browsers may cache the answer to a preflight request: 2 h, the most that Chromium allows.
const MAX_AGE_SECONDS: usize = 2 * 3_600;

/// The headers that such a page may send, apart from those that need no permission (Fetch standard section
/// 2.2.2): the credentials, and what libraries add on their own. No other header has a meaning here.
const ALLOWED_HEADERS: [&str; 16] = [
    KEY_HEADER,
    SECRET_HEADER,
    "accept",
    "accept-language",
    "authorization",
    "baggage",
    "cache-control",
    "content-language",
    "content-type",
    "last-event-id",
    "pragma",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-requested-with",
];

/// CORS middleware (Fetch standard): pages of the allowed origins may read REST and send a key.
///
/// Other origins get no CORS headers, and the server's own pages need none. Cookies are not allowed: no
/// endpoint uses them.
pub(super) fn cors(origins: &AllowedOrigins) -> Condition<Cors> {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::HEAD])
        .allowed_headers(ALLOWED_HEADERS.map(HeaderName::from_static))
        .max_age(MAX_AGE_SECONDS);
    let is_needed = *origins != AllowedOrigins::Own(Vec::new());
    let cors = match origins.clone() {
        AllowedOrigins::Any => cors.allow_any_origin().send_wildcard(),
        listed @ AllowedOrigins::Own(_) => {
            cors.allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| listed.lists(origin)))
        }
    };
    Condition::new(is_needed, cors)
}
