//! The floor: a minimal server that bounds from below what it costs to push trades to subscribers.
//!
//! One thread and one poll. Each trade is encoded once and copied to the buffers of its subscribers;
//! each subscriber with pending data gets one `send` per millisecond. There are no limits, no
//! handling of slow consumers, no second codec and no TLS, and the floor understands only what the
//! load client sends. A server's cost relative to the floor, measured alternately on the same core,
//! depends little on the machine.

mod client;
mod trades;

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

use self::client::{ClientState, FloorClient};
use self::trades::TradeGenerator;

/// Serves the floor, the reference server of the scenarios, for a limited time
#[derive(Debug, Parser)]
#[command(name = "load floor", bin_name = "load floor")]
pub(crate) struct FloorArgs {
    /// Address to listen on
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    pub(crate) address: Ipv4Addr,
    /// Port; 0 for any
    pub(crate) port: u16,
    /// Number of symbols
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) symbols: u32,
    /// Trades per second over all symbols, evenly spaced
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub(crate) rate: u32,
    /// Interval between flushes, in milliseconds
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) flush_ms: u32,
    /// Lifetime, in seconds
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds: u64,
}

const LISTENER: Token = Token(usize::MAX - 1);
const TIMER: Token = Token(usize::MAX - 2);

/// The send buffer of a client, in bytes; trades that do not fit are dropped.
const MAX_BUFFERED: usize = 1 << 16;

/// Binds the floor and serves it until its lifetime ends.
pub(crate) fn run(args: &FloorArgs) -> io::Result<()> {
    Floor::bind(args)?.run()
}

/// The reference server.
pub(crate) struct Floor {
    poll: Poll,
    listener: TcpListener,
    timer: OwnedFd,
    clients: Slab<FloorClient>,
    /// For each symbol, the keys of its subscribers.
    subscribers: Vec<Vec<usize>>,
    /// Keys of the clients with pending data.
    dirty: Vec<usize>,
    trades: TradeGenerator,
    deadline: Instant,
}

impl Floor {
    pub(crate) fn bind(args: &FloorArgs) -> io::Result<Self> {
        let poll = Poll::new()?;
        // Created before the timer, so that each millisecond of the generator is over when the timer fires.
        let trades = TradeGenerator::new(args.symbols, args.rate);
        let mut listener = TcpListener::bind((args.address, args.port).into())?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let timer = timer(Duration::from_millis(args.flush_ms.into()))?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            timer,
            clients: Slab::new(),
            subscribers: vec![Vec::new(); args.symbols as usize],
            dirty: Vec::new(),
            trades,
            deadline: Instant::now() + Duration::from_secs(args.seconds),
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(512);
        while Instant::now() < self.deadline {
            match self.poll.poll(&mut events, Some(Duration::from_secs(1))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            for event in &events {
                self.on_event(event)?;
            }
        }
        Ok(())
    }

    fn on_event(&mut self, event: &Event) -> io::Result<()> {
        match event.token() {
            LISTENER => self.accept(),
            TIMER => {
                rustix::io::read(&self.timer, &mut [0; size_of::<u64>()])?;
                self.flush();
                Ok(())
            }
            Token(key) if event.is_readable() => {
                self.on_readable(key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (mut socket, _) = match self.listener.accept() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                accepted => accepted?,
            };
            socket.set_nodelay(true)?;
            let entry = self.clients.vacant_entry();
            self.poll.registry().register(&mut socket, Token(entry.key()), Interest::READABLE)?;
            entry.insert(FloorClient::new(socket));
        }
    }

    fn on_readable(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let symbols = self.subscribers.len();
        let mut subscribed = Vec::new();
        let state = client.on_readable(symbols, &mut subscribed);
        subscribed.into_iter().for_each(|symbol| self.subscribers[symbol].push(key));
        if matches!(state, Ok(ClientState::Finished) | Err(_)) {
            self.clients.remove(key);
            self.subscribers.iter_mut().for_each(|list| list.retain(|other| *other != key));
            self.dirty.retain(|other| *other != key);
        }
    }

    fn flush(&mut self) {
        let Self { clients, subscribers, dirty, trades, .. } = self;
        let now = trades.now();
        while let Some((symbol, frame)) = trades.next_due(now) {
            for key in &subscribers[symbol] {
                let buffer = &mut clients[*key].send_buffer;
                if buffer.is_empty() {
                    dirty.push(*key);
                }
                if buffer.len() + frame.len() <= MAX_BUFFERED {
                    buffer.extend_from_slice(frame);
                }
            }
        }
        dirty.retain(|key| clients[*key].flush() > 0);
    }
}

/// Creates a timer descriptor that becomes readable once per period.
fn timer(period: Duration) -> io::Result<OwnedFd> {
    let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
    let period = Timespec { tv_sec: period.as_secs() as i64, tv_nsec: period.subsec_nanos().into() };
    let when = Itimerspec { it_interval: period, it_value: period };
    rustix::time::timerfd_settime(&timer, TimerfdTimerFlags::empty(), &when)?;
    Ok(timer)
}
