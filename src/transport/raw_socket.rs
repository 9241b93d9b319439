use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsFd, BorrowedFd};

use tokio::net::TcpStream;

/// A borrowed file descriptor that takes bytes as they are.
///
/// The fan-out looks the sockets of many sessions up first, and then touches nothing else between two
/// calls of the kernel.
#[derive(Clone, Copy, Debug)]
pub struct RawSocket<'a>(SocketKind<'a>);

#[derive(Clone, Copy, Debug)]
enum SocketKind<'a> {
    #[cfg(target_os = "linux")]
    Kernel(BorrowedFd<'a>),
    #[cfg(not(target_os = "linux"))]
    Kernel(&'a TcpStream),
    #[cfg(test)]
    Simulated(&'a dyn TestSocket),
}

/// Takes bytes in place of the kernel.
#[cfg(test)]
pub(crate) trait TestSocket: std::fmt::Debug {
    fn send(&self, bytes: &[u8]) -> io::Result<usize>;
}

#[cfg(test)]
impl<'a> RawSocket<'a> {
    /// A socket without a kernel.
    pub(crate) fn simulated(socket: &'a dyn TestSocket) -> Self {
        Self(SocketKind::Simulated(socket))
    }
}

#[cfg(target_os = "linux")]
impl<'a> RawSocket<'a> {
    /// The socket of this connection.
    pub fn of(connection: &'a TcpStream) -> Self {
        Self(SocketKind::Kernel(connection.as_fd()))
    }

    /// A socket for tests that takes everything at once.
    #[cfg(test)]
    pub(crate) fn of_datagrams(socket: &'a std::net::UdpSocket) -> Self {
        Self(SocketKind::Kernel(socket.as_fd()))
    }

    /// Sends as many bytes as the socket takes at once. Bypasses the runtime's readiness cache: the
    /// kernel knows whether there is room.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes nothing now; any other error means that the connection is broken.
    #[inline(always)]
    pub fn send(self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::net::{SendFlags, send};
        match self.0 {
            SocketKind::Kernel(socket) => Ok(send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?),
            #[cfg(test)]
            SocketKind::Simulated(socket) => socket.send(bytes),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl<'a> RawSocket<'a> {
    /// The socket of this connection.
    pub fn of(connection: &'a TcpStream) -> Self {
        Self(SocketKind::Kernel(connection))
    }

    /// Sends as many bytes as the socket takes at once.
    ///
    /// # Errors
    /// `WouldBlock` if the socket takes nothing now; any other error means that the connection is broken.
    pub fn send(self, bytes: &[u8]) -> io::Result<usize> {
        match self.0 {
            SocketKind::Kernel(connection) => connection.try_write(bytes),
            #[cfg(test)]
            SocketKind::Simulated(socket) => socket.send(bytes),
        }
    }
}
