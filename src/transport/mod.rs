//! Sockets: TCP and TLS connections, the writer of a session, kernel tuning.

mod accepted_socket;
mod authorities;
mod certificate;
mod certificate_facts;
mod connection;
#[cfg(test)]
pub(crate) mod fake;
mod http_connection;
mod raw_socket;
mod tuning;
mod upgrade_offer;
mod write_allowance;
mod writer;

pub use accepted_socket::{AcceptedSocket, ConnectionGuard};
pub use authorities::add_authorities;
pub use certificate::{Certificate, CertificateFiles, Change, TlsError};
pub use certificate_facts::CertificateFacts;
pub use connection::Connection;
pub use http_connection::{BodyAllowance, HttpConnection, ReadingEnd, StreamMode};
pub use raw_socket::RawSocket;
pub use tuning::tune;
pub use write_allowance::MinimumWriteRate;
pub(crate) use writer::{READ_BYTES, SocketWriter};
pub use writer::{TrafficTotals, Transport};
