//! Content codings (RFC 9110 section 8.4): which one a client gets, and gzip of what is made per request.

use std::io::Write;

use actix_web::HttpResponse;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};
use actix_web::rt::task::yield_now;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::response;

/// A content coding that the server can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentCoding {
    Brotli,
    Gzip,
    Identity,
}

/// A body below this size is sent as it is: it fits into one packet anyway.
const WORTH_COMPRESSING_BYTES: usize = 1_024;

/// The bytes that are compressed in one step: half a millisecond.
const BYTES_PER_STEP: usize = 64 << 10;

impl ContentCoding {
    /// The coding that the client prefers among those available, and among equals the first. Identity is
    /// always available.
    pub(super) fn negotiate(headers: &HeaderMap, available: &[Self]) -> Self {
        let lines = headers.get_all(ACCEPT_ENCODING).filter_map(|line| line.to_str().ok());
        let accepted: Vec<_> = lines.flat_map(|line| line.split(',')).filter_map(weighted).collect();
        let weight = |coding: &Self| {
            let named = accepted.iter().find(|(name, _)| coding.is_named(name));
            let any = || accepted.iter().find(|(name, _)| *name == "*");
            named.or_else(any).map_or(0, |(_, weight)| *weight)
        };
        let best = available.iter().rev().max_by_key(|coding| weight(coding));
        let identity = accepted.iter().find(|(name, _)| Self::Identity.is_named(name)).map_or(1, |(_, w)| *w);
        match best {
            Some(best) if weight(best) > 0 && weight(best) >= identity => *best,
            _ => Self::Identity,
        }
    }

    fn is_named(self, name: &str) -> bool {
        let names: &[&str] = match self {
            Self::Brotli => &["br"],
            Self::Gzip => &["gzip", "x-gzip"],
            Self::Identity => &["identity"],
        };
        names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Names the coding in a response whose body has it, and tells caches that other clients get another.
    pub(super) fn mark(self, response: &mut HttpResponse) {
        let headers = response.headers_mut();
        let name = match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        };
        if let Some(name) = name {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// A list element of `Accept-Encoding`: the coding, and its weight in thousandths.
fn weighted(element: &str) -> Option<(&str, u32)> {
    let mut parts = element.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    let thousandths = match weight.map(|text| text.trim().parse::<f32>()) {
        None => 1_000,
        Some(Ok(weight)) => (weight.clamp(0.0, 1.0) * 1_000.0) as u32,
        Some(Err(_)) => 0,
    };
    Some((name, thousandths))
}

/// A text in a content coding. Clones share the bytes.
#[derive(Clone)]
pub(super) struct CodedText {
    coding: ContentCoding,
    bytes: Bytes,
}

impl CodedText {
    /// The text in this coding, which is gzip or none. It is compressed in steps between which other tasks run.
    pub(super) async fn new(text: Vec<u8>, coding: ContentCoding) -> Self {
        match coding {
            ContentCoding::Gzip if text.len() >= WORTH_COMPRESSING_BYTES => {
                Self { coding, bytes: gzip(&text).await.into() }
            }
            _ => Self { coding: ContentCoding::Identity, bytes: text.into() },
        }
    }

    /// An answer with this text, which is JSON.
    pub(super) fn into_json(self) -> HttpResponse {
        let mut answer = response::json(self.bytes);
        self.coding.mark(&mut answer);
        answer
    }
}

/// Compresses a text that never changes; call it once.
pub(super) fn gzip_once(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect(IN_MEMORY);
    Bytes::from(encoder.finish().expect(IN_MEMORY))
}

/// Compresses at the fastest level, a fifth of the size for JSON, in steps between which other tasks run.
async fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    for step in text.chunks(BYTES_PER_STEP) {
        encoder.write_all(step).expect(IN_MEMORY);
        yield_now().await;
    }
    encoder.finish().expect(IN_MEMORY)
}

const IN_MEMORY: &str = "writing to memory does not fail";

#[cfg(test)]
mod tests {
    use std::io::Read;

    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_client_gets_the_coding_that_it_prefers() {
        use ContentCoding::{Brotli, Gzip, Identity};
        let of = |value: &str| {
            let request = TestRequest::default().insert_header((ACCEPT_ENCODING, value)).to_http_request();
            ContentCoding::negotiate(request.headers(), &[Brotli, Gzip])
        };

        for (value, coding) in [
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip", Gzip),
            ("x-gzip", Gzip),
            ("GZIP;Q=0.5", Gzip),
            ("*", Brotli),
            ("br;q=0, *", Gzip),
            ("br;q=0.5, gzip;q=0.8", Gzip),
            ("gzip;q=0", Identity),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip", Gzip),
            ("gzip;q=nonsense", Identity),
            ("deflate, zstd", Identity),
            ("", Identity),
        ] {
            assert_eq!(of(value), coding, "{value}");
        }
        let none = TestRequest::default().to_http_request();
        assert_eq!(ContentCoding::negotiate(none.headers(), &[Brotli, Gzip]), Identity);
    }

    #[actix_web::test]
    async fn what_is_compressed_in_steps_is_the_whole_text() {
        let text: Vec<u8> = (0..300_000u32).flat_map(|n| n.to_string().into_bytes()).collect();

        let compressed = gzip(&text).await;

        let mut out = Vec::new();
        GzDecoder::new(&compressed[..]).read_to_end(&mut out).unwrap();
        assert!(out == text && compressed.len() < text.len(), "{} of {}", compressed.len(), text.len());
    }
}
