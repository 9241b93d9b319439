use actix_web::HttpRequest;
use actix_web::web::Query;
use serde::Deserialize;

use crate::auth::Credentials;

/// The header in which Alpaca's clients send the key's id.
pub(super) const KEY_HEADER: &str = "apca-api-key-id";

/// The header in which they send its secret.
pub(super) const SECRET_HEADER: &str = "apca-api-secret-key";

/// Credentials in the query string, for browsers: they cannot set headers on a WebSocket.
#[derive(Deserialize)]
struct CredentialsQuery {
    key: String,
    secret: String,
}

/// The credentials of a request: from Alpaca's headers, or from the parameters `key` and `secret`.
///
/// Proxies log query strings, so clients that can set headers should.
pub(super) fn credentials_of(request: &HttpRequest) -> Option<Credentials> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let in_headers = || {
        let (key, secret) = (header(KEY_HEADER)?, header(SECRET_HEADER)?);
        Some(Credentials { key, secret })
    };
    let in_query = || {
        let query = Query::<CredentialsQuery>::from_query(request.query_string()).ok()?;
        let CredentialsQuery { key, secret } = query.into_inner();
        Some(Credentials { key, secret })
    };
    in_headers().or_else(in_query)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn credentials_are_read_from_headers_or_the_query_string() {
        let key = |request: TestRequest| credentials_of(&request.to_http_request()).map(|found| found.key);
        let with_headers = |request: TestRequest| {
            request.insert_header(("apca-api-key-id", "H")).insert_header(("apca-api-secret-key", "S"))
        };

        assert_eq!(key(with_headers(TestRequest::default())), Some("H".to_owned()));
        assert_eq!(key(TestRequest::with_uri("/v2/iex?codec=msgpack&key=A&secret=S")), Some("A".to_owned()));
        assert_eq!(key(with_headers(TestRequest::with_uri("/?key=A&secret=S"))), Some("H".to_owned()));
        assert_eq!(key(TestRequest::with_uri("/v2/iex?key=A")), None);
        assert_eq!(key(TestRequest::default()), None);
    }
}
