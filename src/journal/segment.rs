use std::fmt;
use std::io::Read;
use std::str::FromStr;

use super::record::{Damage, ReadFailure, array, read_up_to};
use crate::model::{Epoch, Timestamp};

/// The first bytes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The epoch of all sequence numbers of the segment.
    pub epoch: Epoch,
    /// The number of the first batch that the segment may hold.
    pub first_batch: u64,
}

const MAGIC: [u8; 8] = *b"TAPECAST";

/// The version of headers, records and payloads. The header has this form in all of them.
const VERSION: u32 = 2;

/// The earliest version that can be read: what it has, this one has in the same form. Version 2 adds topics and messages.
const FIRST_VERSION: u32 = 1;

impl SegmentHeader {
    /// The length in bytes: magic, version, epoch, first batch, checksum.
    pub(super) const LEN: usize = 8 + 4 + 8 + 8 + 4;

    /// The header as bytes.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.number().to_le_bytes());
        bytes.extend_from_slice(&self.first_batch.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a header.
    pub(super) fn read(source: &mut impl Read) -> Result<Self, ReadFailure> {
        let mut bytes = [0; Self::LEN];
        if read_up_to(source, &mut bytes)? < Self::LEN {
            return Err(Damage::Torn.into());
        }
        let checksum = u32::from_le_bytes(array(&bytes, Self::LEN - 4));
        let is_whole = crc32fast::hash(&bytes[..Self::LEN - 4]) == checksum;
        if !bytes.starts_with(&MAGIC) || !is_whole {
            return Err(Damage::Header.into());
        }
        if !(FIRST_VERSION..=VERSION).contains(&u32::from_le_bytes(array(&bytes, 8))) {
            return Err(Damage::Version.into());
        }
        Ok(Self {
            epoch: Epoch::new(u64::from_le_bytes(array(&bytes, 12))),
            first_batch: u64::from_le_bytes(array(&bytes, 20)),
        })
    }
}

/// The name of a segment: a number that rises with each segment of the journal, and the UTC day of its first batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    /// Its number, from 1.
    pub ordinal: u64,
    /// The number of its UTC day since 1970.
    pub day: i64,
}

/// What a file of a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SegmentForm {
    /// Records as they were appended.
    Plain,
    /// All of the segment, compressed with zstd.
    Compressed,
}

const PLAIN: &str = ".tape";
const COMPRESSED: &str = ".tape.zst";

/// A file that is being compressed; a crash leaves it, and the next start removes it.
pub(super) const PARTIAL: &str = ".partial";

/// What was behind the last whole record of a segment.
pub(super) const TORN: &str = ".torn";

const DAY_NANOS: i64 = 86_400_000_000_000;

/// The number of the UTC day of this time.
pub(super) const fn utc_day(at: Timestamp) -> i64 {
    at.nanos().div_euclid(DAY_NANOS)
}

impl SegmentName {
    /// The name of the file in this form.
    pub fn file(self, form: SegmentForm) -> String {
        let extension = match form {
            SegmentForm::Plain => PLAIN,
            SegmentForm::Compressed => COMPRESSED,
        };
        format!("{self}{extension}")
    }

    /// The segment of a file's name, and its form; `None` when it is no file of a segment.
    pub fn of_file(name: &str) -> Option<(Self, SegmentForm)> {
        let (stem, form) = match (name.strip_suffix(COMPRESSED), name.strip_suffix(PLAIN)) {
            (Some(stem), _) => (stem, SegmentForm::Compressed),
            (None, Some(stem)) => (stem, SegmentForm::Plain),
            (None, None) => return None,
        };
        Some((stem.parse().ok()?, form))
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let midnight = Timestamp::from_nanos(self.day.saturating_mul(DAY_NANOS));
        let midnight = crate::wire::rfc3339(midnight);
        write!(out, "{:08}-{}", self.ordinal, midnight.split('T').next().unwrap_or_default())
    }
}

impl FromStr for SegmentName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ordinal, date) = text.split_once('-').ok_or(())?;
        let midnight: jiff::Timestamp = format!("{date}T00:00:00Z").parse().map_err(|_| ())?;
        let name =
            Self { ordinal: ordinal.parse().map_err(|_| ())?, day: midnight.as_second().div_euclid(86_400) };
        if name.to_string() == text { Ok(name) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_no_other() {
        let header = SegmentHeader { epoch: Epoch::new(u64::MAX - 3), first_batch: 71 };
        let bytes = header.to_bytes();

        assert_eq!(bytes.len(), SegmentHeader::LEN);
        assert_eq!(SegmentHeader::read(&mut &*bytes).unwrap(), header);
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            let read = SegmentHeader::read(&mut &*damaged);
            assert!(matches!(read, Err(ReadFailure::Damage(Damage::Header))), "{place}");
        }
        let mut other = bytes[..SegmentHeader::LEN - 4].to_vec();
        other[8] += 1;
        other.extend_from_slice(&crc32fast::hash(&other).to_le_bytes());
        assert!(matches!(SegmentHeader::read(&mut &*other), Err(ReadFailure::Damage(Damage::Version))));
        let read = SegmentHeader::read(&mut &bytes[..SegmentHeader::LEN - 1]);
        assert!(matches!(read, Err(ReadFailure::Damage(Damage::Torn))));
    }

    #[test]
    fn the_names_of_segments_sort_in_their_order_and_are_parsed_again() {
        let names = [(1, 20_786), (2, 20_787), (10, 0), (99_999_999, 5)]
            .map(|(ordinal, day)| SegmentName { ordinal, day });

        assert_eq!(names[0].file(SegmentForm::Compressed), "00000001-2026-11-29.tape.zst");
        assert!(names.map(|name| name.file(SegmentForm::Plain)).is_sorted());
        for name in names {
            for form in [SegmentForm::Plain, SegmentForm::Compressed] {
                assert_eq!(SegmentName::of_file(&name.file(form)), Some((name, form)));
            }
        }
    }

    #[test]
    fn other_files_are_no_segments() {
        for name in [
            "lock",
            "00000001-2026-11-29.tape.zst.partial",
            "00000001-2026-11-29.tape.torn",
            "1-2026-11-29.tape",
            "00000001-2026-13-29.tape",
            "00000001.tape",
            ".tape",
        ] {
            assert_eq!(SegmentName::of_file(name), None, "{name}");
        }
    }
}
