//! Sockets: TCP and TLS connections, the writer of a session, kernel tuning.

mod accepted_socket;
mod authorities;
mod certificate;
mod certificate_facts;
#[cfg(any(feature = "jwt", feature = "relay"))]
mod client_tls;
mod connection;
#[cfg(test)]
pub(crate) mod fake;
mod http_connection;
mod raw_socket;
mod takeover;
mod tuning;
mod upgrade_offer;
mod write_allowance;
mod writer;

pub use accepted_socket::{AcceptedSocket, ConnectionGuard};
pub use authorities::add_authorities;
pub use certificate::{Certificate, CertificateFiles, Change, TlsError};
pub use certificate_facts::CertificateFacts;
#[cfg(any(feature = "jwt", feature = "relay"))]
pub use client_tls::client_config;
pub use connection::Connection;
pub use http_connection::{BodyAllowance, HttpConnection, ReadingEnd, StreamMode};
pub use raw_socket::RawSocket;
#[cfg(test)]
pub(crate) use raw_socket::TestSocket;
pub use takeover::Takeover;
pub use tuning::tune;
pub use write_allowance::MinimumWriteRate;
pub use writer::Transport;
pub(crate) use writer::{READ_BYTES, SocketWriter};
