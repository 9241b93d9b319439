use std::fs;
use std::io;

use super::disk::Folder;

/// Who gives the numbers of a journal's objects.
///
/// An epoch goes on only under the same: the numbers that an upstream gives in its epoch say nothing of those that this
/// server would give, and the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberOrigin {
    /// This server.
    #[default]
    Feed,
    /// The upstream that is relayed.
    Upstream,
}

const FILE: &str = "numbers";

impl NumberOrigin {
    const UPSTREAM: &str = "upstream\n";

    /// That of the journal in this folder.
    pub(super) fn read(folder: &Folder) -> Self {
        match fs::read(folder.other(FILE)) {
            Ok(bytes) if bytes == Self::UPSTREAM.as_bytes() => Self::Upstream,
            Ok(_) | Err(_) => Self::Feed,
        }
    }

    /// Makes this the one of the journal in this folder.
    pub(super) fn write(self, folder: &Folder) -> io::Result<()> {
        match self {
            Self::Upstream => fs::write(folder.other(FILE), Self::UPSTREAM)?,
            Self::Feed => match fs::remove_file(folder.other(FILE)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            },
        }
        folder.sync()
    }
}
