use std::borrow::Cow;
use std::io::Read;

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ContentType, ETAG, EntityTag, IfNoneMatch,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use bytes::Bytes;
use flate2::read::GzDecoder;
use rust_embed::{EmbeddedFile, Metadata, RustEmbed};

use super::compression::ContentCoding;
use super::security_headers::PAGE_POLICY;

/// The files of the dashboard, embedded from `web/dist` when the server was built.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
// Three quarters of the page's bytes: the binary has these in their compressed forms only.
#[exclude = "assets/chart-*.js"]
#[exclude = "assets/grid-*.js"]
#[exclude = "assets/index-*.js"]
#[exclude = "assets/index-*.css"]
struct Dashboard;

/// A file of the dashboard as the binary has it, besides its forms in other codings.
enum StoredFile {
    Plain(EmbeddedFile),
    /// Only in its gzip form.
    Gzip(EmbeddedFile),
}

impl StoredFile {
    fn find(path: &str) -> Option<Self> {
        let plain = Dashboard::get(path).map(Self::Plain);
        plain.or_else(|| Dashboard::get(&format!("{path}.gz")).map(Self::Gzip))
    }

    fn metadata(&self) -> &Metadata {
        let (Self::Plain(file) | Self::Gzip(file)) = self;
        &file.metadata
    }

    /// The media type of the plain form.
    fn media_type(&self, path: &str) -> &str {
        match self {
            Self::Plain(file) => file.metadata.mimetype(),
            Self::Gzip(_) if path.ends_with(".css") => "text/css",
            Self::Gzip(_) => "text/javascript",
        }
    }

    /// The plain form. Nearly every client takes another one, so that unpacking is rare.
    fn into_plain(self) -> Cow<'static, [u8]> {
        let file = match self {
            Self::Plain(file) => return file.data,
            Self::Gzip(file) => file,
        };
        let mut plain = Vec::new();
        GzDecoder::new(&*file.data).read_to_end(&mut plain).expect("the page's build writes gzip");
        plain.into()
    }
}

/// The client library as one module, for pages without a build. Pages of all origins may import it: it is
/// public code, and what a page may do with the server is decided when it connects.
const CLIENT_LIBRARY: &str = "client.js";

/// The page at `/` if the server was built without the dashboard.
const UNBUILT: &str = "<!doctype html><meta charset=utf-8><title>Tapecast</title>\
<p>The dashboard is not in this binary: it was built without the page. Build both with <code>make run</code>, \
or <code>npm --prefix web ci &amp;&amp; npm --prefix web run build</code> and then <code>cargo run</code>. \
The stream at <code>/v2/iex</code> and everything else works without it.</p>\n";

/// The page of the administration, which clients are not served.
pub(super) const ADMIN_PAGE: &str = "admin.html";

/// `GET /` and the dashboard's files.
pub(super) fn file(request: &HttpRequest) -> HttpResponse {
    match request.path() {
        "/" => page(request, "index.html", UNBUILT),
        other => match other.trim_start_matches('/') {
            "index.html" => page(request, "index.html", UNBUILT),
            // In its compressed forms too.
            path if path.starts_with(ADMIN_PAGE) => not_found(),
            path => asset(request, path),
        },
    }
}

/// A page, or this text if the server was built without it.
pub(super) fn page(request: &HttpRequest, path: &str, unbuilt: &'static str) -> HttpResponse {
    embedded(request, path).unwrap_or_else(|| {
        HttpResponse::Ok().content_type(ContentType::html()).insert_header(PAGE_POLICY).body(unbuilt)
    })
}

/// A file of the pages.
pub(super) fn asset(request: &HttpRequest, path: &str) -> HttpResponse {
    embedded(request, path).unwrap_or_else(not_found)
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type(ContentType::plaintext()).body("not found\n")
}

fn embedded(request: &HttpRequest, path: &str) -> Option<HttpResponse> {
    // A debug build reads the files of the folder, by other paths too.
    let is_plain = path.split(['/', '\\']).all(|part| !matches!(part, "" | "." | ".."));
    let file = is_plain.then(|| StoredFile::find(path)).flatten()?;
    let tag = entity_tag(file.metadata());
    let is_cached = has_tag(request, &tag);
    let mut builder = if is_cached { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    builder
        .content_type(file.media_type(path))
        .insert_header((CACHE_CONTROL, cache_policy(path)))
        .insert_header((ETAG, tag))
        .insert_header(PAGE_POLICY);
    if path == CLIENT_LIBRARY {
        builder.insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    }
    let (coding, data) = coded(request, path, file);
    let mut response = match (is_cached, data) {
        (true, _) => builder.finish(),
        // Shared, not copied for each request: a release embeds the files.
        (false, Cow::Borrowed(bytes)) => builder.body(Bytes::from_static(bytes)),
        (false, Cow::Owned(bytes)) => builder.body(Bytes::from(bytes)),
    };
    coding.mark(&mut response);
    Some(response)
}

/// Identifies the content of a file. Weak, because it is the same in each coding (RFC 9110 section 8.8.1).
fn entity_tag(metadata: &Metadata) -> EntityTag {
    let hash = metadata.sha256_hash();
    EntityTag::new_weak(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the client has the content of this tag (RFC 9110 section 13.1.2).
fn has_tag(request: &HttpRequest, tag: &EntityTag) -> bool {
    match request.get_header::<IfNoneMatch>() {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(tag)),
        None => false,
    }
}

/// The file in the coding that the client prefers, among those that the page's build put beside it.
fn coded(request: &HttpRequest, path: &str, stored: StoredFile) -> (ContentCoding, Cow<'static, [u8]>) {
    let coding = ContentCoding::negotiate(request.headers(), &[ContentCoding::Brotli, ContentCoding::Gzip]);
    let ending = match coding {
        ContentCoding::Brotli => ".br",
        ContentCoding::Gzip => ".gz",
        ContentCoding::Identity => return (coding, stored.into_plain()),
    };
    match Dashboard::get(&format!("{path}{ending}")) {
        Some(file) => (coding, file.data),
        None => (ContentCoding::Identity, stored.into_plain()),
    }
}

/// Files in `assets/` have a hash of their content in their names, so they are cached for ever. The client
/// library is used for five minutes before it is revalidated; the page itself is always revalidated.
fn cache_policy(path: &str) -> &'static str {
    match path {
        CLIENT_LIBRARY => "public, max-age=300",
        _ if path.starts_with("assets/") => "public, max-age=31536000, immutable",
        _ => "no-cache",
    }
}
