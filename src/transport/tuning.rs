use std::io;
#[cfg(target_os = "linux")]
use std::time::Duration;

use socket2::SockRef;
use tracing::warn;

use super::Connection;

/// The kernel may hold so many bytes that it has not sent yet. Without it 2 to 4 MiB of ticks grow
/// stale in the socket of a stalled client, where no conflation reaches them.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The kernel gives a connection up on which nothing was acknowledged, or no window opened, for so
/// long (RFC 5482). It reaches connections that have no session any more.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// Tunes a new connection.
pub fn tune(connection: &impl Connection) {
    if let Err(error) = set_options(&SockRef::from(connection.socket())) {
        warn!(%error, "cannot set the options of a new connection");
    }
}

#[cfg(target_os = "linux")]
fn set_options(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

/// Elsewhere the hub's own beat looks after the stalled.
#[cfg(not(target_os = "linux"))]
fn set_options(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_keepalive(true)
}
