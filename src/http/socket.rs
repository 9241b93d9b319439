use std::io;
#[cfg(target_os = "linux")]
use std::time::Duration;

use actix_web::dev::Extensions;
use socket2::SockRef;
use tracing::warn;

use super::carrier::Carrier;
use super::threshold::begin_visit;
use crate::metrics::DoorMetrics;

/// The kernel may hold so many bytes that it has not sent yet. Without it 2 to 4 MiB of ticks grow
/// stale in the socket of a stalled client, where no conflation reaches them.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The kernel gives a connection up on which nothing was acknowledged, or no window opened, for so
/// long (RFC 5482). It reaches connections that have no session any more.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(25);

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
