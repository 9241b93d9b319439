use std::io;
#[cfg(target_os = "linux")]
use std::time::Duration;

use socket2::SockRef;
use tracing::warn;

use super::Connection;

/// The unsent bytes that the kernel may hold for a connection (`TCP_NOTSENT_LOWAT`). Without this limit 2
/// to 4 MiB of ticks grow stale in the socket of a stalled client, beyond the reach of conflation.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The time after which the kernel drops a connection on which nothing was acknowledged and no window
/// opened (RFC 5482). It also covers connections whose session has ended.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// Sets the kernel options of a new connection; see the constants above.
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

/// On other systems only the hub's liveness check covers stalled clients.
#[cfg(not(target_os = "linux"))]
fn set_options(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_keepalive(true)
}
