use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;

use super::limits::Limits;
use super::pending_message::PendingMessage;
use super::state::SessionState;
use crate::hub::Inquiry;
use crate::limits::{ReactorTurn, TokenBucket, TurnBudget, TurnTicket};
use crate::transport::READ_BYTES;
use crate::wire::{Close, DecodeError, DecodeStep, Decoder, Incoming};

/// What the actor of a session reacts to: the client's messages, and the growth of the universe. It ends
/// with the connection.
///
/// Backpressure towards the client: reading pauses while the socket has a backlog, so that a client that
/// sends without reading is slowed to the pace at which it reads. That needs no waker of its own: the
/// task that polls the actor waits for the socket while there is a backlog.
pub(super) struct IncomingStream {
    chunk: Bytes,
    decoder: Decoder,
    state: Rc<SessionState>,
    /// The messages that were returned in this turn.
    returned: u32,
    /// The reads of this turn.
    reads: u32,
    frames: TokenBucket,
    pending: PendingMessage,
    /// The pause after a turn that was cut short.
    pause: Option<ReactorTurn>,
    /// The place among the connections that wait for the worker's budget.
    ticket: Option<TurnTicket>,
}

/// Reading pauses above this backlog in bytes. An echo keeps at most one message more.
const PAUSE_ABOVE: usize = 64 << 10;

/// After this many messages the reactor and the worker's other tasks run before the next: a thousand commands
/// fit into one read, and take 40 ms.
const MAX_MESSAGES_PER_TURN: u32 = 16;

/// The bytes of a unit of the worker's budget for a turn: what takes longest is 340 empty frames.
const READ_BYTES_PER_UNIT: usize = 2 << 10;

/// After this many reads of 16 KiB they run, too: frames that complete no message cost no message.
const MAX_READS_PER_TURN: u32 = 8;

/// One thing that the actor of a session reacts to.
#[derive(Debug)]
pub(super) enum SessionInput {
    /// A message of the client, or its violation of RFC 6455.
    Message(Result<Incoming, DecodeError>),
    /// The client exceeded a limit of what it may send, for which the session is closed: the rate limit of frames,
    /// or the share of its pending message in the worker's memory.
    LimitExceeded(Close),
    /// The market lists more instruments.
    UniverseGrew,
    /// An administrator asks for the details of the session.
    Inquired(Inquiry),
}

impl IncomingStream {
    /// A stream that begins with `early`, the bytes that came in behind the handshake.
    pub(super) fn new(
        early: Bytes,
        decoder: Decoder,
        state: Rc<SessionState>,
        limits: &Limits,
        now: Instant,
    ) -> Self {
        let frames = TokenBucket::new(limits.frames, now);
        let pending = PendingMessage::new(limits.pending_bytes);
        Self {
            chunk: early,
            decoder,
            state,
            returned: 0,
            reads: 0,
            frames,
            pending,
            pause: None,
            ticket: None,
        }
    }

    /// Ends a turn that was cut short.
    fn end_turn<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        (self.returned, self.reads) = (0, 0);
        self.pause = Some(ReactorTurn::begin(cx));
        Poll::Pending
    }
}

