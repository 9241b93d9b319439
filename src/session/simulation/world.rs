use std::time::{Duration, Instant};

use super::client::{Client, Tally};
use super::connection::Connection;
use super::market;
use super::nodes::{LIVENESS_INTERVAL, Nodes};
use super::scenario::{CLIENTS, Dial, HopKind, LEGACY_CLIENT, Reading, Resume, Scenario, Settings, Step};
use super::violation::violated;
use crate::hub::{LivenessTimeouts, Subscriber};
use crate::wire::Close;

/// The whole system of one scenario, in virtual time.
pub(super) struct World {
    settings: Settings,
    nodes: Nodes,
    seats: [Seat; CLIENTS],
    /// When something was last published or arrived at the second hub.
    disturbed: Instant,
    /// A hash of all bytes that were sent to all clients.
    trace: u64,
    /// The tasks run in turns that begin with this one.
    turn: usize,
}

/// A client with its connection, and how long it has been in some state.
struct Seat {
    client: Client,
    connection: Option<Connection>,
    reading: Reading,
    /// Since when it reads all there is.
    fast_since: Option<Instant>,
    /// Since when the socket is full and something waits for it.
    blocked_since: Option<Instant>,
    /// When the server last read something from it.
    heard: Instant,
    /// Since when the session is closing.
    closing_since: Option<Instant>,
}

/// What a run has done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    pub(super) trace: u64,
    pub(super) tally: Tally,
}

/// The longest time by which a deadline may be late: the check for stalled connections, and the tick.
const LATE: Duration = Duration::from_millis(1_100);

/// A client that reads all there is has everything this long after the last batch, besides its interval.
const PROGRESS: Duration = Duration::from_millis(50);

/// The longest `conflate_ms` of a scenario.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);

impl World {
    /// Runs a scenario to its end.
    pub(super) fn run(scenario: &Scenario) -> Report {
        let mut world = Self::new(scenario.settings);
        scenario.steps.iter().for_each(|step| world.step(step));
        world.finish()
    }

