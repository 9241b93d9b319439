//! The key file: its keys, and changes of its text, which keep its comments, its empty lines and its order.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
#[cfg(unix)]
use tracing::warn;

use super::Key;

/// The key file cannot be used.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A line cannot be parsed.
    #[error("{path} line {line}: {why}")]
    InvalidLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// A key cannot be changed.
#[derive(Debug, Error)]
pub enum KeyChangeError {
    /// There is no key file.
    #[error("the server has no key file (--keys)")]
    NoFile,
    /// There is no key with this id.
    #[error("there is no key `{0}`")]
    Unknown(String),
    /// There is one already.
    #[error("there is a key `{0}` already")]
    Exists(String),
    /// The file is not as it was when it was read: the change of another would be lost.
    #[error(
        "the key file {0} has been changed since it was read: reload it (SIGHUP), look at the keys, and try again"
    )]
    ChangedOnDisk(PathBuf),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] KeyStoreError),
    /// The file cannot be written.
    #[error("cannot write the key file {path}: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

/// The file of the keys as it was read last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyFile {
    path: PathBuf,
    text: String,
}

impl KeyFile {
    pub(super) fn read(path: PathBuf) -> Result<Self, KeyStoreError> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(KeyStoreError::Unreadable { path, source }),
        }
    }

    /// The keys by their ids.
    pub(super) fn keys(&self) -> Result<HashMap<String, Key>, KeyStoreError> {
        let Self { path, text } = self;
        let mut keys = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let Some(line) = line_of_key(line) else { continue };
            let invalid = |why| KeyStoreError::InvalidLine { path: path.to_owned(), line: index + 1, why };
            let key = Key::parse(line).map_err(invalid)?;
            if let Some(earlier) = keys.insert(key.id().to_owned(), key) {
                return Err(invalid(format!("duplicate key `{}`", earlier.id())));
            }
        }
        Ok(keys)
    }

    /// The path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the file on the disk, unless that is another one than was read.
    ///
    /// # Errors
    /// When it is, or cannot be read or written.
    pub(super) fn change(&self, edit: KeyEdit<'_>) -> Result<(), KeyChangeError> {
        let Self { path, text } = self;
        if Self::read(path.clone())? != *self {
            return Err(KeyChangeError::ChangedOnDisk(path.clone()));
        }
        let id_of = |line: &str| Some(Key::parse(line_of_key(line)?).ok()?.id().to_owned());
        replace(path, &edit.apply(text, id_of))
            .map_err(|source| KeyChangeError::Unwritable { path: path.clone(), source })
    }
}

/// The line without the spaces around it, if it is one of a key: neither empty nor a comment.
fn line_of_key(line: &str) -> Option<&str> {
    let line = line.trim();
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// A change of one key.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyEdit<'a> {
    /// Adds this line.
    Add { line: &'a str },
    /// Puts this line in place of that of the key.
    Replace { id: &'a str, line: &'a str },
    /// Removes the line of the key.
    Remove { id: &'a str },
}

impl KeyEdit<'_> {
    /// The text with the change. `id_of` gives the id of a key's line, `None` for what is no key.
    fn apply(self, text: &str, id_of: impl Fn(&str) -> Option<String>) -> String {
        let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut edited = String::with_capacity(text.len() + 256);
        for whole in text.split_inclusive('\n') {
            let is_of = |id: &str| id_of(whole.trim()).is_some_and(|known| known == id);
            match self {
                Self::Replace { id, line } if is_of(id) => {
                    edited.push_str(line);
                    edited.push_str(&whole[whole.trim_end_matches(['\r', '\n']).len()..]);
                }
                Self::Remove { id } if is_of(id) => {}
                _ => edited.push_str(whole),
            }
        }
        if let Self::Add { line } = self {
            if !edited.is_empty() && !edited.ends_with('\n') {
                edited.push_str(ending);
            }
            edited.push_str(line);
            edited.push_str(ending);
        }
        edited
    }
}

/// Replaces a file by a new one with this text, so that at any time the whole old or the whole new text is there, also
/// after a power failure. Its mode is kept. Of a symbolic link the file that it leads to is replaced.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = fs::canonicalize(path)?;
    let folder = target.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from("/"));
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    // One that an earlier process of this number left.
    let _ = fs::remove_file(&temporary);
    let written = write(&temporary, &target, text).and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The new name is on the disk when the folder is. The change is made, though, and its secret is to be told.
    #[cfg(unix)]
    if let Err(error) = File::open(&folder).and_then(|folder| folder.sync_all()) {
        warn!(folder = %folder.display(), "a power failure could undo the change of the key file: {error}");
    }
    Ok(())
}

fn write(temporary: &Path, like: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(temporary)?;
    file.write_all(text.as_bytes())?;
    let metadata = fs::metadata(like)?;
    file.set_permissions(metadata.permissions())?;
    #[cfg(unix)]
    keep_owner(&file, &metadata);
    file.sync_all()
}

/// Gives the file the owner of the earlier one, which only root may do: otherwise it is the server's, which could read the
/// earlier one.
#[cfg(unix)]
fn keep_owner(file: &File, earlier: &fs::Metadata) {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{Gid, Uid, fchown};
    let _ = fchown(file, Some(Uid::from_raw(earlier.uid())), Some(Gid::from_raw(earlier.gid())));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# desks\n\n{\"id\":\"a\"}\n  {\"id\":\"b\"}  \n# end\n";

    fn id_of(line: &str) -> Option<String> {
        line.strip_prefix("{\"id\":\"")?.strip_suffix("\"}").map(str::to_owned)
    }

    #[test]
    fn comments_empty_lines_and_the_order_stay() {
        let edited = |edit: KeyEdit<'_>| edit.apply(TEXT, id_of);

        assert_eq!(
            edited(KeyEdit::Replace { id: "a", line: "NEW" }),
            "# desks\n\nNEW\n  {\"id\":\"b\"}  \n# end\n"
        );
        assert_eq!(edited(KeyEdit::Remove { id: "b" }), "# desks\n\n{\"id\":\"a\"}\n# end\n");
        assert_eq!(edited(KeyEdit::Add { line: "NEW" }), format!("{TEXT}NEW\n"));
        assert_eq!(edited(KeyEdit::Remove { id: "c" }), TEXT);
    }

    #[test]
    fn a_file_of_another_system_or_without_a_last_line_end_stays_readable() {
        let edited = |edit: KeyEdit<'_>, text: &str| edit.apply(text, id_of);

        assert_eq!(edited(KeyEdit::Add { line: "NEW" }, "{\"id\":\"a\"}"), "{\"id\":\"a\"}\nNEW\n");
        assert_eq!(edited(KeyEdit::Add { line: "NEW" }, "# x\r\n"), "# x\r\nNEW\r\n");
        assert_eq!(edited(KeyEdit::Replace { id: "a", line: "NEW" }, "{\"id\":\"a\"}\r\n#"), "NEW\r\n#");
        assert_eq!(edited(KeyEdit::Add { line: "NEW" }, ""), "NEW\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = std::env::temp_dir().join(format!("tapecast-key-file-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("keys"), folder.join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();

        replace(&link, "new").unwrap();

        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing temporary is left");
        fs::remove_dir_all(&folder).unwrap();
    }
}
