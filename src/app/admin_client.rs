//! Requests to the administration of a running server.
//!
//! Plain HTTP/1.1 over a socket of the standard library: one request on a connection, whose answer ends with it. A client
//! library would be a hundred crates for that.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

/// The longest time that a connection may take, and then the server to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of an answer: a thousand sessions take 0.6 MB.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// What is wrong with an answer that is none of the administration.
const NOT_ADMIN: &str =
    "what answers there is not the administration of Tapecast: --url names the address of --admin-listen";

/// Where the administration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AdminAddress {
    host: String,
    port: u16,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AdminCall {
    pub(super) method: &'static str,
    /// Below `/admin/api/`, with the query.
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AdminAnswer {
    pub(super) status: u16,
    /// `null` if there is no body.
    pub(super) body: Value,
}

impl AdminAddress {
    /// Parses a URL, or says what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let rest = match url.split_once("://") {
            Some(("http", rest)) => rest,
            Some(("https", _)) => {
                return Err("the administration is served without TLS: use http, through a tunnel from another machine"
                    .to_owned());
            }
            Some((scheme, _)) => return Err(format!("expected http://HOST:PORT, not {scheme}")),
            None => url,
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ', '\r', '\n']) {
            return Err(format!("expected http://HOST:PORT, not {url}"));
        }
        // A port of this machine, as `--admin-listen` takes it.
        if let Ok(port) = authority.parse() {
            return Ok(Self { host: "127.0.0.1".to_owned(), port });
        }
        let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match port_at {
            Some(at) => {
                let port =
                    authority[at + 1..].parse().map_err(|_| format!("no port: {}", &authority[at + 1..]))?;
                (&authority[..at], port)
            }
            None => (authority, 80),
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// Sends a request, and reads the answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not answer in HTTP.
    pub(super) fn call(&self, call: &AdminCall, token: Option<&str>) -> io::Result<AdminAnswer> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.write_all(self.request(call, token).as_bytes())?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        parse_answer(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, NOT_ADMIN))
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, TIMEOUT) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn request(&self, AdminCall { method, path, body }: &AdminCall, token: Option<&str>) -> String {
        let body = body.as_ref().map(Value::to_string);
        let mut request = format!(
            "{method} /admin/api/{path} HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\nUser-Agent: tapecast/{}\r\n",
            self.host,
            self.port,
            env!("CARGO_PKG_VERSION")
        );
        if let Some(token) = token {
            let _ = write!(request, "Authorization: Bearer {token}\r\n");
        }
        if let Some(body) = &body {
            let _ = write!(request, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        request + "\r\n" + &body.unwrap_or_default()
    }
}

/// Parses an answer whose end is that of the connection.
fn parse_answer(answer: &[u8]) -> Option<AdminAnswer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    // A connection that broke gives less than was promised.
    if length.is_some_and(|length| length != body.len()) {
        return None;
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).ok()? };
    Some(AdminAnswer { status, body })
}

/// A part of a path, or a value of a query, in which no character has a meaning (RFC 3986 section 2.3).
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_url_names_a_host_and_a_port() {
        let parse = |url| AdminAddress::parse(url).map(|address| (address.host, address.port));

        assert_eq!(parse("http://127.0.0.1:9090"), Ok(("127.0.0.1".to_owned(), 9090)));
        assert_eq!(parse("http://[::1]:9090/"), Ok(("[::1]".to_owned(), 9090)));
        assert_eq!(parse("localhost:9090"), Ok(("localhost".to_owned(), 9090)));
        assert_eq!(parse("9190"), Ok(("127.0.0.1".to_owned(), 9190)));
        assert_eq!(parse("http://admin.internal"), Ok(("admin.internal".to_owned(), 80)));
        for wrong in [
            "",
            "https://a:1",
            "ftp://a",
            "http://",
            "http://a:x",
            "http://a/b",
            "http://u@a",
            "http://a\r\nX: y",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_is_whole_or_none() {
        let answer = |text: &str| parse_answer(text.as_bytes());

        let whole = answer("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}").unwrap();
        assert_eq!(whole, AdminAnswer { status: 200, body: json!({"a": 1}) });
        assert_eq!(answer("HTTP/1.1 204 No Content\r\n\r\n").unwrap().body, Value::Null);
        assert_eq!(answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":1}"), None);
        assert_eq!(answer("SSH-2.0-OpenSSH_9.2\r\n\r\n"), None);
    }

    #[test]
    fn what_a_user_types_stays_one_part_of_a_path() {
        assert_eq!(encoded("0-17"), "0-17");
        assert_eq!(encoded("../drain?x=1&y Ü"), "..%2Fdrain%3Fx%3D1%26y%20%C3%9C");
    }
}
