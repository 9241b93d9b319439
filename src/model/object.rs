use super::channel::for_each_channel;
use super::{
    Bar, Cancel, Channel, Correction, Luld, MessageHead, Quote, Seq, Status, StreamId, SymbolId, Ticker,
    Trade,
};

/// One numbered object of a stream, as the feed publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// The sequence number in the stream.
    pub seq: Seq,
    /// The content.
    pub body: Body,
}

impl Object {
    /// The stream in which the object is numbered.
    pub const fn stream(&self) -> StreamId {
        self.body.stream()
    }
}

macro_rules! declare_body {
    ($(
        $(#[$doc:meta])*
        $channel:ident {
            name: $name:literal, letter: $letter:literal, body: $body:ident($payload:ident),
            conflates: $conflates:literal, leader: $leader:ident, extension: $extension:literal,
        }
    )*) => {
        /// The content of an object; the variant decides its channel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Body {
            $(
                #[doc = concat!("Of [`Channel::", stringify!($channel), "`].")]
                $body($payload),
            )*
        }

        impl Body {
            /// The channel of the object.
            pub const fn channel(&self) -> Channel {
                match self {
                    $(Self::$body(_) => Channel::$channel,)*
                }
            }

            /// The instrument or topic that the object is about.
            pub const fn symbol(&self) -> SymbolId {
                match self {
                    $(Self::$body(value) => value.symbol,)*
                }
            }

            /// The same content for another instrument or topic.
            #[must_use]
            pub const fn with_symbol(self, symbol: SymbolId) -> Self {
                match self {
                    $(Self::$body(value) => Self::$body($payload { symbol, ..value }),)*
                }
            }
        }
    };
}

for_each_channel!(declare_body);

impl Body {
    /// The stream to which the object belongs.
    pub const fn stream(&self) -> StreamId {
        StreamId::new(self.channel(), self.symbol())
    }
}
