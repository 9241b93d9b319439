use crate::model::{Event, Status, StatusReason, SymbolId, Tape, Timestamp, TradingStatus, Universe};

use super::activity::Activity;
use super::agenda::{Agenda, Matter};
use super::arrivals::Arrivals;
use super::factor_model::FactorModel;
use super::halts::Halts;
use super::price_bands::PriceBands;
use super::random::{Purpose, RandomStream};
use super::simulation::Simulation;
use super::top_of_book::TopOfBook;
use super::trade_reporting::{Reporting, TradeReporting};

/// A stock market out of nothing: prices, quotes and trades, a millisecond at a time.
///
/// Time is an argument. What happens depends on the seed, the universe, the settings and how many
/// steps there were before, never on what time it is: `begins` goes into the stamps only.
///
/// The cost of a step is proportional to its events (about 0.15 µs each), not to the universe: one with
/// none costs a comparison, an instrument without events nothing. Memory is about 0.3 KiB an instrument.
///
/// 1. Arrivals over the whole market are one Poisson process of rate `trades_per_second` ×
///    (1 + `quotes_per_trade`).
/// 2. A coin of fixed bias makes each one a quote or a trade. By the colouring theorem (Kingman
///    1993, "Poisson Processes", §5.1) either kind is a Poisson process, independent of the other.
/// 3. A table of activity says to which instrument it happens, unless it stays where the last
///    one was: quotes come around trades, in short runs.
/// 4. The instrument's price catches up with the moment; its book quotes or trades around it.
/// 5. What is rare stands beside that, with draws of its own: bands are set anew before a trade that went
///    far; a few trades are reported late, corrected or cancelled; now and then an instrument is
///    halted, and what would have happened to it does not. An agenda keeps what is still to come.
#[derive(Clone, Debug)]
pub struct Simulator {
    arrivals: Arrivals,
    activity: Activity,
    prices: FactorModel,
    /// One for each instrument, in order.
    listings: Vec<Listing>,
    reports: TradeReporting,
    halts: Halts,
    agenda: Agenda,
    /// Of when, to whom and what.
    happenings: RandomStream,
    /// Of spreads, sizes and venues.
    shapes: RandomStream,
    quote_share: f64,
    band_step: f64,
    /// Where the last event was.
    place: usize,
    elapsed_ns: u64,
}

/// One instrument as it is traded.
#[derive(Clone, Debug)]
struct Listing {
    book: TopOfBook,
    bands: PriceBands,
    tape: Tape,
    is_halted: bool,
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// Since the start: what happens depends on it.
    ns: u64,
    /// For the stamps only.
    at: Timestamp,
}

/// How often an event stays with the instrument of the one before. It leaves the shares of
/// activity as they are and makes runs of 1.5 events in the mean.
const STAYING: f64 = 0.35;

/// The length of a step.
const STEP_NS: u64 = 1_000_000;

/// The report of a step takes so long, at its end.
const REPORT_NS: u64 = 10_000;

impl Simulator {
    /// A market at its opening, with every price at the previous close. O(instruments).
    ///
    /// The place of an instrument in the universe is its rank by activity.
    ///
    /// # Panics
    /// When a figure of the settings is not one that its field allows.
    pub fn new(universe: &Universe, settings: Simulation) -> Self {
        settings.check();
        let Simulation { seed, trades_per_second, rhythm, quotes_per_trade, band_step, .. } = settings;
        let mut happenings = RandomStream::new(seed, Purpose::Arrivals);
        let mut shapes = RandomStream::new(seed, Purpose::Books);
        let mut prices = FactorModel::new(universe, seed);
        let listings = universe
            .iter()
            .map(|instrument| {
                let fair_value = prices.fair_value(instrument.id, 0);
                Listing {
                    book: TopOfBook::new(instrument.id, instrument.tape, fair_value, &mut shapes),
                    bands: PriceBands::around(fair_value.ticks as i64, band_step),
                    tape: instrument.tape,
                    is_halted: false,
                }
            })
            .collect();
        // Nothing can happen where there is nobody.
        let per_second = if universe.is_empty() { 0.0 } else { trades_per_second * (1.0 + quotes_per_trade) };
        let mut simulator = Self {
            arrivals: Arrivals::new(rhythm, per_second, &mut happenings),
            activity: Activity::new(universe.len()),
            prices,
            listings,
            reports: TradeReporting::new(&settings),
            halts: Halts::new(&settings),
            agenda: Agenda::default(),
            happenings,
            shapes,
            quote_share: quotes_per_trade / (1.0 + quotes_per_trade),
            band_step,
            place: 0,
            elapsed_ns: 0,
        };
        if per_second > 0.0 {
            simulator.plan_halt(0);
        }
        simulator
    }

