//! Plain HTTP/1.1 requests.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::DEADLINE;

/// A connection from this address of loopback.
pub fn connect_from(local: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((local, 0)).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// The response to a plain request.
#[derive(Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl HttpResponse {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The value of a header; names are compared without regard to case.
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    }
}

/// Status and body of a GET.
pub fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let HttpResponse { status, body, .. } = get_with(address, path, "");
    (status, body)
}

/// The JSON body of a GET that succeeds.
pub fn get_json(address: SocketAddr, path: &str) -> Value {
    let (status, body) = get(address, path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).expect("the body is JSON")
}

/// A GET with additional header lines, each ended by CR LF.
pub fn get_with(address: SocketAddr, path: &str, headers: &str) -> HttpResponse {
    request(address, "GET", path, headers)
}

/// The responses to these bytes, sent as they are, until the server ends the connection.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// A request of any method with additional header lines, each ended by CR LF.
pub fn request(address: SocketAddr, method: &str, path: &str, headers: &str) -> HttpResponse {
    try_exchange(address, method, path, headers, "").unwrap()
}

/// A POST with additional header lines and this body.
pub fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> HttpResponse {
    try_post(address, path, headers, body).unwrap()
}

/// A request of any method with additional header lines, each ended by CR LF, and this body in JSON.
pub fn send_json(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> HttpResponse {
    let length = body.len();
    let headers = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n{headers}");
    try_exchange(address, method, path, &headers, body).unwrap()
}

/// The same at a server that may be gone.
pub fn try_post(address: SocketAddr, path: &str, headers: &str, body: &str) -> io::Result<HttpResponse> {
    let headers = format!("Content-Length: {}\r\n{headers}", body.len());
    try_exchange(address, "POST", path, &headers, body)
}

fn try_exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<HttpResponse> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let host = host_line(headers);
    let head = format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    // Files such as fonts are no text; their tests read the status and the head.
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(HttpResponse { status, head: head.to_owned(), body: body.to_owned() })
}

/// The line `Host: localhost`, unless these header lines have one.
pub(crate) fn host_line(headers: &str) -> &'static str {
    if headers.starts_with("Host: ") || headers.contains("\r\nHost: ") { "" } else { "Host: localhost\r\n" }
}
