//! Recorded SHA-256 hashes of everything the simulator makes from seed 42.
//!
//! Each value is hashed as a line of text with all its fields, in units that do not depend on how the
//! model stores them. If a hash changes, a seed no longer gives the events it gave: a breaking change.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::listings::close_of;
use super::{History, Listings, SimulationSettings, Simulator};
use crate::model::{
    Bar, Cancel, Conditions, Correction, Event, Luld, MILLISECOND, Price, Print, Quote, SECOND, Status,
    Timestamp, Trade, Universe,
};

const SEED: u64 = 42;
const INSTRUMENTS: usize = 100;
const SECONDS: i64 = 60;

const START: Timestamp = Timestamp::from_nanos(1_700_000_000 * SECOND);
const MIDNIGHT: Timestamp = Timestamp::from_nanos(1_699_920_000 * SECOND);
const DAY: i64 = 86_400 * SECOND;

/// Lines of text and their hash.
#[derive(Default)]
struct Lines {
    hash: Sha256,
    line: String,
    count: usize,
}

impl Lines {
    fn add(&mut self, write: impl FnOnce(&mut String) -> std::fmt::Result) {
        self.line.clear();
        write(&mut self.line).expect("a string takes all text");
        self.line.push('\n');
        self.hash.update(&self.line);
        self.count += 1;
    }

    /// How many lines there are, and the hash of all.
    fn finish(self) -> (usize, String) {
        let hash = self.hash.finalize().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        (self.count, hash)
    }
}

fn letters(conditions: Conditions) -> String {
    conditions.letters().map(char::from).collect()
}

fn print(print: &Print) -> String {
    format!("{} {} {} {}", print.id, print.price, print.size, letters(print.conditions))
}

fn write_event(out: &mut String, event: &Event) -> std::fmt::Result {
    write!(out, "{} {} ", event.symbol().0, event.at().nanos())?;
    let tape = match event {
        Event::Bar(_) | Event::UpdatedBar(_) | Event::DailyBar(_) => panic!("its bars are folded"),
        Event::Trade(Trade { symbol: _, id, venue, price, size, conditions, tape, at: _ }) => {
            write!(out, "trade {id} {} {price} {size} {}", venue.0 as char, letters(*conditions))?;
            tape
        }
        Event::Quote(quote) => {
            let Quote {
                symbol: _,
                bid_venue,
                bid,
                bid_size,
                ask_venue,
                ask,
                ask_size,
                conditions,
                tape,
                at: _,
            } = quote;
            write!(out, "quote {} {bid} {bid_size} ", bid_venue.0 as char)?;
            write!(out, "{} {ask} {ask_size} {}", ask_venue.0 as char, letters(*conditions))?;
            tape
        }
        Event::Status(Status { symbol: _, status, reason, tape, at: _ }) => {
            write!(out, "status {} {}", status.code(), reason.code())?;
            tape
        }
        Event::Luld(Luld { symbol: _, up, down, indicator, tape, at: _ }) => {
            write!(out, "luld {up} {down} {}", *indicator as char)?;
            tape
        }
        Event::Correction(Correction { symbol: _, venue, original, corrected, tape, at: _ }) => {
            write!(out, "correction {} {} {}", venue.0 as char, print(original), print(corrected))?;
            tape
        }
        Event::Cancel(Cancel { symbol: _, id, venue, price, size, action, tape, at: _ }) => {
            write!(out, "cancel {id} {} {price} {size} {}", venue.0 as char, action.letter() as char)?;
            tape
        }
    };
    write!(out, " {}", tape.0 as char)
}

fn write_bar(out: &mut String, bar: &Bar) -> std::fmt::Result {
    let Bar { symbol, start, open, high, low, close, volume, trades, notional } = bar;
    let cents = notional / i128::from(Price::from_cents(1).nanos());
    write!(out, "{} {} {open} {high} {low} {close} ", symbol.0, start.nanos())?;
    write!(out, "{volume} {trades} {}.{:02}", cents / 100, cents % 100)
}

fn text(known: &Option<Box<str>>) -> &str {
    known.as_deref().expect("listings are known")
}

fn instruments(universe: &Universe) -> (usize, String) {
    let mut lines = Lines::default();
    for instrument in universe.iter() {
        let (id, symbol, name, exchange) =
            (instrument.id.0, instrument.symbol, text(&instrument.name), text(&instrument.exchange));
        let (tape, close) = (instrument.tape.0 as char, close_of(instrument));
        lines.add(|out| write!(out, "{id};{symbol};{name};{exchange};{tape};{close}"));
    }
    lines.finish()
}

fn events(settings: SimulationSettings) -> (usize, String) {
    let mut simulator = Simulator::new(&Listings::new(INSTRUMENTS, SEED), settings);
    let mut lines = Lines::default();
    let mut events = Vec::new();
    simulator.opening(START, &mut events);
    for millisecond in 0..SECONDS * 1_000 {
        simulator.step(Timestamp::from_nanos(START.nanos() + millisecond * MILLISECOND), &mut events);
        for event in events.drain(..) {
            lines.add(|out| write_event(out, &event));
        }
    }
    lines.finish()
}

#[test]
fn the_instruments_of_seed_42_are_as_recorded() {
    // More than the well-known hundred, so that invented ones are among them.
    assert_eq!(
        instruments(Listings::new(1_000, SEED).universe()),
        (1_000, "b9f068d1698981295b75a0c2bac10b12c3ecead7f67dff604adb75b18008349b".to_owned())
    );
}

#[test]
fn the_events_of_seed_42_are_as_recorded() {
    assert_eq!(
        events(SimulationSettings { seed: SEED, ..SimulationSettings::default() }),
        (239_844, "818a104e109e57bfc79e234b0e79db1454af885d91841f8586446b61b352b40b".to_owned())
    );
}

#[test]
fn the_events_of_seed_42_with_incidents_are_as_recorded() {
    assert_eq!(
        events(SimulationSettings { seed: SEED, ..SimulationSettings::EVENTFUL }),
        (241_234, "c4e97e993af6c87803bacdc28b1b2ab1ffe29c46ab0bb380a0e0f7ec88d53cbc".to_owned())
    );
}

#[test]
fn the_history_of_seed_42_is_as_recorded() {
    let listings = Listings::new(INSTRUMENTS, SEED);
    let settings = SimulationSettings { seed: SEED, ..SimulationSettings::default() };
    let days: Vec<_> = (-365..=1).map(|day| Timestamp::from_nanos(MIDNIGHT.nanos() + day * DAY)).collect();
    let history = History::new(listings.universe(), settings, days, START);

    let mut lines = Lines::default();
    for instrument in listings.universe().iter() {
        let days = history.days(instrument);
        let midnights = &history.midnights()[365 - 5..];
        let minutes = midnights.iter().flat_map(|midnight| history.minutes(instrument, *midnight)).collect();
        let seconds = history.seconds(instrument);
        for (length, bars) in [("day", &days), ("minute", &minutes), ("second", &seconds)] {
            for bar in bars {
                lines.add(|out| {
                    write!(out, "{length} ")?;
                    write_bar(out, bar)
                });
            }
        }
    }

    assert_eq!(
        lines.finish(),
        (949_780, "8b7d8d53d7f7515ae650398965181e94eaa9924247c8fe7fa8a9f9e208ff9be8".to_owned())
    );
}
