//! What a listener serves.

use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderValue, LOCATION};
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, HttpResponse};

use super::response;

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Everything for clients, and metrics and status.
    Whole,
    /// Everything for clients.
    Clients,
    /// The administration, metrics, status and health checks.
    Operations,
    /// The way to https at this port, and health checks.
    Redirect {
        /// The port.
        port: u16,
    },
}

/// Whether the listener of this request serves the administration.
pub(super) fn is_of_operations(request: &HttpRequest) -> bool {
    request.app_data::<Surface>() == Some(&Surface::Operations)
}

/// Whether browsers are told to use nothing but TLS (RFC 6797).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrictTransport {
    /// They are.
    Required,
    /// They are not.
    Optional,
}

/// The port of https, which URLs leave out.
const HTTPS: u16 = 443;

/// Sends the client to https. A WebSocket client does not follow, and logs the reason.
pub(super) fn redirect(request: &HttpRequest, port: u16) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let Some(location) = host.and_then(|host| location(host, request.uri().path_and_query()?.as_str(), port))
    else {
        return response::error(StatusCode::BAD_REQUEST, "the request has no valid Host");
    };
    let mut answer = response::error(StatusCode::PERMANENT_REDIRECT, "use https, or wss for a WebSocket");
    answer.headers_mut().insert(LOCATION, location);
    answer
}

/// The URL of this path at the same host by https.
fn location(host: &str, path: &str, port: u16) -> Option<HeaderValue> {
    let authority = Authority::from_str(host).ok().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host();
    let url = match port {
        HTTPS => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    HeaderValue::from_str(&url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_https_keeps_host_and_path() {
        let to = |host, port| {
            location(host, "/v2/clock?feed=sip", port).map(|url| url.to_str().unwrap().to_owned())
        };

        assert_eq!(to("tape.example:80", 443).as_deref(), Some("https://tape.example/v2/clock?feed=sip"));
        assert_eq!(to("tape.example", 8443).as_deref(), Some("https://tape.example:8443/v2/clock?feed=sip"));
        assert_eq!(to("[::1]:8080", 8443).as_deref(), Some("https://[::1]:8443/v2/clock?feed=sip"));
        for wrong in ["", "a b", "user@evil.example", "a/b"] {
            assert_eq!(to(wrong, 443), None, "{wrong}");
        }
    }
}
