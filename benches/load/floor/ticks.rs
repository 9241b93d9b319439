//! Trades out of nothing, each as the one frame that all who want it get.

use std::io::Write;
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

pub(crate) struct Ticks {
    symbols: usize,
    per_second: f64,
    last: Instant,
    /// Trades that are due, and a fraction of the next.
    due: f64,
    id: u64,
    random: SmallRng,
    frame: Vec<u8>,
}

impl Ticks {
    pub(crate) fn new(symbols: u32, rate: u32) -> Self {
        Self {
            symbols: symbols as usize,
            per_second: rate.into(),
            last: Instant::now(),
            due: 0.0,
            id: 0,
            random: SmallRng::seed_from_u64(42),
            frame: Vec::new(),
        }
    }

    /// Gives each trade that is due by now: its symbol, and its frame.
    pub(crate) fn until_now(&mut self, mut give: impl FnMut(usize, &[u8])) {
        let now = Instant::now();
        self.due += (now - self.last).as_secs_f64() * self.per_second;
        self.last = now;
        if self.due < 1.0 {
            return;
        }
        let stamp = jiff::Timestamp::now();
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.id += 1;
            let symbol = self.random.random_range(0..self.symbols);
            self.write(symbol, stamp);
            give(symbol, &self.frame);
        }
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
