//! One thread of the client: a poll, and the sessions it keeps.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::config::Load;
use super::end::End;
use super::proc;
use super::returns::Returns;
use super::session::{Desk, Manner, Session, Turn};
use super::shares::ThreadTime;
use super::stamp::wall_clock_us;
use super::tally::{Roll, Tally};

/// How long a session may take from connect to acknowledgement.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a thread hands in its figures.
const BEAT: Duration = Duration::from_millis(250);

/// The longest sleep, so that a change of phase is noticed in time.
const NAP: Duration = Duration::from_millis(20);

/// How often, and how far apart, stalled sessions are read at the end to see whether the server had
/// given them up: the news stands behind all that they never read.
const LAST_LOOKS: usize = 20;
const LAST_LOOK_PAUSE: Duration = Duration::from_millis(10);

/// What the whole run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    Opening,
    Warmup,
    Measuring,
    Over,
}

/// The phase, set by the conductor and read by every thread.
pub(crate) struct Baton(AtomicU8);

impl Baton {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(Phase::Opening as u8))
    }

    pub(crate) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Release);
    }

    fn get(&self) -> Phase {
        let phases = [Phase::Opening, Phase::Warmup, Phase::Measuring, Phase::Over];
        phases[usize::from(self.0.load(Ordering::Acquire))]
    }
}

/// What one thread did since its last beat, all of it within one phase.
pub(crate) struct Beat {
    pub(crate) thread: usize,
    pub(crate) phase: Phase,
    pub(crate) tally: Tally,
    /// The sessions since the beginning, not since the last beat.
    pub(crate) roll: Roll,
    pub(crate) time: ThreadTime,
}

/// One session's place; its index is its poll token.
struct Seat {
    session: Session,
    is_open: bool,
    /// Whether an earlier session of its number was open before.
    is_return: bool,
}

/// A thread's sessions and everything it needs to serve them.
pub(crate) struct Crew<'a> {
    thread: usize,
    poll: Poll,
    desk: Desk<'a>,
    /// Numbers of the sessions not begun yet, in order.
    waiting: VecDeque<usize>,
    returns: Returns,
    seats: Vec<Option<Seat>>,
    /// Seats not open yet, oldest first, and when we lose patience; settled ones are skipped.
    opening: VecDeque<(Instant, usize)>,
    opening_count: usize,
    at_once: usize,
    /// Seats whose turn ended before their socket was empty.
    unfinished: Vec<usize>,
}

impl<'a> Crew<'a> {
    /// The crew of thread `thread`, which gets every `load.threads`th session.
    pub(crate) fn new(load: &'a Load, thread: usize) -> io::Result<Self> {
        Ok(Self {
            thread,
            poll: Poll::new()?,
            desk: Desk::new(load),
            waiting: (thread..load.readers + load.stalled).step_by(load.threads).collect(),
            returns: Returns::new(load.plan.seed.wrapping_add(thread as u64)),
            seats: Vec::new(),
            opening: VecDeque::new(),
            opening_count: 0,
            at_once: load.at_once.div_ceil(load.threads),
            unfinished: Vec::new(),
        })
    }

