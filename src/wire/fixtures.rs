//! Values for the tests of the wire.

use crate::model::{
    Bar, Body, Cancel, CancelAction, Conditions, Correction, Instrument, Luld, Object, Price, Print, Quote,
    Sector, Seq, Status, StatusReason, SymbolId, Tape, Ticker, Timestamp, Trade, TradingStatus, Universe,
    Venue,
};

/// What a frame of the server's carries.
pub(crate) fn payload(frame: &[u8]) -> &[u8] {
    match frame[1] {
        0..=125 => &frame[2..],
        126 => &frame[4..],
        _ => &frame[10..],
    }
}

/// One of each kind.
pub(crate) fn objects() -> Vec<Object> {
    let (Body::Trade(trade), Body::Bar(bar)) = (trade().body, bar().body) else { unreachable!() };
    let mut ticker = Ticker::before_the_open(trade.symbol, Price::from_ticks(12_600), trade.at);
    ticker.traded(&trade);
    ticker.day(&bar);
    let numbered = |body| Object { seq: Seq(5), body };
    let corrected = Print { price: Price::from_ticks(12_651), ..Print::of(&trade) };
    let others = [
        Body::UpdatedBar(bar),
        Body::DailyBar(bar),
        Body::Status(Status {
            symbol: trade.symbol,
            status: TradingStatus::Halted,
            reason: StatusReason::NewsPending,
            tape: Tape::C,
            at: trade.at,
        }),
        Body::Luld(Luld {
            symbol: trade.symbol,
            up: Price::from_ticks(13_000),
            down: Price::from_ticks(12_000),
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
    let listing = |symbol: &str| Instrument {
        id: SymbolId(0),
        symbol: symbol.parse().unwrap(),
        name: format!("{symbol} Inc."),
        exchange: "NASDAQ",
        tape: Tape::C,
        sector: Sector::Technology,
        previous_close: Price::from_ticks(10_000),
    };
    Universe::new(["AAPL", "MSFT"].map(listing).to_vec())
}

pub(crate) fn trade() -> Object {
    let trade = Trade {
        symbol: SymbolId(0),
        id: 52_983_525_029_461,
        venue: Venue(b'V'),
        price: Price::from_ticks(12_655),
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
        bid: Price::from_ticks(12_650),
        bid_size: 100,
        ask_venue: Venue(b'Q'),
        ask: Price::from_ticks(12_656),
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
        open: Price::from_ticks(24_000),
        high: Price::from_ticks(24_010),
        low: Price::from_ticks(23_998),
        close: Price::from_ticks(24_004),
        volume: 1200,
        trades: 3,
        notional: 28_806_200,
    };
    Object { seq: Seq(1), body: Body::Bar(bar) }
}
