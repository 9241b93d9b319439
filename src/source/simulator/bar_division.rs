use crate::model::{Bar, Price, SECOND, Timestamp};

use super::past_days::NANOS_PER_CENT;
use super::price_process::{PriceProcess, YEAR};
use super::random::RandomStream;
use super::share_division::share_out;

/// The division of a bar into bars of equal, shorter intervals that add up to it.
///
/// The parts have the open, the high, the low, the close, the trades, the shares and the notional of the whole; the
/// notional of a few trades may differ by a share at their range, and all else is exact. So a bar can be generated
/// without its parts, and its parts later from the bar alone.
///
/// 1. The trades fall into parts as if each chose one at random, with weights that vary from part to part.
/// 2. The price is a [`PriceProcess`] from the open, with a drift that makes it end at the close. What is above
///    both, and what is below both, is stretched so that it reaches the high and the low.
/// 3. The shares follow the trades, and a little the price, so that the average price is that of the whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Division {
    /// The number of parts.
    pub(super) count: usize,
    /// The length of a part.
    pub(super) part_ns: i64,
    /// The long-run volatility of the price, per year.
    pub(super) volatility: f64,
    /// The standard deviation of the logarithm of the trade rate from part to part, in addition to that of a
    /// Poisson process.
    pub(super) rate_deviation: f64,
}

/// A part before its prices are rounded.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: Timestamp,
    trades: u64,
    open: f64,
    close: f64,
    high: f64,
    low: f64,
}

impl Division {
    /// The parts of this bar, which starts with the first, in order. Parts without a trade have no bar.
    ///
    /// If this choice of trades and prices cannot have the extremes and the average of the whole, all its trades are in one
    /// part; this happens to bars of a few trades only.
    pub(super) fn divide(&self, whole: &Bar, random: &mut RandomStream) -> Vec<Bar> {
        // Cents here, as everywhere in the simulator.
        let whole = Bar { notional: whole.notional / NANOS_PER_CENT, ..*whole };
        let mut bars = self.divide_in_cents(&whole, random);
        bars.iter_mut().for_each(|bar| bar.notional *= NANOS_PER_CENT);
        bars
    }

    fn divide_in_cents(&self, whole: &Bar, random: &mut RandomStream) -> Vec<Bar> {
        let parts = self.sample(whole, random);
        let mut bars = rounded(&parts, whole, random);
        let is_possible = bars.len() > 1
            && reach(&mut bars, whole, Side::High)
            && reach(&mut bars, whole, Side::Low)
            && share_out(&mut bars, whole, random);
        match is_possible {
            true => bars,
            false => vec![Bar { start: parts[parts.len() / 2].start, ..*whole }],
        }
    }

    /// The parts that have trades.
    fn sample(&self, whole: &Bar, random: &mut RandomStream) -> Vec<Part> {
        let (prices, path) = self.prices(whole, random);
        let price = |index: usize| prices[index];
        let counts = self.trades(whole.trades, random);
        let seconds = self.part_ns as f64 / SECOND as f64;
        let deviation = whole.open.cents() as f64 * self.volatility / YEAR.sqrt() * seconds.sqrt();
        let mut parts = Vec::with_capacity(counts.len());
        let (first, last) =
            (counts.iter().position(|count| *count > 0), counts.iter().rposition(|count| *count > 0));
        for (index, trades) in counts.iter().copied().enumerate().filter(|(_, trades)| *trades > 0) {
            let start = Timestamp::from_nanos(whole.start.nanos() + index as i64 * self.part_ns);
            let mut close = price(index + 1);
            let mut open = if trades == 1 { close } else { price(index) };
            if Some(index) == last {
                close = whole.close.cents() as f64;
                open = if trades == 1 { close } else { open };
            }
            if Some(index) == first {
                open = whole.open.cents() as f64;
                close = if trades == 1 { open } else { close };
            }
            let (mut low, mut high) = (open.min(close), open.max(close));
            if trades > 2 {
                let (lowest, highest) =
                    extremes(open, close, deviation * path[index].relative_volatility, random);
                // Three trades have no more than one price apart from the first and the last.
                let (is_lower, is_higher) = match trades {
                    3 => {
                        if random.bernoulli(0.5) {
                            (true, false)
                        } else {
                            (false, true)
                        }
                    }
                    _ => (true, true),
                };
                low = if is_lower { lowest } else { low };
                high = if is_higher { highest } else { high };
            }
            parts.push(Part { start, trades, open, close, high, low });
        }
        parts
    }

