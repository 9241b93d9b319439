//! The server under load: its address, the WebSocket upgrade, and its list of symbols.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::Deserialize;

/// The address of the server and the upgrade request that sessions send to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Host and port as given in the URL, for the `Host` header.
    authority: String,
    /// Path and query.
    path: String,
    /// Whether the upgrade offers permessage-deflate (RFC 7692) without context takeover.
    pub(crate) offers_deflate: bool,
    /// The value of `Sec-WebSocket-Protocol`.
    pub(crate) subprotocol: Option<&'static str>,
}

/// The nonce from the example in RFC 6455, 1.3.
///
/// All sessions share it: it still proves that a WebSocket server answered, and avoids a SHA-1.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The `Sec-WebSocket-Accept` value that answers [`NONCE`].
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The longest accepted header of an upgrade response, in bytes.
const HEADER_LIMIT: usize = 16 << 10;

/// The longest accepted response of `GET /v2/assets`; 10,000 symbols are about 3 MB.
const ASSETS_LIMIT: u64 = 64 << 20;

/// The server's response to [`Target::upgrade_request`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UpgradeResponse {
    /// The header has not arrived completely.
    Incomplete,
    /// The upgrade succeeded; frames follow the header of `length` bytes.
    Accepted { length: usize },
    /// An HTTP status other than 101, or 0 if the response is not a WebSocket upgrade.
    Rejected { status: u16 },
}

impl Target {
    /// Parses `ws://host[:port]/path` and resolves the host.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("ws://").ok_or_else(|| format!("`{url}` does not begin with ws://"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = authority.rsplit(']').next().is_some_and(|after_ipv6| after_ipv6.contains(':'));
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        if authority.is_empty() || url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
            return Err(format!("`{url}` is not a WebSocket URL"));
        }
        let resolved = with_port.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let address = resolved.ok_or_else(|| format!("cannot resolve `{authority}`"))?;
        Ok(Self { address, authority: authority.to_owned(), path, offers_deflate: false, subprotocol: None })
    }

    /// The HTTP upgrade request of one session, whose path ends with `suffix`.
    pub(crate) fn upgrade_request(&self, suffix: &str) -> String {
        let offer = match self.offers_deflate {
            true => "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n",
            false => "",
        };
        let subprotocol = match self.subprotocol {
            Some(name) => format!("Sec-WebSocket-Protocol: {name}\r\n"),
            None => String::new(),
        };
        format!(
            "GET {}{suffix} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {NONCE}\r\nSec-WebSocket-Version: 13\r\n{offer}{subprotocol}\r\n",
            self.path, self.authority
        )
    }

    /// Fetches the list of symbols from the server, in the server's order.
    pub(crate) fn fetch_symbols(&self) -> io::Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Asset {
            symbol: String,
        }
        let timeout = Duration::from_secs(10);
        let mut socket = TcpStream::connect_timeout(&self.address, timeout)?;
        socket.set_read_timeout(Some(timeout))?;
        // HTTP/1.0: no chunked encoding, and the server closes the connection after the body. The request
        // is sent in one write: a server that answers the first line may close before it reads the rest.
        let request = format!("GET /v2/assets HTTP/1.0\r\nHost: {}\r\n\r\n", self.authority);
        socket.write_all(request.as_bytes())?;
        let mut response = Vec::new();
        socket.take(ASSETS_LIMIT).read_to_end(&mut response)?;

        let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        let header =
            header_length(&response).ok_or_else(|| invalid("the response has no end of headers".into()))?;
        match status(&response) {
            200 => {}
            status => return Err(invalid(format!("HTTP status {status}"))),
        }
        let assets: Vec<Asset> =
            serde_json::from_slice(&response[header..]).map_err(|error| invalid(error.to_string()))?;
        Ok(assets.into_iter().map(|asset| asset.symbol).collect())
    }
}

/// Parses the response to an upgrade request.
pub(crate) fn parse_upgrade(response: &[u8]) -> UpgradeResponse {
    let Some(length) = header_length(response) else {
        return if response.len() > HEADER_LIMIT {
            UpgradeResponse::Rejected { status: 0 }
        } else {
            UpgradeResponse::Incomplete
        };
    };
    match status(response) {
        101 if has_accept_key(&response[..length]) => UpgradeResponse::Accepted { length },
        101 => UpgradeResponse::Rejected { status: 0 },
        status => UpgradeResponse::Rejected { status },
    }
}

fn header_length(response: &[u8]) -> Option<usize> {
    response.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The status code after `HTTP/1.x `, or 0.
fn status(response: &[u8]) -> u16 {
    let digits = response.get(9..12).filter(|_| response.starts_with(b"HTTP/1."));
    digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0)
}

fn has_accept_key(header: &[u8]) -> bool {
    String::from_utf8_lossy(header)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_may_have_port_and_path() {
        let full = Target::parse("ws://127.0.0.1:8080/v2/iex?codec=msgpack").unwrap();
        assert_eq!(full.address, "127.0.0.1:8080".parse().unwrap());
        assert!(
            full.upgrade_request("")
                .starts_with("GET /v2/iex?codec=msgpack HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
        );

        assert_eq!(Target::parse("ws://127.0.0.1").unwrap().address.port(), 80);
        assert_eq!(Target::parse("ws://[::1]:9/").unwrap().address, "[::1]:9".parse().unwrap());
    }

    #[test]
    fn a_url_that_is_not_a_plain_websocket_url_is_rejected() {
        for url in [
            "http://127.0.0.1/",
            "wss://127.0.0.1/",
            "ws://",
            "ws:///v2",
            "ws://127.0.0.1/a b",
            "ws://127.0.0.1:x/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn only_the_correct_accept_key_completes_an_upgrade() {
        let accepted = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n");
        let length = accepted.len();

        assert_eq!(
            parse_upgrade(format!("{accepted}\u{1}").as_bytes()),
            UpgradeResponse::Accepted { length }
        );
        assert_eq!(parse_upgrade(&accepted.as_bytes()[..length - 1]), UpgradeResponse::Incomplete);
        assert_eq!(parse_upgrade(b"HTTP/1.1 101 Yes\r\n\r\n"), UpgradeResponse::Rejected { status: 0 });
        assert_eq!(parse_upgrade(b"HTTP/1.1 503 Full\r\n\r\n"), UpgradeResponse::Rejected { status: 503 });
        assert_eq!(parse_upgrade(&[b'x'; HEADER_LIMIT + 1]), UpgradeResponse::Rejected { status: 0 });
    }
}
