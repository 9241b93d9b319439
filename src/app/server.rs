//! The HTTP server: its listeners, its worker threads and their applications.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::body::BoxBody;
use actix_http::error::DispatchError;
use actix_http::h1::{Codec, ExpectHandler};
use actix_http::{HttpService, Protocol as HttpVersion, Request};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_factory, fn_service, map_config,
};
use actix_tls::accept::rustls_0_23::{Acceptor, AcceptorService};
use actix_tls::accept::{TlsError, max_concurrent_tls_connect};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};
use socket2::{Domain, Protocol, Socket, Type};
use tracing::warn;

use super::StartError;
use super::workers::{StartedHubs, WorkerPool};
use crate::config::{AccessConfig, Config, PlainHttp, Tls};
use crate::http::{self, AppState, ConnectionLimit, HttpLimits, StrictTransport, Surface};
use crate::limits::{CapacityLimits, OpenFiles};
use crate::metrics::{Refusal, RefusalKind, Refusals};
use crate::transport::{self, AcceptedSocket, Certificate, Connection, HttpConnection, Takeover};

/// The length of the kernel's accept queue, long enough for a reconnect storm: when it is full, the kernel
/// drops connection attempts. It counts them (`TcpExtListenOverflows`), we cannot.
const BACKLOG: i32 = 4096;

/// The time that a connection without a session may take to close, before it is aborted. With 1 to 499 ms
/// actix-http 3.20 leaves some connections open for ever.
const DISCONNECT_TIMEOUT: Duration = Duration::from_millis(600);

/// Listens on an address.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Below this limit of open files a warning says how few sessions there can be: it is the least default of
/// systems, and far below what one worker can serve.
pub(super) const FEW_OPEN_FILES: usize = 1_024;

/// The limits on sessions that these open files allow.
pub(super) fn capacity_limits(access: &AccessConfig, open_files: OpenFiles) -> CapacityLimits {
    let possible = open_files.max_sessions();
    let sessions = access.max_sessions.unwrap_or(possible);
    let descriptors = open_files.limit;
    if sessions > possible {
        warn!(sessions, possible, descriptors, "--max-sessions is more than the limit of open files allows");
    } else if descriptors < FEW_OPEN_FILES {
        warn!(sessions, descriptors, "few sessions are possible: raise the limit of open files (ulimit -n)");
    }
    CapacityLimits { sessions, per_address: access.max_sessions_per_address }
}

/// The listening sockets: plain, TLS if there is a certificate, and one for metrics and status alone.
pub(super) struct Listeners {
    /// The address of the plain listener.
    pub(super) address: SocketAddr,
    plain: TcpListener,
    plain_http: PlainHttp,
    tls: Option<(TcpListener, Arc<Certificate>)>,
    admin: Option<TcpListener>,
}

impl Listeners {
    /// Binds the addresses and loads the certificate.
    pub(super) fn bind(config: &Config) -> Result<Self, StartError> {
        let open = |address| listen(address).map_err(|source| StartError::Listen { address, source });
        let plain = open(config.listen)?;
        let address = plain.local_addr().unwrap_or(config.listen);
        let tls = match &config.access.tls {
            Some(Tls { listen, certificate, key }) => {
                let certificate = Certificate::open(certificate.clone(), key.clone())?;
                Some((open(*listen)?, Arc::new(certificate)))
            }
            None => None,
        };
        let admin = config.access.admin.map(open).transpose()?;
        Ok(Self { address, plain, plain_http: config.access.plain, tls, admin })
    }

    /// The address of metrics and status.
    pub(super) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// What the listeners of clients serve: without TLS, and with it.
    fn surfaces(&self) -> (Surface, Surface) {
        let clients = if self.admin.is_some() { Surface::Clients } else { Surface::Whole };
        match (self.plain_http, self.tls_address()) {
            (PlainHttp::Redirected, Some(tls)) => (Surface::Redirect { port: tls.port() }, clients),
            _ => (clients, clients),
        }
    }

    /// The address of the TLS listener.
    pub(super) fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().and_then(|(listener, _)| listener.local_addr().ok())
    }

    /// The certificate of the TLS listener.
    pub(super) fn certificate(&self) -> Option<Arc<Certificate>> {
        self.tls.as_ref().map(|(_, certificate)| Arc::clone(certificate))
    }
}

