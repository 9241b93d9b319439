//! The page of the administration and its files. It is public code: what it may do is decided by the API.

use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::super::assets;
use super::super::error::no_such_path;

/// The page if the server was built without it.
const UNBUILT: &str = "<!doctype html><meta charset=utf-8><title>Tapecast administration</title>\
<p>The page of the administration is not in this binary: it was built without the pages. Build them with \
<code>npm --prefix web ci &amp;&amp; npm --prefix web run build</code> and then <code>cargo build</code>. \
The API below <code>/admin/api/</code> and <code>tapecast admin</code> work without it.</p>\n";

/// `GET /admin`: the page's relative addresses need the slash.
pub(super) async fn to_page() -> HttpResponse {
    let mut answer = HttpResponse::PermanentRedirect().finish();
    answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/admin/"));
    answer
}

/// `GET /admin/`, and what the page names relative to it.
pub(super) async fn file(request: HttpRequest, file: Path<String>) -> HttpResponse {
    match file.as_str() {
        "" => assets::page(&request, assets::ADMIN_PAGE, UNBUILT),
        name if name.starts_with("assets/") => assets::asset(&request, name),
        _ => no_such_path(),
    }
}

/// `GET /assets/…`.
pub(super) async fn asset(request: HttpRequest, file: Path<String>) -> HttpResponse {
    assets::asset(&request, &format!("assets/{file}"))
}
