//! Example values for tests.

use std::ops::Range;

use crate::model::{
    Bar, BarOrigin, Body, Cancel, CancelAction, Conditions, Correction, Epoch, Instrument, Luld, MarketHours,
    MessageHead, Object, Price, Print, Quote, Seq, Status, StatusReason, SymbolId, Tape, Ticker, Timestamp,
    TopicKind, Trade, TradeRules, TradingStatus, Universe, Venue,
};
use crate::wire::Acknowledgement;

/// The payload of an unmasked frame.
pub(crate) fn payload(frame: &[u8]) -> &[u8] {
    &frame[payload_range(frame).expect("the header is complete").start..]
}

/// Where the payload of the first frame of a server begins and ends, once its header is complete (RFC 6455 section 5.2).
pub(crate) fn payload_range(bytes: &[u8]) -> Option<Range<usize>> {
    let (start, length) = match *bytes.get(1)? {
        length @ 0..=125 => (2, usize::from(length)),
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        _ => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize),
    };
    Some(start..start + length)
}

/// One object of each channel of instruments.
pub(crate) fn objects() -> Vec<Object> {
    let (Body::Trade(trade), Body::Bar(bar)) = (trade().body, bar().body) else { unreachable!() };
    let mut ticker = Ticker::before_the_open(trade.symbol, Some(Price::from_cents(12_600)), trade.at);
    ticker.traded(&trade);
    ticker.day(&bar);
    let numbered = |body| Object { seq: Seq(5), body };
    let corrected = Print { price: Price::from_cents(12_651), ..Print::of(&trade) };
    let others = [
        Body::UpdatedBar(bar),
        Body::DailyBar(bar),
        Body::Status(Status {
            symbol: trade.symbol,
            status: TradingStatus::HALTED,
            reason: StatusReason::NEWS_PENDING,
            tape: Tape::C,
            at: trade.at,
        }),
        Body::Luld(Luld {
            symbol: trade.symbol,
            up: Price::from_cents(13_000),
            down: Price::from_cents(12_000),
            indicator: b'B',
            tape: Tape::C,
            at: trade.at,
        }),
        Body::Cancel(Cancel {
            symbol: trade.symbol,
            id: trade.id,
            venue: trade.venue,
            price: trade.price,
            size: trade.size,
            action: CancelAction::Error,
            tape: Tape::C,
            at: trade.at,
        }),
        Body::Correction(Correction {
            symbol: trade.symbol,
            venue: trade.venue,
            original: Print::of(&trade),
            corrected,
            tape: Tape::C,
            at: trade.at,
        }),
        Body::Ticker(ticker),
    ];
    [self::trade(), quote(), self::bar()].into_iter().chain(others.map(numbered)).collect()
}

pub(crate) fn universe() -> Universe {
    universe_of(&["AAPL", "MSFT"])
}

/// A universe of these symbols.
pub(crate) fn universe_of(symbols: &[&str]) -> Universe {
    let listing = |symbol: &str| Instrument {
        id: SymbolId(0),
        symbol: symbol.parse().unwrap(),
        name: Some(format!("{symbol} Inc.").into()),
        exchange: Some("NASDAQ".into()),
        tape: Tape::C,
        previous_close: Some(Price::from_cents(10_000)),
        bars: BarOrigin::Folded,
        daily_bars: BarOrigin::Folded,
        hours: MarketHours::Continuous,
    };
    Universe::new(symbols.iter().copied().map(listing).collect())
}

/// The instruments of [`universe`], and two topics: `chat:AAPL`, a log, and `weather:london`, a state.
pub(crate) fn topics() -> Universe {
    let topics = [("chat:AAPL", TopicKind::Log), ("weather:london", TopicKind::State)];
    universe().with_topics(topics.map(|(name, kind)| (name.parse().unwrap(), kind)))
}

