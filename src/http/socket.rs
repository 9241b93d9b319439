use std::io;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tracing::warn;

use super::threshold::begin_visit;
use crate::metrics::DoorMetrics;
use crate::session::Wire;

/// The kernel may hold so many bytes that it has not sent yet. Without it 2 to 4 MiB of ticks grow
/// stale in the socket of a stalled client, where no conflation reaches them.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The kernel gives a connection up on which nothing was acknowledged, or no window opened, for so
/// long (RFC 5482). It reaches connections that have no session any more.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// A connection, plain or encrypted.
pub trait Carrier: Wire {
    /// The socket that carries it.
    fn socket(&self) -> &TcpStream;
}

impl Carrier for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Carrier for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Wire for TcpStream {
    /// Asks the kernel, and not first the runtime whether the socket had room when it was last full.
    #[cfg(target_os = "linux")]
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::net::{SendFlags, send};
        Ok(send(self, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write(bytes)
    }

    fn abandon(&self) {
        abandon(self);
    }
}

/// Encryption keeps buffers of its own, which only a task sees through to the socket.
impl Wire for TlsStream<TcpStream> {
    fn try_send(&self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn abandon(&self) {
        abandon(self.socket());
    }
}

/// Makes the kernel throw away what it could not send, rather than keep it for [`USER_TIMEOUT`].
fn abandon(socket: &TcpStream) {
    // An error says that the far side was faster.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Tunes a new connection and watches what becomes of it.
pub fn greet(connection: &impl Carrier, extensions: &mut Extensions, metrics: &DoorMetrics) {
    begin_visit(metrics.clone(), extensions);
    if let Err(error) = tune(&SockRef::from(connection.socket())) {
        warn!(%error, "cannot tune a connection");
    }
}

#[cfg(target_os = "linux")]
fn tune(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

/// Elsewhere the hub's own beat looks after the stalled.
#[cfg(not(target_os = "linux"))]
fn tune(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_keepalive(true)
}
