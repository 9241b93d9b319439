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

    /// Where a replay that starts at `start` goes on after a seek to this time; `None` if that is not in the part to be
    /// replayed. The part begins with its first event, and with `from` if that is earlier.
    pub fn seek_target(&self, to: Timestamp, start: Timestamp) -> Option<Timestamp> {
        let begins_at = self.from.map_or(start, |from| from.min(start));
        let is_in_part = to >= begins_at && self.until.is_none_or(|until| to < until);
        is_in_part.then(|| to.max(start))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seek_to_the_time_of_from_goes_on_at_the_first_event() {
        let [from, start, until] = [10, 12, 20].map(Timestamp::from_nanos);
        let settings =
            ReplaySettings { from: Some(from), until: Some(until), ..ReplaySettings::reproducible([]) };
        let target = |nanos| settings.seek_target(Timestamp::from_nanos(nanos), start).map(Timestamp::nanos);

        assert_eq!([9, 10, 12, 19, 20].map(target), [None, Some(12), Some(12), Some(19), None]);

        let whole = ReplaySettings::reproducible([]);
        assert_eq!(whole.seek_target(from, start), None);
        assert_eq!(whole.seek_target(until, start), Some(until));
    }
}
