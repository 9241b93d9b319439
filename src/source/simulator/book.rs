use crate::model::{Conditions, Price, Quote, SymbolId, Tape, Timestamp, Trade, Venue};

use super::factor_model::FairValue;
use super::random::RandomStream;
use super::venues::{OFF_EXCHANGE, quoting};

/// The best bid and the best ask of one instrument, and the trades between them.
///
/// `bid < ask` always, and a trade is never outside of the two. Only [`Book::requote`] changes what is
/// shown, so whoever tells about every call of it never shows a trade outside of the quote that
/// it told last.
///
/// What moves the book is the instrument's worth: while it lies between bid and ask, people come
/// and go at the same prices; when it leaves them, the quote follows. Buyers pay the ask
/// the more often the nearer the worth is to it, as in Glosten and Milgrom (1985).
#[derive(Clone, Debug)]
pub(super) struct Book {
    symbol: SymbolId,
    tape: Tape,
    bid: Level,
    ask: Level,
    /// The side that was traded last, and so the one where something has changed.
    hit: Side,
    /// Of how little interest the instrument is: 1 for the first of a universe, 15 for the 5,000th.
    illiquidity: f64,
    /// How many ids are given away.
    ids: u64,
}

/// The best price on one side: who shows how many shares.
#[derive(Clone, Copy, Debug)]
struct Level {
    ticks: i64,
    size: u32,
    venue: Venue,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Bid,
    QueryParams,
}

/// Shares in a round lot. Since 2025 lots of dear stocks are smaller (40 shares from $250,
/// Rule 600(b)(93) of Regulation NMS); the conditions on the tape here follow the old rule.
const ROUND_LOT: u32 = 100;

/// The spread of the most liquid instrument relative to its price: 1 tick below $250, 2 or 3 at $600.
const NARROWEST: f64 = 0.000_03;

/// How often the spread is set anew though the worth has not left it.
const RESPREAD: f64 = 0.15;

/// How many of the trades with room between bid and ask take place there, not at either.
const BETWEEN: f64 = 0.15;

/// How many trades are odd lots; more than half, for some years now (O'Hara, Yao and Ye 2014,
/// "What's not there: odd lots and market data", and the SEC's later counts).
const ODD_LOTS: f64 = 0.55;

/// Even at the edge of the spread some trade against the wind.
const CONTRARIANS: f64 = 0.1;

/// Displayed depth: on average as many lots as make $40,000, and up to one lot besides.
const DEPTH_TICKS: f64 = 40_000.0;

impl Book {
    /// The book of the instrument at this place of its universe, around what it is worth.
    pub(super) fn new(
        symbol: SymbolId,
        tape: Tape,
        fair_value: FairValue,
        random: &mut RandomStream,
    ) -> Self {
        let nobody = Level { ticks: 0, size: 0, venue: Venue(0) };
        let mut book = Self {
            symbol,
            tape,
            bid: nobody,
            ask: nobody,
            hit: Side::Bid,
            illiquidity: (1.0 + f64::from(symbol.0) / 20.0).sqrt(),
            ids: 0,
        };
        book.center(fair_value, random);
        book
    }

    /// The quote changes: at least a size of it, and its prices if the worth has left them.
    pub(super) fn requote(&mut self, fair_value: FairValue, random: &mut RandomStream) {
        let has_left = fair_value.ticks < self.bid.ticks as f64 || fair_value.ticks > self.ask.ticks as f64;
        if has_left || random.bernoulli(RESPREAD) {
            self.center(fair_value, random);
        }
        let changing = match self.hit {
            Side::Bid => &mut self.bid,
            Side::QueryParams => &mut self.ask,
        };
        changing.refill(self.tape, random);
        self.hit = if random.bernoulli(0.5) { Side::Bid } else { Side::QueryParams };
    }

    /// Puts bid and ask on both sides of the worth, at a spread that suits it.
    fn center(&mut self, fair_value: FairValue, random: &mut RandomStream) {
        let usual = fair_value.ticks * NARROWEST * fair_value.relative_volatility * self.illiquidity;
        let spread = 1 + (usual * random.uniform_in(0.5, 1.5)) as i64;
        let bid = (fair_value.ticks - (spread - 1) as f64 * 0.5) as i64;
        let bid = bid.max(1);
        self.bid.move_to(bid, self.tape, random);
        self.ask.move_to(bid + spread, self.tape, random);
    }

    /// Shares change hands, at the bid, at the ask or between.
    pub(super) fn trade(&mut self, fair_value: FairValue, at: Timestamp, random: &mut RandomStream) -> Trade {
        let spread = self.ask.ticks - self.bid.ticks;
        let nearness = (fair_value.ticks - self.bid.ticks as f64) / spread as f64;
        let buyer = random.bernoulli(nearness.clamp(CONTRARIANS, 1.0 - CONTRARIANS));
        let (side, level) = if buyer { (Side::QueryParams, self.ask) } else { (Side::Bid, self.bid) };
        self.hit = side;

        let size = size(level.ticks, random);
        let (ticks, size, venue) = if spread > 1 && random.bernoulli(BETWEEN) {
            let inside = 1 + random.uniform_below((spread - 1) as u32);
            (self.bid.ticks + i64::from(inside), size, OFF_EXCHANGE)
        } else {
            // Nobody can buy more than is shown at this price.
            (level.ticks, size.min(level.size), level.venue)
        };
        Trade {
            symbol: self.symbol,
            id: self.next_id(),
            venue,
            price: Price::from_ticks(ticks),
            size,
            conditions: conditions(size),
            tape: self.tape,
            at,
        }
    }

