//! Generates random trades, each encoded as the frame that all its subscribers get.

use std::io::Write;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Generates evenly spaced trades.
///
/// The time of a trade is the end of the millisecond in which it is due, as in the server's simulated
/// market. If trades carried the time of their creation, late wake-ups would not show as latency.
pub(crate) struct TradeGenerator {
    symbols: usize,
    rate: u64,
    started: Instant,
    started_at: jiff::Timestamp,
    last_id: u64,
    rng: SmallRng,
    frame: Vec<u8>,
}

impl TradeGenerator {
    pub(crate) fn new(symbols: u32, rate: u32) -> Self {
        Self {
            symbols: symbols as usize,
            rate: rate.into(),
            started: Instant::now(),
            started_at: jiff::Timestamp::now(),
            last_id: 0,
            rng: SmallRng::seed_from_u64(42),
            frame: Vec::new(),
        }
    }

    /// The time since the start.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The symbol and the frame of the next trade if it is due at `now`.
    pub(crate) fn next_due(&mut self, now: Duration) -> Option<(usize, &[u8])> {
        let due = self.due(self.last_id + 1).filter(|due| *due <= now)?;
        self.last_id += 1;
        let symbol = self.rng.random_range(0..self.symbols);
        self.encode(symbol, self.started_at + due);
        Some((symbol, &self.frame))
    }

    /// The time from the start at which the trade with this id is due; `None` at a rate of 0.
    fn due(&self, id: u64) -> Option<Duration> {
        (self.rate > 0).then(|| Duration::from_millis((id * 1_000).div_ceil(self.rate)))
    }

    fn encode(&mut self, symbol: usize, time: jiff::Timestamp) {
        let (cents, size) = (self.rng.random_range(10_000..20_000), self.rng.random_range(1..=500));
        let (id, dollars, cents) = (self.last_id, cents / 100, cents % 100);
        let frame = &mut self.frame;
        frame.clear();
        // The header of a text frame of 126 to 65,535 bytes; a trade has more than 100 bytes.
        frame.extend_from_slice(&[0x81, 126, 0, 0]);
        write!(
            frame,
            "[{{\"T\":\"t\",\"S\":\"S{symbol:04}\",\"i\":{id},\"x\":\"V\",\"p\":{dollars}.{cents:02},\"s\":{size},\
             \"c\":[\"@\"],\"z\":\"C\",\"t\":\"{time:.9}\"}}]"
        )
        .expect("writing to a vector does not fail");
        let length = frame.len() - 4;
        match u8::try_from(length) {
            Ok(short @ ..126) => {
                frame.drain(..2);
                frame[..2].copy_from_slice(&[0x81, short]);
            }
            _ => frame[2..4].copy_from_slice(&(length as u16).to_be_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_are_evenly_spaced_and_due_when_their_millisecond_ends() {
        let due = |rate, id| TradeGenerator::new(1, rate).due(id).map(|due| due.as_millis());

        assert_eq!([1, 2, 3, 4].map(|id| due(400, id)), [3, 5, 8, 10].map(Some));
        assert_eq!([1, 3, 4, 3_000_000].map(|id| due(3_000, id)), [1, 1, 2, 1_000_000].map(Some));
        assert_eq!(due(0, 1), None);
    }
}
