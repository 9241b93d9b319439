//! Replay: recordings of a market as an event source.
//!
//! A [`Recording`] is a list of files, opened and checked before anything is served. Each file has a reader of its
//! format (`dbn`, `lean`, `csv`, `ndjson`), which yields records in the order of the file and reports what it has to
//! skip. `merge` puts the records of all files in the order of time, and [`ReplaySource`] publishes them in step with
//! the clock of the service, or as fast as they can be read.
//!
//! To add a format: implement `RecordingReader`, and recognise its files in `input.rs`.

mod bar_survey;
mod control;
mod csv;
mod csv_rows;
#[cfg(feature = "dbn")]
mod dbn;
mod file_refusal;
mod fixed;
#[cfg(test)]
mod fixtures;
mod folding_reader;
mod history;
mod input;
mod lean;
mod lines;
mod merge;
mod ndjson;
mod record;
mod recording;
mod repeat_log;
mod replay_source;
mod replay_ticks;
mod settings;
mod symbols;
mod timeline;
mod zip;

pub use self::control::{ControlRefusal, ReplayCommand, ReplayState, ReplayStatus, file_names};
pub use self::csv::{ColumnMap, ColumnMapError};
pub use self::file_refusal::FileRefusal;
pub use self::history::PastBars;
pub use self::recording::{Recording, ReplayError};
pub use self::repeat_log::RepeatLog;
pub use self::replay_source::{NewEpochs, ReplaySource};
pub use self::replay_ticks::replay_ticks;
pub use self::settings::{ReplayClock, ReplaySettings, ReplaySpeed};
pub use self::timeline::{ClockSetting, ReplayTimeline};
