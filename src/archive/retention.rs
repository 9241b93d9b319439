use super::bar_ring::UNPACKED_BARS;
use super::bar_row::BarRow;
use super::packed_bars::PACKED_BAR_BYTES;
use super::span::Span;
use crate::model::{Bar, Quote, Trade};

/// The limits of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Trades of each instrument. More let a client resume after a longer interruption. Default 1,000: minutes of a busy
    /// stock, and enough for a client that reconnects within its own back-off.
    pub trades: usize,
    /// Quotes of each instrument. Default 1,000, for the same reason.
    pub quotes: usize,
    /// Memory of the whole archive in bytes, including bars; every instrument gets an even share. Default 256 MiB: the
    /// full default depth for 500 instruments.
    pub bytes: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Self { trades: 1_000, quotes: 1_000, bytes: 256 << 20 }
    }
}

/// The number of bars retained of each span: half an hour of 1 s, three hours of 5 s, six days of 1 min (today and the
/// five sessions before it, one of which may have 25 hours), a week of 5 min, sixty days of 1 h, and a little more than
/// a year of days.
const BARS: [usize; Span::COUNT] =
    [Bar::MOST_SECONDS, 2_160, Bar::MOST_MINUTES, 2_016, 1_440, Bar::MOST_DAYS];

/// The maximum number of rows of each kind for one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Depth {
    pub(super) trades: usize,
    pub(super) quotes: usize,
    pub(super) bars: [usize; Span::COUNT],
}

impl Retention {
    /// The depth that fits the budget for this number of instruments: the configured one, or the same fraction of every
    /// kind, and at least one row of each.
    pub(super) fn depth(&self, symbols: usize) -> Depth {
        let full = Depth { trades: self.trades, quotes: self.quotes, bars: BARS };
        let share = self.bytes / symbols.max(1);
        if full.bytes() <= share {
            return full.scaled(1.0);
        }
        // Bisection, because the latest bars of a span take more memory than its others.
        let (mut fits, mut exceeds) = (0.0, 1.0);
        for _ in 0..20 {
            let fraction = 0.5 * (fits + exceeds);
            match full.scaled(fraction).bytes() <= share {
                true => fits = fraction,
                false => exceeds = fraction,
            }
        }
        full.scaled(fits)
    }
}

impl Depth {
    /// This fraction of the rows of each kind, and at least one row.
    fn scaled(&self, fraction: f64) -> Self {
        let scaled = |rows: usize| ((rows as f64 * fraction) as usize).max(1);
        Self { trades: scaled(self.trades), quotes: scaled(self.quotes), bars: self.bars.map(scaled) }
    }

    /// The memory of one instrument's rows at full depth.
    fn bytes(&self) -> usize {
        let bars = self.bars.map(|bars| {
            let unpacked = bars.min(UNPACKED_BARS);
            unpacked * BarRow::BYTES + (bars - unpacked) * PACKED_BAR_BYTES
        });
        let bars: usize = bars.iter().sum();
        self.trades * size_of::<Trade>() + self.quotes * size_of::<Quote>() + bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_within_the_budget_is_not_reduced() {
        let retention = Retention { trades: 700, ..Retention::default() };

        let depth = retention.depth(100);

        assert_eq!(depth, Depth { trades: 700, quotes: 1_000, bars: BARS });
        assert_eq!(Retention::default().depth(500).trades, 1_000);
    }

    #[test]
    fn a_budget_that_is_too_small_reduces_every_kind_evenly() {
        let full = Retention::default().depth(1);

        let depth = Retention { bytes: 10 * full.bytes(), ..Retention::default() }.depth(20);

        let shares = [(depth.trades, 1_000), (depth.quotes, 1_000), (depth.bars[2], BARS[2])];
        for (rows, of) in shares {
            let share = rows as f64 / of as f64;
            assert!((0.45..0.5).contains(&share), "{rows} of {of}");
        }
        let used = 20.0 * depth.bytes() as f64 / (10.0 * full.bytes() as f64);
        assert!((0.99..=1.0).contains(&used), "{used}");
    }

    #[test]
    fn one_row_of_each_kind_is_always_retained() {
        let depth = Retention { trades: 0, bytes: 1, ..Retention::default() }.depth(1_000);

        assert_eq!(depth, Depth { trades: 1, quotes: 1, bars: [1; Span::COUNT] });
    }
}
