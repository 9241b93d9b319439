//! The HTTP server: its listeners, its threads, and how it treats connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

use super::Workers;
use crate::config::Doors;
use crate::gate::{SeatLimits, connections_of, seats_of};
use crate::http::{self, Certificate, House, Manners};

/// So many connections may wait to be accepted: a storm of reconnects must not meet a full queue.
const BACKLOG: i32 = 4096;

/// 1 to 499 ms would leave some connections open for ever in actix-http 3.20, and from 1000 ms on a
/// client that waits a second for our FIN gives up first.
const DISCONNECT_TIMEOUT: Duration = Duration::from_millis(600);

/// What the connection may hold of assembled frames: they are stale the sooner the more there are.
const WRITE_BUFFER: usize = 16 << 10;

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How many sessions may be at once, on so many descriptors.
pub(super) fn seats(doors: &Doors, descriptors: usize) -> SeatLimits {
    let possible = seats_of(descriptors);
    let sessions = doors.max_sessions.unwrap_or(possible);
    if sessions > possible {
        warn!(sessions, descriptors, "--max-sessions is more than the limit of open files allows");
    }
    SeatLimits { sessions, per_address: doors.max_sessions_per_address }
}

/// Where connections come from: plain ones, and where there is a certificate TLS ones beside them.
pub(super) struct Listeners {
    pub(super) plain: TcpListener,
    pub(super) tls: Option<(TcpListener, Arc<Certificate>)>,
}

pub(super) fn serve(
    listeners: Listeners,
    threads: usize,
    descriptors: usize,
    house: web::Data<House>,
    workers: Workers,
) -> io::Result<Server> {
    let Manners { head_timeout, idle_timeout, .. } = house.manners;
    let metrics = house.metrics.doors().clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(http::threshold))
            .wrap(http::protection())
            .configure(http::doors(house.clone(), workers.hub()))
    });
    let mut server = server
        .workers(threads)
        .max_connections(connections_of(descriptors).div_ceil(threads))
        .client_request_timeout(head_timeout)
        .tls_handshake_timeout(head_timeout)
        .keep_alive(idle_timeout)
        .tcp_nodelay(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .client_disconnect_timeout(DISCONNECT_TIMEOUT)
        .shutdown_timeout(1)
        .disable_signals()
        .on_connect(move |connection, extensions| http::greet(connection, extensions, &metrics))
        .listen(listeners.plain)?;
    if let Some((listener, certificate)) = listeners.tls {
        server = server.listen_rustls_0_23(listener, certificate.server_config())?;
    }
    Ok(server.run())
}
