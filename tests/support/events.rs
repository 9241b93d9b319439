//! A client of event streams (WHATWG HTML, section 9.2) over a plain socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::DEADLINE;
use crate::http::host_line;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// The last id of the stream at this event.
    pub id: Option<String>,
    /// The name; `message` if it has none.
    pub name: String,
    /// The data.
    pub data: String,
}

impl ServerEvent {
    /// The data, which is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {}", self.data))
    }

    /// The objects of an array of the stream; none for events with a name.
    pub fn objects(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(objects) if self.name == "message" => objects,
            _ => Vec::new(),
        }
    }
}

/// An event stream.
pub struct EventStream {
    stream: TcpStream,
    /// The status line and the headers.
    pub head: String,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// The last id that was received.
    pub last_id: Option<String>,
    /// The last advice to wait before the next connection, in milliseconds.
    pub retry: Option<u64>,
    /// Comments that were received.
    pub comments: usize,
    /// Whether the body ended as HTTP demands, by a chunk of no bytes.
    pub is_complete: bool,
}

impl EventStream {
    /// Requests a stream with additional header lines, each ended by CR LF.
    pub fn open(address: SocketAddr, path: &str, headers: &str) -> Self {
        Self::request(TcpStream::connect(address).unwrap(), path, headers)
    }

    /// The stream that goes on behind this id.
    pub fn resume(address: SocketAddr, path: &str, id: Option<&str>) -> Self {
        let header = id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        Self::open(address, path, &header)
    }

    /// Requests a stream on this connection.
    pub fn request(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let host = host_line(headers);
        write!(stream, "GET {path} HTTP/1.1\r\n{host}Accept: text/event-stream\r\n{headers}\r\n").unwrap();
        let mut raw = Vec::new();
        let end = loop {
            if let Some(end) = find(&raw, b"\r\n\r\n") {
                break end;
            }
            assert!(read_more(&mut stream, &mut raw), "a response has a head");
        };
        let head = String::from_utf8(raw[..end].to_vec()).unwrap();
        raw.drain(..end + 4);
        let (last_id, retry, text) = (None, None, Vec::new());
        Self { stream, head, raw, text, last_id, retry, comments: 0, is_complete: false }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The value of a header.
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    }

    /// The next event; `None` when the stream has ended.
    ///
    /// # Panics
    /// When the stream is not one of events, or the body not one of chunks.
    pub fn next_event(&mut self) -> Option<ServerEvent> {
        loop {
            while let Some(end) = find(&self.text, b"\n\n") {
                let lines: Vec<u8> = self.text.drain(..end + 2).collect();
                if let Some(event) = self.read_event(str::from_utf8(&lines).unwrap()) {
                    return Some(event);
                }
            }
            if self.is_complete || !self.read_chunk() {
                return None;
            }
        }
    }

    fn read_event(&mut self, lines: &str) -> Option<ServerEvent> {
        let (mut name, mut data) = ("message".to_owned(), Vec::new());
        for line in lines.lines().filter(|line| !line.is_empty()) {
            match line.split_once(": ") {
                Some(("id", id)) => self.last_id = Some(id.to_owned()),
                Some(("event", event)) => event.clone_into(&mut name),
                Some(("data", text)) => data.push(text),
                Some(("retry", delay)) => self.retry = Some(delay.parse().unwrap()),
                _ if line.starts_with(':') => self.comments += 1,
                _ => panic!("no line of an event: {line}"),
            }
        }
        assert!(data.len() <= 1, "the data of an event is one line: {lines}");
        let data = (*data.first()?).to_owned();
        Some(ServerEvent { id: self.last_id.clone(), name, data })
    }

    /// The next event with objects of the stream.
    pub fn next_objects(&mut self) -> Vec<Value> {
        self.next_event().expect("the stream goes on").objects()
    }

    /// The first object of this type, and the objects before it.
    pub fn wait_for(&mut self, kind: &str) -> (Vec<Value>, Value) {
        let mut before = Vec::new();
        loop {
            for object in self.next_objects() {
                if object["T"] == kind {
                    return (before, object);
                }
                before.push(object);
            }
        }
    }

    /// Whether another chunk was read; false when the connection has ended.
    fn read_chunk(&mut self) -> bool {
        loop {
            if let Some((len, start)) = chunk_size(&self.raw)
                && let Some(chunk) = self.raw.get(start..start + len + 2)
            {
                assert_eq!(&chunk[len..], b"\r\n", "a chunk ends with a line");
                self.is_complete = len == 0;
                self.text.extend_from_slice(&chunk[..len]);
                self.raw.drain(..start + len + 2);
                return true;
            }
            if !read_more(&mut self.stream, &mut self.raw) {
                return false;
            }
        }
    }
}

/// The size of the first chunk, and where it begins.
fn chunk_size(raw: &[u8]) -> Option<(usize, usize)> {
    let end = find(raw, b"\r\n")?;
    let size = str::from_utf8(&raw[..end]).unwrap();
    Some((usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("no size of a chunk: {size}")), end + 2))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether anything came; a connection that is reset has ended.
fn read_more(stream: &mut TcpStream, raw: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 16 << 10];
    let read = match stream.read(&mut buffer) {
        Ok(read) => read,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
        Err(error) => panic!("{error}"),
    };
    raw.extend_from_slice(&buffer[..read]);
    read > 0
}
