//! A session over TLS.
#![allow(unreachable_pub, reason = "as in `support`")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::support::{DEADLINE, Frame, parse};

/// A session over TLS, with whoever has this certificate.
pub struct Encrypted {
    stream: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
}

impl Encrypted {
    pub fn connect(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(DEADLINE))?;
        let mut client = Self { stream: StreamOwned::new(connection, socket), received: Vec::new() };
        write!(
            client.stream,
            "GET /v2/iex HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: xUmMgSW9Hpt1PGw/X1UCHg==\r\n\r\n"
        )?;
        let end = loop {
            if let Some(end) = client.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            client.fill()?;
        };
        let head: Vec<_> = client.received.drain(..end).collect();
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Ok(client)
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let mut chunk = [0; 16 << 10];
        let count = self.stream.read(&mut chunk)?;
        assert!(count > 0, "the connection ended");
        self.received.extend_from_slice(&chunk[..count]);
        Ok(())
    }

    pub fn say(&mut self, text: &str) {
        let len = u8::try_from(text.len()).unwrap();
        assert!(len < 126);
        self.stream.write_all(&[0x81, 0x80 | len, 0, 0, 0, 0]).unwrap();
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    pub fn next(&mut self) -> Vec<Value> {
        loop {
            match parse(&self.received) {
                Some((frame @ Frame { opcode: 1, .. }, len)) => {
                    self.received.drain(..len);
                    return frame.json();
                }
                Some((_, len)) => drop(self.received.drain(..len)),
                None => self.fill().unwrap(),
            }
        }
    }

    /// Waits for a trade.
    pub fn sees_a_trade(&mut self) {
        while !self.next().iter().any(|object| object["T"] == "t") {}
    }
}
