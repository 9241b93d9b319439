use std::path::PathBuf;

use super::csv::ColumnMap;
use crate::clock::ClockRate;
use crate::model::Timestamp;

/// How a recording is replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplaySettings {
    /// The files, which are merged by time.
    pub files: Vec<PathBuf>,
    /// The speed. Default 1.
    pub speed: ReplaySpeed,
    /// Where to start. Default: the first event.
    pub from: Option<Timestamp>,
    /// Where to end, exclusive. Default: the end of the files.
    pub until: Option<Timestamp>,
    /// Whether the end is followed by the start.
    pub repeats: bool,
    /// The stamps of events. Default: moved to now.
    pub clock: ReplayClock,
    /// A file of names for instruments.
    pub symbols_map: Option<PathBuf>,
    /// The columns of CSV files. Default: by their usual names.
    pub csv_map: ColumnMap,
}

impl ReplaySettings {
    /// All of these files as fast as they can be read, in their own time: two such replays publish the same bytes.
    pub fn reproducible(files: impl Into<Vec<PathBuf>>) -> Self {
        Self {
            files: files.into(),
            speed: ReplaySpeed::Max,
            from: None,
            until: None,
            repeats: false,
            clock: ReplayClock::Original,
            symbols_map: None,
            csv_map: ColumnMap::default(),
        }
    }
}

/// The speed of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplaySpeed {
    /// This many times that of the recording.
    Times(ClockRate),
    /// As fast as the files are read.
    Max,
}

/// The time of replayed events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayClock {
    /// Moved by whole minutes, so that the recording happens now.
    Shift,
    /// That of the recording.
    Original,
}
