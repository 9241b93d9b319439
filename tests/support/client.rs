//! A WebSocket client that sends whatever a test tells it to, valid or not.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use crate::http::host_line;
use crate::{DEADLINE, Frame, deflate};

/// A WebSocket connection without a protocol of its own: it answers no Ping and checks no state.
pub struct Client {
    /// The connection, for tests that need its options.
    pub stream: TcpStream,
    received: Vec<u8>,
    /// The server's response to the upgrade: the status line and the headers.
    pub handshake: String,
}

impl Client {
    /// Upgrades a new connection at this path.
    pub fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, "")
    }

    /// Upgrades a new connection with additional header lines, each ended by CR LF.
    pub fn connect_with(address: SocketAddr, path: &str, headers: &str) -> Self {
        Self::upgrade(TcpStream::connect(address).unwrap(), path, headers)
    }

    /// Upgrades this connection with additional header lines, each ended by CR LF. The host is `localhost`,
    /// unless one of the lines is `Host`.
    ///
    /// The server may refuse: see [`Client::handshake`].
    pub fn upgrade(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let host = host_line(headers);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: xUmMgSW9Hpt1PGw/X1UCHg==\r\n{headers}\r\n"
        )
        .unwrap();
        let mut client = Self { stream, received: Vec::new(), handshake: String::new() };
        let head = loop {
            if let Some(end) = client.received.windows(4).position(|w| w == b"\r\n\r\n") {
                break client.received.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(client.fill(), "the connection ended within the handshake");
        };
        client.handshake = String::from_utf8(head).unwrap();
        client
    }

    /// Opens a session and consumes its greeting.
    pub fn session(address: SocketAddr) -> Self {
        let mut client = Self::connect(address, "/v2/iex");
        assert_eq!(client.next_frame().unwrap().payload, br#"[{"T":"success","msg":"connected"}]"#);
        client
    }

    /// Whether the server accepted the upgrade.
    pub fn is_open(&self) -> bool {
        self.handshake.starts_with("HTTP/1.1 101 ")
    }

    /// Sends these bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends a frame whose first byte is `first` (FIN, RSV bits and opcode), masked with zeros.
    pub fn send_frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            len @ 0..=125 => frame.push(0x80 | len as u8),
            len @ 126..=0xFFFF => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.send_raw(&frame);
    }

    /// Sends a whole message with this first byte, compressed.
    pub fn send_compressed(&mut self, first: u8, message: &[u8]) {
        self.send_frame(first, &deflate(message));
    }

    /// Sends a text message.
    pub fn send_text(&mut self, text: &str) {
        self.send_frame(0x81, text.as_bytes());
    }

    /// Sends a command and returns the control message that answers it, skipping any data before it.
    pub fn command(&mut self, text: &str) -> Value {
        self.send_text(text);
        loop {
            let objects = self.next_frame().expect("an answer").json();
            if let [object] = objects.as_slice()
                && ["success", "subscription", "error"].contains(&object["T"].as_str().unwrap())
            {
                return object.clone();
            }
        }
    }

    /// The next frame; `None` when the server has ended the connection.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = Frame::decode(&self.received) {
                self.received.drain(..len);
                return Some(frame);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// The objects of the next text frame. Answers pings before it, without which a session ends.
    pub fn next_objects(&mut self) -> Vec<Value> {
        loop {
            let frame = self.next_frame().expect("the session continues");
            match frame.opcode {
                1 => return frame.json(),
                9 => self.send_frame(0x8A, &frame.payload),
                _ => {}
            }
        }
    }

    /// Skips to the Close frame: its code, and whether the server ended the connection after it.
    pub fn read_to_close(&mut self) -> (Option<u16>, bool) {
        let close = loop {
            let frame = self.next_frame().expect("a Close before the end");
            if frame.opcode == 8 {
                break frame;
            }
        };
        (close.close_code(), self.next_frame().is_none())
    }

    /// Reads more bytes; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut chunk = [0; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(0) => false,
            Ok(n) => {
                self.received.extend_from_slice(&chunk[..n]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing received within the deadline: {error}"),
        }
    }
}
