use crate::model::{Event, Status, StatusReason, SymbolId, Tape, Timestamp, TradingStatus};

use super::activity::ActivityTable;
use super::arrivals::Arrivals;
use super::factor_model::FactorModel;
use super::halts::Halts;
use super::listings::Listings;
use super::price_bands::PriceBands;
use super::random::{Purpose, RandomStream};
use super::schedule::{Action, Schedule};
use super::settings::SimulationSettings;
use super::top_of_book::TopOfBook;
use super::trade_reporting::{Reporting, TradeReporting};

/// A simulated stock market: prices, quotes and trades, one millisecond at a time.
///
/// Time is an argument. Events depend on the seed, the universe, the settings and the number of earlier
/// steps, not on the time of day: `start` goes into the stamps only.
///
/// The cost of a step is proportional to its events (about 0.15 µs each), not to the universe. A step
/// without events costs one comparison. Memory is about 0.3 KiB an instrument.
///
/// 1. Arrivals over the whole market are one Poisson process of rate `trades_per_second` ×
///    (1 + `quotes_per_trade`).
/// 2. Each arrival is a quote or a trade, with a fixed probability. By the colouring theorem (Kingman 1993,
///    "Poisson Processes", §5.1) quotes and trades are independent Poisson processes.
/// 3. An activity table chooses the instrument, unless the arrival stays with the last one: quotes come
///    around trades, in short runs.
/// 4. The fair value of the instrument is advanced to this time; its top of book quotes or trades around it.
/// 5. Rare events have random streams of their own: price bands are updated before a trade that reached the
///    threshold, a few trades are reported late, corrected or cancelled, and instruments are halted, which
///    discards their arrivals. A schedule holds the pending ones.
#[derive(Clone, Debug)]
pub struct Simulator {
    arrivals: Arrivals,
    activity: ActivityTable,
    model: FactorModel,
    /// One for each instrument, by id.
    instruments: Vec<InstrumentState>,
    reporting: TradeReporting,
    halts: Halts,
    schedule: Schedule,
    /// For arrival times, instruments and kinds.
    arrival_random: RandomStream,
    /// For spreads, sizes and venues.
    book_random: RandomStream,
    quote_share: f64,
    band_update_threshold: f64,
    /// The instrument of the last arrival.
    current: SymbolId,
    elapsed_ns: u64,
}

#[derive(Clone, Debug)]
struct InstrumentState {
    book: TopOfBook,
    bands: PriceBands,
    tape: Tape,
    is_halted: bool,
}

/// The time of an event by both clocks.
#[derive(Clone, Copy, Debug)]
struct EventTime {
    /// Since the start; events depend on it.
    elapsed_ns: u64,
    /// For the stamp only.
    stamp: Timestamp,
}

/// The probability that an arrival stays with the instrument of the one before. It does not change the
/// shares of activity, and makes runs of 1.5 events on average.
const REPEAT_PROBABILITY: f64 = 0.35;

/// The length of a step.
const STEP_NS: u64 = 1_000_000;

/// The interval at the end of a step within which its events are stamped.
const REPORT_NS: u64 = 10_000;

impl Simulator {
    /// A market before its opening, with every price at the previous close. O(instruments).
    ///
    /// # Panics
    /// When a setting is outside the range its field allows.
    pub fn new(listings: &Listings, settings: SimulationSettings) -> Self {
        settings.check();
        let SimulationSettings {
            seed,
            trades_per_second,
            arrivals,
            quotes_per_trade,
            band_update_threshold,
            ..
        } = settings;
        let universe = listings.universe();
        let mut arrival_random = RandomStream::new(seed, Purpose::Arrivals);
        let mut book_random = RandomStream::new(seed, Purpose::Books);
        let mut model = FactorModel::new(listings, seed);
        let instruments = universe
            .iter()
            .map(|instrument| {
                let fair_value = model.fair_value(instrument.id, 0);
                InstrumentState {
                    book: TopOfBook::new(instrument.id, instrument.tape, fair_value, &mut book_random),
                    bands: PriceBands::around(fair_value.ticks as i64, band_update_threshold),
                    tape: instrument.tape,
                    is_halted: false,
                }
            })
            .collect();
        let per_second = if universe.is_empty() { 0.0 } else { trades_per_second * (1.0 + quotes_per_trade) };
        let mut simulator = Self {
            arrivals: Arrivals::new(arrivals, per_second, &mut arrival_random),
            activity: ActivityTable::new(universe.len()),
            model,
            instruments,
            reporting: TradeReporting::new(&settings),
            halts: Halts::new(&settings),
            schedule: Schedule::default(),
            arrival_random,
            book_random,
            quote_share: quotes_per_trade / (1.0 + quotes_per_trade),
            band_update_threshold,
            current: SymbolId(0),
            elapsed_ns: 0,
        };
        if per_second > 0.0 {
            simulator.schedule_halt(0);
        }
        simulator
    }

