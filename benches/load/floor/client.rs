//! One client of the floor: the parts of HTTP, RFC 6455 and the stream protocol that the load client uses.

use std::io::{self, Read, Write};

use mio::net::TcpStream;
use serde::Deserialize;

use super::super::target::ACCEPT;

const PONG: u8 = 0x8A;
const TEXT: u8 = 0x81;

/// A connection of the load client.
pub(crate) struct FloorClient {
    socket: TcpStream,
    is_upgraded: bool,
    read_buffer: Vec<u8>,
    pub(crate) send_buffer: Vec<u8>,
}

/// Whether a client is still connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientState {
    Connected,
    Finished,
}

#[derive(Deserialize)]
struct ClientCommand<'a> {
    action: &'a str,
    #[serde(borrow, default)]
    trades: Vec<&'a str>,
}

impl FloorClient {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, is_upgraded: false, read_buffer: Vec::new(), send_buffer: Vec::new() }
    }

    /// Reads and answers requests; appends newly subscribed symbols, of which `symbols` exist, to `subscribed`.
    pub(crate) fn on_readable(
        &mut self,
        symbols: usize,
        subscribed: &mut Vec<usize>,
    ) -> io::Result<ClientState> {
        let mut is_finished = match self.socket.read_to_end(&mut self.read_buffer) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => return Err(error),
        };
        if !self.is_upgraded && self.read_buffer.ends_with(b"\r\n\r\n") {
            let request = std::mem::take(&mut self.read_buffer);
            if request.starts_with(b"GET /v2/assets ") {
                self.socket.write_all(assets(symbols).as_bytes())?;
                return Ok(ClientState::Finished);
            }
            self.upgrade()?;
        }
        while self.is_upgraded
            && let Some((opcode, payload, length)) = decode(&self.read_buffer)
        {
            self.read_buffer.drain(..length);
            match opcode {
                1 => self.on_command(&payload, symbols, subscribed)?,
                8 => is_finished = true,
                9 => self.send(PONG, &payload)?,
                _ => {}
            }
        }
        if self.read_buffer.is_empty() {
            self.read_buffer = Vec::new();
        }
        Ok(if is_finished { ClientState::Finished } else { ClientState::Connected })
    }

    /// Sends as much of the buffer as the socket accepts and returns the number of remaining bytes.
    pub(crate) fn flush(&mut self) -> usize {
        // A failed connection is detected and removed on the next read.
        let sent = self.socket.write(&self.send_buffer).unwrap_or(0);
        self.send_buffer.drain(..sent);
        self.send_buffer.len()
    }

    fn upgrade(&mut self) -> io::Result<()> {
        self.is_upgraded = true;
        let accepted = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        );
        self.socket.write_all(accepted.as_bytes())?;
        self.send(TEXT, br#"[{"T":"success","msg":"connected"}]"#)
    }

    fn on_command(&mut self, text: &[u8], symbols: usize, subscribed: &mut Vec<usize>) -> io::Result<()> {
        let command: ClientCommand<'_> = serde_json::from_slice(text)?;
        if command.action == "auth" {
            return self.send(TEXT, br#"[{"T":"success","msg":"authenticated"}]"#);
        }
        if command.trades.contains(&"*") {
            subscribed.extend(0..symbols);
        } else {
            let numbers =
                command.trades.iter().filter_map(|name| name.strip_prefix('S')?.parse::<usize>().ok());
            subscribed.extend(numbers.filter(|number| *number < symbols));
        }
        self.send(TEXT, br#"[{"T":"subscription","trades":[],"quotes":[],"bars":[]}]"#)
    }

    fn send(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        let length = u8::try_from(payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.socket.write_all(&[&[first, length], payload].concat())
    }
}

fn assets(symbols: usize) -> String {
    let names: Vec<_> = (0..symbols).map(|number| format!("{{\"symbol\":\"S{number:04}\"}}")).collect();
    format!("HTTP/1.0 200 OK\r\n\r\n[{}]", names.join(","))
}

/// Decodes the first frame if it is complete: its opcode, its payload, and its length.
fn decode(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let &[first, second, ref rest @ ..] = bytes else { return None };
    let (header, length) = match second & 0x7F {
        126 => (4, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let mask = bytes.get(header..header + 4)?;
    let payload = bytes.get(header + 4..)?.get(..length)?;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((first & 0x0F, plain, header + 4 + length))
}