fn head(topic: u32) -> MessageHead {
    MessageHead { symbol: SymbolId(topic), at: Timestamp::from_nanos(1_614_009_105_000_000_000) }
}

/// A message of the log of [`topics`], with this number.
pub(crate) fn chat_message(seq: u64) -> Object {
    Object { seq: Seq(seq), body: Body::Message(head(0)) }
}

/// A message of the state of [`topics`], with this number.
pub(crate) fn weather_message(seq: u64) -> Object {
    Object { seq: Seq(seq), body: Body::State(head(1)) }
}

/// What a server says that numbers by this epoch, or not at all, and of whose trades each is the last price.
pub(crate) fn acknowledgement(epoch: Option<Epoch>) -> Acknowledgement {
    Acknowledgement { epoch, rules: TradeRules::EveryTrade }
}

pub(crate) fn trade() -> Object {
    let trade = Trade {
        symbol: SymbolId(0),
        id: 52_983_525_029_461,
        venue: Venue(b'V'),
        price: Price::from_cents(12_655),
        size: 1,
        conditions: Conditions::ODD_LOT,
        tape: Tape::C,
        at: Timestamp::from_nanos(1_614_009_104_208_000_001),
    };
    Object { seq: Seq(8841), body: Body::Trade(trade) }
}

pub(crate) fn quote() -> Object {
    let quote = Quote {
        symbol: SymbolId(0),
        bid_venue: Venue(b'V'),
        bid: Price::from_cents(12_650),
        bid_size: 100,
        ask_venue: Venue(b'Q'),
        ask: Price::from_cents(12_656),
        ask_size: 300,
        conditions: Conditions::REGULAR_QUOTE,
        tape: Tape::C,
        at: Timestamp::from_nanos(1_614_009_105_000_000_000),
    };
    Object { seq: Seq(7), body: Body::Quote(quote) }
}

pub(crate) fn bar() -> Object {
    let bar = Bar {
        symbol: SymbolId(1),
        start: Timestamp::from_nanos(1_614_009_060_000_000_000),
        open: Price::from_cents(24_000),
        high: Price::from_cents(24_010),
        low: Price::from_cents(23_998),
        close: Price::from_cents(24_004),
        volume: 1200,
        trades: 3,
        notional: 28_806_200 * 10_000_000,
    };
    Object { seq: Seq(1), body: Body::Bar(bar) }
}

/// Objects of all kinds whose numbers have every width, the same in every run.
pub(crate) fn varied_objects() -> Vec<Object> {
    let mut numbers = Numbers(42);
    (0..200).flat_map(|_| objects()).map(|object| numbers.vary(object)).collect()
}

/// A linear congruential generator (Knuth, MMIX), so that no change of a library changes the objects.
struct Numbers(u64);

