use crate::model::{Conditions, Price, Quote, SymbolId, Tape, Timestamp, Trade, Venue};

use super::factor_model::FairValue;
use super::random::RandomStream;
use super::venues::{OFF_EXCHANGE, quoting};

/// The best bid and the best ask of one instrument, and the trades between them.
///
/// `bid < ask` always, and every trade is within the two. Only [`TopOfBook::requote`] changes the quote;
/// with a quote published after each call of it, no trade is outside of the quote before it.
///
/// The fair value drives the quote: while it is between bid and ask, only sizes change; when it leaves
/// them, prices follow. The nearer the fair value is to the ask, the more trades are at the ask, as in
/// Glosten and Milgrom (1985).
#[derive(Clone, Debug)]
pub(super) struct TopOfBook {
    symbol: SymbolId,
    tape: Tape,
    bid: Level,
    ask: Level,
    /// The side of the last trade. Its size changes with the next quote.
    traded_side: Side,
    /// Widens the spread of less active instruments: 1 for rank 0, 15 for rank 5,000.
    illiquidity: f64,
    last_trade_id: u64,
}

/// The best price of one side, with the displayed size and its venue.
#[derive(Clone, Copy, Debug)]
struct Level {
    ticks: i64,
    size: u32,
    venue: Venue,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Bid,
    Ask,
}

/// Shares in a round lot. Since 2025 round lots of high-priced stocks are smaller (40 shares from $250, Rule
/// 600(b)(93) of Regulation NMS); the trade conditions here follow the old rule.
const ROUND_LOT: u32 = 100;

/// The spread of the most liquid instrument relative to its price: 1 tick below $250, 2 or 3 at $600.
const MIN_RELATIVE_SPREAD: f64 = 0.000_03;

/// The probability of a new spread although the fair value is still between bid and ask.
const NEW_SPREAD_PROBABILITY: f64 = 0.15;

/// The share of trades inside the spread, where it is wider than a tick.
const INSIDE_SPREAD_SHARE: f64 = 0.15;

/// The share of odd lots; more than half of all trades for some years now (O'Hara, Yao and Ye 2014, "What's
/// not there: odd lots and market data", and the SEC's later counts).
const ODD_LOT_SHARE: f64 = 0.55;

/// The least probability of a trade at either side, with the fair value at the other.
const MIN_SIDE_PROBABILITY: f64 = 0.1;

/// The mean displayed depth in dollars, to which up to one round lot is added. Divided by a price in ticks
/// it gives round lots, because a round lot has as many shares as a dollar has ticks.
const DEPTH_DOLLARS: f64 = 40_000.0;

impl TopOfBook {
    /// A quote around the fair value. The id is the instrument's rank by activity.
    pub(super) fn new(
        symbol: SymbolId,
        tape: Tape,
        fair_value: FairValue,
        random: &mut RandomStream,
    ) -> Self {
        let empty = Level { ticks: 0, size: 0, venue: Venue(0) };
        let mut book = Self {
            symbol,
            tape,
            bid: empty,
            ask: empty,
            traded_side: Side::Bid,
            illiquidity: (1.0 + f64::from(symbol.0) / 20.0).sqrt(),
            last_trade_id: 0,
        };
        book.center(fair_value, random);
        book
    }

    /// Changes the quote: at least one size, and the prices if the fair value has left them.
    pub(super) fn requote(&mut self, fair_value: FairValue, random: &mut RandomStream) {
        let has_left = fair_value.ticks < self.bid.ticks as f64 || fair_value.ticks > self.ask.ticks as f64;
        if has_left || random.bernoulli(NEW_SPREAD_PROBABILITY) {
            self.center(fair_value, random);
        }
        let changing = match self.traded_side {
            Side::Bid => &mut self.bid,
            Side::Ask => &mut self.ask,
        };
        changing.refill(self.tape, random);
        self.traded_side = if random.bernoulli(0.5) { Side::Bid } else { Side::Ask };
    }

