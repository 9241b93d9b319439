use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use serde::Serialize;

#[derive(Serialize)]
struct ErrorBody<'a> {
    message: &'a str,
}

/// A response with this JSON text.
pub(super) fn json(text: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(text)
}

/// An error response in the form of Alpaca's REST API: `{"message":"..."}`.
pub(super) fn error(status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(ErrorBody { message })
}