    /// The price at the start of each part and at the end of the last, and the process that it follows.
    ///
    /// Straight lines are added from the start to where the path is highest, on to where it is lowest and to the end, so that
    /// it is at the high and at the low there. So the price comes to its extremes within many parts, not by a leap in one.
    fn prices(&self, whole: &Bar, random: &mut RandomStream) -> (Vec<f64>, Vec<PathPoint>) {
        let path = self.path(random);
        let [open, high, low, close] = ticks(whole).map(|ticks| ticks as f64);
        let drift = path[self.count].level / self.count as f64;
        let level = |index: usize| path[index].level - drift * index as f64;
        let line = (close - open) / self.count as f64;
        let mut prices: Vec<f64> =
            (0..=self.count).map(|index| open * (1.0 + level(index)) + line * index as f64).collect();
        if self.count < 3 {
            return (prices, path);
        }
        let inner = || 1..self.count;
        let highest = inner().max_by(|one, other| prices[*one].total_cmp(&prices[*other])).unwrap_or(1);
        let lowest = inner()
            .filter(|index| *index != highest)
            .min_by(|one, other| prices[*one].total_cmp(&prices[*other]))
            .unwrap_or(2);
        let mut knots = [(highest, high - prices[highest]), (lowest, low - prices[lowest])];
        knots.sort_by_key(|(index, _)| *index);
        let [first, second] = knots;
        for pair in [(0, 0.0), first, second, (self.count, 0.0)].windows(2) {
            let [(from, start), (to, end)] = [pair[0], pair[1]];
            for (index, price) in prices.iter_mut().enumerate().take(to).skip(from) {
                *price += start + (end - start) * (index - from) as f64 / (to - from) as f64;
            }
        }
        (prices, path)
    }

    /// The state of the price process at the start of each part, and at the end of the last.
    fn path(&self, random: &mut RandomStream) -> Vec<PathPoint> {
        let mut process = PriceProcess::with_jumps(self.volatility, 0.0, random);
        let mut point = |index: usize| PathPoint {
            level: process.advance_to(index as u64 * self.part_ns as u64, random),
            relative_volatility: process.relative_volatility(),
        };
        (0..=self.count).map(&mut point).collect()
    }

    /// How many of the trades fall into each part.
    fn trades(&self, mut left: u64, random: &mut RandomStream) -> Vec<u64> {
        let weights: Vec<f64> =
            (0..self.count).map(|_| (1.0 + self.rate_deviation * random.normal()).max(0.1)).collect();
        let mut weight_left: f64 = weights.iter().sum();
        let last = self.count - 1;
        let of_part = |(index, weight): (usize, &f64)| {
            let trades = match index == last {
                true => left,
                false => random.poisson(left as f64 * weight / weight_left).min(left),
            };
            weight_left -= weight;
            left -= trades;
            trades
        };
        weights.iter().enumerate().map(of_part).collect()
    }
}

/// A point of the path of a price.
#[derive(Clone, Copy, Debug)]
struct PathPoint {
    level: f64,
    relative_volatility: f64,
}

/// The lowest and the highest price between the first and the last.
///
/// The distribution of the extreme of a Brownian bridge has a closed form (Karatzas and Shreve 1991, "Brownian Motion
/// and Stochastic Calculus", §4.3). Minimum and maximum are sampled independently, which ignores their dependence.
pub(super) fn extremes(first: f64, last: f64, deviation: f64, random: &mut RandomStream) -> (f64, f64) {
    let (sum, step) = (first + last, last - first);
    let mut range = || (step * step + 2.0 * deviation * deviation * random.exponential()).sqrt();
    (0.5 * (sum - range()), 0.5 * (sum + range()))
}

/// A bid-ask bounce: −1, 0 or 1 tick.
pub(super) fn bounce(random: &mut RandomStream) -> i64 {
    i64::from(random.uniform_below(3)) - 1
}

