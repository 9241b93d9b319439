//! Runs the load client's own tests, which stand under its code: a bench without the standard
//! harness has nobody to run them.

#[path = "../benches/load/main.rs"]
mod load;
