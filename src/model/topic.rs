use super::{Body, Channel, StreamId, Symbol, SymbolId, Ticker, Timestamp};

/// How the messages of a topic relate to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TopicKind {
    /// Every message counts, as in a chat: none is merged, and a client that misses one is told.
    Log,
    /// The newest message replaces the one before, as in the weather of a city.
    State,
}

impl TopicKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Log, Self::State];

    /// The channel in which the messages are numbered.
    pub const fn channel(self) -> Channel {
        match self {
            Self::Log => Channel::Messages,
            Self::State => Channel::States,
        }
    }

    /// The name in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::State => "state",
        }
    }
}

/// A subject that publishers write to and clients subscribe to: `chat:AAPL`, `weather:london`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The position among the topics of the universe. Topics have channels of their own, so it is no position among
    /// the instruments, although the type is the same.
    pub id: SymbolId,
    /// The name. What is before the first colon is its namespace.
    pub name: Symbol,
    /// How its messages relate to each other.
    pub kind: TopicKind,
}

impl Topic {
    /// A message of it at this time, without content.
    pub const fn message(&self, at: Timestamp) -> Body {
        let head = MessageHead { symbol: self.id, at };
        match self.kind {
            TopicKind::Log => Body::Message(head),
            TopicKind::State => Body::State(head),
        }
    }

    /// The stream of its messages.
    pub const fn stream(&self) -> StreamId {
        StreamId::new(self.kind.channel(), self.id)
    }
}

/// What is known of a message besides its content, which travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageHead {
    /// The topic.
    pub symbol: SymbolId,
    /// When it was published.
    pub at: Timestamp,
}

/// Topics make no object of the market larger.
const _: () = assert!(size_of::<MessageHead>() <= size_of::<Ticker>());
