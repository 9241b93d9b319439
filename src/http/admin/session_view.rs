//! A session as the administration tells it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::hub::{ChannelDetails, DescribedSession, SessionRow, SubscriberDetails, SurveyAnswer};
use crate::model::Channel;
use crate::session::OutboxLimits;
use crate::wire::{Codec, rfc3339};

/// A list of sessions.
#[derive(Debug, Serialize)]
pub(super) struct SessionList {
    sessions: Vec<SessionView>,
    matching: usize,
    open: usize,
}

/// A session in a list.
#[derive(Debug, Serialize)]
pub(super) struct SessionView {
    id: String,
    feed: String,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    opened: String,
    age_seconds: f64,
    codec: &'static str,
    deflate: bool,
    tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    symbols: usize,
    backlog_bytes: usize,
    stalled_ms: u64,
    idle_ms: u64,
    bytes: u64,
    frames: u64,
    objects: u64,
    conflated: u64,
    gaps: u64,
    missed: u64,
    muted: bool,
    closing: bool,
}

/// One session in detail.
#[derive(Debug, Serialize)]
pub(super) struct SessionDetailView {
    #[serde(flatten)]
    session: SessionView,
    #[serde(flatten)]
    details: Option<DetailsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slow_because: Option<String>,
}

/// What only the session's actor tells.
#[derive(Debug, Serialize)]
struct DetailsView {
    subscriptions: BTreeMap<&'static str, Vec<String>>,
    subscribed: BTreeMap<&'static str, usize>,
    topics: Vec<String>,
    alerts: usize,
    options: OptionsView,
}

#[derive(Debug, Serialize)]
struct OptionsView {
    extensions: bool,
    conflate_ms: u64,
    heartbeat_ms: u64,
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

impl From<SurveyAnswer> for SessionList {
    fn from(SurveyAnswer { rows, matching, open }: SurveyAnswer) -> Self {
        Self { sessions: rows.into_iter().map(SessionView::from).collect(), matching, open }
    }
}

impl From<SessionRow> for SessionView {
    fn from(row: SessionRow) -> Self {
        let figures = row.figures;
        Self {
            id: row.id.to_string(),
            feed: row.feed.to_string(),
            address: row.address.to_canonical().to_string(),
            key: row.key,
            opened: rfc3339(row.opened),
            age_seconds: milliseconds(row.age) as f64 / 1e3,
            codec: match row.codec {
                Codec::Json => "json",
                Codec::MsgPack => "msgpack",
            },
            deflate: row.is_deflated,
            tls: row.is_tls,
            user_agent: row.user_agent,
            symbols: figures.symbols,
            backlog_bytes: figures.backlog_bytes,
            stalled_ms: milliseconds(row.stalled),
            idle_ms: milliseconds(row.idle),
            bytes: figures.sent.bytes,
            frames: figures.sent.frames,
            objects: figures.sent.objects,
            conflated: figures.sent.conflated,
            gaps: figures.gaps,
            missed: figures.missed,
            muted: figures.is_muted,
            closing: figures.is_closing,
        }
    }
}

impl SessionDetailView {
    pub(super) fn new(DescribedSession { row, details }: DescribedSession, limits: OutboxLimits) -> Self {
        let slow_because = slow_because(&row, limits);
        Self { session: row.into(), details: details.map(DetailsView::from), slow_because }
    }
}

impl From<SubscriberDetails> for DetailsView {
    fn from(details: SubscriberDetails) -> Self {
        let is_of_topics = |channel: &ChannelDetails| channel.name == Channel::Messages.name();
        let (topics, channels): (Vec<_>, Vec<_>) = details.channels.into_iter().partition(is_of_topics);
        let counts = channels.iter().chain(&topics).map(|channel| (channel.name, channel.count));
        Self {
            subscribed: counts.collect(),
            topics: topics.into_iter().flat_map(|channel| channel.names).collect(),
            subscriptions: channels.into_iter().map(|channel| (channel.name, channel.names)).collect(),
            alerts: details.alerts,
            options: OptionsView {
                extensions: details.has_opted_in,
                conflate_ms: milliseconds(details.interval),
                heartbeat_ms: milliseconds(details.heartbeat),
            },
        }
    }
}

/// A socket that takes nothing for this long while something waits is worth telling.
const LONG_STALL: Duration = Duration::from_secs(1);

/// Why a session is slow, for people; `None` if it is not.
fn slow_because(row: &SessionRow, limits: OutboxLimits) -> Option<String> {
    let (figures, waiting) = (&row.figures, size(row.figures.backlog_bytes));
    if figures.is_closing {
        return Some(
            "It is about to end: its close frame waits for the client to take what precedes it.".to_owned(),
        );
    }
    if row.stalled >= LONG_STALL && figures.backlog_bytes > 0 {
        let seconds = row.stalled.as_secs_f64();
        let heard = match row.idle < row.stalled {
            true => "something came from it meanwhile, so its program does not read",
            false => {
                "nothing came from it either: its program does not read, or its network or machine is gone"
            }
        };
        return Some(format!(
            "Its socket has taken nothing for {seconds:.1} s while {waiting} wait; {heard}."
        ));
    }
    if figures.backlog_bytes > limits.conflate_above {
        return Some(format!(
            "It reads more slowly than its {} subscriptions grow: {waiting} wait, so quotes, bars and tickers are conflated.",
            figures.symbols
        ));
    }
    (figures.gaps > 0).then(|| {
        format!(
            "It was too slow before: {} gap notices told it of {} objects that it missed.",
            figures.gaps, figures.missed
        )
    })
}

/// A size for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{SessionId, SubscriberFigures};
    use crate::metrics::FrameTotals;
    use crate::model::{Feed, Timestamp};

