use std::time::{Duration, Instant};

use crate::alerts::{AlertCondition, AlertFire, AlertKey, AlertPermit};
use crate::limits::{Rate, TokenBucket};
use crate::model::{Price, Seq, Symbol, Timestamp};
use crate::wire::{AlertNotice, ControlMessage, WirePrice, WireTime};

/// The alerts of one session: what the client calls them, and what fired and is yet to be sent.
///
/// Nothing that fired is lost in silence, and little of it waits: of each alert at most one notice, into which later ones
/// are merged.
#[derive(Debug)]
pub(super) struct SessionAlerts {
    /// In the order in which they were set, at most as many as a session may have.
    alerts: Vec<SessionAlert>,
    rate: TokenBucket,
    /// The number of the next notice, by which they are sent in the order in which they began to wait.
    next_place: u64,
}

/// One alert of a session.
#[derive(Debug)]
pub(super) struct SessionAlert {
    /// What the client calls it.
    pub(super) name: Box<str>,
    /// The condition as the client wrote it.
    pub(super) when: Box<str>,
    pub(super) symbol: Symbol,
    pub(super) condition: AlertCondition,
    pub(super) once: bool,
    /// Its key in the hub; `None` before the market lists its symbol, and after it ended.
    pub(super) key: Option<AlertKey>,
    /// Whether it ended: what is left of it is a notice.
    pub(super) is_over: bool,
    pub(super) notice: Option<WaitingNotice>,
    pub(super) _permit: AlertPermit,
}

/// A notice that is yet to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WaitingNotice {
    place: u64,
    /// The number of the first trade that it tells of.
    pub(super) first: Seq,
    crossing: Crossing,
    merged: u64,
}

/// The trade that fired an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crossing {
    pub(super) price: Price,
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
}

/// The most notices that are sent. Beyond it they wait and are merged: a price that moves around many thresholds must not
/// become a stream of its own.
const NOTICES: Rate = Rate::per_second(20, 20);

/// How long a notice waits for room in the outbox before that is looked at again.
const ROOM_INTERVAL: Duration = Duration::from_millis(50);

impl SessionAlerts {
    pub(super) fn new(now: Instant) -> Self {
        Self { alerts: Vec::new(), rate: TokenBucket::new(NOTICES, now), next_place: 0 }
    }

    /// The number of alerts, with those that ended and whose notice waits.
    pub(super) fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Those that may fire, in the order in which they were set.
    pub(super) fn active(&self) -> impl Iterator<Item = &SessionAlert> {
        self.alerts.iter().filter(|alert| !alert.is_over)
    }

    /// Those whose symbol the market did not list.
    pub(super) fn unlisted(&mut self) -> impl Iterator<Item = &mut SessionAlert> {
        self.alerts.iter_mut().filter(|alert| !alert.is_over && alert.key.is_none())
    }

    pub(super) fn push(&mut self, alert: SessionAlert) {
        self.alerts.push(alert);
    }

    /// Removes the alerts that are selected, with their notices.
    pub(super) fn remove(&mut self, is_removed: impl Fn(&SessionAlert) -> bool) -> Vec<SessionAlert> {
        self.alerts.extract_if(.., |alert| is_removed(alert)).collect()
    }

    /// The alert of this name that may fire.
    pub(super) fn named(&mut self, name: &str) -> Option<&mut SessionAlert> {
        self.alerts.iter_mut().find(|alert| !alert.is_over && *alert.name == *name)
    }

    /// Takes in that an alert of the hub fired.
    pub(super) fn fired(&mut self, fire: &AlertFire) {
        let Some(place) = self.alerts.iter().position(|alert| alert.key == Some(fire.key)) else { return };
        if fire.is_over {
            self.alerts[place].key = None;
        }
        let AlertFire { price, seq, at, is_over, .. } = *fire;
        self.notify(place, Crossing { price, seq, at }, is_over);
    }

    /// Takes in that the alert of this name fired.
    pub(super) fn crossed(&mut self, name: &str, crossing: Crossing, is_over: bool) {
        let place = self.alerts.iter().position(|alert| !alert.is_over && *alert.name == *name);
        if let Some(place) = place {
            self.notify(place, crossing, is_over);
        }
    }

    fn notify(&mut self, place: usize, crossing: Crossing, is_over: bool) {
        let alert = &mut self.alerts[place];
        alert.is_over = is_over;
        let new = || WaitingNotice { place: self.next_place, first: crossing.seq, crossing, merged: 0 };
        alert.notice = Some(match alert.notice {
            Some(earlier) => WaitingNotice { crossing, merged: earlier.merged + 1, ..earlier },
            None => new(),
        });
        self.next_place += 1;
    }

    /// When the next notice may be sent, if one waits.
    pub(super) fn due(&self, has_room: bool, now: Instant) -> Option<Instant> {
        let is_waiting = self.alerts.iter().any(|alert| alert.notice.is_some());
        let wait = if has_room { self.rate.next_token(now) } else { ROOM_INTERVAL };
        is_waiting.then(|| now + wait)
    }

    /// Takes the notices that may be sent now, in order.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<ControlMessage> {
        let mut due = Vec::new();
        while let Some(first) = self.first_waiting()
            && self.rate.take(now)
        {
            due.extend(self.take(first));
        }
        due
    }

    /// Takes all notices: their numbers will mean nothing.
    pub(super) fn take_all(&mut self) -> Vec<ControlMessage> {
        let mut all = Vec::new();
        while let Some(first) = self.first_waiting() {
            all.extend(self.take(first));
        }
        all
    }

    fn first_waiting(&self) -> Option<usize> {
        let waiting =
            self.alerts.iter().enumerate().filter_map(|(at, alert)| Some((alert.notice?.place, at)));
        waiting.min().map(|(_, at)| at)
    }

    fn take(&mut self, at: usize) -> Option<ControlMessage> {
        let alert = &mut self.alerts[at];
        let WaitingNotice { crossing: Crossing { price, seq, at: time }, merged, .. } =
            alert.notice.take()?;
        let notice = AlertNotice {
            symbol: alert.symbol.to_string(),
            id: alert.name.to_string(),
            when: alert.when.to_string(),
            p: WirePrice(price),
            sq: seq.0,
            merged: Some(merged).filter(|merged| *merged > 0),
            t: WireTime(time),
        };
        if alert.is_over {
            self.alerts.remove(at);
        }
        Some(ControlMessage::Alert(notice))
    }
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
