//! Sockets: TCP and TLS connections, the writer of a session, kernel tuning.

mod certificate;
mod connection;
#[cfg(test)]
pub(crate) mod fake;
mod raw_socket;
mod tuning;
mod writer;

pub use certificate::{Certificate, TlsError};
pub use connection::Connection;
pub use raw_socket::RawSocket;
pub use tuning::tune;
pub(crate) use writer::SocketWriter;
pub use writer::Transport;
