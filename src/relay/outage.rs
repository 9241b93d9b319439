use crate::model::{FeedNotice, FeedState, SECOND, Timestamp};

/// Whether the upstream was there once, and since when it is away: what clients are told of both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UpstreamOutage {
    has_been_live: bool,
    since: Option<Away>,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    /// Since when nothing is known: the time of the newest object. What the upstream published after it may be lost,
    /// although the connection was noticed as lost later.
    from: Timestamp,
    /// When the connection was noticed as lost.
    noticed: Timestamp,
}

/// The name of the source in notices.
const SOURCE: &str = "upstream";

impl UpstreamOutage {
    /// The upstream is away, and its newest object is of this time, or it sent none: what is told of it, once.
    pub(super) fn begin(&mut self, now: Timestamp, newest: Timestamp) -> Option<FeedNotice> {
        if !self.has_been_live || self.since.is_some() {
            return None;
        }
        let from = if newest == Timestamp::default() { now } else { newest.min(now) };
        self.since = Some(Away { from, noticed: now });
        Some(FeedNotice { from: Some(from), ..FeedNotice::of_source(FeedState::Down, SOURCE) })
    }

    /// Whether the upstream is away, or its return is not told yet.
    pub(super) fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// The upstream is there: what is told of it, if it was away, and for how many seconds it was.
    pub(super) fn end(&mut self, now: Timestamp, filled: Option<bool>) -> Option<(FeedNotice, f64)> {
        self.has_been_live = true;
        let Away { from, noticed } = self.since.take()?;
        let back = FeedNotice::of_source(FeedState::Back, SOURCE);
        let seconds = now.nanos_since(noticed) as f64 / SECOND as f64;
        Some((FeedNotice { from: Some(from), to: Some(now), filled, ..back }, seconds.max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_its_end_has_both_times() {
        let [newest, first, second, third] =
            [1, 2, 3, 5].map(|second| Timestamp::from_nanos(second * SECOND));
        let mut outage = UpstreamOutage::default();

        assert_eq!(outage.begin(first, newest), None, "it was never there");
        assert_eq!(outage.end(first, None), None);
        let down = outage.begin(second, newest).unwrap();
        assert_eq!(
            (down.state, down.from, outage.begin(third, newest)),
            (FeedState::Down, Some(newest), None)
        );
        let (back, seconds) = outage.end(third, Some(false)).unwrap();
        assert_eq!((back.from, back.to, back.filled, seconds), (Some(newest), Some(third), Some(false), 2.0));
    }
}