    /// An id that no trade of the instrument had before, above all of them.
    pub(super) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// What is shown.
    pub(super) fn quote(&self, at: Timestamp) -> Quote {
        Quote {
            symbol: self.symbol,
            bid_venue: self.bid.venue,
            bid: Price::from_ticks(self.bid.ticks),
            bid_size: self.bid.size,
            ask_venue: self.ask.venue,
            ask: Price::from_ticks(self.ask.ticks),
            ask_size: self.ask.size,
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

    /// Somebody else shows another size at the same price: whole lots, never the size of before.
    fn refill(&mut self, tape: Tape, random: &mut RandomStream) {
        let lots = lots(self.ticks, random);
        let size = lots * ROUND_LOT;
        self.size = if size == self.size { size + ROUND_LOT } else { size };
        self.venue = quoting(tape, random);
    }
}

/// So many round lots, at least 1: the cheaper, the more.
fn lots(ticks: i64, random: &mut RandomStream) -> u32 {
    let usual = DEPTH_TICKS / ticks as f64;
    // The product of two uniforms, with mean ¼, is as skewed as sizes are: many small, few large.
    1 + (usual * 4.0 * random.uniform() * random.uniform()) as u32
}

/// The size of a trade in shares, at least 1.
fn size(ticks: i64, random: &mut RandomStream) -> u32 {
    if random.bernoulli(ODD_LOTS) {
        // The square makes a handful of shares the most common.
        let share = random.uniform();
        1 + (share * share * f64::from(ROUND_LOT - 1)) as u32
    } else {
        lots(ticks, random) * ROUND_LOT
    }
}

/// The conditions of a regular sale of so many shares.
pub(super) fn conditions(size: u32) -> Conditions {
    if size < ROUND_LOT { Conditions::ODD_LOT } else { Conditions::REGULAR_SALE }
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    const NOON: Timestamp = Timestamp::from_nanos(0);

    fn fair_value(ticks: f64) -> FairValue {
        FairValue { ticks, relative_volatility: 1.0 }
    }

    fn book(place: u32, ticks: f64) -> (Book, RandomStream) {
        let mut random = RandomStream::new(1, Purpose::Books);
        (Book::new(SymbolId(place), Tape::C, fair_value(ticks), &mut random), random)
    }

    /// The mean spread in ticks over many quotes around the same worth.
    fn usual_spread(place: u32, ticks: f64) -> f64 {
        let (mut book, mut random) = book(place, ticks);
        let spreads = (0..1_000).map(|_| {
            book.requote(fair_value(ticks), &mut random);
            (book.ask.ticks - book.bid.ticks) as f64
        });
        spreads.sum::<f64>() / 1_000.0
    }

    #[test]
    fn a_spread_is_a_tick_where_stocks_are_cheap_and_liquid_and_wider_elsewhere() {
        assert_eq!(usual_spread(0, 5_000.0), 1.0);
        assert!((2.0..5.0).contains(&usual_spread(0, 60_000.0)));
        assert!(usual_spread(0, 400_000.0) > 10.0);
        assert!(usual_spread(5_000, 5_000.0) > 2.0);
    }

    #[test]
    fn a_book_follows_the_worth_down_to_the_last_tick() {
        let (mut book, mut random) = book(0, 9_000.4);

        for ticks in [9_000.4, 12_000.9, 700.1, 2.5, 0.3, 5_000.0] {
            book.requote(fair_value(ticks), &mut random);

            let quote = book.quote(NOON);
            assert!(quote.bid.ticks() >= 1 && quote.bid < quote.ask);
            let near = quote.bid.ticks() as f64 - 1.0 <= ticks && ticks <= quote.ask.ticks() as f64;
            assert!(near, "{quote:?} around {ticks}");
        }
    }

    #[test]
    fn no_quote_is_like_the_one_before() {
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
    fn trades_are_mostly_at_the_bid_or_the_ask_and_sometimes_between() {
        let (mut book, mut random) = book(0, 150_000.2);
        let (mut at_edge, mut between) = (0, 0);

        for number in 1..=10_000 {
            book.requote(fair_value(150_000.2), &mut random);
            let trade = book.trade(fair_value(150_000.2), NOON, &mut random);

            let quote = book.quote(NOON);
            assert!((quote.bid..=quote.ask).contains(&trade.price));
            assert_eq!(trade.id, number);
            match trade.price == quote.bid || trade.price == quote.ask {
                true => at_edge += 1,
                false => between += 1,
            }
        }

        assert!((8_200..8_800).contains(&at_edge), "{at_edge} at the edge, {between} between");
    }

    #[test]
    fn fewer_than_a_hundred_shares_are_an_odd_lot() {
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
    fn buyers_are_more_eager_the_nearer_the_worth_is_to_the_ask() {
        let buyers = |ticks| {
            let (mut book, mut random) = book(0, 3_000.5);
            let mut trades = (0..1_000).map(|_| book.trade(fair_value(ticks), NOON, &mut random));
            trades.by_ref().filter(|trade| trade.price.ticks() == 3_001).count()
        };

        assert!(buyers(3_000.1) < buyers(3_000.5));
        assert!(buyers(3_000.5) < buyers(3_000.9));
    }
}
