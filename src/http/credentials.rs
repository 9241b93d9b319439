use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::query::QueryParams;
use crate::auth::{Credentials, is_token};

/// The header in which Alpaca's clients send the key's id.
pub(super) const KEY_HEADER: &str = "apca-api-key-id";

/// The header in which they send its secret.
pub(super) const SECRET_HEADER: &str = "apca-api-secret-key";

/// The header in which Centrifugo's clients send id and secret as one text, `ID.SECRET` or `ID:SECRET`.
const TOKEN_HEADER: &str = "x-api-key";

/// How a request carries its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialsPlace {
    /// In Alpaca's headers or in the query string: wrong ones get 403, as at Alpaca.
    Alpaca,
    /// In the header `Authorization` or `X-API-Key`: wrong ones get 401 with a challenge (RFC 9110 section 11.6.1).
    Authorization,
}

/// The credentials of a request and their place: Alpaca's headers come first, then `Authorization`, then `X-API-Key`, then the
/// parameters `token`, or `key` and `secret`. A JSON Web Token may be in any place of a secret, with the id `jwt`, or of
/// both.
///
/// Proxies log query strings, so clients that can set headers should.
pub(super) fn credentials_in(
    request: &HttpRequest,
    query: &QueryParams,
) -> Option<(Credentials, CredentialsPlace)> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let in_headers = || {
        let (key, secret) = (header(KEY_HEADER)?, header(SECRET_HEADER)?);
        Some((Credentials { key, secret }, CredentialsPlace::Alpaca))
    };
    let in_authorization = || {
        let found = authorization(request.headers().get(AUTHORIZATION)?.to_str().ok()?)?;
        Some((found, CredentialsPlace::Authorization))
    };
    let in_query = || {
        if let Some(token) = query.value("token") {
            return Some((Credentials::of_token(token.to_owned()), CredentialsPlace::Authorization));
        }
        let (key, secret) = (query.value("key")?.to_owned(), query.value("secret")?.to_owned());
        Some((Credentials { key, secret }, CredentialsPlace::Alpaca))
    };
    let in_token = || {
        let token = header(TOKEN_HEADER)?;
        Some((split(&token)?, CredentialsPlace::Authorization))
    };
    in_headers().or_else(in_authorization).or_else(in_token).or_else(in_query)
}

/// The credentials of a request, for a stream.
pub(super) fn credentials_of(request: &HttpRequest, query: &QueryParams) -> Option<Credentials> {
    credentials_in(request, query).map(|(credentials, _)| credentials)
}

/// Parses a value of `Authorization`: `Basic` with id and secret (RFC 7617), or `Bearer` (RFC 6750) with a JSON Web Token,
/// or with both as one text, `ID.SECRET` or `ID:SECRET`.
fn authorization(value: &str) -> Option<Credentials> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim_start();
    if scheme.eq_ignore_ascii_case("basic") {
        const ENGINE: GeneralPurpose = GeneralPurpose::new(
            &STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let text = String::from_utf8(ENGINE.decode(token).ok()?).ok()?;
        return credentials(text.split_once(':')?);
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return split(token);
    }
    None
}

/// The credentials in one text. The id may contain dots; a secret from `tapecast key new` does not.
fn split(token: &str) -> Option<Credentials> {
    if is_token(token) {
        return Some(Credentials::of_token(token.to_owned()));
    }
    credentials(token.split_once(':').or_else(|| token.rsplit_once('.'))?)
}

fn credentials((key, secret): (&str, &str)) -> Option<Credentials> {
    Some(Credentials { key: key.to_owned(), secret: secret.to_owned() })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn found(request: TestRequest) -> Option<(String, String)> {
        let request = request.to_http_request();
        let query = QueryParams::parse(request.query_string()).unwrap();
        credentials_of(&request, &query).map(|found| (found.key, found.secret))
    }

    fn pair(key: &str, secret: &str) -> Option<(String, String)> {
        Some((key.to_owned(), secret.to_owned()))
    }

    #[test]
    fn credentials_are_read_from_headers_or_the_query_string() {
        let with_headers = |request: TestRequest| {
            request.insert_header(("apca-api-key-id", "H")).insert_header(("apca-api-secret-key", "S"))
        };

        assert_eq!(found(with_headers(TestRequest::default())), pair("H", "S"));
        assert_eq!(found(TestRequest::with_uri("/v2/iex?codec=msgpack&key=A&secret=S")), pair("A", "S"));
        assert_eq!(found(with_headers(TestRequest::with_uri("/?key=A&secret=S"))), pair("H", "S"));
        assert_eq!(found(TestRequest::with_uri("/v2/iex?key=A")), None);
        assert_eq!(found(TestRequest::default()), None);
    }

    #[test]
    fn credentials_are_read_from_basic_and_bearer() {
        let with = |value: &str| found(TestRequest::default().insert_header((AUTHORIZATION, value)));

        for value in [
            "Basic ZGVzazpzZWNyZXQ=",
            "basic   ZGVzazpzZWNyZXQ=",
            "BASIC ZGVzazpzZWNyZXQ",
            "Bearer desk.secret",
            "bearer desk:secret",
        ] {
            assert_eq!(with(value), pair("desk", "secret"), "{value}");
        }
        assert_eq!(with("Basic ZGVzazphOmI="), pair("desk", "a:b"), "a secret may contain a colon");
        assert_eq!(with("Bearer desk.eu.secret"), pair("desk.eu", "secret"));
        let token = TestRequest::default().insert_header(("x-api-key", "desk.secret"));
        assert_eq!(found(token), pair("desk", "secret"));
        let web_token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
        assert_eq!(with(&format!("Bearer {web_token}")), pair("jwt", web_token));
        assert_eq!(found(TestRequest::with_uri(&format!("/?token={web_token}"))), pair("jwt", web_token));
        for value in
            ["", "Basic", "Basic %", "Basic ZGVzaw==", "Bearer token", "Digest desk.secret", "desk.secret"]
        {
            assert_eq!(with(value), None, "{value}");
        }
    }
}
