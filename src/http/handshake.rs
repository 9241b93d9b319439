//! The WebSocket handshake (RFC 6455 section 4.2.1).

use actix_http::Request;
use actix_http::ws::hash_key;
use actix_web::http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use actix_web::http::{Method, StatusCode, Version};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::response;

/// Marks a request whose connection can leave HTTP. Only such a request may be answered with 101: any other
/// connection would stay with HTTP and end.
struct CanLeaveHttp;

/// Marks the request of a connection that [`hand_over`](super::hand_over) may take out of HTTP.
pub fn can_leave_http(request: &mut Request) {
    if request.method() == Method::GET {
        request.extensions_mut().insert(CanLeaveHttp);
    }
}

/// Whether the request is one that may leave HTTP, so that its response cannot be a stream.
pub(super) fn is_upgrade(request: &HttpRequest) -> bool {
    request.extensions().get::<CanLeaveHttp>().is_some()
}

/// Why a request at the address of a WebSocket does not open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandshakeError {
    /// The request does not ask for an upgrade to WebSocket: 426.
    NoUpgrade,
    /// `Upgrade` lists more than the one protocol, or `Connection` does not say `Upgrade`: 400.
    UnclearUpgrade,
    /// It is older than HTTP/1.1: 400.
    OldHttp,
    /// `Sec-WebSocket-Version` is not 13, or not given once: 426 with the version (section 4.4).
    Version,
    /// `Sec-WebSocket-Key` is not 16 bytes in base64, or not given once: 400.
    Key,
}

/// The version of the protocol.
const VERSION: &str = "13";

impl HandshakeError {
    fn status(self) -> StatusCode {
        match self {
            Self::NoUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::UnclearUpgrade | Self::OldHttp | Self::Key => StatusCode::BAD_REQUEST,
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::NoUpgrade => "the request has no `Upgrade: websocket`",
            Self::UnclearUpgrade => {
                "the request needs exactly `Connection: Upgrade` and one `Upgrade: websocket`"
            }
            Self::OldHttp => "the request needs HTTP/1.1",
            Self::Version => "the request needs one `Sec-WebSocket-Version: 13`",
            Self::Key => "the request needs one `Sec-WebSocket-Key` of 16 bytes in base64",
        }
    }

    /// The response, which says how to connect.
    pub(super) fn response(self, path: &str) -> HttpResponse {
        let message = format!(
            "this is the address of a WebSocket: connect to ws://HOST{path} or wss://HOST{path} ({}). \
             /asyncapi.json describes it",
            self.why()
        );
        let mut response = response::error(self.status(), &message);
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
        response
    }
}

/// Accepts a handshake: the beginning of the response with status 101.
pub(super) fn accept(request: &HttpRequest) -> Result<HttpResponseBuilder, HandshakeError> {
    let key = check(request.version(), request.headers())?;
    if !is_upgrade(request) {
        return Err(HandshakeError::UnclearUpgrade);
    }
    let accept = HeaderValue::from_bytes(&hash_key(key)).expect("base64 is visible ASCII");
    let mut response = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS);
    response.upgrade("websocket").insert_header((SEC_WEBSOCKET_ACCEPT, accept));
    Ok(response)
}

/// Checks the headers of a handshake, and returns its key.
fn check(version: Version, headers: &HeaderMap) -> Result<&[u8], HandshakeError> {
    if !lists(headers, UPGRADE, "websocket") {
        return Err(HandshakeError::NoUpgrade);
    }
    if version < Version::HTTP_11 {
        return Err(HandshakeError::OldHttp);
    }
    if !lists(headers, CONNECTION, "upgrade") {
        return Err(HandshakeError::UnclearUpgrade);
    }
    if single(headers, SEC_WEBSOCKET_VERSION) != Some(VERSION.as_bytes()) {
        return Err(HandshakeError::Version);
    }
    let key = single(headers, SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?;
    match STANDARD.decode(key) {
        Ok(nonce) if nonce.len() == 16 => Ok(key),
        _ => Err(HandshakeError::Key),
    }
}

/// Whether the comma-separated lists of this name contain the token.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that must be given once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    let mut values = headers.get_all(name);
    let first = values.next().map(HeaderValue::as_bytes)?;
    values.next().is_none().then(|| first.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "xUmMgSW9Hpt1PGw/X1UCHg==";

    /// A complete handshake in which the lines of these names are replaced by these.
    fn checked(version: Version, lines: &[(HeaderName, &str)]) -> Result<(), HandshakeError> {
        let complete = [
            (UPGRADE, "websocket"),
            (CONNECTION, "Upgrade"),
            (SEC_WEBSOCKET_VERSION, VERSION),
            (SEC_WEBSOCKET_KEY, KEY),
        ];
        let kept = complete.iter().filter(|(name, _)| lines.iter().all(|(other, _)| other != name));
        let mut headers = HeaderMap::new();
        for (name, value) in kept.chain(lines).filter(|(_, value)| !value.is_empty()) {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        check(version, &headers).map(|_| ())
    }

    #[test]
    fn a_handshake_is_complete_in_every_form_that_the_standard_allows() {
        assert_eq!(checked(Version::HTTP_11, &[]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, &[(UPGRADE, "WebSocket")]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, &[(UPGRADE, "h2c, websocket")]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, &[(CONNECTION, "keep-alive, Upgrade")]), Ok(()));
        assert_eq!(checked(Version::HTTP_11, &[(CONNECTION, "keep-alive"), (CONNECTION, "upgrade")]), Ok(()));
    }

    #[test]
    fn each_fault_of_a_handshake_is_refused() {
        use HandshakeError::{Key, NoUpgrade, UnclearUpgrade, Version as BadVersion};
        let cases: [(&[(HeaderName, &str)], HandshakeError); 14] = [
            (&[(UPGRADE, "")], NoUpgrade),
            (&[(UPGRADE, "h2c")], NoUpgrade),
            (&[(UPGRADE, "websockets")], NoUpgrade),
            (&[(CONNECTION, "")], UnclearUpgrade),
            (&[(CONNECTION, "keep-alive")], UnclearUpgrade),
            (&[(SEC_WEBSOCKET_VERSION, "")], BadVersion),
            (&[(SEC_WEBSOCKET_VERSION, "7")], BadVersion),
            (&[(SEC_WEBSOCKET_VERSION, "8")], BadVersion),
            (&[(SEC_WEBSOCKET_VERSION, "13"), (SEC_WEBSOCKET_VERSION, "13")], BadVersion),
            (&[(SEC_WEBSOCKET_KEY, "")], Key),
            (&[(SEC_WEBSOCKET_KEY, "abcde")], Key),
            (&[(SEC_WEBSOCKET_KEY, "xUmMgSW9Hpt1PGw/X1UC")], Key),
            (&[(SEC_WEBSOCKET_KEY, "xUmMgSW9Hpt1PGw/X1UCHg==Hg==")], Key),
            (&[(SEC_WEBSOCKET_KEY, KEY), (SEC_WEBSOCKET_KEY, KEY)], Key),
        ];
        for (lines, error) in cases {
            assert_eq!(checked(Version::HTTP_11, lines), Err(error), "{lines:?}");
        }
        assert_eq!(checked(Version::HTTP_10, &[]), Err(HandshakeError::OldHttp));
    }
}
