use crate::model::calendar::day_number;
use crate::model::{Bar, Instrument, Price, SECOND, Timestamp};

use super::bar_division::{Division, bounce, extremes};
use super::factor_model::{TOTAL_VOLATILITY, Traits, limited};
use super::listings::close_of;
use super::portable_math::exp;
use super::price_process::{PriceProcess, YEAR};
use super::random::{Purpose, RandomStream};

/// The simulated past of one instrument: the bar of each day, and the bars of shorter intervals within it.
///
/// A bar depends on the seed, the instrument and the date or the minute of the bar, and on nothing else: neither on the
/// time at which it is generated nor on which others are. This takes two constructions:
///
/// 1. *Days.* The calendar is cut into blocks of [`BLOCK_DAYS`]. The price at the start of each block is drawn around the
///    listed price, and the days between are a [`PriceProcess`] with a drift that makes it arrive at the next block's
///    start. So the price of any day costs one block, the past has the volatility clusters and the fat tails of the
///    market itself, and prices stay around the listed ones however far one goes back.
/// 2. *Hours, minutes and seconds.* The bar of a day is divided into its hours, that of an hour into its minutes, and that of
///    a minute into its seconds, by [`Division`]: the parts add up to the whole exactly. So what the market has at some time
///    costs the parts around that time, not a day of minutes.
#[derive(Clone, Debug)]
pub(super) struct PastDays<'a> {
    instrument: &'a Instrument,
    seed: u64,
    /// Per year.
    volatility: f64,
    trades_per_second: f64,
}

/// A day of an instrument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PastDay {
    /// Its bar; `None` when it has no trade.
    pub(super) bar: Option<Bar>,
    length_ns: i64,
}

/// A block is long enough for trends of weeks, and short enough that prices stay plausible for the company.
const BLOCK_DAYS: i64 = 64;

/// The deviation of the price at the start of a block from the listed price, in units of the yearly volatility: 10 % for
/// the average stock.
const BLOCK_DEVIATION: f64 = 0.33;

/// The mean trade size in shares is `MEAN_SIZE + MEAN_SIZE_TICKS / price in ticks`, fitted to what the top
/// of book makes.
const MEAN_SIZE: f64 = 54.0;
const MEAN_SIZE_TICKS: f64 = 930_000.0;

/// The standard deviation of the trade size, in units of its mean.
const SIZE_DEVIATION: f64 = 1.5;

/// The standard deviation of the logarithm of the trade rate from day to day, and of the rate from minute to minute, in
/// addition to that of a Poisson process. That from hour to hour is a part of the latter.
const DAY_RATE_DEVIATION: f64 = 0.25;
const HOUR_RATE_DEVIATION: f64 = 0.1;
const MINUTE_RATE_DEVIATION: f64 = 0.17;

/// Prices of simulated trades are whole cents.
pub(super) const NANOS_PER_CENT: i128 = 10_000_000;

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 86_400 * SECOND;

impl<'a> PastDays<'a> {
    /// The past of this instrument, which trades at this rate.
    pub(super) fn new(instrument: &'a Instrument, trades_per_second: f64, seed: u64) -> Self {
        let mut random = RandomStream::of(instrument.id, seed, Purpose::PastDays);
        let traits = Traits::sample(TOTAL_VOLATILITY, 0.0..0.0, &mut random);
        Self { instrument, seed, volatility: traits.volatility, trades_per_second }
    }

    /// The days that start at these times, except for the last, which is the end of the last day. O(days + a block).
    pub(super) fn days(&self, starts: &[Timestamp]) -> Vec<PastDay> {
        let mut block: Option<Block> = None;
        let mut day = |pair: &[Timestamp]| {
            let (start, number) = (pair[0], day_number(pair[0]));
            let wanted = number.div_euclid(BLOCK_DAYS);
            let block = match &block {
                Some(known) if known.number == wanted => known,
                _ => block.insert(self.block(wanted)),
            };
            let length_ns = pair[1].nanos_since(start);
            PastDay { bar: self.day(start, length_ns, block), length_ns }
        };
        starts.windows(2).map(&mut day).collect()
    }

    /// The hour bars of a day, in order. Hours without a trade have none.
    pub(super) fn hours(&self, day: &PastDay) -> Vec<Bar> {
        let Some(bar) = &day.bar else { return Vec::new() };
        let division = Division {
            count: (day.length_ns / HOUR) as usize,
            part_ns: HOUR,
            volatility: self.volatility,
            rate_deviation: HOUR_RATE_DEVIATION,
        };
        division.divide(bar, &mut self.stream(Purpose::Hours, day_number(bar.start)))
    }