/// Starts a server whose worker threads and connections share these open files.
pub(super) fn serve(
    listeners: Listeners,
    open_files: OpenFiles,
    state: web::Data<AppState>,
    workers: WorkerPool,
    limit: ConnectionLimit,
) -> io::Result<Server> {
    let handshake_timeout = state.http.head_timeout;
    let connections = open_files.max_connections().div_ceil(open_files.workers);
    // While a worker's TLS handshakes reach their limit, actix stops accepting on all of its addresses: with
    // the default of 256, silent connections to the TLS port made plain HTTP wait. Connections are bounded
    // anyway, and each handshake is part of its connection's own task.
    max_concurrent_tls_connect(connections);
    let mut server = Server::build();
    let (surface, tls_surface) = listeners.surfaces();
    let transport = match listeners.plain_http {
        PlainHttp::Redirected => StrictTransport::Required,
        PlainHttp::Served => StrictTransport::Optional,
    };
    let stopping = server.graceful_shutdown_signal();
    let plain_transport = StrictTransport::Optional;
    let plain = ConnectionServices { state, workers, limit, stopping, surface, transport: plain_transport };
    let services = ConnectionServices { surface: tls_surface, transport, ..plain.clone() };
    if let Some(listener) = listeners.admin {
        let admin = ConnectionServices { surface: Surface::Operations, ..plain.clone() };
        server = server.listen("admin", listener, move || admin.http())?;
    }
    let mut server = server
        .workers(open_files.workers)
        .max_concurrent_connections(connections)
        .shutdown_timeout(1)
        .disable_signals()
        .listen("plain", listeners.plain, move || plain.http())?;
    if let Some((listener, certificate)) = listeners.tls {
        let mut config = certificate.server_config();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut acceptor = Acceptor::new(config);
        acceptor.set_handshake_timeout(handshake_timeout);
        server = server.listen("tls", listener, move || {
            let refusals = services.state.metrics.refusals().clone();
            let shake_hands = move |socket: AcceptedSocket, acceptor: &AcceptorService| {
                let (peer, refusals) = (socket.socket().peer_addr(), refusals.clone());
                let handshake = acceptor.call(socket);
                async move { handshake.await.inspect_err(|error| handshake_failed(&refusals, peer, error)) }
            };
            let handshake =
                apply_fn_factory::<_, _, _, _, _, AcceptedSocket, _, _>(acceptor.clone(), shake_hands);
            let http = services
                .accept()
                .and_then(
                    handshake
                        .map_init_err(|()| ())
                        .map_err(|_| DispatchError::Io(io::ErrorKind::ConnectionAborted.into())),
                )
                .map(HttpConnection::from)
                .and_then(fn_service(http_on))
                .and_then(services.service());
            with_takeover(http)
        })?;
    }
    Ok(server.run())
}

/// Serves connections by HTTP, and then by the session that takes one over.
fn with_takeover(
    http: impl ServiceFactory<
        (TcpStream, Takeover),
        Config = (),
        Response = (),
        Error = DispatchError,
        InitError = (),
    >,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> {
    apply_fn_factory(http, |socket: TcpStream, http| {
        let takeover = Takeover::default();
        // Boxed, so that it is freed when HTTP ends.
        let served = Box::pin(http.call((socket, takeover.clone())));
        async move {
            served.await?;
            if let Some(session) = takeover.into_session() {
                session.await;
            }
            Ok(())
        }
    })
}

/// Begins HTTP/1.1 on a connection.
async fn http_on<C: Connection>(
    connection: C,
) -> Result<(C, HttpVersion, Option<SocketAddr>), DispatchError> {
    let peer = connection.socket().peer_addr().ok();
    Ok((connection, HttpVersion::Http1, peer))
}

/// Records a failed TLS handshake.
fn handshake_failed(
    refusals: &Refusals,
    peer: io::Result<SocketAddr>,
    error: &TlsError<io::Error, Infallible>,
) {
    let reason = match error {
        TlsError::Timeout => "timeout",
        TlsError::Tls(_) => "error",
        TlsError::Service(never) => match *never {},
    };
    // A connection that is reset meanwhile has no address.
    let address = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip().to_canonical());
    refusals.record(Refusal { kind: RefusalKind::Handshake, reason, address, key: None });
}

