use std::path::PathBuf;

use thiserror::Error;

use super::settings::{ReplayClock, ReplaySpeed};
use crate::model::Timestamp;

/// A change of a running replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayCommand {
    /// Time stands still, and nothing is published.
    Pause,
    /// Time goes on.
    Resume,
    /// Time passes at this speed from now on.
    Speed(ReplaySpeed),
    /// The replay goes on at this time of the recording, which is before or after the present one.
    Seek(Timestamp),
}

/// Why a replay does not follow a command.
#[derive(Debug, Error)]
pub enum ControlRefusal {
    /// The market is no replay.
    #[error("no replay is running")]
    NoReplay,
    /// The time is not one of the recording.
    #[error("the time is before the start of the replay or not before its end")]
    OutOfRange,
    /// The files cannot be read again.
    #[error("the recording cannot be read again: {0}")]
    Unreadable(String),
}

/// Where a replay is, and how it goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayStatus {
    /// The names of the files, without their folders.
    pub files: Vec<String>,
    /// The time of the recording at which the replay starts.
    pub from: Timestamp,
    /// The time of the recording before which it ends, if one was given.
    pub until: Option<Timestamp>,
    /// The time of the recording up to which everything is published.
    pub position: Timestamp,
    /// The speed, which is that after the pause while it is paused.
    pub speed: ReplaySpeed,
    /// The time of stamps.
    pub clock: ReplayClock,
    /// What it is doing.
    pub state: ReplayState,
    /// Whether the end is followed by the start.
    pub repeats: bool,
    /// How often it began again at the end.
    pub passes: u64,
}

/// What a replay is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayState {
    /// It publishes.
    Running,
    /// It reads up to where it goes on.
    Seeking,
    /// It stands still.
    Paused,
    /// It has published its last event, and time goes on.
    Ended,
}

impl ReplayState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Running, Self::Seeking, Self::Paused, Self::Ended];

    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Seeking => "seeking",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

/// The names of these files, without their folders.
pub fn file_names(files: &[PathBuf]) -> Vec<String> {
    let name = |file: &PathBuf| file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    files.iter().map(name).collect()
}
