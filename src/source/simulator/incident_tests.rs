//! Tests of rare events: late trades, corrections, cancels, halts and price bands.

use std::collections::{HashMap, HashSet};

use super::super::listings::Listings;
use super::*;
use crate::model::{Cancel, Correction, Luld, MILLISECOND, Print, Quote, SECOND, Trade};

/// The time `millis` after a certain whole second.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + millis * MILLISECOND)
}

/// The opening at 0 s, and the events of the `seconds` after it.
fn events(settings: SimulationSettings, instruments: usize, seconds: i64) -> Vec<Event> {
    let mut simulator = Simulator::new(&Listings::new(instruments, settings.seed), settings);
    let mut out = Vec::new();
    simulator.opening(at(0), &mut out);
    for step in 0..seconds * 1_000 {
        simulator.step(at(step), &mut out);
    }
    out
}

fn eventful(seconds: i64) -> Vec<Event> {
    events(SimulationSettings::EVENTFUL, 10, seconds)
}

fn count(events: &[Event], is: fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is(event)).count()
}

fn is_late(event: &Event) -> bool {
    matches!(event, Event::Trade(Trade { conditions, .. }) if conditions.letters().next() == Some(b'Z'))
}

fn is_correction(event: &Event) -> bool {
    matches!(event, Event::Correction(_))
}

fn is_cancel(event: &Event) -> bool {
    matches!(event, Event::Cancel(_))
}

fn is_luld(event: &Event) -> bool {
    matches!(event, Event::Luld(_))
}

fn is_halt(event: &Event) -> bool {
    matches!(event, Event::Status(Status { status: TradingStatus::HALTED, .. }))
}

fn is_resumption(event: &Event) -> bool {
    matches!(event, Event::Status(Status { status: TradingStatus::RESUMED, .. }))
}

#[test]
fn stamps_rise_except_those_of_late_trades() {
    let mut simulator = Simulator::new(&Listings::new(10, 1), SimulationSettings::EVENTFUL);
    let mut out = Vec::new();
    let mut late = 0;

    for step in 0..60_000 {
        out.clear();
        simulator.step(at(step), &mut out);

        late += count(&out, is_late);
        out.retain(|event| !is_late(event));
        assert!(out.is_sorted_by_key(Event::at));
        assert!(out.iter().all(|event| event.at() >= at(step) && event.at() < at(step + 1)));
    }
    assert!(late > 300, "{late}");
}

#[test]
fn a_late_trade_is_one_to_thirty_seconds_old_and_within_the_quote_of_its_time() {
    let mut quotes: HashMap<SymbolId, Vec<Quote>> = HashMap::new();
    let mut now = at(0);
    let mut ages = Vec::new();

    for event in eventful(120) {
        match event {
            Event::Quote(quote) => quotes.entry(quote.symbol).or_default().push(quote),
            Event::Trade(trade) if is_late(&event) => {
                let quotes = &quotes[&trade.symbol];
                let then = quotes[quotes.partition_point(|quote| quote.at <= trade.at) - 1];
                assert!((then.bid..=then.ask).contains(&trade.price), "{trade:?} in {then:?}");
                ages.push(now.nanos_since(trade.at));
                continue;
            }
            _ => {}
        }
        now = event.at();
    }

    // `now` is the stamp of the event before the late one, some milliseconds earlier.
    assert!(ages.iter().all(|age| (SECOND - SECOND / 10..=30 * SECOND).contains(age)));
    assert!(ages.iter().any(|age| *age < 3 * SECOND) && ages.iter().any(|age| *age > 27 * SECOND));
}

#[test]
fn ids_rise_with_each_trade_of_a_symbol() {
    let mut newest: HashMap<SymbolId, u64> = HashMap::new();

    for event in eventful(60) {
        if let Event::Trade(trade) = event {
            let before = newest.insert(trade.symbol, trade.id).unwrap_or(0);
            assert!(trade.id > before, "{trade:?} after {before}");
        }
    }
}

