use std::borrow::Cow;

use super::Timestamp;

/// A change of the state of the feed that clients are told of, apart from the events of the market.
///
/// A source reports it, and it travels with the batch before whose objects
/// it is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedNotice {
    /// What happened.
    pub state: FeedState,
    /// What it happened to: the name of a source, or `clock`.
    pub source: Cow<'static, str>,
    /// The start of the time that it is about, if there is one.
    pub from: Option<Timestamp>,
    /// The end of that time.
    pub to: Option<Timestamp>,
    /// Whether everything that happened in that time was published later; `None` where that means nothing.
    pub filled: Option<bool>,
}

/// What happened to the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// The source reports events.
    Live,
    /// The source reports nothing: its connection is lost.
    Down,
    /// The source reports events again.
    Back,
    /// The source has reported its last event.
    Ended,
    /// The source stands still on purpose, until it is live again.
    Paused,
    /// The clock of stamps was set, from one time to another.
    Clock,
}

impl FeedState {
    /// All states.
    pub const ALL: [Self; 6] = [Self::Live, Self::Down, Self::Back, Self::Ended, Self::Paused, Self::Clock];

    /// The name on the wire (`state`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Down => "down",
            Self::Back => "back",
            Self::Ended => "ended",
            Self::Paused => "paused",
            Self::Clock => "clock",
        }
    }
}

impl FeedNotice {
    /// The source of this name is in this state from now on.
    pub const fn of_source(state: FeedState, source: &'static str) -> Self {
        Self { state, source: Cow::Borrowed(source), from: None, to: None, filled: None }
    }

    /// The clock was set when it showed `from`, and shows `to` since then.
    pub const fn clock_was_set(from: Timestamp, to: Timestamp) -> Self {
        Self {
            state: FeedState::Clock,
            source: Cow::Borrowed("clock"),
            from: Some(from),
            to: Some(to),
            filled: None,
        }
    }
}