impl Numbers {
    /// A number of 1 to `bits` bits.
    fn up_to(&mut self, bits: u32) -> u64 {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0 >> 32
        };
        let width = next() as u32 % bits + 1;
        (next() << 32 | next()) >> (64 - width)
    }

    /// A price of whole cents, or a finer one that a double holds.
    fn price(&mut self) -> Price {
        let units = self.up_to(39) as i64;
        [Price::from_cents(units), Price::from_nanos(units), Price::from_nanos(-units)]
            [self.up_to(8) as usize % 3]
    }

    fn size(&mut self) -> u64 {
        self.up_to(64)
    }

    fn letter(&mut self) -> u8 {
        b'A' + (self.up_to(8) % 26) as u8
    }

    fn venue(&mut self) -> Venue {
        Venue(self.letter())
    }

    fn conditions(&mut self) -> Conditions {
        let [first, second] = [self.letter(), self.letter()];
        let letters = [first, second, b' ', first];
        Conditions::new(&letters[..self.up_to(8) as usize % 5])
    }

    fn tape(&mut self) -> Tape {
        [Tape::A, Tape::B, Tape::C][self.up_to(8) as usize % 3]
    }

    /// A time from 1970 to 2106 or later, every third of them on a whole second.
    fn time(&mut self) -> Timestamp {
        let nanos = [0, self.up_to(30) % 1_000_000_000, self.up_to(10)][self.up_to(8) as usize % 3];
        Timestamp::from_nanos((self.up_to(33) * 1_000_000_000 + nanos) as i64)
    }

    fn print(&mut self) -> Print {
        Print { id: self.up_to(64), price: self.price(), size: self.size(), conditions: self.conditions() }
    }

    fn bar(&mut self, bar: Bar) -> Bar {
        let (volume, average) = (self.up_to(40), self.up_to(20));
        let notional = i128::from(volume) * i128::from(average) + i128::from(self.up_to(8) % volume.max(1));
        Bar {
            start: self.time(),
            open: self.price(),
            high: self.price(),
            low: self.price(),
            close: self.price(),
            volume,
            trades: self.up_to(32),
            notional: if volume > 0 { notional } else { 0 },
            ..bar
        }
    }

    fn vary(&mut self, object: Object) -> Object {
        let symbol = SymbolId(self.up_to(1) as u32);
        let body = match object.body {
            Body::Trade(_) => Body::Trade(Trade {
                symbol,
                id: self.up_to(64),
                venue: self.venue(),
                price: self.price(),
                size: self.size(),
                conditions: self.conditions(),
                tape: self.tape(),
                at: self.time(),
            }),
            Body::Quote(_) => Body::Quote(Quote {
                symbol,
                bid_venue: self.venue(),
                bid: self.price(),
                bid_size: self.size(),
                ask_venue: self.venue(),
                ask: self.price(),
                ask_size: self.size(),
                conditions: self.conditions(),
                tape: self.tape(),
                at: self.time(),
            }),
            Body::Bar(bar) => Body::Bar(self.bar(bar)),
            Body::UpdatedBar(bar) => Body::UpdatedBar(self.bar(bar)),
            Body::DailyBar(bar) => Body::DailyBar(self.bar(bar)),
            Body::Status(_) => {
                let states = [TradingStatus::HALTED, TradingStatus::RESUMED];
                let reasons =
                    [StatusReason::NEWS_PENDING, StatusReason::VOLATILITY_PAUSE, StatusReason::RESUMPTION];
                Body::Status(Status {
                    symbol,
                    status: states[self.up_to(8) as usize % 2],
                    reason: reasons[self.up_to(8) as usize % 3],
                    tape: self.tape(),
                    at: self.time(),
                })
            }
            Body::Luld(_) => Body::Luld(Luld {
                symbol,
                up: self.price(),
                down: self.price(),
                indicator: self.letter(),
                tape: self.tape(),
                at: self.time(),
            }),
            Body::Cancel(_) => Body::Cancel(Cancel {
                symbol,
                id: self.up_to(64),
                venue: self.venue(),
                price: self.price(),
                size: self.size(),
                action: [CancelAction::Cancelled, CancelAction::Error][self.up_to(8) as usize % 2],
                tape: self.tape(),
                at: self.time(),
            }),
            Body::Correction(_) => Body::Correction(Correction {
                symbol,
                venue: self.venue(),
                original: self.print(),
                corrected: self.print(),
                tape: self.tape(),
                at: self.time(),
            }),
            Body::Ticker(_) => Body::Ticker(Ticker {
                symbol,
                price: self.price(),
                size: self.size(),
                bid: self.price(),
                bid_size: self.size(),
                ask: self.price(),
                ask_size: self.size(),
                open: self.price(),
                high: self.price(),
                low: self.price(),
                previous_close: self.price(),
                volume: self.up_to(64),
                trades: self.up_to(64),
                vwap_micros: self.up_to(50) as i64,
                at: self.time(),
            }),
            Body::Message(head) => Body::Message(head),
            Body::State(head) => Body::State(head),
        };
        Object { seq: Seq(self.up_to(64)), body }
    }
}
