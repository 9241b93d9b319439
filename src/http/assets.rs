use std::borrow::Cow;

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use rust_embed::RustEmbed;

use super::compression::ContentCoding;
use super::security_headers::PAGE_POLICY;

/// The files of the dashboard, embedded from `web/dist` when the server was built.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Dashboard;

/// The page at `/` if the server was built without the dashboard.
const UNBUILT: &str = "<!doctype html><meta charset=utf-8><title>Tapecast</title>\
<p>The dashboard is not in this binary: it was built without the page. Build both with <code>make run</code>, \
or <code>npm --prefix web ci &amp;&amp; npm --prefix web run build</code> and then <code>cargo run</code>. \
The stream at <code>/v2/iex</code> and everything else works without it.</p>\n";

/// `GET /` and the dashboard's files.
pub(super) fn file(request: &HttpRequest) -> HttpResponse {
    let path = match request.path() {
        "/" => "index.html",
        other => other.trim_start_matches('/'),
    };
    match (Dashboard::get(path), path) {
        (Some(file), _) => {
            let (coding, data) = coded(request, path, file.data);
            let mut response = HttpResponse::Ok()
                .content_type(file.metadata.mimetype())
                .insert_header((CACHE_CONTROL, cache_policy(path)))
                .insert_header(PAGE_POLICY)
                .body(match data {
                    // Shared, not copied for each request: a release embeds the files.
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                });
            coding.mark(&mut response);
            response
        }
        (None, "index.html") => {
            HttpResponse::Ok().content_type(ContentType::html()).insert_header(PAGE_POLICY).body(UNBUILT)
        }
        (None, _) => HttpResponse::NotFound().content_type(ContentType::plaintext()).body("not found\n"),
    }
}

/// The file in the coding that the client prefers, among those that the page's build put beside it.
fn coded(
    request: &HttpRequest,
    path: &str,
    plain: Cow<'static, [u8]>,
) -> (ContentCoding, Cow<'static, [u8]>) {
    let coding = ContentCoding::negotiate(request.headers(), &[ContentCoding::Brotli, ContentCoding::Gzip]);
    let ending = match coding {
        ContentCoding::Brotli => ".br",
        ContentCoding::Gzip => ".gz",
        ContentCoding::Identity => return (coding, plain),
    };
    match Dashboard::get(&format!("{path}{ending}")) {
        Some(file) => (coding, file.data),
        None => (ContentCoding::Identity, plain),
    }
}

/// Files in `assets/` have a hash of their content in their names, so they are cached for ever; the page
/// itself is always revalidated.
fn cache_policy(path: &str) -> &'static str {
    match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    }
}
