use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::middleware::Condition;

use super::credentials::{KEY_HEADER, SECRET_HEADER};
use crate::auth::AllowedOrigins;

/// A browser need not ask again for so long whether it may ask: 2 h, which is all that Chromium keeps.
const MAX_AGE_SECONDS: usize = 2 * 3_600;

/// Lets pages of the origins that are named read what they fetch (the CORS protocol of the Fetch
/// standard), and show a key for it. Nobody else is told anything, and this server's own pages need no
/// telling. Cookies are left out: nothing here goes by them.
pub(super) fn cors(origins: &AllowedOrigins) -> Condition<Cors> {
    let key = [HeaderName::from_static(KEY_HEADER), HeaderName::from_static(SECRET_HEADER), AUTHORIZATION];
    let cors = Cors::default().allowed_methods([Method::GET]).allowed_headers(key).max_age(MAX_AGE_SECONDS);
    let is_asked_for = *origins != AllowedOrigins::Own(Vec::new());
    let cors = match origins.clone() {
        AllowedOrigins::Any => cors.allow_any_origin().send_wildcard(),
        named @ AllowedOrigins::Own(_) => {
            cors.allowed_origin_fn(move |origin, _| origin.to_str().is_ok_and(|origin| named.lists(origin)))
        }
    };
    Condition::new(is_asked_for, cors)
}