    fn new(settings: Settings) -> Self {
        let nodes = Nodes::new(&settings);
        let now = nodes.now.steady;
        let seat = |name| Seat {
            client: Client::new(name, settings.outbox.frame_bytes),
            connection: None,
            reading: Reading::Fast,
            fast_since: Some(now),
            blocked_since: None,
            heard: now,
            closing_since: None,
        };
        Self { settings, nodes, seats: std::array::from_fn(seat), disturbed: now, trace: 0, turn: 0 }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Market(events) => {
                self.nodes.script.lock().unwrap().events.clone_from(events);
                self.publish();
            }
            Step::Epoch => self.nodes.begin_epoch(),
            Step::Notice => self.nodes.script.lock().unwrap().notices.push(market::notice()),
            Step::List => {
                self.nodes.script.lock().unwrap().is_listed = true;
                self.publish();
            }
            Step::Deliver => {
                self.nodes.deliver();
                self.disturbed = self.nodes.now.steady;
            }
            Step::Network(fault) => self.nodes.disturb(*fault),
            Step::Pass(time) => self.pass(*time),
            Step::Run => self.run_tasks(),
            Step::Connect(client, dial) => self.connect(*client, *dial),
            Step::Send(client, text) => {
                let now = self.nodes.now.steady;
                let Seat { client, connection, fast_since, .. } = &mut self.seats[*client];
                if let Some(connection) = connection {
                    *fast_since = fast_since.map(|_| now);
                    let frame = client.command(text, client.name != LEGACY_CLIENT);
                    connection.socket.send_to_server(&frame);
                }
            }
            Step::Read(client, reading) => self.seats[*client].read_as(*reading, self.nodes.now.steady),
        }
        self.check();
    }

    fn publish(&mut self) {
        let is_noticed = !self.nodes.script.lock().unwrap().notices.is_empty();
        self.nodes.publish();
        self.disturbed = self.nodes.now.steady;
        // A notice, an epoch, and the end of what waits are control messages.
        let controls = 2 + usize::from(is_noticed);
        self.seats
            .iter_mut()
            .filter_map(|seat| seat.connection.as_mut())
            .for_each(|it| it.controls += controls);
    }

    fn connect(&mut self, client: usize, dial: Dial) {
        let now = self.nodes.now.steady;
        let seat = &mut self.seats[client];
        seat.leave(&mut self.trace);
        // A gateway cannot tell a client without `x` what it lost.
        let is_legacy = client == LEGACY_CLIENT;
        let hub = if is_legacy && self.settings.hop == HopKind::Cluster { 0 } else { dial.hub };
        let connection = Connection::open(&self.nodes.nodes[hub], hub, dial.line, &self.settings, now);
        let is_ordered = hub == 0 || self.settings.hop == HopKind::Worker;
        // A gateway believes a number that it does not know: its leader may have given it.
        let resume = match dial.resume {
            Resume::Impossible if !is_ordered => Resume::Own,
            resume => resume,
        };
        let resume = seat.client.connect(dial.line.codec(), connection.windows(), resume, is_ordered);
        resume.iter().for_each(|frame| connection.socket.send_to_server(frame));
        (seat.blocked_since, seat.closing_since, seat.heard) = (None, None, now);
        seat.connection = Some(connection);
        (seat.reading, seat.fast_since) = (Reading::Fast, Some(now));
    }

    /// Lets time pass in ticks of a millisecond, or of longer ones if it is long.
    fn pass(&mut self, time: Duration) {
        let tick = if time > LONGEST_INTERVAL { Duration::from_millis(20) } else { Duration::from_millis(1) };
        let mut left = time;
        while !left.is_zero() {
            let step = tick.min(left);
            left -= step;
            self.nodes.advance(step);
            self.run_tasks();
            self.check();
        }
    }

    /// Runs each task that was woken, and lets the clients read.
    fn run_tasks(&mut self) {
        self.turn += 1;
        let now = self.nodes.now.steady;
        for place in 0..CLIENTS {
            let seat = &mut self.seats[(self.turn + place) % CLIENTS];
            seat.run(&self.nodes, now, &mut self.trace);
        }
    }

    /// What holds after every step.
    fn check(&mut self) {
        let now = self.nodes.now.steady;
        let is_quiet = now >= self.disturbed + self.settings.max_delay + LONGEST_INTERVAL + PROGRESS;
        for seat in &mut self.seats {
            let Some(connection) = &mut seat.connection else { continue };
            let health = connection.health(now);
            let limits = self.settings.outbox;
            const LONGEST_CONTROL: usize = 1_024;
            let most =
                limits.end_above + 3 * limits.frame_bytes + 2_048 + connection.controls * LONGEST_CONTROL;
            if health.queued_bytes > most {
                violated(
                    "bounds",
                    format!("{} bytes wait for client {}", health.queued_bytes, seat.client.name),
                );
            }
            if health.queued_bytes == 0 {
                connection.controls = 0;
            }
            let is_blocked = health.stalled.is_some() && connection.socket.is_full();
            // A turn carries out a step of a command, or sends a piece of an answer. One whose next turn nothing causes has
            // no more time than others.
            let is_at_work =
                connection.is_ready() && (connection.is_busy() || connection.state.wants_answer());
            seat.blocked_since = is_blocked.then(|| seat.blocked_since.unwrap_or(now));
            seat.check_liveness(now);
            if is_at_work {
                seat.fast_since = seat.fast_since.map(|_| now);
            }
            let is_fast = seat
                .fast_since
                .is_some_and(|since| now >= since + self.settings.max_delay + LONGEST_INTERVAL + PROGRESS);
            let connection = seat.connection.as_ref().filter(|it| it.close_reason().is_none());
            if let (true, true, Some(connection)) = (is_fast, is_quiet, connection) {
                let hub = &self.nodes.nodes[connection.hub].hub;
                seat.client
                    .check_complete(|stream| hub.with_last_values(|last_values| last_values.seq(stream)));
            }
        }
    }

    /// All faults end; every client must have everything soon.
    fn finish(mut self) -> Report {
        let now = self.nodes.now.steady;
        self.seats.iter_mut().for_each(|seat| seat.read_as(Reading::Fast, now));
        // A gateway asks for what it lost, and again if the answer was lost.
        for _ in 0..12 {
            self.nodes.deliver_everything();
            self.disturbed = self.nodes.now.steady;
            self.pass(Duration::from_millis(100));
        }
        self.pass(Duration::from_secs(1));
        let [first, second] = &self.nodes.nodes;
        for stream in super::connection::streams() {
            let newest = |hub: &crate::hub::Hub| hub.with_last_values(|last_values| last_values.seq(stream));
            let (expected, newest) = (newest(&first.hub), newest(&second.hub));
            if expected != newest {
                violated("progress", format!("hub 1 has {newest:?} of {stream:?}, the feed {expected:?}"));
            }
        }
        let mut report = Report::default();
        for seat in &mut self.seats {
            seat.leave(&mut self.trace);
            report.tally.add(&seat.client.tally);
        }
        report.trace = self.trace;
        report
    }
}

