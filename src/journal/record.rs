use std::io::{self, ErrorKind, Read};

use thiserror::Error;

use crate::model::Timestamp;

/// A record of a segment: `len u32 · crc32 u32 · batch_no u64 · newest i64 · payload`, all little-endian.
///
/// `len` counts what follows the checksum, and the checksum covers it. So a record is whole exactly when its bytes are
/// there and the checksum is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the last batch that the record tells of.
    pub(super) batch_no: u64,
    /// The watermark of that batch.
    pub(super) newest: Timestamp,
    /// A letter for the kind of the record, and its content.
    pub(super) payload: Vec<u8>,
}

/// Length and checksum.
const FRAME: usize = 8;

/// Number and watermark.
const HEAD: usize = 16;

/// The longest record that is read or written. A length beyond it is damage: the largest record is the snapshot at the
/// start of a segment, about 40 bytes for each stream, so 64 MiB for 150,000 instruments.
pub(super) const MAX_RECORD: usize = 256 << 20;

/// Why the rest of a segment cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// The file ends within a record.
    #[error("the file ends within a record")]
    Torn,
    /// The length of a record is impossible.
    #[error("a record has an impossible length")]
    Length,
    /// The checksum of a record is wrong.
    #[error("a record has a wrong checksum")]
    Checksum,
    /// The checksum of a record is right, and its content cannot be decoded.
    #[error("a record cannot be decoded")]
    Content,
    /// The header is of no journal.
    #[error("the header is not that of a journal")]
    Header,
    /// The header is of a journal of another version.
    #[error("it was written by another version of the program, whose journals this one cannot read")]
    Version,
    /// The compressed data is damaged.
    #[error("the compressed data is damaged")]
    Compression,
}

/// Appends a record whose payload `write` appends.
pub(super) fn append_record(
    out: &mut Vec<u8>,
    batch_no: u64,
    newest: Timestamp,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME]);
    out.extend_from_slice(&batch_no.to_le_bytes());
    out.extend_from_slice(&newest.nanos().to_le_bytes());
    write(out);
    let body = start + FRAME;
    let length = (out.len() - body) as u32;
    let checksum = crc32fast::hash(&out[body..]);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..body].copy_from_slice(&checksum.to_le_bytes());
}

/// Reads records one after the other, and keeps the position behind the last whole one.
#[derive(Debug)]
pub(super) struct RecordReader<R> {
    source: R,
    whole_until: u64,
    body: Vec<u8>,
}

impl<R: Read> RecordReader<R> {
    /// Reads from `source`, which is at this position of its segment.
    pub(super) fn new(source: R, position: u64) -> Self {
        Self { source, whole_until: position, body: Vec::new() }
    }

    /// The position behind the last whole record.
    pub(super) const fn whole_until(&self) -> u64 {
        self.whole_until
    }

    /// The next record; `None` at the end of the segment.
    ///
    /// # Errors
    /// When the rest of the segment is damaged, or the file cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadFailure> {
        let mut frame = [0; FRAME];
        match read_up_to(&mut self.source, &mut frame)? {
            0 => return Ok(None),
            FRAME => {}
            _ => return Err(Damage::Torn.into()),
        }
        let [length, checksum] = [0, 4].map(|at| u32::from_le_bytes(array(&frame, at)));
        let length = length as usize;
        if !(HEAD..=MAX_RECORD).contains(&length) {
            // A file system that crashed may have lengthened the file with zeros.
            let damage = if frame == [0; FRAME] { Damage::Torn } else { Damage::Length };
            return Err(damage.into());
        }
        self.body.clear();
        // Memory is taken as bytes come: a damaged length is no reason to allocate.
        let read = (&mut self.source).take(length as u64).read_to_end(&mut self.body).map_err(failure)?;
        if read < length {
            return Err(Damage::Torn.into());
        }
        if crc32fast::hash(&self.body) != checksum {
            return Err(Damage::Checksum.into());
        }
        self.whole_until += (FRAME + length) as u64;
        Ok(Some(Record {
            batch_no: u64::from_le_bytes(array(&self.body, 0)),
            newest: Timestamp::from_nanos(i64::from_le_bytes(array(&self.body, 8))),
            payload: self.body[HEAD..].to_vec(),
        }))
    }
}

/// Why no more records can be read.
#[derive(Debug, Error)]
pub enum ReadFailure {
    /// The rest of the segment is damaged.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// The file cannot be read.
    #[error(transparent)]
    Io(io::Error),
}

/// The failure that an error of a file or of a decompressor is.
pub(super) fn failure(error: io::Error) -> ReadFailure {
    match error.kind() {
        ErrorKind::UnexpectedEof => Damage::Torn.into(),
        // What zstd reports of data that it cannot decompress.
        ErrorKind::Other | ErrorKind::InvalidData if error.raw_os_error().is_none() => {
            Damage::Compression.into()
        }
        _ => ReadFailure::Io(error),
    }
}

/// Fills `out` as far as there are bytes, and returns their number.
pub(super) fn read_up_to(source: &mut impl Read, out: &mut [u8]) -> Result<usize, ReadFailure> {
    let mut filled = 0;
    while filled < out.len() {
        match source.read(&mut out[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(filled)
}

/// `N` bytes at this place.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the slice has this length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let record = |batch_no, payload: &[u8]| Record {
            batch_no,
            newest: Timestamp::from_nanos(-5 + batch_no as i64),
            payload: payload.to_vec(),
        };
        vec![record(1, b"first"), record(2, b""), record(u64::MAX >> 1, &[7; 70_000])]
    }

    fn bytes(records: &[Record]) -> Vec<u8> {
        let mut out = Vec::new();
        for record in records {
            append_record(&mut out, record.batch_no, record.newest, |out| {
                out.extend_from_slice(&record.payload);
            });
        }
        out
    }

    /// The whole records, and why there are no more.
    fn read(bytes: &[u8]) -> (Vec<Record>, Option<Damage>, u64) {
        let mut reader = RecordReader::new(bytes, 0);
        let mut whole = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(record)) => whole.push(record),
                Ok(None) => return (whole, None, reader.whole_until()),
                Err(ReadFailure::Damage(damage)) => return (whole, Some(damage), reader.whole_until()),
                Err(ReadFailure::Io(error)) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let bytes = bytes(&records());

        assert_eq!(read(&bytes), (records(), None, bytes.len() as u64));
    }

    #[test]
    fn a_cut_at_any_place_leaves_the_records_before_it() {
        let all = records();
        let bytes = bytes(&all[..2]);
        let ends: Vec<_> = (0..=2).map(|count| self::bytes(&all[..count]).len()).collect();

        for cut in 0..bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let damage = (!ends.contains(&cut)).then_some(Damage::Torn);
            assert_eq!(read(&bytes[..cut]), (all[..whole].to_vec(), damage, ends[whole] as u64), "{cut}");
        }
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let bytes = bytes(&records()[..1]);

        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let (whole, damage, _) = read(&flipped);
            assert!(whole.is_empty() && damage.is_some(), "bit {bit}");
        }
    }

    #[test]
    fn zeros_behind_the_last_record_are_a_torn_tail() {
        let zeros = [bytes(&records()), vec![0; 4096]].concat();

        assert_eq!(read(&zeros).1, Some(Damage::Torn));
    }
}
