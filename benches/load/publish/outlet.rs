//! The connections of the publisher: they collect the messages of a millisecond and write them at once.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::super::broker::{mqtt, nats, symbol_name};
use super::super::frames::{self, Opcode};
use super::super::target::{self, Target, UpgradeResponse};
use super::Feed;

/// The wait after a write that the socket did not accept.
const RETRY_PAUSE: Duration = Duration::from_micros(200);

/// The time limit for the answer to an upgrade.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where messages go.
pub(super) struct Outlet {
    feed: Feed,
    /// One, or for nchan one per channel.
    connections: Vec<Connection>,
    /// Indices of the connections with something to write.
    dirty: Vec<usize>,
}

struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Outlet {
    /// Connects and identifies the publisher.
    pub(super) fn connect(
        feed: Feed,
        address: SocketAddr,
        channels: usize,
        is_single: bool,
    ) -> io::Result<Self> {
        let connections = match feed {
            Feed::Nats => vec![Connection::new(address, nats::CONNECT.as_bytes())?],
            Feed::Mqtt => vec![Connection::new(address, &mqtt::connect("load-publish"))?],
            Feed::Lines => vec![Connection::new(address, &[])?],
            Feed::Nchan if is_single => vec![Connection::upgraded(address, "all")?],
            Feed::Nchan => (0..channels)
                .map(|symbol| Connection::upgraded(address, &symbol_name(symbol)))
                .collect::<io::Result<_>>()?,
        };
        Ok(Self { feed, connections, dirty: Vec::new() })
    }

    /// Adds a message to what the next [`Self::flush`] writes.
    pub(super) fn add(&mut self, symbol: usize, message: &str) {
        let index = if self.connections.len() == 1 { 0 } else { symbol };
        let buffer = &mut self.connections[index].buffer;
        if buffer.is_empty() {
            self.dirty.push(index);
        }
        match self.feed {
            Feed::Nats => nats::publish(buffer, &symbol_name(symbol), message.as_bytes()),
            Feed::Mqtt => {
                mqtt::publish(buffer, &format!("trades/{}", symbol_name(symbol)), message.as_bytes());
            }
            Feed::Nchan => frames::encode(buffer, Opcode::Text, message.as_bytes(), [0; 4]),
            Feed::Lines => {
                buffer.extend_from_slice(symbol_name(symbol).as_bytes());
                buffer.push(b' ');
                buffer.extend_from_slice(message.as_bytes());
                buffer.push(b'\n');
            }
        }
    }

    /// Writes what was added, and reads what the server answers.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        for index in self.dirty.drain(..) {
            self.connections[index].flush(self.feed)?;
        }
        Ok(())
    }
}

impl Connection {
    fn new(address: SocketAddr, greeting: &[u8]) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.write_all(greeting)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, buffer: Vec::new() })
    }

    /// Opens a WebSocket at `/pub/CHANNEL`.
    fn upgraded(address: SocketAddr, channel: &str) -> io::Result<Self> {
        let target = Target::parse(&format!("ws://{address}/pub/")).map_err(io::Error::other)?;
        let mut connection = Self::new(address, target.upgrade_request(channel).as_bytes())?;
        connection.socket.set_nonblocking(false)?;
        connection.socket.set_read_timeout(Some(UPGRADE_TIMEOUT))?;
        let mut response = Vec::new();
        let mut part = [0; 1024];
        while target::parse_upgrade(&response) == UpgradeResponse::Incomplete {
            match connection.socket.read(&mut part)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => response.extend_from_slice(&part[..count]),
            }
        }
        match target::parse_upgrade(&response) {
            UpgradeResponse::Accepted { .. } => {}
            refusal => return Err(io::Error::other(format!("{refusal:?}"))),
        }
        connection.socket.set_nonblocking(true)?;
        Ok(connection)
    }

    fn flush(&mut self, feed: Feed) -> io::Result<()> {
        self.read_answers(feed)?;
        let mut sent = 0;
        while sent < self.buffer.len() {
            match self.socket.write(&self.buffer[sent..]) {
                Ok(count) => sent += count,
                // The server is behind. It may wait until its answers are read.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    thread::sleep(RETRY_PAUSE);
                    self.discard_answers()?;
                }
                Err(error) => return Err(error),
            }
        }
        self.buffer.clear();
        Ok(())
    }

    /// Reads what the server sent, and answers the `PING` of NATS after what is about to be written.
    fn read_answers(&mut self, feed: Feed) -> io::Result<()> {
        let mut answers = [0; 4096];
        let count = self.read(&mut answers)?;
        if feed == Feed::Nats && answers[..count].windows(6).any(|six| six == b"PING\r\n") {
            self.buffer.extend_from_slice(nats::PONG);
        }
        Ok(())
    }

    fn discard_answers(&mut self) -> io::Result<()> {
        let mut answers = [0; 4096];
        while self.read(&mut answers)? > 0 {}
        Ok(())
    }

    /// Reads what is there; 0 if nothing is.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.socket.read(bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            read => read,
        }
    }
}
