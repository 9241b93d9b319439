use crate::model::{Channel, StreamId, SymbolId, Universe};

/// One change of a subscriber's subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionChange {
    /// Subscribes to a stream by name.
    Add(StreamId),
    /// Ends the subscription to a stream by name.
    Remove(StreamId),
    /// Subscribes to all symbols of a channel; none of them remains subscribed by name.
    AddAll(Channel),
    /// Ends the subscription to all symbols of a channel.
    RemoveAll(Channel),
}

impl SubscriptionChange {
    /// The change that takes this one back.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Add(stream) => Self::Remove(stream),
            Self::Remove(stream) => Self::Add(stream),
            Self::AddAll(channel) => Self::RemoveAll(channel),
            Self::RemoveAll(channel) => Self::AddAll(channel),
        }
    }

    /// The channel that it concerns.
    pub const fn channel(self) -> Channel {
        match self {
            Self::Add(stream) | Self::Remove(stream) => stream.channel(),
            Self::AddAll(channel) | Self::RemoveAll(channel) => channel,
        }
    }

    /// Whether it adds a subscription.
    pub const fn is_addition(self) -> bool {
        matches!(self, Self::Add(_) | Self::AddAll(_))
    }

    /// The streams that it concerns: one, or those of all symbols or topics.
    pub fn streams(self, universe: &Universe) -> impl Iterator<Item = StreamId> + '_ {
        let (one, all) = match self {
            Self::Add(stream) | Self::Remove(stream) => (Some(stream), None),
            Self::AddAll(channel) | Self::RemoveAll(channel) => (None, Some(channel)),
        };
        let of_channel = move |channel| {
            (0..universe.len_of(channel) as u32).map(move |id| StreamId::new(channel, SymbolId(id)))
        };
        one.into_iter().chain(all.into_iter().flat_map(of_channel))
    }

    /// The same change in each channel that follows this one's, itself included.
    pub fn with_followers(self) -> impl Iterator<Item = Self> {
        self.channel().with_followers().map(move |channel| match self {
            Self::Add(stream) => Self::Add(StreamId::new(channel, stream.symbol())),
            Self::Remove(stream) => Self::Remove(StreamId::new(channel, stream.symbol())),
            Self::AddAll(_) => Self::AddAll(channel),
            Self::RemoveAll(_) => Self::RemoveAll(channel),
        })
    }
}
