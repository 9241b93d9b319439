use std::time::Duration;

use crate::limits::AnswerLimits;
use crate::transport::MinimumWriteRate;

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
    /// The most connections without a session from one address (IPv4 address or IPv6 /64) at once, on all
    /// listeners together: TLS handshakes, requests, and connections that wait for the next request. More are
    /// closed as soon as they are accepted. Addresses that stand for many clients have no such limit: trusted
    /// proxies, and those of `AccessConfig::shared_addresses`.
    ///
    /// Default 512: a browser opens six, and an office behind one router has some hundred boards that reconnect
    /// within seconds after a restart, each for a few round trips until it has a session. A higher limit
    /// lets one client hold more file descriptors, for up to the timeouts above. Counted in
    /// `tapecast_connections_dropped` with the reason `address`.
    pub connections_per_address: usize,
    /// How slowly a client may take responses; a slower one is disconnected.
    ///
    /// Default 8 KiB a second after 20 s: a phone with poor reception takes more, and the largest page of REST,
    /// 1.2 MB, is gone after 3 minutes. A lower rate lets slow readers hold responses in memory for longer.
    /// Counted in `tapecast_connections_dropped` with the reason `slow`.
    pub write_rate: MinimumWriteRate,
    /// How many bytes of REST responses may be under way.
    pub answers: AnswerLimits,
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
            connections_per_address: 512,
            write_rate: MinimumWriteRate { grace: Duration::from_secs(20), bytes_per_second: 8 << 10 },
            answers: AnswerLimits::default(),
            head_bytes: 16 << 10,
        }
    }
}
