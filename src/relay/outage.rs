use crate::model::{Body, FeedNotice, FeedState, SECOND, Timestamp};

/// Whether the upstream was there once, and since when it is away: what clients are told of both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UpstreamOutage {
    has_been_live: bool,
    since: Option<Away>,
    /// The time of the newest object of a channel that does not conflate, and of any other.
    newest: [Timestamp; 2],
    /// Since when streams may lack objects although others have newer ones: those that are resumed wait for their turn.
    resumed_from: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Away {
    /// Since when something may be missing: the time of the newest object. What the upstream published after it may be
    /// lost, although the connection was noticed as lost later.
    from: Timestamp,
    /// When the connection was noticed as lost.
    noticed: Timestamp,
}

/// The name of the source in notices.
const SOURCE: &str = "upstream";

impl UpstreamOutage {
    /// An object of the upstream has arrived.
    pub(super) fn observe(&mut self, body: &Body) {
        let newest = &mut self.newest[usize::from(body.stream().channel().conflates())];
        *newest = stamp(body).max(*newest);
    }

    /// All streams go on after this time, each as soon as the upstream has sent what it owes.
    pub(super) fn resume(&mut self, from: Timestamp) {
        self.resumed_from = Some(from);
    }

    /// The upstream has sent what it owed: no stream is behind another.
    pub(super) fn settle(&mut self) {
        self.resumed_from = None;
    }

    /// The upstream is away: what is told of it, once.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<FeedNotice> {
        if !self.has_been_live || self.since.is_some() {
            return None;
        }
        // What conflates overtakes what does not when the upstream has a backlog: a quote says nothing of trades before it.
        let newest = self.newest.into_iter().find(|time| *time > Timestamp::default());
        let from = newest.into_iter().chain(self.resumed_from).fold(now, Timestamp::min);
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

/// The time of what an object tells; of a bar nothing is known but its start.
pub(super) fn stamp(body: &Body) -> Timestamp {
    match body {
        Body::Trade(trade) => trade.at,
        Body::Quote(quote) => quote.at,
        Body::Status(status) => status.at,
        Body::Luld(luld) => luld.at,
        Body::Correction(correction) => correction.at,
        Body::Cancel(cancel) => cancel.at,
        Body::Ticker(ticker) => ticker.at,
        Body::Message(head) | Body::State(head) => head.at,
        Body::Bar(bar) | Body::UpdatedBar(bar) | Body::DailyBar(bar) => bar.start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::wire::fixtures;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_nanos(second * SECOND)
    }

    fn trade(second: i64) -> Body {
        let Body::Trade(trade) = fixtures::trade().body else { unreachable!() };
        Body::Trade(crate::model::Trade { at: at(second), ..trade })
    }

    fn quote(second: i64) -> Body {
        let quote = fixtures::objects().into_iter().find_map(|object| match object.body {
            Body::Quote(quote) => Some(quote),
            _ => None,
        });
        Body::Quote(crate::model::Quote { at: at(second), ..quote.unwrap() })
    }

    #[test]
    fn an_outage_is_told_once_and_its_end_has_both_times() {
        let mut outage = UpstreamOutage::default();
        outage.observe(&trade(1));

        assert_eq!(outage.begin(at(2)), None, "it was never there");
        assert_eq!(outage.end(at(2), None), None);
        let down = outage.begin(at(3)).unwrap();
        assert_eq!((down.state, down.from, outage.begin(at(5))), (FeedState::Down, Some(at(1)), None));
        let (back, seconds) = outage.end(at(5), Some(false)).unwrap();
        assert_eq!((back.from, back.to, back.filled, seconds), (Some(at(1)), Some(at(5)), Some(false), 2.0));
    }

    #[test]
    fn an_outage_of_an_upstream_that_still_owes_objects_begins_with_the_outage_before() {
        let mut outage = UpstreamOutage::default();
        outage.end(at(0), None);
        outage.resume(at(1));
        outage.observe(&trade(5));

        assert_eq!(outage.begin(at(6)).unwrap().from, Some(at(1)));
        outage.end(at(7), None);
        outage.settle();
        assert_eq!(outage.begin(at(8)).unwrap().from, Some(at(5)));
    }

    #[test]
    fn an_outage_begins_at_the_newest_trade_although_quotes_have_overtaken_it() {
        let mut outage = UpstreamOutage::default();
        outage.end(at(0), None);
        outage.observe(&quote(3));
        assert_eq!(outage.begin(at(9)).unwrap().from, Some(at(3)), "there are only quotes");
        outage.end(at(9), None);

        outage.observe(&trade(2));
        outage.observe(&quote(4));
        outage.observe(&trade(1));

        assert_eq!(outage.begin(at(9)).unwrap().from, Some(at(2)));
    }
}
