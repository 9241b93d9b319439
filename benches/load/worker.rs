//! One thread of the client: a poll loop and the sessions that it drives.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::config::LoadConfig;
use super::context::SessionContext;
use super::procfs;
use super::reconnect::ReconnectQueue;
use super::session::{ReadOutcome, Session, SessionKind};
use super::session_end::SessionEnd;
use super::stats::{ReceiveStats, SessionStats};
use super::timestamp::wall_clock_us;
use super::usage::ThreadTime;

/// The time from connect to acknowledgement after which a session fails.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(10);

/// The interval at which a worker reports its statistics.
const REPORT_INTERVAL: Duration = Duration::from_millis(250);

/// The longest wait in the poll, which bounds how late a phase change is noticed.
const MAX_POLL_WAIT: Duration = Duration::from_millis(20);

/// Stalled sessions are read this often at the end of the run, to learn whether the server has
/// disconnected them: its close frame follows all the data that they never read.
const FINAL_READS: usize = 20;
const FINAL_READ_PAUSE: Duration = Duration::from_millis(10);

/// The phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    Opening,
    Warmup,
    Measuring,
    Over,
}

/// The current phase, set by the runner and read by every worker.
pub(crate) struct PhaseFlag(AtomicU8);

impl PhaseFlag {
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

/// What one worker did since its last report, all of it within one phase.
pub(crate) struct WorkerReport {
    pub(crate) worker: usize,
    pub(crate) phase: Phase,
    pub(crate) received: ReceiveStats,
    /// Since the start of the run, not since the last report.
    pub(crate) sessions: SessionStats,
    pub(crate) time: ThreadTime,
}

/// A session in the worker's table; its index is its poll token.
struct Slot {
    session: Session,
    state: SlotState,
    attempt: Attempt,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SlotState {
    Opening,
    Open,
}

/// Whether a session connects for the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    First,
    Reconnect,
}

/// The sessions of one thread and the state that drives them.
pub(crate) struct Worker<'a> {
    number: usize,
    poll: Poll,
    context: SessionContext<'a>,
    /// Numbers of the sessions that have not been started, in order.
    pending: VecDeque<usize>,
    reconnects: ReconnectQueue,
    slots: Vec<Option<Slot>>,
    /// Deadlines of opening sessions, oldest first; entries of sessions that are open or ended are skipped.
    opening: VecDeque<(Instant, usize)>,
    opening_count: usize,
    max_opening: usize,
    /// Slots whose socket was not drained by the last read.
    still_readable: Vec<usize>,
}

impl<'a> Worker<'a> {
    /// Creates the worker with this number, which gets every `config.threads`th session.
    pub(crate) fn new(config: &'a LoadConfig, number: usize) -> io::Result<Self> {
        Ok(Self {
            number,
            poll: Poll::new()?,
            context: SessionContext::new(config),
            pending: (number..config.readers + config.stalled).step_by(config.threads).collect(),
            reconnects: ReconnectQueue::new(config.workload.seed.wrapping_add(number as u64)),
            slots: Vec::new(),
            opening: VecDeque::new(),
            opening_count: 0,
            max_opening: config.max_opening.div_ceil(config.threads),
            still_readable: Vec::new(),
        })
    }

