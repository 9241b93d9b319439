use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::middleware::Condition;

use super::credentials::{KEY_HEADER, SECRET_HEADER};
use crate::auth::AllowedOrigins;

/// How long browsers may cache the answer to a preflight request: 2 h, the most that Chromium allows.
const MAX_AGE_SECONDS: usize = 2 * 3_600;

/// CORS middleware (Fetch standard): pages of the allowed origins may read REST and send a key.
///
/// Other origins get no CORS headers, and the server's own pages need none. Cookies are not allowed: no
/// endpoint uses them.
pub(super) fn cors(origins: &AllowedOrigins) -> Condition<Cors> {
    let headers =
        [HeaderName::from_static(KEY_HEADER), HeaderName::from_static(SECRET_HEADER), AUTHORIZATION];
    let cors =
        Cors::default().allowed_methods([Method::GET]).allowed_headers(headers).max_age(MAX_AGE_SECONDS);
    let is_needed = *origins != AllowedOrigins::Own(Vec::new());
    let cors = match origins.clone() {
        AllowedOrigins::Any => cors.allow_any_origin().send_wildcard(),
        listed @ AllowedOrigins::Own(_) => {
            cors.allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| listed.lists(origin)))
        }
    };
    Condition::new(is_needed, cors)
}