/// The bars of these parts, within the range of the whole, which they reach if they are beyond its open and close on
/// that side. Shares and notional are still to be set.
fn rounded(parts: &[Part], whole: &Bar, random: &mut RandomStream) -> Vec<Bar> {
    let [open, high, low, close] = ticks(whole);
    let (top, bottom) = (open.max(close) as f64, open.min(close) as f64);
    let highest = parts.iter().map(|part| part.high).fold(top, f64::max);
    let lowest = parts.iter().map(|part| part.low).fold(bottom, f64::min);
    // The stretch is 0 where nothing is beyond.
    let (above, below) = (highest - top, bottom - lowest);
    let up = if above > 0.0 { (high as f64 - top) / above } else { 0.0 };
    let down = if below > 0.0 { (bottom - low as f64) / below } else { 0.0 };
    let place = |price: f64| {
        let placed = if price > top {
            top + (price - top) * up
        } else if price < bottom {
            bottom - (bottom - price) * down
        } else {
            price
        };
        (placed.round() as i64).clamp(low, high)
    };
    let last = parts.len() - 1;
    let bar = |(index, part): (usize, &Part)| {
        let close = place(part.close);
        // The first trade of a part and the last one before it are at the bid or the ask independently.
        let open = match (index, part.trades) {
            (_, 1) => close,
            (0, _) => place(part.open),
            _ => (place(part.open) + bounce(random)).clamp(low, high),
        };
        let (part_high, part_low) = match part.trades {
            1 | 2 => (open.max(close), open.min(close)),
            3 if part.high > part.open.max(part.close) => {
                (place(part.high).max(open).max(close), open.min(close))
            }
            3 => (open.max(close), place(part.low).min(open).min(close)),
            _ => (place(part.high).max(open).max(close), place(part.low).min(open).min(close)),
        };
        let price = Price::from_cents;
        Bar {
            symbol: whole.symbol,
            start: part.start,
            open: price(open),
            high: price(part_high),
            low: price(part_low),
            close: if index == last { whole.close } else { price(close) },
            volume: part.trades,
            trades: part.trades,
            notional: 0,
        }
    };
    parts.iter().enumerate().map(bar).collect()
}

fn ticks(bar: &Bar) -> [i64; 4] {
    [bar.open, bar.high, bar.low, bar.close].map(Price::cents)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    High,
    Low,
}

impl Side {
    fn of(self, bar: &Bar) -> i64 {
        match self {
            Self::High => bar.high.cents(),
            Self::Low => bar.low.cents(),
        }
    }

    /// The extreme of all bars on this side.
    fn reached(self, bars: &[Bar]) -> i64 {
        let prices = bars.iter().map(|bar| self.of(bar));
        match self {
            Self::High => prices.max(),
            Self::Low => prices.min(),
        }
        .unwrap_or_default()
    }
}

/// Moves a price of one bar so that the bars reach the extreme of the whole on this side; false if none can be moved.
///
/// The stretched path has reached it, unless it never was beyond both open and close.
fn reach(bars: &mut [Bar], whole: &Bar, side: Side) -> bool {
    let extreme = side.of(whole);
    if side.reached(bars) == extreme {
        return true;
    }
    let price = Price::from_cents(extreme);
    let (last, before) = (bars.len() - 1, bars.to_vec());
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(bars[*index].trades));
    for index in order {
        let bar = before[index];
        let (is_first, is_last) = (index == 0, index == last);
        let with = |open: Price, close: Price| Bar {
            open,
            close,
            high: bar.high.max(open).max(close),
            low: bar.low.min(open).min(close),
            ..bar
        };
        let beyond = match side {
            Side::High => Bar { high: price, ..bar },
            Side::Low => Bar { low: price, ..bar },
        };
        let flat = Bar { open: price, high: price, low: price, close: price, ..bar };
        let pair = |open: Price, close: Price| Bar {
            high: open.max(close),
            low: open.min(close),
            ..with(open, close)
        };
        let changed = match bar.trades {
            1 => (!is_first && !is_last).then_some(flat),
            2 if !is_last => Some(pair(bar.open, price)),
            2 if !is_first => Some(pair(price, bar.close)),
            2 => None,
            3 if !is_consistent(&beyond) && !is_last => Some(with(bar.open, price)),
            3 if !is_consistent(&beyond) && !is_first => Some(with(price, bar.close)),
            _ => Some(beyond),
        };
        if let Some(changed) = changed.filter(is_consistent) {
            bars[index] = changed;
            let is_other_side_kept = [Side::High, Side::Low].into_iter().all(|side| {
                side.reached(bars) == side.reached(&before) || side.reached(bars) == side.of(whole)
            });
            if is_other_side_kept && side.reached(bars) == extreme {
                return true;
            }
            bars[index] = bar;
        }
    }
    false
}

/// True when this number of trades can have these prices.
fn is_consistent(bar: &Bar) -> bool {
    let is_within = bar.high == bar.open.max(bar.close) || bar.low == bar.open.min(bar.close);
    match bar.trades {
        1 => bar.high == bar.low,
        2 => bar.high == bar.open.max(bar.close) && bar.low == bar.open.min(bar.close),
        3 => is_within,
        _ => true,
    }
}
