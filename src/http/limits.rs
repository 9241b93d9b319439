use std::time::Duration;

/// The limits of requests and of connections without a session.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// The time in which a request's head must arrive completely; also the time for a TLS handshake. The
    /// connection is closed after it, which ends half-open handshakes and clients that send a byte a second.
    ///
    /// Default 5 s: a head fits into one packet, which the slowest phone sends at once. A longer time lets
    /// idle connections hold file descriptors. Counted in `tapecast_connections_without_request`, and in
    /// `tapecast_tls_handshakes_failed` with the reason `timeout`.
    pub head_timeout: Duration,
    /// The time after which an idle connection without a session is closed (HTTP keep-alive).
    ///
    /// Default 15 s: pages and pollers send their next request sooner, and each idle connection holds a file
    /// descriptor. It is not counted: clients just connect again.
    pub idle_timeout: Duration,
    /// The most bytes of a request's head; a longer one gets 431.
    ///
    /// Default 16 KiB: twice what browsers send with all of their cookies. The HTTP parser has a limit of
    /// its own, 128 KiB or 96 header lines. Counted in `tapecast_requests_refused` with the reason `head`.
    pub head_bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15),
            head_bytes: 16 << 10,
        }
    }
}
