//! Event sources: the simulated market, in step with the wall clock.

mod clock;
mod pacer;
mod simulated;
pub mod simulator;

pub use clock::ClockTick;
pub use pacer::{Due, Pacer};
pub use simulated::SimulatedMarket;
pub use simulator::{
    ArrivalProcess, History, InstrumentHistory, MAX_LISTINGS, Simulation, Simulator, universe,
};
