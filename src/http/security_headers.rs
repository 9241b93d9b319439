use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;

use super::surface::StrictTransport;

/// A year, which browsers count from each response.
const STRICT_FOR: &str = "max-age=31536000";

/// The dashboard's Content-Security-Policy: scripts, styles and connections of this server only. The page's
/// own tests read the same file.
pub(super) const PAGE_POLICY: (HeaderName, &str) =
    (CONTENT_SECURITY_POLICY, include_str!("../../web/content-security-policy.txt").trim_ascii_end());

/// Middleware that adds security headers for browsers to every response.
///
/// 1. `nosniff`: the content type is what the header says, whatever the body looks like.
/// 2. `no-referrer`: our addresses, which may contain a key, are not sent to other sites.
/// 3. `DENY` and the opener policy: no site can show us in a frame or control a window it opened.
/// 4. The resource policy: no site can embed our responses. `fetch` from allowed origins goes by CORS,
///    which this does not affect.
/// 5. Where TLS is required, browsers are told to use no plain HTTP with this host.
pub fn security_headers(transport: StrictTransport) -> DefaultHeaders {
    let headers = match transport {
        StrictTransport::Required => DefaultHeaders::new().add((STRICT_TRANSPORT_SECURITY, STRICT_FOR)),
        StrictTransport::Optional => DefaultHeaders::new(),
    };
    headers
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add(("cross-origin-opener-policy", "same-origin"))
        .add(("cross-origin-resource-policy", "same-origin"))
}
