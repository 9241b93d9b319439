//! The HTTP server: its listeners, its threads, and how it treats connections.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::body::BoxBody;
use actix_http::h1::{Codec, ExpectHandler};
use actix_http::{HttpService, Request, TlsAcceptorConfig};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config};
use actix_tls::accept::TlsError;
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};
use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

use super::WorkerPool;
use crate::config::AccessConfig;
use crate::http::{self, AppState, HttpLimits};
use crate::limits::{CapacityLimits, max_connections, max_sessions_for};
use crate::transport::{self, Certificate, Connection};

/// So many connections may wait to be accepted: a storm of reconnects must not meet a full queue.
const BACKLOG: i32 = 4096;

/// How long a connection may take to end that opened no session. 1 to 499 ms would leave some open for
/// ever in actix-http 3.20.
const DISCONNECT_TIMEOUT: Duration = Duration::from_millis(600);

pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How many sessions may be at once, on so many descriptors.
pub(super) fn seats(doors: &AccessConfig, descriptors: usize) -> CapacityLimits {
    let possible = max_sessions_for(descriptors);
    let sessions = doors.max_sessions.unwrap_or(possible);
    if sessions > possible {
        warn!(sessions, descriptors, "--max-sessions is more than the limit of open files allows");
    }
    CapacityLimits { sessions, per_address: doors.max_sessions_per_address }
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
    house: web::Data<AppState>,
    workers: WorkerPool,
) -> io::Result<Server> {
    let handshake_timeout = house.http.head_timeout;
    let server = Server::build();
    let entry = ConnectionServices { house, workers, stopping: server.graceful_shutdown_signal() };
    let plain = entry.clone();
    let mut server = server
        .workers(threads)
        .max_concurrent_connections(max_connections(descriptors).div_ceil(threads))
        .shutdown_timeout(1)
        .disable_signals()
        .listen("plain", listeners.plain, move || plain.service::<TcpStream>().tcp())?;
    if let Some((listener, certificate)) = listeners.tls {
        let config = certificate.server_config();
        server = server.listen("tls", listener, move || {
            let service = entry.service::<TlsStream<TcpStream>>();
            let acceptor = TlsAcceptorConfig::default().handshake_timeout(handshake_timeout);
            let metrics = entry.house.metrics.http().clone();
            service.rustls_0_23_with_config(config.clone(), acceptor).map_err(move |error| {
                match &error {
                    TlsError::Timeout => metrics.handshake_failed("timeout"),
                    TlsError::Tls(_) => metrics.handshake_failed("error"),
                    TlsError::Service(_) => {}
                }
                error
            })
        })?;
    }
    Ok(server.run())
}

/// What a worker needs to serve connections.
#[derive(Clone)]
struct ConnectionServices {
    house: web::Data<AppState>,
    workers: WorkerPool,
    stopping: GracefulShutdownSignal,
}

/// A factory of services as an HTTP service takes it.
trait Factory<Req, Res>:
    ServiceFactory<
        Req,
        Config = (),
        Response = Res,
        Error = Error,
        InitError = (),
        Future: 'static,
        Service: Service<Req, Future: 'static>,
    >
{
}

impl<F, Req, Res> Factory<Req, Res> for F where
    F: ServiceFactory<
            Req,
            Config = (),
            Response = Res,
            Error = Error,
            InitError = (),
            Future: 'static,
            Service: Service<Req, Future: 'static>,
        >
{
}

/// HTTP on connections of one kind, and what takes over where it ends.
type Http<C, Answers, Sessions> = HttpService<C, Answers, BoxBody, ExpectHandler, Sessions>;

impl ConnectionServices {
    /// HTTP on connections of this kind, until they ask for a session.
    ///
    /// This is what `HttpServer` builds, but for the last step: it has no way to hand a connection over.
    fn service<C: Connection + 'static>(
        &self,
    ) -> Http<
        C,
        impl Factory<Request, ServiceResponse> + use<C>,
        impl Factory<(Request, Framed<C, Codec>), ()> + use<C>,
    > {
        let HttpLimits { head_timeout, idle_timeout, .. } = self.house.http;
        let metrics = self.house.metrics.http().clone();
        let stopping = self.stopping.clone();
        let upgrade = apply_fn_factory(self.doors(), |(request, connection), doors| {
            let answer = doors.call(request);
            async move { http::hand_over(answer.await?, connection).await }
        });
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(head_timeout)
            .keep_alive(idle_timeout)
            .tcp_nodelay(true)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .on_connect_ext(move |connection: &C, extensions| {
                http::watch_connection(metrics.clone(), extensions);
                transport::tune(connection);
            })
            .upgrade(upgrade)
            .finish(self.doors())
    }

    fn doors(&self) -> impl Factory<Request, ServiceResponse> + use<> {
        let app = App::new()
            .wrap(from_fn(http::reject_oversized))
            .wrap(http::security_headers())
            .configure(http::routes(self.house.clone(), self.workers.hub()));
        map_config(app, |()| AppConfig::default())
    }
}