    /// Runs until the phase is [`Phase::Over`].
    pub(crate) fn run(&mut self, phase_flag: &PhaseFlag, reports: &Sender<WorkerReport>) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut interval = IntervalStart::now(Phase::Opening);
        loop {
            let phase = phase_flag.get();
            if phase != interval.phase || interval.at.elapsed() >= REPORT_INTERVAL {
                let ended = std::mem::replace(&mut interval, IntervalStart::now(phase));
                if phase == Phase::Over {
                    self.close_all();
                }
                // The runner stops receiving only after a failure; the phase flag follows.
                drop(reports.send(self.report(&ended, &interval)));
            }
            if phase == Phase::Over {
                return Ok(());
            }
            self.connect_pending();
            self.wait(&mut events)?;
            for event in &events {
                let slot = event.token().0;
                if event.is_writable() {
                    self.drive(slot, |session, context| {
                        session.on_writable(context).map(|()| ReadOutcome::Drained)
                    });
                }
                let is_ending = event.is_read_closed() || event.is_error();
                if event.is_readable() || is_ending {
                    self.drive(slot, |session, context| {
                        if is_ending {
                            session.read_until_eof();
                        }
                        session.on_readable(context)
                    });
                }
            }
            for slot in std::mem::take(&mut self.still_readable) {
                self.drive(slot, Session::on_readable);
            }
            self.expire_opening();
        }
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = if self.still_readable.is_empty() { MAX_POLL_WAIT } else { Duration::ZERO };
        match self.poll.poll(events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            polled => polled,
        }
    }

    /// Starts pending sessions up to the limit of opening ones, and every reconnect that is due.
    fn connect_pending(&mut self) {
        while self.opening_count < self.max_opening
            && let Some(number) = self.pending.pop_front()
        {
            let is_reader = number < self.context.config.readers;
            let kind = if is_reader { SessionKind::Reader } else { SessionKind::Stalled };
            match self.connect(self.slots.len(), number, 0) {
                Ok(socket) => self.add(Session::new(socket, number, kind), Attempt::First),
                Err(error) => count(&mut self.context.stats.sessions.refused, &SessionEnd::from(error)),
            }
        }
        let now = Instant::now();
        while let Some(mut earlier) = self.reconnects.pop_due(now) {
            earlier.reconnects += 1;
            match self.connect(self.slots.len(), earlier.number, earlier.reconnects) {
                Ok(socket) => self.add(Session::resumed(socket, earlier), Attempt::Reconnect),
                Err(_) => self.reconnects.schedule_retry(earlier, now),
            }
        }
    }

    fn add(&mut self, session: Session, attempt: Attempt) {
        self.opening.push_back((Instant::now() + SUBSCRIBE_TIMEOUT, self.slots.len()));
        self.opening_count += 1;
        self.slots.push(Some(Slot { session, state: SlotState::Opening, attempt }));
    }

    fn connect(&self, slot: usize, session: usize, reconnects: usize) -> io::Result<TcpStream> {
        let mut socket = TcpStream::connect(self.context.config.target(session, reconnects).address)?;
        self.poll.registry().register(&mut socket, Token(slot), Interest::READABLE | Interest::WRITABLE)?;
        Ok(socket)
    }

    /// Applies one step to a session and handles the outcome.
    #[inline]
    fn drive(
        &mut self,
        index: usize,
        step: impl FnOnce(&mut Session, &mut SessionContext<'a>) -> Result<ReadOutcome, SessionEnd>,
    ) {
        let Some(slot) = &mut self.slots[index] else { return };
        let outcome = step(&mut slot.session, &mut self.context);
        // Before the outcome: an acknowledgement and a close may arrive in one read.
        if slot.state == SlotState::Opening && slot.session.is_open() {
            slot.state = SlotState::Open;
            self.opening_count -= 1;
            self.on_open(index);
        }
        match outcome {
            Ok(ReadOutcome::Drained) => {}
            Ok(ReadOutcome::MoreToRead) => self.still_readable.push(index),
            Err(end) => self.remove(index, &end),
        }
    }

    fn on_open(&mut self, index: usize) {
        let Some(slot) = &mut self.slots[index] else { return };
        let stats = &mut self.context.stats.sessions;
        match slot.session.kind() {
            SessionKind::Reader => {
                stats.opened += 1;
                if slot.attempt == Attempt::Reconnect {
                    stats.reconnected_ms.push((wall_clock_us() / 1_000) as u64);
                }
            }
            SessionKind::Stalled => {
                stats.stalled_opened += 1;
                // From now on the poll reports only the end of the connection; the kernel's buffers fill.
                let socket = &mut slot.session.socket;
                if let Err(error) = self.poll.registry().reregister(socket, Token(index), Interest::WRITABLE)
                {
                    self.remove(index, &SessionEnd::from(error));
                }
            }
        }
    }

    fn remove(&mut self, index: usize, end: &SessionEnd) {
        let Some(slot) = self.slots[index].take() else { return };
        let stats = &mut self.context.stats.sessions;
        let workload = &self.context.config.workload;
        match (slot.state, slot.session.kind()) {
            (SlotState::Opening, _) => {
                self.opening_count -= 1;
                match slot.attempt {
                    Attempt::First => count(&mut stats.refused, end),
                    Attempt::Reconnect => {
                        let state = slot.session.into_resume_state();
                        self.reconnects.schedule_retry(state, Instant::now());
                    }
                }
            }
            (SlotState::Open, SessionKind::Reader) => {
                count(&mut stats.closed, end);
                if workload.reconnect {
                    let state = slot.session.into_resume_state();
                    self.reconnects.schedule(state, Instant::now());
                }
            }
            (SlotState::Open, SessionKind::Stalled) => count(&mut stats.stalled_ended, end),
        }
    }

    fn expire_opening(&mut self) {
        while let Some(&(deadline, index)) = self.opening.front() {
            let is_opening = self.slots[index].as_ref().is_some_and(|slot| slot.state == SlotState::Opening);
            if is_opening && Instant::now() < deadline {
                return;
            }
            self.opening.pop_front();
            if is_opening {
                self.remove(index, &SessionEnd::SubscribeTimeout);
            }
        }
    }

    /// Reads the stalled sessions a last time, then closes all sessions.
    fn close_all(&mut self) {
        let stalled: Vec<_> = (0..self.slots.len())
            .filter(|&index| self.slots[index].as_ref().is_some_and(|slot| slot.session.is_stalled()))
            .collect();
        if !stalled.is_empty() {
            for _ in 0..FINAL_READS {
                for &index in &stalled {
                    self.drive(index, |session, context| {
                        session.read_until_eof();
                        session.on_readable(context)
                    });
                }
                // The kernel needs time to transfer what the server's send buffer still holds.
                std::thread::sleep(FINAL_READ_PAUSE);
            }
        }
        for slot in self.slots.iter_mut().flatten() {
            slot.session.close(&mut self.context);
        }
    }

    fn report(&mut self, from: &IntervalStart, to: &IntervalStart) -> WorkerReport {
        WorkerReport {
            worker: self.number,
            phase: from.phase,
            received: std::mem::take(&mut self.context.stats.received),
            sessions: self.context.stats.sessions.clone(),
            time: ThreadTime {
                span: to.at - from.at,
                busy: to.busy - from.busy,
                waited: to.waited - from.waited,
            },
        }
    }
}

fn count(reasons: &mut BTreeMap<String, u64>, end: &SessionEnd) {
    *reasons.entry(end.label()).or_default() += 1;
}

/// The start of a report interval, with the thread's CPU and wait time at that moment.
struct IntervalStart {
    phase: Phase,
    at: Instant,
    busy: Duration,
    waited: Duration,
}

impl IntervalStart {
    fn now(phase: Phase) -> Self {
        Self { phase, at: Instant::now(), busy: procfs::thread_cpu(), waited: procfs::thread_wait() }
    }
}
