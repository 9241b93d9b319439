//! Trades out of nothing, each as the one frame that all who want it get.

use std::io::Write;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Trades evenly spaced, each stamped with the end of the millisecond in which it is due, as the server's
/// market has it. Stamped when they are made, those of a floor that is woken late would look as young as
/// those of one that is not.
pub(crate) struct Ticks {
    symbols: usize,
    per_second: u64,
    opened: Instant,
    opened_at: jiff::Timestamp,
    id: u64,
    random: SmallRng,
    frame: Vec<u8>,
}

impl Ticks {
    pub(crate) fn new(symbols: u32, rate: u32) -> Self {
        Self {
            symbols: symbols as usize,
            per_second: rate.into(),
            opened: Instant::now(),
            opened_at: jiff::Timestamp::now(),
            id: 0,
            random: SmallRng::seed_from_u64(42),
            frame: Vec::new(),
        }
    }

    /// Gives each trade that is due by now: its symbol, and its frame.
    pub(crate) fn until_now(&mut self, mut give: impl FnMut(usize, &[u8])) {
        let now = self.opened.elapsed();
        while let Some(due) = self.due(self.id + 1).filter(|due| *due <= now) {
            self.id += 1;
            let symbol = self.random.random_range(0..self.symbols);
            self.write(symbol, self.opened_at + due);
            give(symbol, &self.frame);
        }
    }

    /// How long after the opening the trade with this number is due; never, where there are none.
    fn due(&self, id: u64) -> Option<Duration> {
        (self.per_second > 0).then(|| Duration::from_millis((id * 1_000).div_ceil(self.per_second)))
    }

    fn write(&mut self, symbol: usize, stamp: jiff::Timestamp) {
        let (cents, size) = (self.random.random_range(10_000..20_000), self.random.random_range(1..=500));
        let (id, dollars, cents) = (self.id, cents / 100, cents % 100);
        let frame = &mut self.frame;
        frame.clear();
        // The length of a text frame of 126 to 65,535 bytes stands in two bytes; a trade has more than 100.
        frame.extend_from_slice(&[0x81, 126, 0, 0]);
        write!(
            frame,
            "[{{\"T\":\"t\",\"S\":\"S{symbol:04}\",\"i\":{id},\"x\":\"V\",\"p\":{dollars}.{cents:02},\"s\":{size},\
             \"c\":[\"@\"],\"z\":\"C\",\"t\":\"{stamp:.9}\"}}]"
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
    fn trades_are_due_evenly_and_told_when_their_millisecond_is_over() {
        let due = |rate, id| Ticks::new(1, rate).due(id).map(|due| due.as_millis());

        assert_eq!([1, 2, 3, 4].map(|id| due(400, id)), [3, 5, 8, 10].map(Some));
        assert_eq!([1, 3, 4, 3_000_000].map(|id| due(3_000, id)), [1, 1, 2, 1_000_000].map(Some));
        assert_eq!(due(0, 1), None);
    }
}