impl Stream for IncomingStream {
    type Item = SessionInput;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // The actor has executed the command before, or it would not ask for more.
        this.pending.may_take(this.decoder.buffered_bytes());
        if this.state.take_universe_grew() {
            return Poll::Ready(Some(SessionInput::UniverseGrew));
        }
        if let Some(inquiry) = this.state.take_inquiry() {
            return Poll::Ready(Some(SessionInput::Inquired(inquiry)));
        }
        if this.state.backlog_bytes() > PAUSE_ABOVE {
            // A client that is not read must not count as silent. The task comes back here when the
            // socket took something; if it takes nothing, the client counts as stalled.
            this.state.set_heard(Instant::now());
            return Poll::Pending;
        }
        this.pause.take_if(|pause| pause.is_over());
        if this.pause.is_some() {
            return Poll::Pending;
        }
        loop {
            if this.returned == MAX_MESSAGES_PER_TURN {
                return this.end_turn(cx);
            }
            let has_waited = this.ticket.is_some();
            ready!(TurnBudget::poll_room(&mut this.ticket, cx));
            // Where others wait, too, shorter steps let each wait for less.
            let most = if has_waited { READ_BYTES_PER_UNIT } else { READ_BYTES };
            let step = this.decoder.decode_step(&mut this.chunk);
            if !this.frames.take_many(this.decoder.take_frames(), Instant::now()) {
                return Poll::Ready(Some(SessionInput::LimitExceeded(Close::TooManyFrames)));
            }
            let bytes = match &step {
                Ok(DecodeStep::Message(message)) => message.payload_bytes(),
                _ => this.decoder.buffered_bytes(),
            };
            if !this.pending.may_take(bytes) {
                return Poll::Ready(Some(SessionInput::LimitExceeded(Close::TryLater)));
            }
            match step {
                Ok(DecodeStep::Message(message)) => {
                    this.returned += 1;
                    TurnBudget::spend(1);
                    return Poll::Ready(Some(SessionInput::Message(Ok(message))));
                }
                Err(error) => return Poll::Ready(Some(SessionInput::Message(Err(error)))),
                Ok(DecodeStep::Working) => return this.end_turn(cx),
                Ok(DecodeStep::NeedsInput) => {}
            }
            if this.reads == MAX_READS_PER_TURN {
                return this.end_turn(cx);
            }
            let Poll::Ready(read) = this.state.writer().poll_read(cx, most) else {
                (this.returned, this.reads) = (0, 0);
                return Poll::Pending;
            };
            this.reads += 1;
            match read {
                Ok(chunk) if !chunk.is_empty() => {
                    this.state.set_heard(Instant::now());
                    TurnBudget::spend((chunk.len() / READ_BYTES_PER_UNIT) as u32);
                    this.chunk = chunk;
                }
                Ok(_) | Err(_) => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use super::*;
    use crate::feed::Batch;
    use crate::hub::{FanOut, FrameCache, Hub, ObjectRef, Subscriber};
    use crate::limits::Rate;
    use crate::model::{Epoch, Object, Seq, Timestamp};
    use crate::session::{Offered, Outbox, OutboxLimits, Pacing};
    use crate::transport::SocketWriter;
    use crate::transport::fake::FakeTransport;
    use crate::wire::{Codec, Compression, Opcode, fixtures, message_frame};

    fn state() -> Rc<SessionState> {
        let hub = Rc::new(Hub::for_tests(Duration::ZERO));
        let outbox = Outbox::new(Codec::Json, OutboxLimits::default());
        let writer = SocketWriter::new(Box::new(FakeTransport::taking(<[u8]>::len)), Bytes::new());
        Rc::new(SessionState::new(
            hub,
            crate::hub::SubscriberIdentity::for_tests(),
            Epoch::default(),
            outbox,
            writer,
            Instant::now(),
        ))
    }

    fn stream(early: impl Into<Bytes>, state: Rc<SessionState>) -> IncomingStream {
        IncomingStream::new(early.into(), Decoder::new(1), state, &Limits::default(), Instant::now())
    }

    #[test]
    fn endless_empty_fragments_exceed_the_rate_limit_of_frames() {
        let limits = Limits { frames: Rate::per_second(1, 1_000), ..Limits::default() };
        let fragments = [&[0x01, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0].repeat(1_000)].concat();
        let (early, now) = (Bytes::from(fragments), Instant::now());
        let mut incoming = IncomingStream::new(early, Decoder::new(1), state(), &limits, now);

        let input = Pin::new(&mut incoming).poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(
            matches!(input, Poll::Ready(Some(SessionInput::LimitExceeded(Close::TooManyFrames)))),
            "{input:?}"
        );
    }

    #[test]
    fn a_message_takes_memory_of_its_worker_until_its_command_is_executed() {
        let limits = Limits { pending_bytes: 150, ..Limits::default() };
        let frame = Bytes::from([&[0x81, 0x80 | 100, 0, 0, 0, 0][..], &[b' '; 100]].concat());
        let [mut waiting, mut refused] = [(); 2].map(|()| {
            IncomingStream::new(frame.clone(), Decoder::new(200), state(), &limits, Instant::now())
        });
        let cx = &mut Context::from_waker(Waker::noop());
        let mut next = |incoming: &mut IncomingStream| Pin::new(incoming).poll_next(cx);

        assert!(matches!(next(&mut waiting), Poll::Ready(Some(SessionInput::Message(Ok(_))))));
        let input = next(&mut refused);
        assert!(
            matches!(input, Poll::Ready(Some(SessionInput::LimitExceeded(Close::TryLater)))),
            "{input:?}"
        );

        drop(refused);
        assert!(next(&mut waiting).is_pending());
        let mut served = IncomingStream::new(frame, Decoder::new(200), state(), &limits, Instant::now());
        assert!(matches!(next(&mut served), Poll::Ready(Some(SessionInput::Message(Ok(_))))));
    }

    /// A long echo over a slow connection takes half a minute, as does a bot's backlog of trades: the
    /// client's pongs wait in our kernel meanwhile.
    #[test]
    fn a_client_that_is_not_read_does_not_count_as_silent() {
        let state = state();
        let mut incoming = stream(Bytes::new(), Rc::clone(&state));
        let mut sets_heard = |cx: &mut Context<'_>| {
            let now = Instant::now();
            assert!(Pin::new(&mut incoming).poll_next(cx).is_pending());
            state.health(now).heard >= now
        };
        let cx = &mut Context::from_waker(Waker::noop());

        assert!(!sets_heard(cx), "it could have said something");
        state.send(message_frame(Opcode::Binary, &[0; PAUSE_ABOVE]), Instant::now());
        assert!(sets_heard(cx));
    }

    #[test]
    fn a_client_whose_command_waits_in_the_fair_queue_does_not_count_as_silent() {
        let state = state();
        let later = Instant::now() + Duration::from_secs(60);

        state.set_waiting(true);
        assert_eq!(state.health(later).heard, later);
        state.set_waiting(false);
        assert_eq!(state.health(later + Duration::from_secs(9)).heard, later);
    }

    /// What is held for the end of an interval gives the socket nothing to take, so nothing would wake
    /// the task to read on.
    #[test]
    fn objects_that_are_held_for_an_interval_do_not_pause_reading() {
        let state = state();
        let trades = (1..=700).map(|seq| Object { seq: Seq(seq), ..fixtures::trade() }).collect();
        let batch = Batch::new(state.hub().universe(), Timestamp::default(), trades, vec![]);
        let objects: Vec<_> = (0..700).map(|index| ObjectRef::new(0, index)).collect();
        state.hub().with_last_values(|last_values| {
            let (batches, frames) = ([Arc::new(batch)], FrameCache::default());
            let fan_out = FanOut::new(&batches, &frames, last_values, Instant::now());
            state.change(Instant::now(), |outbox| {
                outbox.set_pacing(Pacing::Interval, last_values);
                assert_eq!(outbox.offer(&fan_out, &objects), Offered::Kept);
                assert!(outbox.bytes() > PAUSE_ABOVE);
            });
        });
        let ping = Bytes::from_static(&[0x89, 0x80, 1, 2, 3, 4]);
        let mut incoming = stream(ping, state);

        let cx = &mut Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut incoming).poll_next(cx).is_ready());
    }

    #[test]
    fn many_messages_at_once_leave_other_tasks_a_turn() {
        let pings = [0x89, 0x80, 1, 2, 3, 4].repeat(20);
        let mut incoming = stream(pings, state());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut messages_of_a_turn = || {
            let cx = &mut Context::from_waker(&waker);
            iter::from_fn(|| match Pin::new(&mut incoming).poll_next(cx) {
                Poll::Ready(said) => said,
                Poll::Pending => None,
            })
            .count()
        };

        assert_eq!([(); 3].map(|()| messages_of_a_turn()), [16, 4, 0]);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1, "once after a turn that was cut short");
    }

    #[test]
    fn a_long_compressed_message_leaves_other_tasks_a_turn_between_its_steps() {
        // 16 MiB of zeros in 16 KB: blocks of 258 bytes at the distance of 1.
        let mut deflated = Vec::with_capacity(64 << 10);
        flate2::Compress::new(flate2::Compression::best(), false)
            .compress_vec(&vec![0; 16 << 20], &mut deflated, flate2::FlushCompress::Sync)
            .unwrap();
        deflated.truncate(deflated.len() - 4);
        let len = u16::try_from(deflated.len()).unwrap().to_be_bytes();
        let frame = [&[0xC2, 0xFE, len[0], len[1], 0, 0, 0, 0], &deflated[..]].concat();
        let decoder = Decoder::new(16 << 20).with(Compression::PermessageDeflate);
        let (early, limits) = (Bytes::from(frame), Limits::default());
        let mut incoming = IncomingStream::new(early, decoder, state(), &limits, Instant::now());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));

        let mut turns = 0;
        let message = loop {
            match Pin::new(&mut incoming).poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(message) => break message,
                Poll::Pending => turns += 1,
            }
        };

        let Some(SessionInput::Message(Ok(Incoming::Binary(bytes)))) = message else {
            panic!("{turns} turns")
        };
        assert_eq!(bytes.len(), 16 << 20);
        assert!(turns >= 100, "{turns} turns");
        assert_eq!(woken.0.load(Ordering::Relaxed), turns);
    }

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}