    /// Appends what is true before the next step: the quote and the bands of each instrument, in order.
    ///
    /// Who begins with these has a quote for every trade to come. O(instruments).
    pub fn opening(&self, at: Timestamp, out: &mut Vec<Event>) {
        for (place, listing) in self.listings.iter().enumerate() {
            out.push(Event::Quote(listing.book.quote(at)));
            out.push(Event::Luld(listing.bands.luld(SymbolId(place as u32), listing.tape, at)));
        }
    }

    /// Appends the events of the next millisecond in the order in which they are reported, stamped
    /// `begins` + 990,000 to `begins` + 999,999 ns.
    ///
    /// A consolidated tape's stamp says when it reported an event, not when that happened (the UTP and
    /// CTA plans tell the two apart, and Alpaca's `t` is the tape's). This tape reports once a
    /// millisecond. So stamps rise, but for one kind: a trade that is reported late stands where it is
    /// reported and carries the stamp, 1 to 30 s older, of when it happened. Its first condition is `Z`; it
    /// was within the quote and the bands of that time.
    pub fn step(&mut self, begins: Timestamp, out: &mut Vec<Event>) {
        let step_ns = self.elapsed_ns;
        let moment = |ns: u64| Moment { ns, at: later(begins, (reported(ns) - step_ns) as i64) };
        while let Some(offset_ns) = self.arrivals.next_in_step(&mut self.happenings) {
            let now = moment(step_ns + u64::from(offset_ns));
            while let Some((due_ns, matter)) = self.agenda.take_due(now.ns) {
                self.attend(matter, moment(due_ns), out);
            }
            self.happen(now, out);
        }
        while let Some((due_ns, matter)) = self.agenda.take_due(step_ns + STEP_NS - 1) {
            self.attend(matter, moment(due_ns), out);
        }
        self.elapsed_ns += STEP_NS;
    }

    /// Nothing will happen in so many of the next steps. O(1).
    pub fn quiet_steps(&self) -> u64 {
        let planned = self.agenda.soonest_ns().map(|due_ns| due_ns.saturating_sub(self.elapsed_ns) / STEP_NS);
        self.arrivals.quiet_steps().min(planned.unwrap_or(u64::MAX))
    }

    /// One thing happens to one instrument, unless it is halted.
    fn happen(&mut self, now: Moment, out: &mut Vec<Event>) {
        if !self.happenings.bernoulli(STAYING) {
            self.place = self.activity.draw(&mut self.happenings);
        }
        let is_quote = self.happenings.bernoulli(self.quote_share);
        let listing = &mut self.listings[self.place];
        if listing.is_halted {
            return;
        }
        let fair_value = self.prices.fair_value(SymbolId(self.place as u32), now.ns);
        if is_quote || self.quote_share == 0.0 {
            listing.book.requote(fair_value, &mut self.shapes);
        }
        if is_quote {
            out.push(Event::Quote(listing.book.quote(now.at)));
            return;
        }
        let trade = listing.book.trade(fair_value, now.at, &mut self.shapes);
        if listing.bands.update(trade.price, self.band_step) {
            out.push(Event::Luld(listing.bands.luld(trade.symbol, trade.tape, now.at)));
        }
        let (after_ns, matter) = match self.reports.next() {
            Reporting::OnTime => return out.push(Event::Trade(trade)),
            Reporting::Late { delay_ns } => {
                return self.agenda.write(now.ns + delay_ns, Matter::Late(trade, delay_ns));
            }
            Reporting::Corrected { delay_ns } => (delay_ns, Matter::Correct(trade)),
            Reporting::Cancelled { delay_ns } => (delay_ns, Matter::Cancel(trade)),
        };
        out.push(Event::Trade(trade));
        self.agenda.write(now.ns + after_ns, matter);
    }

