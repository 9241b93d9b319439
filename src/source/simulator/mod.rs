//! Where ticks come from: a pure, seeded simulator, and the clock that keeps it in step with the world.
//!
//! ```text
//! Metronome ──now──▶ Pacer ──which milliseconds are due──▶ Simulator::step ──events──▶
//!                                        ├ Arrivals   when something happens
//!                                        ├ Activity   to which instrument
//!                                        ├ Prices     what it is worth just then
//!                                        ├ Book       what is quoted and traded around that
//!                                        ├ Bands      between which prices it may trade
//!                                        ├ Reports    which trades are late, wrong or void
//!                                        ├ Halts      when it does not trade at all
//!                                        └ Agenda     what is still to come of these
//! ```
//!
//! [`History`] invents what was before the market opened: bars that end where the simulator begins.
//!
//! Nothing in here but [`SimulatedMarket`] and its metronome reads a clock or asks the system for randomness: the
//! same seed, universe and [`Simulation`] give the same events, byte for byte but for the wall clock, on
//! every machine. `random` and `portable_math` say what that costs.

mod activity;
mod arrivals;
mod backward_bars;
mod company_names;
mod engine;
mod factor_model;
mod halts;
mod history;
mod listings;
mod portable_math;
mod price_bands;
mod price_process;
mod random;
mod schedule;
mod sector;
mod simulation;
mod top_of_book;
mod trade_reporting;

mod venues;

#[cfg(test)]
mod recorded_hashes;
#[cfg(test)]
mod stylised_facts;

pub use engine::Simulator;
pub use history::{History, InstrumentHistory};
pub use listings::{Listings, MAX_LISTINGS, universe};
pub use simulation::{ArrivalProcess, Simulation};
