//! Sessions over TLS, and certificates for them.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::{DEADLINE, Frame, TempFolder};

/// A private key and a self-signed certificate for `localhost`, in a folder that is removed when dropped.
#[derive(Debug)]
pub struct TlsFiles {
    folder: TempFolder,
}

impl TlsFiles {
    /// Writes a key and a certificate, and returns the files with the certificate.
    pub fn generate() -> (Self, CertificateDer<'static>) {
        let files = Self { folder: TempFolder::new() };
        let certificate = files.renew();
        (files, certificate)
    }

    /// Replaces both files by a new key and certificate.
    pub fn renew(&self) -> CertificateDer<'static> {
        let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.certificate(), generated.cert.pem()).unwrap();
        std::fs::write(self.key(), generated.signing_key.serialize_pem()).unwrap();
        generated.cert.der().clone()
    }

    /// Replaces both files by a new key and a certificate that was valid on one day.
    pub fn expire(&self) {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2024, 1, 1);
        params.not_after = rcgen::date_time_ymd(2024, 1, 2);
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(self.certificate(), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(self.key(), key.serialize_pem()).unwrap();
    }

    /// The certificate in PEM, `cert.pem`.
    pub fn certificate(&self) -> PathBuf {
        self.folder.file("cert.pem")
    }

    /// The private key in PEM, `key.pem`.
    pub fn key(&self) -> PathBuf {
        self.folder.file("key.pem")
    }

    /// The folder of both files.
    pub fn folder(&self) -> &TempFolder {
        &self.folder
    }
}

/// A session over TLS.
pub struct TlsClient {
    /// The head of the server's response to the upgrade.
    pub handshake: String,
    stream: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
}

impl TlsClient {
    /// Opens a session with a server that presents exactly this certificate.
    ///
    /// # Errors
    /// When the TLS handshake fails.
    ///
    /// # Panics
    /// When the server refuses the upgrade.
    pub fn connect(address: SocketAddr, trusted: &CertificateDer<'static>) -> io::Result<Self> {
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
        let stream = StreamOwned::new(connection, socket);
        let mut client = Self { handshake: String::new(), stream, received: Vec::new() };
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
        client.handshake = String::from_utf8_lossy(&head).into_owned();
        assert!(client.handshake.starts_with("HTTP/1.1 101 "), "{}", client.handshake);
        Ok(client)
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 << 10];
        let count = self.stream.read(&mut chunk)?;
        assert!(count > 0, "the connection ended");
        self.received.extend_from_slice(&chunk[..count]);
        Ok(())
    }

    /// Sends a text message of less than 126 bytes.
    pub fn send_text(&mut self, text: &str) {
        let len = u8::try_from(text.len()).unwrap();
        assert!(len < 126);
        self.stream.write_all(&[0x81, 0x80 | len, 0, 0, 0, 0]).unwrap();
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// The objects of the next text frame.
    pub fn next_objects(&mut self) -> Vec<Value> {
        loop {
            match Frame::decode(&self.received) {
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
    pub fn wait_for_trade(&mut self) {
        while !self.next_objects().iter().any(|object| object["T"] == "t") {}
    }
}
