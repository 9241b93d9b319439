use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use tokio::io::ReadBuf;

use crate::transport::{RawSocket, TestSocket, Transport};

/// A connection between a client and the server: what the kernel holds of it in both directions, and what the session's
/// task waits for.
#[derive(Debug)]
pub(super) struct SimulatedSocket {
    /// The bytes that the server has sent and the client has not read.
    sent: RefCell<Vec<u8>>,
    capacity: usize,
    /// The bytes that the client has sent and the server has not read.
    received: RefCell<Vec<u8>>,
    /// Whether a task waits until the socket takes bytes.
    awaits_room: Cell<bool>,
    /// Whether a task waits until something comes.
    awaits_bytes: Cell<bool>,
    is_reset: Cell<bool>,
    /// A hash of all bytes that the server has sent.
    trace: Cell<u64>,
}

impl SimulatedSocket {
    pub(super) fn new(capacity: usize) -> Rc<Self> {
        Rc::new(Self {
            sent: RefCell::default(),
            capacity,
            received: RefCell::default(),
            awaits_room: Cell::new(false),
            awaits_bytes: Cell::new(false),
            is_reset: Cell::new(false),
            trace: Cell::new(0xCBF2_9CE4_8422_2325),
        })
    }

    /// Whether the reactor would wake the session's task.
    pub(super) fn is_ready(&self) -> bool {
        let has_bytes = !self.received.borrow().is_empty();
        (self.awaits_room.get() && !self.is_full()) || (self.awaits_bytes.get() && has_bytes)
    }

    /// Forgets what the task waits for: it is about to run.
    pub(super) fn begin_turn(&self) {
        self.awaits_room.set(false);
        self.awaits_bytes.set(false);
    }

    pub(super) fn is_full(&self) -> bool {
        self.sent.borrow().len() >= self.capacity
    }

    /// Whether the client has read everything that was sent.
    pub(super) fn is_drained(&self) -> bool {
        self.sent.borrow().is_empty()
    }

    /// Whether the server has reset the connection.
    pub(super) const fn is_reset(&self) -> bool {
        self.is_reset.get()
    }

    /// A hash (FNV-1a) of all bytes that the server has sent.
    pub(super) const fn trace(&self) -> u64 {
        self.trace.get()
    }

    /// The client sends these bytes.
    pub(super) fn send_to_server(&self, bytes: &[u8]) {
        self.received.borrow_mut().extend_from_slice(bytes);
    }

    /// The server reads what has come; pending if that is nothing.
    pub(super) fn take_received(&self) -> Vec<u8> {
        let received = std::mem::take(&mut *self.received.borrow_mut());
        self.awaits_bytes.set(received.is_empty());
        received
    }

    /// The client reads at most this many bytes.
    pub(super) fn read_by_client(&self, most: usize) -> Vec<u8> {
        let mut sent = self.sent.borrow_mut();
        let count = sent.len().min(most);
        sent.drain(..count).collect()
    }

    fn take(&self, bytes: &[u8]) -> usize {
        let mut sent = self.sent.borrow_mut();
        let count = bytes.len().min(self.capacity.saturating_sub(sent.len()));
        sent.extend_from_slice(&bytes[..count]);
        let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        self.trace.set(bytes[..count].iter().fold(self.trace.get(), hash));
        count
    }
}

impl TestSocket for SimulatedSocket {
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.take(bytes) {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

/// The server's end of a connection.
pub(super) struct ServerEnd {
    pub(super) socket: Rc<SimulatedSocket>,
    /// Over TLS only the task may write.
    pub(super) is_tls: bool,
}

impl Transport for ServerEnd {
    fn socket(&self) -> Option<RawSocket<'_>> {
        (!self.is_tls).then(|| RawSocket::simulated(&*self.socket))
    }

    fn poll_read(&self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        unreachable!("the simulated actor reads from the socket")
    }

    fn poll_write(&self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.socket.take(bytes) {
            0 => {
                self.socket.awaits_room.set(true);
                Poll::Pending
            }
            count => Poll::Ready(Ok(count)),
        }
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn abort(&self) {
        self.socket.is_reset.set(true);
    }
}

/// Whether a task was woken since it ran.
#[derive(Debug)]
pub(super) struct WakeFlag(AtomicBool);

impl WakeFlag {
    pub(super) fn set() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
