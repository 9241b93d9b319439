/// Passes the table of all channels to a macro: the one place where a channel is declared.
///
/// The columns: the channel; `name`, its key in commands and acknowledgements; `letter`, the value of
/// `T` in its objects; `body`, the variant of [`Body`](super::Body) and the type that holds its fields;
/// `conflates`, whether a newer object may replace an unsent older one; `leader`, the channel whose
/// subscription brings this one; `extension`, whether it is ours and not part of Alpaca's protocol. The
/// order is that of the keys in an acknowledgement.
///
/// To add a channel:
/// 1. Add a row before the two of topics, which are not about instruments. From it follow [`Channel`], [`Body`](super::Body), the keys of `subscribe` and
///    of its acknowledgement, dispatch in both encoders and the decoder, and `wire::OBJECTS`. The letter
///    must not be one of the control messages (`h`).
/// 2. If its objects have fields of their own, add a struct to `model`, export it in `model/mod.rs`, and
///    declare its fields in `wire/objects.rs`. The compiler names what is missing.
/// 3. If a source emits its objects, add a line to the events in `model/event.rs`: the sequencer then
///    publishes them as they come. Objects that are derived, as bars are, need code in
///    `Sequencer::sequence`. No test notices a channel that stays silent.
/// 4. Give an example in `wire/fixtures.rs` (`objects` and `Numbers::vary`), describe the channel in
///    `src/http/rest/asyncapi.json`, and run `TAPECAST_BLESS=1 cargo test --lib wire::objects`, which writes
///    `web/client/src/wire/objects.json`. Tests fail until all three are right, and until the recorded hashes of
///    `wire/codec.rs`, the count of `archive/mod.rs`, and, for a channel of Alpaca's, the acknowledgement in
///    `wire/control.rs` include it.
/// 5. If a client that resumes should get them again, retain them in `archive/mod.rs`
///    (`Tables::apply_pending`, `Archive::since`); else it gets a gap and the newest object.
/// 6. What no test demands: `docs/PROTOCOL.md`; `CHANNELS` in `web/client/src/model/event.ts` and
///    `web/client/src/wire/read.ts` where the dashboard shows them; the load client's `workload.rs`; and in
///    tests the letters of `tests/support/sequence.rs` and the kinds of `tests/schemas.rs`.
macro_rules! for_each_channel {
    ($callback:ident) => {
        $callback! {
            /// Every trade.
            Trades {
                name: "trades", letter: 't', body: Trade(Trade),
                conflates: false, leader: Trades, extension: false,
            }
            /// Every change of the best bid or ask.
            Quotes {
                name: "quotes", letter: 'q', body: Quote(Quote),
                conflates: true, leader: Quotes, extension: false,
            }
            /// The bar of a minute, sent when the minute is over.
            Bars {
                name: "bars", letter: 'b', body: Bar(Bar),
                conflates: true, leader: Bars, extension: false,
            }
            /// The bar of a minute again, after a late trade changed it.
            UpdatedBars {
                name: "updatedBars", letter: 'u', body: UpdatedBar(Bar),
                conflates: true, leader: UpdatedBars, extension: false,
            }
            /// The bar of the current day, sent once a minute.
            DailyBars {
                name: "dailyBars", letter: 'd', body: DailyBar(Bar),
                conflates: true, leader: DailyBars, extension: false,
            }
            /// Trading halts and resumptions.
            Statuses {
                name: "statuses", letter: 's', body: Status(Status),
                conflates: false, leader: Statuses, extension: false,
            }
            /// Limit-up limit-down price bands.
            Lulds {
                name: "lulds", letter: 'l', body: Luld(Luld),
                conflates: false, leader: Lulds, extension: false,
            }
            /// Trades that were cancelled. Follows [`Channel::Trades`]: it has no subscription of its own.
            CancelErrors {
                name: "cancelErrors", letter: 'x', body: Cancel(Cancel),
                conflates: false, leader: Trades, extension: false,
            }
            /// Trades that were reported wrongly. Follows [`Channel::Trades`] too.
            Corrections {
                name: "corrections", letter: 'c', body: Correction(Correction),
                conflates: false, leader: Trades, extension: false,
            }
            /// One object with all figures of a symbol that a board shows.
            Tickers {
                name: "tickers", letter: 'k', body: Ticker(Ticker),
                conflates: true, leader: Tickers, extension: true,
            }
            /// The messages of topics that are [logs](super::TopicKind::Log). A subscription names topics of both kinds.
            Messages {
                name: "topics", letter: 'm', body: Message(MessageHead),
                conflates: false, leader: Messages, extension: true,
            }
            /// The messages of topics that are [states](super::TopicKind::State). Follows [`Channel::Messages`], with
            /// which it shares name and letter: clients need not know the kind of a topic.
            States {
                name: "topics", letter: 'm', body: State(MessageHead),
                conflates: true, leader: Messages, extension: true,
            }
        }
    };
}

