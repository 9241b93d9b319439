//! The floor: what the kernel alone costs to push ticks to all who want them.
//!
//! One thread, one poll; each tick is written once, copied to those who want it, and whoever has
//! something gets one `send` a millisecond. No limits, no slow clients, no second protocol, no TLS: it
//! knows what the load client says and nothing else. What a server costs beside it, in turns with it
//! and on the same core, says something of the server and not of the machine.

mod ticks;
mod visitor;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use clap::Parser;
use mio::event::Event;
use mio::net::TcpListener;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use slab::Slab;

use self::ticks::Ticks;
use self::visitor::{Said, Visitor};

/// Serves the floor until its time is over.
#[derive(Debug, Parser)]
#[command(name = "load floor")]
pub(crate) struct Args {
    /// Port on 127.0.0.1; 0 for any
    pub(crate) port: u16,
    /// How many symbols there are
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) symbols: u32,
    /// Trades a second over all of them, evenly spaced
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) rate: u32,
    /// Milliseconds between one flush and the next
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) flush_ms: u32,
    /// When it ends by itself
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
}

const LISTENER: Token = Token(usize::MAX - 1);
const TIMER: Token = Token(usize::MAX - 2);

/// So many bytes wait for a client at most; what does not fit is lost.
const MOST_WAITING: usize = 1 << 16;

pub(crate) struct Floor {
    poll: Poll,
    listener: TcpListener,
    timer: OwnedFd,
    visitors: Slab<Visitor>,
    /// For each symbol, who wants it.
    wants: Vec<Vec<usize>>,
    /// Who has something to get.
    dirty: Vec<usize>,
    ticks: Ticks,
    until: Instant,
}

impl Floor {
    pub(crate) fn bind(args: &Args) -> io::Result<Self> {
        let poll = Poll::new()?;
        // Before the timer, so that each of its milliseconds is over when it says so.
        let ticks = Ticks::new(args.symbols, args.rate);
        let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port).into())?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let timer = timer(Duration::from_millis(args.flush_ms.into()))?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            timer,
            visitors: Slab::new(),
            wants: vec![Vec::new(); args.symbols as usize],
            dirty: Vec::new(),
            ticks,
            until: Instant::now() + Duration::from_secs(args.seconds),
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(512);
        while Instant::now() < self.until {
            match self.poll.poll(&mut events, Some(Duration::from_secs(1))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                self.attend(event)?;
            }
        }
        Ok(())
    }

    fn attend(&mut self, event: &Event) -> io::Result<()> {
        match event.token() {
            LISTENER => self.welcome(),
            TIMER => {
                rustix::io::read(&self.timer, &mut [0; size_of::<u64>()])?;
                self.tick();
                Ok(())
            }
            Token(key) if event.is_readable() => {
                self.listen(key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn welcome(&mut self) -> io::Result<()> {
        loop {
            let (mut socket, _) = match self.listener.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                accepted => accepted?,
            };
            socket.set_nodelay(true)?;
            let seat = self.visitors.vacant_entry();
            self.poll.registry().register(&mut socket, Token(seat.key()), Interest::READABLE)?;
            seat.insert(Visitor::new(socket));
        }
    }

    fn listen(&mut self, key: usize) {
        let Some(visitor) = self.visitors.get_mut(key) else { return };
        let symbols = self.wants.len();
        let wants = &mut self.wants;
        let said = visitor.listen(symbols, |symbol| wants[symbol].push(key));
        if matches!(said, Ok(Said::Everything) | Err(_)) {
            self.visitors.remove(key);
            self.wants.iter_mut().for_each(|list| list.retain(|other| *other != key));
            self.dirty.retain(|other| *other != key);
        }
    }

    fn tick(&mut self) {
        let Self { visitors, wants, dirty, ticks, .. } = self;
        ticks.until_now(|symbol, frame| {
            for key in &wants[symbol] {
                let out = &mut visitors[*key].out;
                if out.is_empty() {
                    dirty.push(*key);
                }
                if out.len() + frame.len() <= MOST_WAITING {
                    out.extend_from_slice(frame);
                }
            }
        });
        dirty.retain(|key| visitors[*key].flush() > 0);
    }
}

/// A descriptor that becomes readable so often.
fn timer(period: Duration) -> io::Result<OwnedFd> {
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
    let period = Timespec { tv_sec: period.as_secs() as i64, tv_nsec: period.subsec_nanos().into() };
    let when = Itimerspec { it_interval: period, it_value: period };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &when)?;
    Ok(timer)
}
