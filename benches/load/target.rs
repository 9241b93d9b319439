//! The server under load: its address, its upgrade, and the symbols it trades.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::Deserialize;

/// Where a session connects to and what it asks for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Host and port as typed, for the `Host` header.
    authority: String,
    /// Path and query.
    path: String,
    /// Whether the upgrade offers permessage-deflate (RFC 7692), each message for itself.
    pub(crate) offers_deflate: bool,
}

/// The nonce and its answer from RFC 6455, 1.3.
///
/// One nonce for all sessions: it proves that a WebSocket server answered, and spares us a SHA-1.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An upgrade's reply is shorter than this, or it is not one.
const HEAD_LIMIT: usize = 16 << 10;

/// `GET /v2/assets` of ten thousand symbols is about 3 MB.
const ASSETS_LIMIT: u64 = 64 << 20;

/// What stands at the start of what a server said after our upgrade request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// Not yet whole.
    Partial,
    /// Frames begin after so many bytes.
    Granted { length: usize },
    /// An HTTP status other than 101, or 0 for what is not an upgrade at all.
    Refused { status: u16 },
}

impl Target {
    /// Reads `ws://host[:port]/path` and resolves the host.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("ws://").ok_or_else(|| format!("`{url}` does not begin with ws://"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = authority.rsplit(']').next().is_some_and(|after_ipv6| after_ipv6.contains(':'));
        let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        if authority.is_empty() || url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
            return Err(format!("`{url}` is not a WebSocket address"));
        }
        let resolved = with_port.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
        let address = resolved.ok_or_else(|| format!("cannot resolve `{authority}`"))?;
        Ok(Self { address, authority: authority.to_owned(), path, offers_deflate: false })
    }

    /// The upgrade request of one session.
    pub(crate) fn upgrade_request(&self) -> String {
        let offer = match self.offers_deflate {
            true => "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n",
            false => "",
        };
        format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {NONCE}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n",
            self.path, self.authority
        )
    }

    /// Asks the server which symbols there are, in its own order.
    pub(crate) fn fetch_symbols(&self) -> io::Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Asset {
            symbol: String,
        }
        let patience = Duration::from_secs(10);
        let mut socket = TcpStream::connect_timeout(&self.address, patience)?;
        socket.set_read_timeout(Some(patience))?;
        // HTTP/1.0: no chunks, and the end of the body is the end of the connection. In one piece: a
        // server that answers the first line would close before it has the rest.
        let request = format!("GET /v2/assets HTTP/1.0\r\nHost: {}\r\n\r\n", self.authority);
        socket.write_all(request.as_bytes())?;
        let mut reply = Vec::new();
        socket.take(ASSETS_LIMIT).read_to_end(&mut reply)?;

        let odd = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let head = head_length(&reply).ok_or_else(|| odd("the reply has no end of headers".into()))?;
        match status(&reply) {
            200 => {}
            status => return Err(odd(format!("HTTP status {status}"))),
        }
        let assets: Vec<Asset> =
            serde_json::from_slice(&reply[head..]).map_err(|error| odd(error.to_string()))?;
        Ok(assets.into_iter().map(|asset| asset.symbol).collect())
    }
}

/// Judges the server's answer to [`Target::upgrade_request`].
pub(crate) fn upgrade(reply: &[u8]) -> Upgrade {
    let Some(length) = head_length(reply) else {
        return if reply.len() > HEAD_LIMIT { Upgrade::Refused { status: 0 } } else { Upgrade::Partial };
    };
    match status(reply) {
        101 if accepts(&reply[..length]) => Upgrade::Granted { length },
        101 => Upgrade::Refused { status: 0 },
        status => Upgrade::Refused { status },
    }
}

fn head_length(reply: &[u8]) -> Option<usize> {
    reply.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// The number after `HTTP/1.x `, or 0.
fn status(reply: &[u8]) -> u16 {
    let digits = reply.get(9..12).filter(|_| reply.starts_with(b"HTTP/1."));
    digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0)
}

fn accepts(head: &[u8]) -> bool {
    String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_may_have_port_and_path() {
        let full = Target::parse("ws://127.0.0.1:8080/v2/iex?codec=msgpack").unwrap();
        assert_eq!(full.address, "127.0.0.1:8080".parse().unwrap());
        assert!(
            full.upgrade_request()
                .starts_with("GET /v2/iex?codec=msgpack HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
        );

        assert_eq!(Target::parse("ws://127.0.0.1").unwrap().address.port(), 80);
        assert_eq!(Target::parse("ws://[::1]:9/").unwrap().address, "[::1]:9".parse().unwrap());
    }

    #[test]
    fn what_is_not_a_plain_websocket_address_is_refused() {
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
    fn only_the_right_answer_to_the_nonce_is_an_upgrade() {
        let granted = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n");
        let length = granted.len();

        assert_eq!(upgrade(format!("{granted}\u{1}").as_bytes()), Upgrade::Granted { length });
        assert_eq!(upgrade(&granted.as_bytes()[..length - 1]), Upgrade::Partial);
        assert_eq!(upgrade(b"HTTP/1.1 101 Yes\r\n\r\n"), Upgrade::Refused { status: 0 });
        assert_eq!(upgrade(b"HTTP/1.1 503 Full\r\n\r\n"), Upgrade::Refused { status: 503 });
        assert_eq!(upgrade(&[b'x'; HEAD_LIMIT + 1]), Upgrade::Refused { status: 0 });
    }
}