    /// Works until the baton says it is over.
    pub(crate) fn work(&mut self, baton: &Baton, beats: &Sender<Beat>) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut watch = Watch::start(Phase::Opening);
        loop {
            let phase = baton.get();
            if phase != watch.phase || watch.since.elapsed() >= BEAT {
                let last = std::mem::replace(&mut watch, Watch::start(phase));
                if phase == Phase::Over {
                    self.disband();
                }
                // A conductor that has stopped listening has its reasons; the baton will follow.
                drop(beats.send(self.beat(&last, &watch)));
            }
            if phase == Phase::Over {
                return Ok(());
            }
            self.begin_more();
            self.poll(&mut events)?;
            for event in &events {
                let seat = event.token().0;
                if event.is_writable() {
                    self.serve(seat, |session, desk| session.write_turn(desk).map(|()| Turn::Drained));
                }
                let is_ending = event.is_read_closed() || event.is_error();
                if event.is_readable() || is_ending {
                    self.serve(seat, |session, desk| {
                        if is_ending {
                            session.read_to_the_end();
                        }
                        session.read_turn(desk)
                    });
                }
            }
            for seat in std::mem::take(&mut self.unfinished) {
                self.serve(seat, Session::read_turn);
            }
            self.lose_patience();
        }
    }

    fn poll(&mut self, events: &mut Events) -> io::Result<()> {
        let nap = if self.unfinished.is_empty() { NAP } else { Duration::ZERO };
        match self.poll.poll(events, Some(nap)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    /// Begins sessions as long as few enough are still opening.
    fn begin_more(&mut self) {
        while self.opening_count < self.at_once
            && let Some(number) = self.waiting.pop_front()
        {
            let manner = if number < self.desk.load.readers { Manner::Reads } else { Manner::Stalls };
            match self.connect(self.seats.len()) {
                Ok(socket) => self.sit(Session::new(socket, number, manner), false),
                Err(error) => count(&mut self.desk.books.roll.refused, &End::from(error)),
            }
        }
        let now = Instant::now();
        while let Some(legacy) = self.returns.next(now) {
            match self.connect(self.seats.len()) {
                Ok(socket) => {
                    let session = Session::new(socket, legacy.number, Manner::Reads);
                    self.sit(session.resuming(legacy.resume), true);
                }
                Err(_) => self.returns.refused(legacy, now),
            }
        }
    }

    fn sit(&mut self, session: Session, is_return: bool) {
        self.opening.push_back((Instant::now() + PATIENCE, self.seats.len()));
        self.opening_count += 1;
        self.seats.push(Some(Seat { session, is_open: false, is_return }));
    }

    fn connect(&self, seat: usize) -> io::Result<TcpStream> {
        let mut socket = TcpStream::connect(self.desk.load.target.address)?;
        self.poll.registry().register(&mut socket, Token(seat), Interest::READABLE | Interest::WRITABLE)?;
        Ok(socket)
    }

    /// Gives one session its turn and draws the consequences.
    #[inline]
    fn serve(&mut self, index: usize, turn: impl FnOnce(&mut Session, &mut Desk<'a>) -> Result<Turn, End>) {
        let Some(seat) = &mut self.seats[index] else { return };
        let outcome = turn(&mut seat.session, &mut self.desk);
        // First this, for an acknowledgement and a close may come in one turn.
        if !seat.is_open && seat.session.is_open() {
            seat.is_open = true;
            self.opening_count -= 1;
            self.welcome(index);
        }
        match outcome {
            Ok(Turn::Drained) => {}
            Ok(Turn::More) => self.unfinished.push(index),
            Err(end) => self.dismiss(index, &end),
        }
    }

    fn welcome(&mut self, index: usize) {
        let Some(seat) = &mut self.seats[index] else { return };
        let roll = &mut self.desk.books.roll;
        match seat.session.manner() {
            Manner::Reads => {
                roll.opened += 1;
                if seat.is_return {
                    roll.returned_ms.push((wall_clock_us() / 1_000) as u64);
                }
            }
            Manner::Stalls => {
                roll.stalled_opened += 1;
                // Hear only of the connection's death from here on; the kernel's buffers fill up.
                let socket = &mut seat.session.socket;
                if let Err(error) = self.poll.registry().reregister(socket, Token(index), Interest::WRITABLE)
                {
                    self.dismiss(index, &End::from(error));
                }
            }
        }
    }

    fn dismiss(&mut self, index: usize, end: &End) {
        let Some(seat) = self.seats[index].take() else { return };
        let roll = &mut self.desk.books.roll;
        let plan = &self.desk.load.plan;
        match (seat.is_open, seat.session.manner()) {
            (false, _) => {
                self.opening_count -= 1;
                if seat.is_return {
                    self.returns.refused(seat.session.legacy(plan), Instant::now());
                } else {
                    count(&mut roll.refused, end);
                }
            }
            (true, Manner::Reads) => {
                count(&mut roll.closed, end);
                if plan.returns {
                    self.returns.lost(seat.session.legacy(plan), Instant::now());
                }
            }
            (true, Manner::Stalls) => count(&mut roll.stalled_ended, end),
        }
    }

    fn lose_patience(&mut self) {
        while let Some(&(deadline, index)) = self.opening.front() {
            let is_settled = self.seats[index].as_ref().is_none_or(|seat| seat.is_open);
            if !is_settled && Instant::now() < deadline {
                return;
            }
            self.opening.pop_front();
            if !is_settled {
                self.dismiss(index, &End::TooLate);
            }
        }
    }

    /// Looks after the stalled ones a last time, then says goodbye to all.
    fn disband(&mut self) {
        let stalled: Vec<_> = (0..self.seats.len())
            .filter(|&index| self.seats[index].as_ref().is_some_and(|seat| seat.session.is_stalled()))
            .collect();
        if !stalled.is_empty() {
            for _ in 0..LAST_LOOKS {
                for &index in &stalled {
                    self.serve(index, |session, desk| {
                        session.read_to_the_end();
                        session.read_turn(desk)
                    });
                }
                // The kernel needs a moment to fetch what the server's side still holds.
                std::thread::sleep(LAST_LOOK_PAUSE);
            }
        }
        for seat in self.seats.iter_mut().flatten() {
            seat.session.say_goodbye(&mut self.desk);
        }
    }

    fn beat(&mut self, last: &Watch, now: &Watch) -> Beat {
        Beat {
            thread: self.thread,
            phase: last.phase,
            tally: std::mem::take(&mut self.desk.books.tally),
            roll: self.desk.books.roll.clone(),
            time: ThreadTime {
                span: now.since - last.since,
                busy: now.busy - last.busy,
                waited: now.waited - last.waited,
            },
        }
    }
}

fn count(ends: &mut std::collections::BTreeMap<String, u64>, end: &End) {
    *ends.entry(end.label()).or_default() += 1;
}

/// When a beat began, and what the thread had used by then.
struct Watch {
    phase: Phase,
    since: Instant,
    busy: Duration,
    waited: Duration,
}

impl Watch {
    fn start(phase: Phase) -> Self {
        Self { phase, since: Instant::now(), busy: proc::thread_cpu(), waited: proc::thread_wait() }
    }
}
