use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;

use crate::transport::{RawSocket, Transport};

/// How a faulty line takes bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineCondition {
    /// As the transport below does.
    #[default]
    Good,
    /// Not at all.
    Stalled,
    /// One by one.
    Trickling,
}

/// A transport that takes bytes as badly as it is told to.
pub struct SlowLine {
    transport: Box<dyn Transport>,
    condition: Rc<Cell<LineCondition>>,
    /// Whether the last byte of a trickle is to be followed by a pause.
    pauses: Cell<bool>,
    waker: Rc<Cell<Option<Waker>>>,
}

/// Changes the condition of a [`SlowLine`].
pub struct LineControl {
    condition: Rc<Cell<LineCondition>>,
    waker: Rc<Cell<Option<Waker>>>,
}

impl LineControl {
    /// Sets the condition, and wakes the task that waits for the line.
    pub fn set(&self, condition: LineCondition) {
        self.condition.set(condition);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl SlowLine {
    /// This transport in good condition, and what changes that.
    pub fn new(transport: Box<dyn Transport>) -> (Self, LineControl) {
        let control = LineControl { condition: Rc::default(), waker: Rc::default() };
        let condition = Rc::clone(&control.condition);
        let waker = Rc::clone(&control.waker);
        (Self { transport, condition, pauses: Cell::new(false), waker }, control)
    }
}

impl Transport for SlowLine {
    /// Only a task may write: what is sent to the socket directly would pass by the condition.
    fn socket(&self) -> Option<RawSocket<'_>> {
        None
    }

    fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_read(cx, buffer)
    }

    fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.condition.get() {
            LineCondition::Good => self.transport.poll_write(cx, bytes),
            LineCondition::Stalled => {
                self.waker.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            // A byte for each turn of the task, so that the worker serves others in between.
            LineCondition::Trickling if self.pauses.replace(false) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            LineCondition::Trickling => {
                let written = self.transport.poll_write(cx, &bytes[..bytes.len().min(1)]);
                self.pauses.set(written.is_ready());
                written
            }
        }
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_flush(cx)
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_shutdown(cx)
    }

    fn abort(&self) {
        self.transport.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::fake::FakeTransport;

    #[test]
    fn a_stalled_line_takes_nothing_and_a_trickling_one_a_byte_each_turn() {
        let (line, control) = SlowLine::new(Box::new(FakeTransport::taking(<[u8]>::len)));
        let write = || line.poll_write(&mut Context::from_waker(Waker::noop()), b"bytes");
        assert!(matches!(write(), Poll::Ready(Ok(5))));

        control.set(LineCondition::Stalled);
        assert!(write().is_pending());

        control.set(LineCondition::Trickling);
        assert!(matches!(write(), Poll::Ready(Ok(1))));
        assert!(write().is_pending());
        assert!(matches!(write(), Poll::Ready(Ok(1))));
    }
}