    fn row(change: impl Fn(&mut SessionRow)) -> SessionRow {
        let figures = SubscriberFigures {
            symbols: 20,
            backlog_bytes: 0,
            stalled: None,
            heard: std::time::Instant::now(),
            sent: FrameTotals::default(),
            gaps: 0,
            missed: 0,
            is_muted: false,
            is_closing: false,
        };
        let mut row = SessionRow {
            id: SessionId { worker: 1, number: 7 },
            feed: Feed::IEX,
            address: [203, 0, 113, 7].into(),
            key: None,
            opened: Timestamp::default(),
            age: Duration::from_millis(1_500),
            codec: Codec::Json,
            is_deflated: false,
            is_tls: false,
            user_agent: None,
            stalled: Duration::ZERO,
            idle: Duration::ZERO,
            figures,
        };
        change(&mut row);
        row
    }

    fn why(change: impl Fn(&mut SessionRow)) -> Option<String> {
        slow_because(&row(change), OutboxLimits::default())
    }

    #[test]
    fn a_slow_session_has_a_reason_and_one_that_keeps_up_has_none() {
        assert_eq!(why(|_| ()), None);
        assert_eq!(why(|row| row.figures.backlog_bytes = 9_000), None, "that is a burst");
        let stalled = why(|row| {
            (row.stalled, row.figures.backlog_bytes) = (Duration::from_secs(4), 70 << 10);
        });
        assert!(stalled.unwrap().starts_with("Its socket has taken nothing for 4.0 s while 70 KiB wait"));
        let slow = why(|row| row.figures.backlog_bytes = 70 << 10).unwrap();
        assert!(slow.starts_with("It reads more slowly than its 20 subscriptions grow"), "{slow}");
        assert!(why(|row| row.figures.is_closing = true).unwrap().starts_with("It is about to end"));
        assert!(
            why(|row| (row.figures.gaps, row.figures.missed) = (2, 300)).unwrap().contains("300 objects")
        );
    }

    #[test]
    fn a_session_is_told_in_json() {
        let text = serde_json::to_value(SessionView::from(row(|_| ()))).unwrap();

        assert_eq!(text["id"], "1-7");
        assert_eq!(text["age_seconds"], 1.5);
        assert_eq!(text["opened"], "1970-01-01T00:00:00.000000000Z");
        assert!(text.get("key").is_none() && text.get("user_agent").is_none());
    }
}
