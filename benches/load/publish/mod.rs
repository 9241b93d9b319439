//! The publisher: trades for servers that only pass messages on, which are compared with Tapecast.
//!
//! Each trade is one message, the same JSON that Tapecast sends, with the time at which it is written to the socket and
//! its number among the trades of its symbol. The trades of a millisecond are written at once.

mod outlet;

use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::broker::symbol_name;
use super::procfs;

use self::outlet::Outlet;

/// Publishes trades of S0000, S0001 …, and reports what that took as one JSON object
#[derive(Debug, Parser)]
#[command(name = "load publish", bin_name = "load publish")]
pub(crate) struct PublishArgs {
    /// Protocol to publish with
    #[arg(value_enum)]
    feed: Feed,
    /// Address and port of the server
    address: SocketAddr,
    /// Number of symbols
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    symbols: u32,
    /// Trades per second over all symbols, evenly spaced
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// Length of the publication, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Publishes everything to one channel, `all` (nchan only)
    #[arg(long)]
    single_channel: bool,
}

/// How trades get to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Feed {
    /// `PUB` over TCP
    Nats,
    /// `PUBLISH` with quality of service 0 over TCP
    Mqtt,
    /// One WebSocket per channel, at `/pub/CHANNEL`
    Nchan,
    /// Lines of `SYMBOL JSON` over TCP
    Lines,
}

/// The time between two writes.
const INTERVAL: Duration = Duration::from_millis(1);

/// Publishes until the time is over or the server ends the connection.
pub(crate) fn run(args: &PublishArgs) -> io::Result<()> {
    let channels = if args.single_channel { 1 } else { args.symbols as usize };
    let mut outlet = Outlet::connect(args.feed, args.address, channels, args.single_channel)?;
    let mut trades = Trades::new(args.symbols as usize);
    let (started, began_cpu) = (Instant::now(), procfs::thread_cpu());
    let mut published = 0;
    let mut latest = Duration::ZERO;
    let mut next = started;
    let end = started + Duration::from_secs(args.seconds);
    while next < end {
        next += INTERVAL;
        thread::sleep(next.saturating_duration_since(Instant::now()));
        latest = latest.max(next.elapsed());
        // A publisher that wakes up late publishes what has become due meanwhile.
        let due = started.elapsed().as_millis() as u64 * u64::from(args.rate) / 1_000;
        let now = jiff::Timestamp::now();
        for _ in published..due {
            let (symbol, message) = trades.next(now);
            outlet.add(symbol, message);
        }
        published = published.max(due);
        if outlet.flush().is_err() {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu_percent = (procfs::thread_cpu() - began_cpu).as_secs_f64() / seconds * 100.0;
    let report = serde_json::json!({
        "published": published, "seconds": seconds, "cpu_percent": cpu_percent, "latest_ms": latest.as_secs_f64() * 1e3,
    });
    println!("{report}");
    Ok(())
}

/// Random trades, numbered per symbol.
struct Trades {
    rng: SmallRng,
    last_numbers: Vec<u64>,
    message: String,
}

impl Trades {
    fn new(symbols: usize) -> Self {
        Self { rng: SmallRng::seed_from_u64(42), last_numbers: vec![0; symbols], message: String::new() }
    }

    /// The symbol's number and the message of the next trade.
    fn next(&mut self, time: jiff::Timestamp) -> (usize, &str) {
        let symbol = self.rng.random_range(0..self.last_numbers.len());
        self.last_numbers[symbol] += 1;
        let (number, name) = (self.last_numbers[symbol], symbol_name(symbol));
        let (cents, size) = (self.rng.random_range(10_000..20_000), self.rng.random_range(1..=500));
        let (dollars, cents) = (cents / 100, cents % 100);
        self.message.clear();
        write!(
            self.message,
            "[{{\"T\":\"t\",\"S\":\"{name}\",\"i\":{number},\"x\":\"V\",\"p\":{dollars}.{cents:02},\"s\":{size},\
             \"c\":[\"@\"],\"z\":\"C\",\"t\":\"{time:.9}\",\"sq\":{number}}}]"
        )
        .expect("writing to a string does not fail");
        (symbol, &self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::super::json_scanner;
    use super::*;

    #[test]
    fn trades_are_numbered_per_symbol() {
        let mut trades = Trades::new(2);
        let mut numbers = vec![Vec::new(); 2];
        for _ in 0..10 {
            let (symbol, message) = trades.next(jiff::Timestamp::UNIX_EPOCH);
            let object = json_scanner::scan(message.as_bytes()).next().unwrap().unwrap();
            assert_eq!(object.symbol, symbol_name(symbol).as_bytes());
            assert_eq!(object.time, b"1970-01-01T00:00:00.000000000Z");
            numbers[symbol].push(object.sequence);
        }

        for numbers in numbers {
            assert!(!numbers.is_empty() && numbers.iter().copied().eq(1..=numbers.len() as u64));
        }
    }
}
