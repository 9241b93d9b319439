use std::fs;
use std::io;

use super::disk::Folder;

/// Whether this server or its upstream numbers the objects of a journal.
///
/// An epoch continues only while the same one numbers: otherwise a number would stand for two objects.
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
            Self::Upstream => {
                fs::write(folder.other(FILE), Self::UPSTREAM)?;
                folder.sync()
            }
            Self::Feed => folder.remove_other(FILE),
        }
    }
}
