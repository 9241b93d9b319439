use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::DefaultHeaders;

/// What a browser may do with the dashboard: run and show what this server gave it, talk to a
/// WebSocket, and nothing else. The page's own tests hold it to the same line.
pub(super) const PAGE_POLICY: (HeaderName, &str) =
    (CONTENT_SECURITY_POLICY, include_str!("../../web/content-security-policy.txt").trim_ascii_end());

/// What every answer says to browsers; other clients ignore it.
///
/// 1. A body is what its content type says, however it looks.
/// 2. No address of ours, which may hold a key, is told to another site.
/// 3. No site shows us in a frame, and none that opened us keeps a hand on our window.
/// 4. No site draws our answers into its own process. A page that may open a session may also fetch:
///    that goes by CORS, which this does not touch.
pub fn protection() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add(("cross-origin-opener-policy", "same-origin"))
        .add(("cross-origin-resource-policy", "same-origin"))
}
