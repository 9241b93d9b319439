//! Reads the only file of a zip archive, as QuantConnect's data come.
//!
//! `flate2` is a dependency already and inflates; what is missing for an archive of one file is the
//! [central directory](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), which is less code here than a
//! zip crate with its own encryption, time and compression crates.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

/// The content of the only file of an archive. Its checksum and length are checked at its end.
pub(super) struct ZipFile<R> {
    name: String,
    content: Content<R>,
    crc: Crc,
    expected: Expected,
}

enum Content<R> {
    Stored(Take<R>),
    Deflated(DeflateDecoder<Take<R>>),
}

#[derive(Clone, Copy)]
struct Expected {
    crc: u32,
    length: u64,
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ZipError {
    /// The file ends early, or its directory is damaged.
    #[error("the zip directory is damaged: {0}")]
    Damaged(&'static str),
    /// There are several files, and no order among them.
    #[error("the zip archive holds {0} files: unpack it and name them")]
    NotOneFile(usize),
    /// The file is encrypted, or compressed by a method other than deflate.
    #[error("{0}: unpack it")]
    Unsupported(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const END_64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const DIRECTORY_ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";

/// Length of the end record without its comment, which has at most 65,535 bytes.
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;
/// A directory is read whole: it names one file, so a large one is damaged.
const MAX_DIRECTORY_BYTES: u64 = 16 << 20;

/// An entry of the central directory.
struct Entry {
    name: String,
    flags: u16,
    method: u16,
    expected: Expected,
    compressed: u64,
    header_at: u64,
}

impl<R: BufRead + Seek> ZipFile<R> {
    /// Opens the only file of this archive.
    ///
    /// # Errors
    /// Why it cannot be read, and up to which byte it was.
    pub(super) fn open(mut archive: R) -> Result<Self, (u64, ZipError)> {
        let entry = find_entry(&mut archive)
            .map_err(|error| (archive.stream_position().unwrap_or_default(), error))?;
        let data = archive.take(entry.compressed);
        let content = match entry.method {
            STORED => Content::Stored(data),
            _ => Content::Deflated(DeflateDecoder::new(data)),
        };
        Ok(Self { name: entry.name, content, crc: Crc::new(), expected: entry.expected })
    }

    /// The name of the file in the archive.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl<R: BufRead> Read for ZipFile<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Stored(data) => data.read(out)?,
            Content::Deflated(data) => data.read(out)?,
        };
        self.crc.update(&out[..count]);
        if count == 0 && !out.is_empty() {
            let Expected { crc, length } = self.expected;
            // The counter of the checksum wraps at 4 GiB.
            if self.crc.sum() != crc || self.crc.amount() != length as u32 {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the zip archive's checksum is wrong",
                ));
            }
        }
        Ok(count)
    }
}

/// The entry of the only file, at whose content the archive stands then.
fn find_entry(archive: &mut (impl BufRead + Seek)) -> Result<Entry, ZipError> {
    let mut entries = directory(archive)?;
    entries.retain(|entry| !entry.name.ends_with('/'));
    let [entry] = <[Entry; 1]>::try_from(entries).map_err(|all| ZipError::NotOneFile(all.len()))?;
    archive.seek(SeekFrom::Start(entry.header_at))?;
    if entry.flags & ENCRYPTED != 0 {
        return Err(ZipError::Unsupported("the file in the zip archive is encrypted"));
    }
    if !matches!(entry.method, STORED | DEFLATED) {
        return Err(ZipError::Unsupported("the zip archive uses another method than deflate"));
    }
    let header: [u8; 30] = read_array(archive)?;
    if header[..4] != LOCAL_HEADER {
        return Err(ZipError::Damaged("no local header"));
    }
    let [name, extra] = [26, 28].map(|at| i64::from(u16_at(&header, at)));
    archive.seek(SeekFrom::Current(name + extra))?;
    Ok(entry)
}

/// The flag of an encrypted file.
const ENCRYPTED: u16 = 1;

/// The methods of compression that are read.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The entries of the central directory.
fn directory(archive: &mut (impl Read + Seek)) -> Result<Vec<Entry>, ZipError> {
    let length = archive.seek(SeekFrom::End(0))?;
    let tail_at = length.saturating_sub((END_BYTES + usize::from(u16::MAX) + LOCATOR_BYTES) as u64);
    archive.seek(SeekFrom::Start(tail_at))?;
    let mut tail = Vec::new();
    archive.take(length - tail_at).read_to_end(&mut tail)?;
    let end = (0..=tail.len().saturating_sub(END_BYTES))
        .rev()
        .find(|at| tail[*at..].starts_with(&END) && tail.len() - at >= END_BYTES)
        .ok_or(ZipError::Damaged("it has no end record"))?;
    let mut count = u64::from(u16_at(&tail, end + 10));
    let mut bytes = u64::from(u32_at(&tail, end + 12));
    let mut at = u64::from(u32_at(&tail, end + 16));
    if let Some(locator) =
        end.checked_sub(LOCATOR_BYTES).filter(|at| tail[*at..].starts_with(&END_64_LOCATOR))
    {
        archive.seek(SeekFrom::Start(u64_at(&tail, locator + 8)))?;
        let end: [u8; 56] = read_array(archive)?;
        if end[..4] != END_64 {
            return Err(ZipError::Damaged("it has no zip64 end record"));
        }
        [count, bytes, at] = [32, 40, 48].map(|place| u64_at(&end, place));
    }
    if bytes > MAX_DIRECTORY_BYTES || at.checked_add(bytes).is_none_or(|end| end > length) {
        return Err(ZipError::Damaged("it is not where the end record says"));
    }
    archive.seek(SeekFrom::Start(at))?;
    let mut rows = vec![0; bytes as usize];
    archive.read_exact(&mut rows)?;
    let mut rest = rows.as_slice();
    (0..count).map(|_| read_entry(&mut rest)).collect()
}

fn read_entry(rest: &mut &[u8]) -> Result<Entry, ZipError> {
    const FIXED: usize = 46;
    const TRUNCATED: ZipError = ZipError::Damaged("an entry is truncated");
    let row = rest.get(..FIXED).filter(|row| row.starts_with(&DIRECTORY_ENTRY)).ok_or(TRUNCATED)?;
    let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(row, at)));
    let variable = rest.get(FIXED..FIXED + name + extra + comment).ok_or(TRUNCATED)?;
    let (name, extra) = (&variable[..name], &variable[name..name + extra]);
    let [mut compressed, mut length, mut header_at] = [20, 24, 42].map(|at| u64::from(u32_at(row, at)));
    // Values that do not fit are in the zip64 field, in this order.
    let mut wide = zip64_field(extra);
    for value in [&mut length, &mut compressed, &mut header_at] {
        if *value == u64::from(u32::MAX) {
            let (first, others) = wide.split_first_chunk().ok_or(TRUNCATED)?;
            *value = u64::from_le_bytes(*first);
            wide = others;
        }
    }
    let entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        flags: u16_at(row, 8),
        method: u16_at(row, 10),
        expected: Expected { crc: u32_at(row, 16), length },
        compressed,
        header_at,
    };
    *rest = &rest[FIXED + variable.len()..];
    Ok(entry)
}

/// The content of the extra field with the id 1; empty if there is none.
fn zip64_field(mut extra: &[u8]) -> &[u8] {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let content = rest.get(..usize::from(u16_at(head, 2))).unwrap_or(rest);
        if u16_at(head, 0) == 1 {
            return content;
        }
        extra = &rest[content.len()..];
    }
    &[]
}

fn read_array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
#[path = "zip_tests.rs"]
mod tests;