#[test]
fn a_trade_is_corrected_or_cancelled_within_seconds_and_at_most_once() {
    let mut trades: HashMap<(SymbolId, u64), Trade> = HashMap::new();
    let mut withdrawn = 0;
    let mut check_delay = |trade: Trade, at: Timestamp| {
        let delay = at.nanos_since(trade.at);
        assert!((SECOND..8 * SECOND).contains(&delay), "{delay} ns after {trade:?}");
        withdrawn += 1;
    };

    for event in eventful(60) {
        match event {
            Event::Trade(trade) => {
                trades.insert((trade.symbol, trade.id), trade);
            }
            Event::Correction(Correction { symbol, original, at, .. }) => {
                let trade = trades.remove(&(symbol, original.id)).expect("a trade not yet withdrawn");
                assert_eq!(original, Print::of(&trade));
                check_delay(trade, at);
            }
            Event::Cancel(Cancel { symbol, id, price, size, at, .. }) => {
                let trade = trades.remove(&(symbol, id)).expect("a trade not yet withdrawn");
                assert_eq!((price, size), (trade.price, trade.size));
                check_delay(trade, at);
            }
            _ => {}
        }
    }
    assert!(withdrawn > 600, "{withdrawn}");
}

#[test]
fn a_correction_changes_price_or_size_and_has_its_own_id() {
    let mut ids = HashSet::new();

    for event in eventful(60) {
        match event {
            Event::Trade(trade) => assert!(ids.insert((trade.symbol, trade.id)), "{trade:?}"),
            Event::Correction(Correction { symbol, original, corrected, .. }) => {
                let ticks = (corrected.price - original.price).cents().abs();
                let is_other_size = corrected.size != original.size;
                assert!((ticks > 0) != is_other_size, "{original:?} {corrected:?}");
                assert!(ticks <= 4 && corrected.price.cents() >= 1 && corrected.size >= 1);
                assert!(ids.insert((symbol, corrected.id)), "{corrected:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn a_halted_instrument_has_no_market_data_until_it_resumes_with_a_quote() {
    let mut halted: HashMap<SymbolId, Timestamp> = HashMap::new();
    let mut resumed = 0;
    let events = eventful(60);

    for (event, next) in events.iter().zip(events.iter().skip(1)) {
        let symbol = event.symbol();
        match event {
            Event::Status(status) if is_halt(event) => {
                assert_eq!(halted.insert(symbol, status.at), None);
            }
            Event::Status(status) => {
                let since = halted.remove(&symbol).expect("only a halted instrument resumes");
                let seconds = status.at.nanos_since(since) as f64 / SECOND as f64;
                assert!((0.1..=0.6).contains(&seconds), "{seconds}");
                assert!(matches!(next, Event::Quote(quote) if quote.symbol == symbol), "{next:?}");
                resumed += 1;
            }
            Event::Trade(_) | Event::Quote(_) | Event::Luld(_) => {
                assert!(!halted.contains_key(&symbol), "{event:?}");
            }
            Event::Correction(_) | Event::Cancel(_) => {}
            Event::Bar(_) | Event::UpdatedBar(_) | Event::DailyBar(_) => panic!("its bars are folded"),
        }
    }
    assert!(resumed > 80, "{resumed}");
}

#[test]
fn no_trade_is_outside_of_its_price_bands() {
    let settings = SimulationSettings {
        trades_per_second: 300.0,
        band_update_threshold: 0.002,
        ..SimulationSettings::default()
    };
    let mut bands: HashMap<SymbolId, Luld> = HashMap::new();
    let mut moved = 0;

    for event in events(settings, 10, 1_000) {
        match event {
            Event::Luld(luld) => {
                if let Some(before) = bands.insert(luld.symbol, luld) {
                    let step = (luld.up.to_dollars() / before.up.to_dollars() - 1.0).abs();
                    assert!(step > 0.001_8, "{before:?} {luld:?}");
                    moved += 1;
                }
            }
            Event::Trade(trade) => {
                let now = &bands[&trade.symbol];
                assert!((now.down..=now.up).contains(&trade.price), "{trade:?} in {now:?}");
            }
            _ => {}
        }
    }
    assert!(moved > 20, "{moved}");
}

#[test]
fn rare_events_have_the_rates_of_the_settings() {
    let seconds = 10_000;
    let settings = SimulationSettings {
        trades_per_second: 200.0,
        quotes_per_trade: 0.5,
        ..SimulationSettings::default()
    };

    let events = events(settings, 100, seconds);

    let trades = count(&events, |event| matches!(event, Event::Trade(_))) as f64;
    let quotes = count(&events, |event| matches!(event, Event::Quote(_))) as f64;
    let share = |is| count(&events, is) as f64 / trades;
    assert!((trades / (200.0 * seconds as f64) - 1.0).abs() < 0.01, "{trades} trades");
    assert!((quotes / trades / 0.5 - 1.0).abs() < 0.01, "{quotes} quotes");
    assert!((share(is_late) * 2_000.0 - 1.0).abs() < 0.1, "{}", share(is_late));
    assert!((share(is_correction) * 5_000.0 - 1.0).abs() < 0.15, "{}", share(is_correction));
    assert!((share(is_cancel) * 5_000.0 - 1.0).abs() < 0.15, "{}", share(is_cancel));
    assert!((38..75).contains(&count(&events, is_halt)), "{} halts", count(&events, is_halt));
}

#[test]
fn an_eventful_market_has_every_kind_of_event_at_least_once_a_second() {
    let seconds = 60;
    for instruments in [5, 20] {
        let events = events(SimulationSettings::EVENTFUL, instruments, seconds);

        for is in [is_late, is_correction, is_cancel, is_luld, is_halt, is_resumption] {
            let first = events.iter().skip(2 * instruments).find(|event| is(event)).map(Event::at);
            assert!(count(&events, is) as i64 >= seconds, "{}", count(&events, is));
            assert!(first.is_some_and(|first| first < at(8_000)), "{first:?}");
        }
    }
}

#[test]
fn rare_events_do_not_change_trades_and_quotes() {
    let rare = SimulationSettings { halts_per_second: 0.0, late_share: 0.0, ..SimulationSettings::EVENTFUL };
    let regular = |settings| {
        let is_regular = |event: &Event| matches!(event, Event::Trade(_) | Event::Quote(_));
        events(settings, 10, 10).into_iter().filter(is_regular).map(without_id).collect::<Vec<_>>()
    };

    assert_eq!(regular(rare), regular(SimulationSettings::UNEVENTFUL));
}

/// Corrections take trade ids too, which shifts those of later trades.
fn without_id(event: Event) -> Event {
    match event {
        Event::Trade(trade) => Event::Trade(Trade { id: 0, ..trade }),
        other => other,
    }
}

#[test]
fn a_silent_market_has_no_halts() {
    let silent = SimulationSettings { trades_per_second: 0.0, ..SimulationSettings::EVENTFUL };

    assert_eq!(events(silent, 10, 60).len(), 20);
}

#[test]
#[should_panic = "are not shares of a whole"]
fn shares_of_rare_events_above_one_are_refused() {
    let _ = Simulator::new(
        &Listings::new(1, 1),
        SimulationSettings { late_share: 0.7, corrected_share: 0.4, ..SimulationSettings::EVENTFUL },
    );
}

/// As for the sums of a market without rare events.
#[test]
fn an_eventful_seed_gives_the_recorded_sums_on_every_machine() {
    let events = eventful(60);

    let counts = [is_late, is_correction, is_cancel, is_luld, is_halt].map(|is| count(&events, is));
    let stamps = events.iter().fold(0i64, |sum, event| sum.wrapping_add(event.at().nanos_since(at(0))));
    assert_eq!((events.len(), counts, stamps), (224_880, [399, 516, 524, 321, 111], 6_728_564_185_995_958));
}