    /// Centers bid and ask on the fair value, with a spread that depends on price, volatility and liquidity.
    fn center(&mut self, fair_value: FairValue, random: &mut RandomStream) {
        let mean = fair_value.ticks * MIN_RELATIVE_SPREAD * fair_value.relative_volatility * self.illiquidity;
        let spread = 1 + (mean * random.uniform_in(0.5, 1.5)) as i64;
        let bid = (fair_value.ticks - (spread - 1) as f64 * 0.5) as i64;
        let bid = bid.max(1);
        self.bid.move_to(bid, self.tape, random);
        self.ask.move_to(bid + spread, self.tape, random);
    }

    /// A trade at the bid, at the ask or inside the spread.
    pub(super) fn trade(&mut self, fair_value: FairValue, at: Timestamp, random: &mut RandomStream) -> Trade {
        let spread = self.ask.ticks - self.bid.ticks;
        let position = (fair_value.ticks - self.bid.ticks as f64) / spread as f64;
        let is_buy = random.bernoulli(position.clamp(MIN_SIDE_PROBABILITY, 1.0 - MIN_SIDE_PROBABILITY));
        let (side, level) = if is_buy { (Side::Ask, self.ask) } else { (Side::Bid, self.bid) };
        self.traded_side = side;

        let size = size(level.ticks, random);
        let (ticks, size, venue) = if spread > 1 && random.bernoulli(INSIDE_SPREAD_SHARE) {
            let inside = 1 + random.uniform_below((spread - 1) as u32);
            (self.bid.ticks + i64::from(inside), size, OFF_EXCHANGE)
        } else {
            // A trade at the quote is limited by the displayed size.
            (level.ticks, size.min(level.size), level.venue)
        };
        let size = size.into();
        Trade {
            symbol: self.symbol,
            id: self.next_trade_id(),
            venue,
            price: Price::from_cents(ticks),
            size,
            conditions: conditions(size),
            tape: self.tape,
            at,
        }
    }

    /// Continues after this trade id.
    pub(super) const fn resume_trade_id(&mut self, last: u64) {
        self.last_trade_id = last;
    }

    /// A new trade id, above all earlier ones of the instrument.
    pub(super) fn next_trade_id(&mut self) -> u64 {
        self.last_trade_id += 1;
        self.last_trade_id
    }

    pub(super) fn quote(&self, at: Timestamp) -> Quote {
        Quote {
            symbol: self.symbol,
            bid_venue: self.bid.venue,
            bid: Price::from_cents(self.bid.ticks),
            bid_size: self.bid.size.into(),
            ask_venue: self.ask.venue,
            ask: Price::from_cents(self.ask.ticks),
            ask_size: self.ask.size.into(),
            conditions: Conditions::REGULAR_QUOTE,
            tape: self.tape,
            at,
        }
    }
}

impl Level {
    fn move_to(&mut self, ticks: i64, tape: Tape, random: &mut RandomStream) {
        if ticks != self.ticks {
            self.ticks = ticks;
            self.refill(tape, random);
        }
    }

    /// Displays another size, in whole round lots, from a random venue. The size always differs from the
    /// last one.
    fn refill(&mut self, tape: Tape, random: &mut RandomStream) {
        let lots = lots(self.ticks, random);
        let size = lots * ROUND_LOT;
        self.size = if size == self.size { size + ROUND_LOT } else { size };
        self.venue = quoting(tape, random);
    }
}

/// A number of round lots, at least 1. The lower the price, the more.
fn lots(ticks: i64, random: &mut RandomStream) -> u32 {
    let mean = DEPTH_DOLLARS / ticks as f64;
    // The product of two uniforms, with mean ¼, is as skewed as real sizes: many are small, few are large.
    1 + (mean * 4.0 * random.uniform() * random.uniform()) as u32
}

/// The size of a trade in shares, at least 1.
fn size(ticks: i64, random: &mut RandomStream) -> u32 {
    if random.bernoulli(ODD_LOT_SHARE) {
        // The square makes sizes of a few shares the most common.
        let share = random.uniform();
        1 + (share * share * f64::from(ROUND_LOT - 1)) as u32
    } else {
        lots(ticks, random) * ROUND_LOT
    }
}

