use std::fmt;

/// Why a file is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct FileRefusal {
    /// Where in the file: a byte, a line, or the number of a record.
    position: Option<u64>,
    reason: String,
}

impl FileRefusal {
    pub(super) fn at(position: u64, reason: impl Into<String>) -> Self {
        Self { position: Some(position), reason: reason.into() }
    }

    pub(super) fn of(reason: impl Into<String>) -> Self {
        Self { position: None, reason: reason.into() }
    }
}

impl fmt::Display for FileRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(out, "at position {position}: {}", self.reason),
            None => out.write_str(&self.reason),
        }
    }
}

impl std::error::Error for FileRefusal {}