    /// Something that was on the agenda has come. What was reported wrongly is put right in a halt, too.
    fn attend(&mut self, matter: Matter, now: Moment, out: &mut Vec<Event>) {
        match matter {
            Matter::Halt => self.halt(now, out),
            Matter::Resume(symbol) => self.resume(symbol, now, out),
            Matter::Late(trade, held_ns) => {
                let listing = &mut self.listings[trade.symbol.index()];
                // Nothing is traded in a halt; after it, the report would be older than it may be.
                if !listing.is_halted {
                    let ago_ns = reported(now.ns) - reported(now.ns - held_ns);
                    let happened = later(now.at, -(ago_ns as i64));
                    out.push(Event::Trade(TradeReporting::late(
                        trade,
                        listing.book.next_trade_id(),
                        happened,
                    )));
                }
            }
            Matter::Correct(trade) => {
                let id = self.listings[trade.symbol.index()].book.next_trade_id();
                out.push(Event::Correction(self.reports.correct(&trade, id, now.at)));
            }
            Matter::Cancel(trade) => out.push(Event::Cancel(self.reports.cancel(&trade, now.at))),
        }
    }

    fn plan_halt(&mut self, now_ns: u64) {
        if let Some(gap_ns) = self.halts.next_gap_ns() {
            self.agenda.write(now_ns + gap_ns, Matter::Halt);
        }
    }

    /// Some instrument stops trading; nothing changes if it has already.
    fn halt(&mut self, now: Moment, out: &mut Vec<Event>) {
        self.plan_halt(now.ns);
        let halt = self.halts.sample(self.listings.len());
        let listing = &mut self.listings[halt.symbol.index()];
        if listing.is_halted {
            return;
        }
        listing.is_halted = true;
        self.agenda.write(now.ns + halt.length_ns, Matter::Resume(halt.symbol));
        out.push(self.status(halt.symbol, TradingStatus::Halted, halt.reason, now.at));
    }

    /// An instrument trades again, around what it is fair_value by now.
    fn resume(&mut self, symbol: SymbolId, now: Moment, out: &mut Vec<Event>) {
        out.push(self.status(symbol, TradingStatus::Resumed, StatusReason::ResumePoint, now.at));
        let fair_value = self.prices.fair_value(symbol, now.ns);
        let listing = &mut self.listings[symbol.index()];
        listing.is_halted = false;
        listing.book.requote(fair_value, &mut self.shapes);
        out.push(Event::Quote(listing.book.quote(now.at)));
    }

    fn status(&self, symbol: SymbolId, status: TradingStatus, reason: StatusReason, at: Timestamp) -> Event {
        let tape = self.listings[symbol.index()].tape;
        Event::Status(Status { symbol, status, reason, tape, at })
    }
}

/// When the tape reports what happens at this time: at the end of its step, in the same order.
fn reported(ns: u64) -> u64 {
    let (begins, offset) = (ns - ns % STEP_NS, ns % STEP_NS);
    begins + STEP_NS - REPORT_NS + offset * REPORT_NS / STEP_NS
}

fn later(at: Timestamp, nanos: i64) -> Timestamp {
    Timestamp::from_nanos(at.nanos() + nanos)
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "incident_tests.rs"]
mod incident_tests;