/// The conditions of a regular sale of this size.
pub(super) fn conditions(size: u64) -> Conditions {
    if size < ROUND_LOT.into() { Conditions::ODD_LOT } else { Conditions::REGULAR_SALE }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    const NOON: Timestamp = Timestamp::from_nanos(0);

    fn fair_value(ticks: f64) -> FairValue {
        FairValue { ticks, relative_volatility: 1.0 }
    }

    fn book(rank: u32, ticks: f64) -> (TopOfBook, RandomStream) {
        let mut random = RandomStream::new(1, Purpose::Books);
        (TopOfBook::new(SymbolId(rank), Tape::C, fair_value(ticks), &mut random), random)
    }

    /// The mean spread in ticks over many quotes around one fair value.
    fn mean_spread(rank: u32, ticks: f64) -> f64 {
        let (mut book, mut random) = book(rank, ticks);
        let spreads = (0..1_000).map(|_| {
            book.requote(fair_value(ticks), &mut random);
            (book.ask.ticks - book.bid.ticks) as f64
        });
        spreads.sum::<f64>() / 1_000.0
    }

    #[test]
    fn the_spread_is_one_tick_for_cheap_liquid_stocks_and_wider_for_others() {
        assert_eq!(mean_spread(0, 5_000.0), 1.0);
        assert!((2.0..5.0).contains(&mean_spread(0, 60_000.0)));
        assert!(mean_spread(0, 400_000.0) > 10.0);
        assert!(mean_spread(5_000, 5_000.0) > 2.0);
    }

    #[test]
    fn the_quote_follows_the_fair_value_down_to_one_tick() {
        let (mut book, mut random) = book(0, 9_000.4);

        for ticks in [9_000.4, 12_000.9, 700.1, 2.5, 0.3, 5_000.0] {
            book.requote(fair_value(ticks), &mut random);

            let quote = book.quote(NOON);
            assert!(quote.bid.cents() >= 1 && quote.bid < quote.ask);
            let near = quote.bid.cents() as f64 - 1.0 <= ticks && ticks <= quote.ask.cents() as f64;
            assert!(near, "{quote:?} around {ticks}");
        }
    }

    #[test]
    fn every_quote_differs_from_the_one_before() {
        let (mut book, mut random) = book(0, 9_000.4);
        let mut before = book.quote(NOON);

        for _ in 0..10_000 {
            book.requote(fair_value(9_000.4), &mut random);

            let quote = book.quote(NOON);
            assert_ne!(quote, before);
            before = quote;
        }
    }

    #[test]
    fn most_trades_are_at_the_bid_or_the_ask_and_some_inside_the_spread() {
        let (mut book, mut random) = book(0, 150_000.2);
        let (mut at_quote, mut inside) = (0, 0);

        for number in 1..=10_000 {
            book.requote(fair_value(150_000.2), &mut random);
            let trade = book.trade(fair_value(150_000.2), NOON, &mut random);

            let quote = book.quote(NOON);
            assert!((quote.bid..=quote.ask).contains(&trade.price));
            assert_eq!(trade.id, number);
            match trade.price == quote.bid || trade.price == quote.ask {
                true => at_quote += 1,
                false => inside += 1,
            }
        }

        assert!((8_200..8_800).contains(&at_quote), "{at_quote} at the quote, {inside} inside");
    }

    #[test]
    fn trades_of_fewer_than_a_hundred_shares_are_odd_lots() {
        let (mut book, mut random) = book(0, 3_000.5);
        let mut odd = 0;

        for _ in 0..10_000 {
            let trade = book.trade(fair_value(3_000.5), NOON, &mut random);

            assert!(trade.size >= 1);
            assert_eq!(trade.size < 100, trade.conditions == Conditions::ODD_LOT);
            assert!(trade.size < 100 || trade.size % 100 == 0);
            odd += usize::from(trade.size < 100);
        }

        assert!((5_200..5_800).contains(&odd), "{odd}");
    }

    #[test]
    fn more_trades_are_at_the_ask_the_nearer_the_fair_value_is_to_it() {
        let buys = |ticks| {
            let (mut book, mut random) = book(0, 3_000.5);
            let mut trades = (0..1_000).map(|_| book.trade(fair_value(ticks), NOON, &mut random));
            trades.by_ref().filter(|trade| trade.price.cents() == 3_001).count()
        };

        assert!(buys(3_000.1) < buys(3_000.5));
        assert!(buys(3_000.5) < buys(3_000.9));
    }
}
