//! A simulated stock market: pure, seeded and deterministic.
//!
//! ```text
//! Pacer ──due steps──▶ Simulator::step ──events──▶
//!                        ├ Arrivals        when an event arrives
//!                        ├ ActivityTable   for which instrument
//!                        ├ FactorModel     its fair value at that time
//!                        ├ TopOfBook       quotes and trades around the fair value
//!                        ├ PriceBands      limit-up limit-down bands
//!                        ├ TradeReporting  late, corrected and cancelled trades
//!                        ├ Halts           trading halts
//!                        └ Schedule        pending late reports, corrections, cancels and halts
//! ```
//!
//! [`History`] generates the bars before the market opens, from the seed and their dates; the market
//! [opens](Listings::following) at the prices at which they end.
//!
//! Nothing in here reads a clock or asks the system for randomness. The same seed, listings and
//! [`SimulationSettings`] give the same events on every machine, byte for byte except for the stamps.
//! `random` and `portable_math` explain what that takes.

mod activity;
mod arrivals;
mod bar_division;
mod company_names;
mod engine;
mod factor_model;
mod halts;
mod history;
mod listings;
mod past_days;
mod portable_math;
mod price_bands;
mod price_process;
mod random;
mod schedule;
mod sector;
mod settings;
mod share_division;
mod top_of_book;
mod trade_reporting;
mod venues;

#[cfg(test)]
mod recorded_hashes;
#[cfg(test)]
mod stylised_facts;

pub use engine::Simulator;
pub use history::{History, InstrumentHistory};
pub use listings::{Listings, MAX_LISTINGS, PastEnd, universe};
pub use settings::{ArrivalProcess, SimulationSettings};
