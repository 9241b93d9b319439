use super::bar_row::BarRow;
use super::span::Span;
use crate::model::{Quote, Trade};

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

/// The number of bars retained of each span: half an hour of 1 s, three hours of 5 s, two days of 1 min, a week of
/// 5 min, sixty days of 1 h, and a little more than a year of days.
const BARS: [usize; Span::COUNT] = [1_800, 2_160, 2_880, 2_016, 1_440, 400];

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
        let fraction = self.bytes as f64 / (full.bytes() as f64 * symbols.max(1) as f64);
        let scaled = |rows: usize| match fraction {
            fraction if fraction < 1.0 => ((rows as f64 * fraction) as usize).max(1),
            _ => rows.max(1),
        };
        Depth { trades: scaled(full.trades), quotes: scaled(full.quotes), bars: full.bars.map(scaled) }
    }
}

impl Depth {
    /// The memory of one instrument's rows at full depth.
    fn bytes(&self) -> usize {
        let bars: usize = self.bars.iter().sum();
        self.trades * size_of::<Trade>() + self.quotes * size_of::<Quote>() + bars * BarRow::BYTES
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

        assert_eq!((depth.trades, depth.quotes, depth.bars[2]), (500, 500, 1_440));
        assert!(20 * depth.bytes() <= 10 * full.bytes());
    }

    #[test]
    fn one_row_of_each_kind_is_always_retained() {
        let depth = Retention { trades: 0, bytes: 1, ..Retention::default() }.depth(1_000);

        assert_eq!(depth, Depth { trades: 1, quotes: 1, bars: [1; Span::COUNT] });
    }
}