    /// Continues the trade ids of an earlier run: the last one of each instrument, in order.
    pub fn resume_trade_ids(&mut self, last: impl Iterator<Item = u64>) {
        for (instrument, last) in self.instruments.iter_mut().zip(last) {
            instrument.book.resume_trade_id(last);
        }
    }

    /// Appends the state before the next step: the quote and the bands of each instrument, in order.
    ///
    /// After these, every trade has a quote before it. O(instruments).
    pub fn opening(&self, at: Timestamp, out: &mut Vec<Event>) {
        for (index, instrument) in self.instruments.iter().enumerate() {
            out.push(Event::Quote(instrument.book.quote(at)));
            out.push(Event::Luld(instrument.bands.luld(SymbolId(index as u32), instrument.tape, at)));
        }
    }

    /// Appends the events of the next millisecond in the order of their reports, stamped `start` + 990,000 to
    /// `start` + 999,999 ns.
    ///
    /// The stamp of a consolidated tape is the time of the report, not of the event (the UTP and CTA plans
    /// have both, and Alpaca's `t` is the report's). This tape reports once a millisecond. So stamps rise,
    /// with one exception: a late trade stands where it is reported and carries the stamp of the trade, 1
    /// to 30 s older. Its first condition is `Z`, and it was within the quote and the bands of that time.
    pub fn step(&mut self, start: Timestamp, out: &mut Vec<Event>) {
        let step_ns = self.elapsed_ns;
        let time = |elapsed_ns: u64| EventTime {
            elapsed_ns,
            stamp: shifted(start, (reported_ns(elapsed_ns) - step_ns) as i64),
        };
        while let Some(offset_ns) = self.arrivals.next_in_step(&mut self.arrival_random) {
            let now = time(step_ns + u64::from(offset_ns));
            while let Some((due_ns, action)) = self.schedule.pop_due(now.elapsed_ns) {
                self.run(action, time(due_ns), out);
            }
            self.arrive(now, out);
        }
        while let Some((due_ns, action)) = self.schedule.pop_due(step_ns + STEP_NS - 1) {
            self.run(action, time(due_ns), out);
        }
        self.elapsed_ns += STEP_NS;
    }

    /// The number of coming steps that have no event. O(1).
    pub fn idle_steps(&self) -> u64 {
        let scheduled =
            self.schedule.next_due_ns().map(|due_ns| due_ns.saturating_sub(self.elapsed_ns) / STEP_NS);
        self.arrivals.idle_steps().min(scheduled.unwrap_or(u64::MAX))
    }

    /// A quote or a trade of one instrument, unless that is halted.
    fn arrive(&mut self, now: EventTime, out: &mut Vec<Event>) {
        if !self.arrival_random.bernoulli(REPEAT_PROBABILITY) {
            self.current = SymbolId(self.activity.sample(&mut self.arrival_random) as u32);
        }
        let is_quote = self.arrival_random.bernoulli(self.quote_share);
        let instrument = &mut self.instruments[self.current.index()];
        if instrument.is_halted {
            return;
        }
        let fair_value = self.model.fair_value(self.current, now.elapsed_ns);
        if is_quote || self.quote_share == 0.0 {
            instrument.book.requote(fair_value, &mut self.book_random);
        }
        if is_quote {
            out.push(Event::Quote(instrument.book.quote(now.stamp)));
            return;
        }
        let trade = instrument.book.trade(fair_value, now.stamp, &mut self.book_random);
        if instrument.bands.update(trade.price, self.band_update_threshold) {
            out.push(Event::Luld(instrument.bands.luld(trade.symbol, trade.tape, now.stamp)));
        }
        let (delay_ns, action) = match self.reporting.next() {
            Reporting::OnTime => return out.push(Event::Trade(trade)),
            Reporting::Late { delay_ns } => {
                return self.schedule.add(now.elapsed_ns + delay_ns, Action::ReportLate { trade, delay_ns });
            }
            Reporting::Corrected { delay_ns } => (delay_ns, Action::Correct(trade)),
            Reporting::Cancelled { delay_ns } => (delay_ns, Action::Cancel(trade)),
        };
        out.push(Event::Trade(trade));
        self.schedule.add(now.elapsed_ns + delay_ns, action);
    }