    /// The minute bars of an hour, in order. Minutes without a trade have none.
    pub(super) fn minutes(&self, hour: &Bar) -> Vec<Bar> {
        let division = Division {
            count: 60,
            part_ns: MINUTE,
            volatility: self.volatility,
            rate_deviation: MINUTE_RATE_DEVIATION,
        };
        division.divide(hour, &mut self.stream(Purpose::Minutes, hour.start.nanos().div_euclid(HOUR)))
    }

    /// The second bars of a minute, in order. Seconds without a trade have none.
    pub(super) fn seconds(&self, minute: &Bar) -> Vec<Bar> {
        let division =
            Division { count: 60, part_ns: SECOND, volatility: self.volatility, rate_deviation: 0.0 };
        division.divide(minute, &mut self.stream(Purpose::Seconds, minute.start.seconds()))
    }

    /// The bar of the day that starts at this time.
    fn day(&self, start: Timestamp, length_ns: i64, block: &Block) -> Option<Bar> {
        let number = day_number(start);
        let mut random = self.stream(Purpose::Days, number);
        let seconds = length_ns as f64 / SECOND as f64;
        let expected = self.trades_per_second * seconds * exp(DAY_RATE_DEVIATION * random.normal());
        let trades = random.poisson(expected);
        if trades == 0 {
            return None;
        }
        let [first, last] = [0, 1].map(|later| block.level(number + later));
        let listed = close_of(self.instrument).cents().max(1) as f64;
        let [first, last] = [first, last].map(|level| listed * exp(level));
        let close = whole(last);
        // The first trade of a day and the last one before it are at the bid or the ask independently.
        let open = if trades == 1 { close } else { (whole(first) + bounce(&mut random)).max(1) };
        let (mut low, mut high) = (open.min(close), open.max(close));
        if trades > 3 {
            let deviation =
                first * self.volatility / YEAR.sqrt() * seconds.sqrt() * block.relative_volatility(number);
            let (lowest, highest) = extremes(first, last, deviation, &mut random);
            (low, high) = (whole(lowest).min(low), whole(highest).max(high));
        }
        let volume = self.shares(trades, first, &mut random);
        // The average of a walk is near the middle of its range, and as near the middle of its ends.
        let middle = 0.25 * (open + close + low + high) as f64;
        let average = middle + (high - low) as f64 * random.uniform_in(-0.08, 0.08);
        let [lowest, highest] = [low, high].map(|price| i128::from(price) * i128::from(volume));
        let price = Price::from_cents;
        Some(Bar {
            symbol: self.instrument.id,
            start,
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume,
            trades,
            notional: ((average * volume as f64) as i128).clamp(lowest, highest) * NANOS_PER_CENT,
        })
    }

    /// The shares of this number of trades around this price, at least one each.
    fn shares(&self, trades: u64, ticks: f64, random: &mut RandomStream) -> u64 {
        let mean = MEAN_SIZE + MEAN_SIZE_TICKS / ticks;
        let deviation = SIZE_DEVIATION / (trades as f64).sqrt();
        let factor = (1.0 + deviation * random.normal()).max(0.1);
        ((trades as f64 * mean * factor) as u64).max(trades)
    }

    fn block(&self, number: i64) -> Block {
        let mut random = self.stream(Purpose::PastDays, number);
        let deviation = BLOCK_DEVIATION * self.volatility;
        let start = deviation * random.normal();
        let end = deviation * self.stream(Purpose::PastDays, number + 1).normal();
        let mut process = PriceProcess::with_jumps(self.volatility, 0.0, &mut random);
        let days = (0..=BLOCK_DAYS).map(|day| {
            let level = process.advance_to((day * DAY) as u64, &mut random);
            (level, process.relative_volatility())
        });
        let days: Vec<_> = days.collect();
        let drift = (end - start - days[BLOCK_DAYS as usize].0) / BLOCK_DAYS as f64;
        Block { number, start, drift, days }
    }

    fn stream(&self, purpose: Purpose, number: i64) -> RandomStream {
        RandomStream::numbered(self.instrument.id, self.seed, purpose, number as u64)
    }
}

/// Consecutive days of an instrument's price.
#[derive(Debug)]
struct Block {
    number: i64,
    /// The log price at the start, relative to the listed price.
    start: f64,
    /// Per day.
    drift: f64,
    /// The price process without the drift and its relative volatility at the start of each day, and at the end.
    days: Vec<(f64, f64)>,
}

impl Block {
    /// The log price at the start of the day with this number, which is of this block or follows it.
    fn level(&self, number: i64) -> f64 {
        let day = number - self.number * BLOCK_DAYS;
        limited(self.start + self.days[day as usize].0 + self.drift * day as f64)
    }

    fn relative_volatility(&self, number: i64) -> f64 {
        self.days[(number - self.number * BLOCK_DAYS) as usize].1
    }
}

/// Rounds to a whole number of ticks, at least 1.
fn whole(ticks: f64) -> i64 {
    (ticks.round() as i64).max(1)
}
