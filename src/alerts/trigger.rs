use super::Direction;
use crate::model::Price;

/// The state of one alert: at which price it fires, and whether it is armed.
///
/// It fires on the transition: an armed one at the first price that reaches its threshold. Then it waits, until the price
/// was on the other side again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    direction: Direction,
    threshold: Price,
    state: TriggerState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TriggerState {
    Armed,
    /// It is armed again when the price is as far back as this.
    Waiting(Price),
}

/// Of an alert that fired, the price must go back by this part of the threshold before it is armed again, so that a price
/// that stays around the threshold does not fire with every second trade: 0.1 %.
const REARM_DIVISOR: i64 = 1_000;

impl Trigger {
    /// The state after this last price. Beyond the threshold, or where no price is known, the price must first be on the
    /// other side, by however little.
    pub fn new(direction: Direction, threshold: Price, last: Option<Price>) -> Self {
        let waiting =
            Self { direction, threshold, state: TriggerState::Waiting(back(direction, threshold, 1)) };
        match last {
            Some(last) if !waiting.is_beyond(last) => Self { state: TriggerState::Armed, ..waiting },
            _ => waiting,
        }
    }

    /// The same alert after this last price, whatever was before.
    #[must_use]
    pub fn at(self, last: Price) -> Self {
        Self::new(self.direction, self.threshold, Some(last))
    }

    /// Whether the next crossing fires.
    pub const fn is_armed(&self) -> bool {
        matches!(self.state, TriggerState::Armed)
    }

    /// Whether this price reaches the threshold.
    pub fn is_beyond(&self, price: Price) -> bool {
        reaches(self.direction, self.threshold, price)
    }

    /// The price that changes the state next, and from which side it must be reached.
    pub const fn next(&self) -> (Direction, Price) {
        match (self.state, self.direction) {
            (TriggerState::Armed, direction) => (direction, self.threshold),
            (TriggerState::Waiting(until), Direction::Rise) => (Direction::Fall, until),
            (TriggerState::Waiting(until), Direction::Fall) => (Direction::Rise, until),
        }
    }

    /// Changes the state, since the next price was reached; says whether that fires.
    pub fn advance(&mut self) -> bool {
        let fires = self.is_armed();
        self.state = match fires {
            true => {
                let distance = (self.threshold.nanos() / REARM_DIVISOR).saturating_abs().max(1);
                TriggerState::Waiting(back(self.direction, self.threshold, distance))
            }
            false => TriggerState::Armed,
        };
        fires
    }

    /// Takes in a last price; says whether it fires.
    pub fn meet(&mut self, price: Price) -> bool {
        let (direction, next) = self.next();
        reaches(direction, next, price) && self.advance()
    }
}

/// Whether a price is at another one, or beyond it from this side.
pub(super) fn reaches(direction: Direction, target: Price, price: Price) -> bool {
    match direction {
        Direction::Rise => price >= target,
        Direction::Fall => price <= target,
    }
}

/// The price at this distance, in billionths of a dollar, on the side from which the threshold is reached.
fn back(direction: Direction, threshold: Price, distance: i64) -> Price {
    Price::from_nanos(match direction {
        Direction::Rise => threshold.nanos().saturating_sub(distance),
        Direction::Fall => threshold.nanos().saturating_add(distance),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cents(cents: i64) -> Price {
        Price::from_cents(cents)
    }

    /// The positions of the prices that fire.
    fn fired(mut trigger: Trigger, prices: &[i64]) -> Vec<usize> {
        (0..).zip(prices).filter(|(_, price)| trigger.meet(cents(**price))).map(|(place, _)| place).collect()
    }

    #[test]
    fn an_alert_fires_on_the_transition_and_not_while_the_price_stays_beyond() {
        let rise = Trigger::new(Direction::Rise, cents(10_000), Some(cents(9_999)));
        assert_eq!(fired(rise, &[9_999, 10_000, 10_001, 10_000]), [1]);
        let fall = Trigger::new(Direction::Fall, cents(10_000), Some(cents(10_001)));
        assert_eq!(fired(fall, &[10_001, 10_000, 9_900, 10_000]), [1]);
    }

    #[test]
    fn after_it_fired_the_price_must_go_back_by_a_thousandth() {
        let rise = Trigger::new(Direction::Rise, cents(10_000), Some(cents(9_900)));
        assert_eq!(fired(rise, &[10_000, 9_991, 10_000, 9_990, 9_999, 10_000]), [0, 5]);
        let fall = Trigger::new(Direction::Fall, cents(10_000), Some(cents(10_100)));
        assert_eq!(fired(fall, &[9_000, 10_009, 10_000, 10_010, 10_000]), [0, 4]);
        let negative = Trigger::new(Direction::Rise, cents(-10_000), Some(cents(-10_100)));
        assert_eq!(fired(negative, &[-10_000, -10_009, -9_900, -10_010, -10_000]), [0, 4]);
    }

    #[test]
    fn where_the_price_is_beyond_or_unknown_it_waits_for_the_other_side() {
        for last in [Some(cents(10_000)), Some(cents(12_000)), None] {
            let waiting = Trigger::new(Direction::Rise, cents(10_000), last);
            assert!(!waiting.is_armed());
            assert_eq!(fired(waiting, &[10_000, 10_050, 9_999, 10_000]), [3], "{last:?}");
        }
    }
}