impl Seat {
    fn read_as(&mut self, reading: Reading, now: Instant) {
        self.reading = reading;
        let is_fast = matches!(reading, Reading::Fast | Reading::Silent);
        self.fast_since = is_fast.then(|| self.fast_since.unwrap_or(now));
    }

    /// The connection ends.
    fn leave(&mut self, trace: &mut u64) {
        if let Some(connection) = self.connection.take() {
            *trace = trace.rotate_left(1) ^ connection.socket.trace();
        }
    }

    /// Runs the task if it was woken, and lets the client read and answer.
    fn run(&mut self, nodes: &Nodes, now: Instant, trace: &mut u64) {
        let Some(connection) = &mut self.connection else { return };
        let most = match self.reading {
            Reading::Fast | Reading::Silent => usize::MAX,
            Reading::Slow(bytes) => bytes,
            Reading::Stalled => 0,
        };
        loop {
            if connection.is_ready() {
                let heard = connection.health(now).heard;
                connection.run(now);
                if connection.health(now).heard != heard {
                    self.heard = now;
                }
            }
            let bytes = connection.socket.read_by_client(most);
            self.client.take_in(&bytes, &nodes.published);
            for _ in 0..std::mem::take(&mut self.client.pongs_due) {
                if self.reading != Reading::Silent {
                    const PONG: [u8; 6] = [0x8A, 0x80, 0, 0, 0, 0];
                    connection.socket.send_to_server(&PONG);
                }
            }
            // One that reads all there is makes room at once, and the kernel wakes the task.
            if most < usize::MAX || !connection.socket.is_ready() {
                break;
            }
        }
        let has_everything = connection.state.may_coalesce() && connection.health(now).queued_bytes == 0;
        if has_everything && connection.socket.is_drained() {
            self.client.is_current();
        }
        let is_over = connection.has_ended() && connection.socket.is_drained();
        if is_over || connection.socket.is_reset() {
            self.leave(trace);
        }
    }

    /// A client that takes nothing, or says nothing, is closed with the right code, neither too early nor too late.
    fn check_liveness(&mut self, now: Instant) {
        let Some(connection) = &self.connection else { return };
        let timeouts = LivenessTimeouts::default();
        let passed = |since: Instant| now.saturating_duration_since(since);
        let (blocked, silent) = (self.blocked_since.map(passed).unwrap_or_default(), passed(self.heard));
        let is_new = self.closing_since.is_none();
        let fault = match connection.close_reason() {
            None if blocked > timeouts.stall + LATE => Some("it takes nothing, and is not closed"),
            None if silent > timeouts.silence + LATE => Some("it says nothing, and is not closed"),
            Some(Close::Unresponsive) if is_new && silent + LIVENESS_INTERVAL < timeouts.silence => {
                Some("it is closed as silent, and was heard")
            }
            Some(Close::SlowClient)
                if is_new
                    && self.client.name != LEGACY_CLIENT
                    && blocked + LIVENESS_INTERVAL < timeouts.stall =>
            {
                Some("it is closed as slow, and takes what comes")
            }
            Some(_)
                if !connection.has_ended()
                    && self.closing_since.is_some_and(|since| passed(since) > timeouts.close + LATE) =>
            {
                Some("it does not take the Close, and is not reset")
            }
            _ => None,
        };
        if connection.close_reason().is_some() {
            self.closing_since.get_or_insert(now);
        }
        if let Some(fault) = fault {
            violated("liveness", format!("client {}: {fault}", self.client.name));
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.merged += other.merged;
        self.gaps += other.gaps;
        self.snapshots += other.snapshots;
        self.resumes += other.resumes;
        self.closes += other.closes;
    }
}
