//! One client of the floor: as much of HTTP, of RFC 6455 and of the stream as the load client speaks.

use std::io::{self, Read, Write};

use mio::net::TcpStream;
use serde::Deserialize;

use super::super::target::ACCEPT;

const PONG: u8 = 0x8A;
const TEXT: u8 = 0x81;

pub(crate) struct Visitor {
    socket: TcpStream,
    is_upgraded: bool,
    heard: Vec<u8>,
    pub(crate) out: Vec<u8>,
}

/// How far a visitor has come with what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    More,
    Everything,
}

#[derive(Deserialize)]
struct Command<'a> {
    action: &'a str,
    #[serde(borrow, default)]
    trades: Vec<&'a str>,
}

impl Visitor {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, is_upgraded: false, heard: Vec::new(), out: Vec::new() }
    }

    /// Reads and answers what has come; gives the symbols that are wanted from now on.
    pub(crate) fn listen(&mut self, symbols: usize, mut want: impl FnMut(usize)) -> io::Result<Said> {
        let mut is_over = match self.socket.read_to_end(&mut self.heard) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => return Err(error),
        };
        if !self.is_upgraded && self.heard.ends_with(b"\r\n\r\n") {
            let request = std::mem::take(&mut self.heard);
            if request.starts_with(b"GET /v2/assets ") {
                self.socket.write_all(assets(symbols).as_bytes())?;
                return Ok(Said::Everything);
            }
            self.upgrade()?;
        }
        while self.is_upgraded
            && let Some((opcode, payload, length)) = unmasked(&self.heard)
        {
            self.heard.drain(..length);
            match opcode {
                1 => self.obey(&payload, symbols, &mut want)?,
                8 => is_over = true,
                9 => self.say(PONG, &payload)?,
                _ => {}
            }
        }
        if self.heard.is_empty() {
            self.heard = Vec::new();
        }
        Ok(if is_over { Said::Everything } else { Said::More })
    }

    /// Sends what the socket takes of what waits; says how much it does not.
    pub(crate) fn flush(&mut self) -> usize {
        // Who is gone says so when it is read.
        let sent = self.socket.write(&self.out).unwrap_or(0);
        self.out.drain(..sent);
        self.out.len()
    }

    fn upgrade(&mut self) -> io::Result<()> {
        self.is_upgraded = true;
        let granted = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
        );
        self.socket.write_all(granted.as_bytes())?;
        self.say(TEXT, br#"[{"T":"success","msg":"connected"}]"#)
    }

    fn obey(&mut self, text: &[u8], symbols: usize, want: &mut impl FnMut(usize)) -> io::Result<()> {
        let command: Command<'_> = serde_json::from_slice(text)?;
        if command.action == "auth" {
            return self.say(TEXT, br#"[{"T":"success","msg":"authenticated"}]"#);
        }
        if command.trades.contains(&"*") {
            (0..symbols).for_each(&mut *want);
        } else {
            let numbers = command.trades.iter().filter_map(|name| name.strip_prefix('S')?.parse().ok());
            numbers.filter(|number| *number < symbols).for_each(&mut *want);
        }
        self.say(TEXT, br#"[{"T":"subscription","trades":[],"quotes":[],"bars":[]}]"#)
    }

    fn say(&mut self, first: u8, payload: &[u8]) -> io::Result<()> {
        let length = u8::try_from(payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.socket.write_all(&[&[first, length], payload].concat())
    }
}

fn assets(symbols: usize) -> String {
    let names: Vec<_> = (0..symbols).map(|number| format!("{{\"symbol\":\"S{number:04}\"}}")).collect();
    format!("HTTP/1.0 200 OK\r\n\r\n[{}]", names.join(","))
}

/// The first frame, if it is whole: its opcode, what it says, and how long it is.
fn unmasked(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let &[first, second, ref rest @ ..] = bytes else { return None };
    let (head, length) = match second & 0x7F {
        126 => (4, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let mask = bytes.get(head..head + 4)?;
    let payload = bytes.get(head + 4..)?.get(..length)?;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((first & 0x0F, plain, head + 4 + length))
}
