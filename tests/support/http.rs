//! Plain HTTP/1.1 requests without a body.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

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
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let host = host_line(headers);
    write!(stream, "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").expect("an HTTP response has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    HttpResponse { status, head: head.to_owned(), body: body.to_owned() }
}

/// The line `Host: localhost`, unless these header lines have one.
pub(crate) fn host_line(headers: &str) -> &'static str {
    if headers.starts_with("Host: ") || headers.contains("\r\nHost: ") { "" } else { "Host: localhost\r\n" }
}
