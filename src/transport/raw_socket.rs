use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, BorrowedFd};

use tokio::net::TcpStream;

/// A socket that takes bytes as they are, as the kernel knows it: who has many to write to one after the
/// other looks them up before, and between two calls of the kernel touches nothing else.
#[derive(Clone, Copy, Debug)]
pub struct RawSocket<'a>(
    #[cfg(target_os = "linux")] BorrowedFd<'a>,
    #[cfg(not(target_os = "linux"))] &'a TcpStream,
);

#[cfg(target_os = "linux")]
impl<'a> RawSocket<'a> {
    /// The socket of this connection.
    pub fn of(connection: &'a TcpStream) -> Self {
        Self(connection.as_fd())
    }

    /// Writes as much as the socket takes at once. Asks the kernel, and not first the runtime whether the
    /// socket had room when it was last full.
    ///
    /// # Errors
    /// `WouldBlock` where it takes nothing now; else the connection is broken.
    #[inline(always)]
    pub fn send(self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::net::{SendFlags, send};
        Ok(send(self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }
}

#[cfg(not(target_os = "linux"))]
impl<'a> RawSocket<'a> {
    /// The socket of this connection.
    pub fn of(connection: &'a TcpStream) -> Self {
        Self(connection)
    }

    /// Writes as much as the socket takes at once.
    ///
    /// # Errors
    /// `WouldBlock` where it takes nothing now; else the connection is broken.
    pub fn send(self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}
