use actix_web::HttpRequest;
use actix_web::web::Query;
use serde::Deserialize;

use crate::auth::Credentials;

/// Where Alpaca's clients put the key's id.
pub(super) const KEY_HEADER: &str = "apca-api-key-id";

/// Where they put its secret.
pub(super) const SECRET_HEADER: &str = "apca-api-secret-key";

/// Where a browser puts its credentials: it cannot set headers on a WebSocket.
#[derive(Deserialize)]
struct InAddress {
    key: String,
    secret: String,
}

/// The credentials that a request brings: in Alpaca's headers, or in its address as `key` and
/// `secret`, which proxies like to log: what can set headers should.
pub(super) fn shown(request: &HttpRequest) -> Option<Credentials> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
    let in_headers = || {
        let (key, secret) = (header(KEY_HEADER)?, header(SECRET_HEADER)?);
        Some(Credentials { key, secret })
    };
    let in_address = || {
        let asked = Query::<InAddress>::from_query(request.query_string()).ok()?;
        let InAddress { key, secret } = asked.into_inner();
        Some(Credentials { key, secret })
    };
    in_headers().or_else(in_address)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn credentials_come_in_headers_or_in_the_address() {
        let key = |request: TestRequest| shown(&request.to_http_request()).map(|shown| shown.key);
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