    /// Runs a scheduled action. Corrections and cancels are reported during a halt, too.
    fn run(&mut self, action: Action, now: EventTime, out: &mut Vec<Event>) {
        match action {
            Action::Halt => self.halt(now, out),
            Action::Resume(symbol) => self.resume(symbol, now, out),
            Action::ReportLate { trade, delay_ns } => {
                let instrument = &mut self.instruments[trade.symbol.index()];
                // Dropped in a halt, which has no trades. After it, the report would be later than allowed.
                if !instrument.is_halted {
                    let age_ns = reported_ns(now.elapsed_ns) - reported_ns(now.elapsed_ns - delay_ns);
                    let traded_at = shifted(now.stamp, -(age_ns as i64));
                    let id = instrument.book.next_trade_id();
                    out.push(Event::Trade(TradeReporting::late(trade, id, traded_at)));
                }
            }
            Action::Correct(trade) => {
                let id = self.instruments[trade.symbol.index()].book.next_trade_id();
                out.push(Event::Correction(self.reporting.correct(&trade, id, now.stamp)));
            }
            Action::Cancel(trade) => out.push(Event::Cancel(self.reporting.cancel(&trade, now.stamp))),
        }
    }

    fn schedule_halt(&mut self, now_ns: u64) {
        if let Some(gap_ns) = self.halts.next_gap_ns() {
            self.schedule.add(now_ns + gap_ns, Action::Halt);
        }
    }

    /// Halts a random instrument; no effect if it is halted already.
    fn halt(&mut self, now: EventTime, out: &mut Vec<Event>) {
        self.schedule_halt(now.elapsed_ns);
        let halt = self.halts.sample(self.instruments.len());
        let instrument = &mut self.instruments[halt.symbol.index()];
        if instrument.is_halted {
            return;
        }
        instrument.is_halted = true;
        self.schedule.add(now.elapsed_ns + halt.length_ns, Action::Resume(halt.symbol));
        out.push(self.status(halt.symbol, TradingStatus::HALTED, halt.reason, now.stamp));
    }

    /// Resumes trading with a quote around the current fair value.
    fn resume(&mut self, symbol: SymbolId, now: EventTime, out: &mut Vec<Event>) {
        out.push(self.status(symbol, TradingStatus::RESUMED, StatusReason::RESUMPTION, now.stamp));
        let fair_value = self.model.fair_value(symbol, now.elapsed_ns);
        let instrument = &mut self.instruments[symbol.index()];
        instrument.is_halted = false;
        instrument.book.requote(fair_value, &mut self.book_random);
        out.push(Event::Quote(instrument.book.quote(now.stamp)));
    }

    fn status(&self, symbol: SymbolId, status: TradingStatus, reason: StatusReason, at: Timestamp) -> Event {
        let tape = self.instruments[symbol.index()].tape;
        Event::Status(Status { symbol, status, reason, tape, at })
    }
}

/// The time at which an event at this time is reported: at the end of its step, in the same order.
fn reported_ns(elapsed_ns: u64) -> u64 {
    let (step_ns, offset) = (elapsed_ns - elapsed_ns % STEP_NS, elapsed_ns % STEP_NS);
    step_ns + STEP_NS - REPORT_NS + offset * REPORT_NS / STEP_NS
}

fn shifted(at: Timestamp, nanos: i64) -> Timestamp {
    Timestamp::from_nanos(at.nanos() + nanos)
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "incident_tests.rs"]
mod incident_tests;
