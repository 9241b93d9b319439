use std::time::Duration;

use super::scenario::{Reading, Scenario, Settings, Step};
use super::violation::{Violation, caught};
use super::world::{Report, World};

/// The most runs that shrinking takes.
const MOST_RUNS: usize = 4_000;

/// Runs a scenario.
pub(super) fn run(scenario: &Scenario) -> Result<Report, Violation> {
    caught(|| World::run(scenario))
}

/// The smallest scenario found that breaks the same promise, with how it does.
///
/// Delta debugging (Zeller and Hildebrandt, 2002) removes steps; then what is left is simplified, and again.
pub(super) fn shrink(scenario: &Scenario, violation: &Violation) -> (Scenario, Violation) {
    let mut search = Search { smallest: scenario.clone(), violation: violation.clone(), left: MOST_RUNS };
    loop {
        let before = search.smallest.clone();
        search.remove_steps();
        search.simplify_steps();
        search.simplify_settings();
        if search.left == 0 || before.steps == search.smallest.steps {
            return (search.smallest, search.violation);
        }
    }
}

struct Search {
    smallest: Scenario,
    violation: Violation,
    left: usize,
}

impl Search {
    /// Whether these steps break the same promise; then they are the smallest.
    fn accepts(&mut self, settings: Settings, steps: Vec<Step>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let scenario = Scenario { settings, steps, ..self.smallest };
        match run(&scenario) {
            Err(violation) if violation.invariant == self.violation.invariant => {
                (self.smallest, self.violation) = (scenario, violation);
                true
            }
            _ => false,
        }
    }

    fn remove_steps(&mut self) {
        let mut length = self.smallest.steps.len().div_ceil(2);
        while length > 0 {
            let mut at = 0;
            let mut has_removed = false;
            while at < self.smallest.steps.len() {
                let mut steps = self.smallest.steps.clone();
                steps.drain(at..(at + length).min(steps.len()));
                match self.accepts(self.smallest.settings, steps) {
                    true => has_removed = true,
                    false => at += length,
                }
            }
            // Chunks of one are tried again while that removes some.
            length = if length == 1 && has_removed { 1 } else { length / 2 };
        }
    }

    fn simplify_steps(&mut self) {
        for at in 0..self.smallest.steps.len() {
            while simpler(&self.smallest.steps[at]).into_iter().any(|step| {
                let mut steps = self.smallest.steps.clone();
                steps[at] = step;
                self.accepts(self.smallest.settings, steps)
            }) {}
        }
    }

    fn simplify_settings(&mut self) {
        let steps = self.smallest.steps.clone();
        let now = self.smallest.settings;
        self.accepts(Settings { max_delay: Duration::ZERO, ..self.smallest.settings }, steps.clone());
        if now.changes_per_step == 1 {
            self.accepts(Settings { changes_per_step: 1_000, ..self.smallest.settings }, steps.clone());
        }
        if now.address_backlog < 1 << 20 {
            self.accepts(Settings { address_backlog: 1 << 20, ..self.smallest.settings }, steps);
        }
    }
}

/// Steps that are a little simpler than this one.
fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::Market(events) => without_each(events).map(Step::Market).collect(),
        Step::Send(client, text) => {
            let fewer = without_each(&text.names);
            let fewer = fewer.map(|names| super::scenario::CommandText { names, ..text.clone() });
            let plain = super::scenario::CommandText { snapshot: false, conflate_ms: None, ..text.clone() };
            let simpler = fewer.chain((plain != *text).then_some(plain));
            simpler.map(|text| Step::Send(*client, text)).collect()
        }
        Step::Pass(time) if *time > Duration::from_millis(1) => {
            vec![Step::Pass(Duration::from_millis(1)), Step::Pass(*time / 2)]
                .into_iter()
                .filter(|simpler| *simpler != *step)
                .collect()
        }
        Step::Read(client, Reading::Slow(_)) => vec![Step::Read(*client, Reading::Stalled)],
        _ => Vec::new(),
    }
}

/// The lists with one item less.
fn without_each<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..items.len()).map(|at| {
        let mut fewer = items.to_vec();
        fewer.remove(at);
        fewer
    })
}
