//! The feed: numbers every event, keeps the last value of each stream, and folds trades into bars and tickers, unless
//! their source gives the bars.
//!
//! The `Sequencer` is pure. A `BatchSource` gives numbered batches: the `SequencedFeed` drives a local event
//! source through the sequencer, and the `TopicFeed` adds the messages of topics. `app` polls the batch source and passes each `Batch` to the hubs and to the other
//! `Followers`.

mod audience;
mod bars;
mod batch;
mod batch_codec;
mod batch_source;
mod earlier_run;
mod followers;
mod given_bars;
mod last_values;
mod missed_codec;
mod progress;
mod relisting;
mod sequenced_feed;
mod sequencer;
#[cfg(test)]
mod source_bars_tests;
mod tickers;
mod topic_feed;

pub use audience::Audience;
pub use batch::Batch;
pub use batch_codec::{BatchDecoder, BatchEncoder, push_content, take_content};
pub use batch_source::{BatchSource, PublishedMessages};
pub use earlier_run::EarlierRun;
pub use followers::{ControlReplay, Follow, Followers, Moderate, Publish, Published};
pub use last_values::LastValues;
pub use missed_codec::{are_listed, push_missed, take_missed};
pub use progress::FeedProgress;
pub use relisting::Relisting;
pub use sequenced_feed::SequencedFeed;
pub use sequencer::{BarSpans, Sequencer};
pub use topic_feed::TopicFeed;
