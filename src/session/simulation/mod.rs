//! Deterministic simulation of a whole worker: feed, hubs, sessions and sockets, under schedules that a seed draws.
//!
//! ```text
//! seed ─▶ Scenario (settings, steps) ─▶ World ─▶ Nodes: source, feed, archive, hub 0 ──worker or cluster──▶ hub 1
//!                    ▲                    │                                             │                    │
//!                 shrink ◀── Violation ◀──┴── Client: checks every byte ◀── SimulatedSocket ◀── Connection ◀─┘
//! ```
//! Everything of the server is the real code but what drives it: the runtime, the clock, the kernel and the network. Time
//! is virtual, a task runs only when something has woken it, and sockets take as many bytes as they have room for. A
//! [`Client`](client::Client) knows what it was sent and what `docs/PROTOCOL.md` promises. `docs/SIMULATION.md` lists the
//! invariants and how to read a failure.

mod client;
mod connection;
mod generate;
mod market;
mod messages;
mod nodes;
mod random;
mod scenario;
mod search;
mod shrink;
mod socket;
mod violation;
mod world;

use std::env;

use self::scenario::Scenario;
use self::search::{Failure, search};
use self::shrink::run;

/// The seeds of `cargo test`.
const SEEDS: u64 = 200;

#[test]
fn no_schedule_of_the_first_seeds_breaks_a_promise() {
    let tally = search(0..SEEDS).unwrap_or_else(|failure| panic!("{}", failure.explain()));
    println!("{tally:?}");
    let is_thorough = tally.objects > 20_000 && tally.merged > 5_000 && tally.gaps > 200;
    assert!(is_thorough && tally.snapshots > 200 && tally.resumes > 200 && tally.closes > 20, "{tally:?}");
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    for seed in 0..20 {
        let [first, second] = [(); 2].map(|()| run(&Scenario::of(seed)).expect("see the other test").trace);
        assert_eq!(first, second, "seed {seed}");
    }
}

/// What `make simulate` runs: `SEEDS` scenarios from `FROM` on, or the one of `SEED`.
#[test]
#[ignore = "make simulate runs it"]
fn simulate() {
    let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    std::panic::set_hook(Box::new(|_| ()));
    if let Some(seed) = number("SIMULATE_SEED") {
        let scenario = Scenario::of(seed);
        return match run(&scenario) {
            Ok(report) => println!("seed {seed} breaks nothing: {report:?}"),
            Err(violation) => fail(&Failure { scenario, violation }),
        };
    }
    let from = number("SIMULATE_FROM").unwrap_or(0);
    let seeds = from..from + number("SIMULATE_SEEDS").unwrap_or(10_000);
    match search(seeds.clone()) {
        Ok(tally) => println!("seeds {seeds:?} break nothing: {tally:?}"),
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ! {
    println!("{}", failure.explain());
    std::process::exit(1);
}
