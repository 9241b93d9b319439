//! Runs the unit tests of the load client, because a bench without the standard harness runs none.

#[path = "../benches/load/main.rs"]
mod load;
