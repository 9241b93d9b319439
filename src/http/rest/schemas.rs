//! The OpenAPI and AsyncAPI documents. `tests/schemas.rs` checks that the server sends what they describe.

use actix_web::HttpResponse;

use crate::http::response::json;

/// The OpenAPI 3.1 document of REST.
const OPENAPI: &str = include_str!("openapi.json");

/// The AsyncAPI 3 document of the stream, with our extensions.
const ASYNCAPI: &str = include_str!("asyncapi.json");

/// `GET /openapi.json`
pub(super) async fn openapi() -> HttpResponse {
    json(OPENAPI)
}

/// `GET /asyncapi.json`
pub(super) async fn asyncapi() -> HttpResponse {
    json(ASYNCAPI)
}
