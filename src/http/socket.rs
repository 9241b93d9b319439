use std::any::Any;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tracing::warn;

use super::threshold::begin_visit;
use crate::metrics::DoorMetrics;
use crate::session::Sever;

/// The kernel may hold so many bytes that it has not sent yet. Without it 2 to 4 MiB of ticks grow
/// stale in the socket of a stalled client, where no conflation reaches them.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 << 10;

/// The kernel gives a connection up on which nothing was acknowledged, or no window opened, for so
/// long (RFC 5482). It reaches connections that have no session any more.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(25);

/// Tunes a new connection, remembers how to cut it and watches what becomes of it. For
/// `HttpServer::on_connect`, before `bind`.
pub fn greet(connection: &dyn Any, extensions: &mut Extensions, metrics: &DoorMetrics) {
    begin_visit(metrics.clone(), extensions);
    let encrypted = || connection.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
    let Some(stream) = connection.downcast_ref::<TcpStream>().or_else(encrypted) else { return };
    let tuned = tune_socket(&SockRef::from(stream));
    if let Err(error) = tuned {
        warn!(%error, "cannot tune a connection");
    }
    #[cfg(unix)]
    extensions.insert(Wire(std::os::fd::AsRawFd::as_raw_fd(stream)));
}

#[cfg(target_os = "linux")]
fn tune_socket(socket: &SockRef<'_>) -> std::io::Result<()> {
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))
}

/// Elsewhere the hub's own beat looks after the stalled.
#[cfg(not(target_os = "linux"))]
fn tune_socket(socket: &SockRef<'_>) -> std::io::Result<()> {
    socket.set_keepalive(true)
}

/// The descriptor of a connection.
#[cfg(unix)]
#[derive(Clone, Copy)]
struct Wire(std::os::fd::RawFd);

/// How to break off the connection of this request, for as long as it is open.
///
/// A stalled client's session cannot end by itself: the connection polls it only when the socket
/// takes bytes, and this socket never will. Shutting the socket down wakes the connection with an
/// error. A second descriptor would be safe to keep, but costs each session one of the process's
/// few; so the descriptor is borrowed.
#[cfg(unix)]
#[expect(unsafe_code, reason = "a borrowed descriptor costs none; see SAFETY")]
pub(super) fn sever(request: &HttpRequest) -> Sever {
    let Some(Wire(descriptor)) = request.conn_data::<Wire>().copied() else { return Box::new(|| ()) };
    Box::new(move || {
        // SAFETY: the closure belongs to a session's link and is called only by the hub, for members.
        // A member leaves the hub when the body of its response is dropped, which its connection owns
        // beside the socket and drops no later than it; all of that happens on this thread. So while
        // the hub can call, the descriptor is open and still that of this connection.
        let socket = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
        // An error says that the far side was faster.
        let _ = SockRef::from(&socket).shutdown(std::net::Shutdown::Both);
    })
}

/// Where there are no descriptors, a stalled connection waits for the system's own timeouts.
#[cfg(not(unix))]
pub(super) fn sever(_: &HttpRequest) -> Sever {
    Box::new(|| ())
}