/// Builds the services of a worker for its connections.
#[derive(Clone)]
struct ConnectionServices {
    state: web::Data<AppState>,
    workers: WorkerPool,
    limit: ConnectionLimit,
    stopping: GracefulShutdownSignal,
    surface: Surface,
    transport: StrictTransport,
}

/// The bounds that an HTTP service has on its service factories.
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

/// HTTP on one kind of connection: a service that answers requests, and one for upgrades.
type Http<C, Requests, Upgrades> = HttpService<C, Requests, BoxBody, ExpectHandler, Upgrades>;

impl ConnectionServices {
    /// Admits a connection, or closes it at once if its address has too many without a session.
    fn accept(
        &self,
    ) -> impl ServiceFactory<
        (TcpStream, Takeover),
        Config = (),
        Response = AcceptedSocket,
        Error = DispatchError,
        InitError = (),
    > + use<> {
        let (limit, rate) = (self.limit.clone(), self.state.http.write_rate);
        fn_service(move |(socket, takeover): (TcpStream, Takeover)| {
            // Otherwise a frame waits up to 40 ms for the client to acknowledge the one before (Nagle, RFC 896).
            let guard = socket.set_nodelay(true).and_then(|()| socket.peer_addr());
            let guard = guard.map(|peer| limit.admit(peer));
            async move {
                match guard {
                    Ok(Some(guard)) => Ok(AcceptedSocket::new(socket, guard, rate, takeover)),
                    Ok(None) => Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into())),
                    Err(error) => Err(DispatchError::Io(error)),
                }
            }
        })
    }

    /// HTTP on connections without TLS.
    fn http(
        &self,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
    {
        with_takeover(
            self.accept().map(HttpConnection::from).and_then(fn_service(http_on)).and_then(self.service()),
        )
    }

    /// HTTP on one kind of connection, until a request upgrades it to a session.
    ///
    /// This is what actix-web's `HttpServer` builds, plus the upgrade service, for which it has no option.
    fn service<C: Connection + 'static>(
        &self,
    ) -> Http<
        C,
        impl Factory<Request, ServiceResponse> + use<C>,
        impl Factory<(Request, Framed<C, Codec>), ()> + use<C>,
    > {
        let HttpLimits { head_timeout, idle_timeout, .. } = self.state.http;
        let metrics = self.state.metrics.http().clone();
        let stopping = self.stopping.clone();
        let upgrade = apply_fn_factory(self.application(), |(mut request, connection), application| {
            http::can_leave_http(&mut request);
            let answer = application.call(request);
            async move { http::hand_over(answer.await?, connection).await }
        });
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(head_timeout)
            .keep_alive(idle_timeout)
            .h1_write_buffer_size(http::BODY_PIECE)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .on_connect_ext(move |connection: &C, extensions| {
                http::watch_connection(metrics.clone(), connection, extensions);
                transport::tune(connection);
            })
            .upgrade(upgrade)
            .finish(self.application())
    }

    /// The actix-web application. It takes connections when the hubs of the worker have the snapshots of their feeds.
    fn application(&self) -> impl Factory<Request, ServiceResponse> + use<> {
        let StartedHubs { hubs, loaded } = self.workers.hubs();
        let app = App::new()
            .wrap(from_fn(http::wait_for_turn))
            .wrap(from_fn(http::pace_bodies))
            .wrap(from_fn(http::reject_oversized))
            .wrap(from_fn(http::restrict_methods))
            .wrap(http::security_headers(self.transport))
            .wrap(from_fn(http::time_requests))
            .configure(http::routes(self.state.clone(), hubs, self.surface));
        let app = Rc::new(map_config(app, |()| AppConfig::default()));
        fn_factory(move || {
            let (app, loaded) = (Rc::clone(&app), loaded.clone());
            async move {
                loaded.await;
                app.new_service(()).await
            }
        })
    }
}

#[cfg(test)]
#[path = "session_memory_tests.rs"]
mod session_memory_tests;