pub(crate) use for_each_channel;

macro_rules! declare_channels {
    ($(
        $(#[$doc:meta])*
        $channel:ident {
            name: $name:literal, letter: $letter:literal, body: $body:ident($payload:ident),
            conflates: $conflates:literal, leader: $leader:ident, extension: $extension:literal,
        }
    )*) => {
        /// One kind of data that a client can subscribe to.
        ///
        /// The order is that of the keys in the acknowledgement of a subscription.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Channel {
            $($(#[$doc])* $channel,)*
        }

        impl Channel {
            /// Every channel, in order.
            pub const ALL: [Self; [$(stringify!($channel)),*].len()] = [$(Self::$channel),*];

            /// The name on the wire, as a key of subscriptions.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$channel => $name,)*
                }
            }

            /// The value of `T` in the objects of this channel: one ASCII letter.
            pub const fn letter(self) -> char {
                match self {
                    $(Self::$channel => $letter,)*
                }
            }

            /// Whether a newer object of a stream may replace an older one that was not sent yet.
            ///
            /// A trade is a fact of its own; a quote or a bar is a state, which the next one replaces.
            pub const fn conflates(self) -> bool {
                match self {
                    $(Self::$channel => $conflates,)*
                }
            }

            /// The channel whose subscription brings this one: itself, except for those that follow trades.
            pub const fn leader(self) -> Self {
                match self {
                    $(Self::$channel => Self::$leader,)*
                }
            }

            /// Whether the channel is ours. Alpaca's protocol does not have it, so its key appears only in
            /// acknowledgements to clients that use it.
            pub const fn is_extension(self) -> bool {
                match self {
                    $(Self::$channel => $extension,)*
                }
            }
        }
    };
}

for_each_channel!(declare_channels);

impl Channel {
    /// The number of channels.
    pub const COUNT: usize = Self::ALL.len();

    /// The channels of instruments, in order. The two behind them are of topics.
    pub const MARKET: [Self; Self::COUNT - 2] =
        *Self::ALL.first_chunk().expect("there are more channels than the two of topics");

    /// Whether its streams are topics and not instruments.
    pub const fn is_of_topics(self) -> bool {
        matches!(self, Self::Messages | Self::States)
    }

    /// Whether an acknowledgement has a list of its own for it: all do, but for the second channel of topics.
    pub const fn is_listed(self) -> bool {
        !matches!(self, Self::States)
    }

    /// The position in [`Channel::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The channel of this name: of the two of topics the one that is subscribed to.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// The channel whose objects have this letter as `T`: of the two of topics the one that is subscribed to.
    pub fn with_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.letter() == letter)
    }

    /// The channels that a subscription to this one brings, itself included.
    pub fn with_followers(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |channel| channel.leader() == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_a_position_in_the_list_of_all() {
        for (position, channel) in Channel::ALL.into_iter().enumerate() {
            assert_eq!(channel.index(), position);
        }
    }

    #[test]
    fn a_name_and_a_letter_identify_one_channel() {
        for channel in Channel::ALL.into_iter().filter(|channel| channel.is_listed()) {
            assert_eq!(Channel::named(channel.name()), Some(channel));
            assert_eq!(Channel::with_letter(channel.letter()), Some(channel));
        }
    }

    #[test]
    fn a_subscription_to_topics_brings_those_of_both_kinds() {
        let brought: Vec<_> = Channel::Messages.with_followers().collect();

        assert_eq!(brought, [Channel::Messages, Channel::States]);
        assert!(brought.iter().all(|channel| channel.is_of_topics()));
        assert!(!Channel::MARKET.iter().any(|channel| channel.is_of_topics()));
    }

    #[test]
    fn cancels_and_corrections_come_with_trades() {
        let brought: Vec<_> = Channel::Trades.with_followers().collect();

        assert_eq!(brought, [Channel::Trades, Channel::CancelErrors, Channel::Corrections]);
        assert_eq!(Channel::Corrections.with_followers().count(), 0);
    }
}
