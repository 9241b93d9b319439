//! The rows of a CSV file, of bounded length.

use std::io::{self, BufRead, Read};

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::lines::skip_rest_of_line;
use super::record::{SkipReason, Skipped};

/// Reads the rows of a file one by one. A row that is too long costs itself alone.
pub(super) struct CsvRows<R> {
    rows: Reader<RowInput<R>>,
    delimiter: u8,
    /// The lines of the file before the first one that `rows` has read.
    lines_before: u64,
    state: RowState,
}

/// Where the reader is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowState {
    /// Before a row.
    Ready,
    /// In a row that is too long.
    InLongRow,
    /// The input failed: nothing behind is read.
    Failed,
}

/// The longest row read: rows of all known vendors have less than 1 KiB. A quote that is not closed makes a row of the
/// rest of the file.
const MAX_ROW_BYTES: u64 = 1 << 20;

/// An input that fails where a row is too long.
struct RowInput<R> {
    /// Always there, but while the reader of rows is replaced.
    input: Option<R>,
    /// The bytes that may still be read of this row.
    left: u64,
}

impl<R: BufRead> CsvRows<R> {
    /// The rows of this input, of which the first is no header.
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { rows: reader(input, delimiter), delimiter, lines_before: 0, state: RowState::Ready }
    }

    /// Reads the next row; false at the end.
    pub(super) fn read(&mut self, row: &mut ByteRecord) -> Result<bool, Skipped> {
        if self.state == RowState::Failed {
            return Ok(false);
        }
        if self.state == RowState::InLongRow {
            self.skip_long_row().map_err(|error| self.failed(row, &error.to_string()))?;
        }
        self.rows.get_mut().left = MAX_ROW_BYTES;
        self.rows.read_byte_record(row).map_err(|error| {
            let is_long = self.rows.get_ref().left == 0 && matches!(error.kind(), ErrorKind::Io(_));
            if is_long {
                self.state = RowState::InLongRow;
                return self.broken(row, LONG_ROW.to_owned());
            }
            self.failed(row, &error.to_string())
        })
    }

    /// The line in which a row that was read begins.
    pub(super) fn line(&self, row: &ByteRecord) -> u64 {
        self.lines_before + row.position().map_or(1, ::csv::Position::line)
    }

    /// Goes on at the next line.
    fn skip_long_row(&mut self) -> io::Result<()> {
        self.lines_before += self.rows.position().line();
        let mut input = self.rows.get_mut().input.take().expect("the input is there");
        let skipped = skip_rest_of_line(&mut input);
        self.rows = reader(input, self.delimiter);
        self.state = RowState::Ready;
        skipped
    }

    fn failed(&mut self, row: &ByteRecord, error: &str) -> Skipped {
        self.state = RowState::Failed;
        self.broken(row, format!("the rest of the file is not read: {error}"))
    }

    fn broken(&self, row: &ByteRecord, detail: String) -> Skipped {
        Skipped { reason: SkipReason::Broken, position: self.line(row), detail: detail.into() }
    }
}

const LONG_ROW: &str = "the row is longer than 1 MiB";

fn reader<R: BufRead>(input: R, delimiter: u8) -> Reader<RowInput<R>> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter);
    builder.from_reader(RowInput { input: Some(input), left: MAX_ROW_BYTES })
}

impl<R: BufRead> Read for RowInput<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(input) = &mut self.input else { return Ok(0) };
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if room == 0 && !out.is_empty() {
            return Err(io::Error::other(LONG_ROW));
        }
        let count = input.read(&mut out[..room])?;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of a row, and its first column or why it was skipped.
    type Line = (u64, String);

    /// The rows that were read, and those that were skipped.
    fn read(text: &str) -> (Vec<Line>, Vec<Line>) {
        let mut rows = CsvRows::new(text.as_bytes(), b',');
        let (mut row, mut firsts, mut skipped) = (ByteRecord::new(), Vec::new(), Vec::new());
        loop {
            match rows.read(&mut row) {
                Ok(true) => firsts.push((rows.line(&row), String::from_utf8_lossy(&row[0]).into_owned())),
                Ok(false) => return (firsts, skipped),
                Err(record) => skipped.push((record.position, record.detail.into_owned())),
            }
        }
    }

    #[test]
    fn a_row_that_is_too_long_costs_itself_alone() {
        let long = "x".repeat(3 << 20);

        let (rows, skipped) = read(&format!("a,1\nb,2\n{long},3\nc,4\n"));

        assert_eq!(rows, [(1, "a"), (2, "b"), (4, "c")].map(|(line, text)| (line, text.to_owned())));
        assert_eq!(skipped, [(3, LONG_ROW.to_owned())]);
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_a_megabyte_of_rows_at_most() {
        let text = format!("a,1\n\"b,2\n{}", "c,3\n".repeat(1 << 19));

        let (rows, skipped) = read(&text);

        assert_eq!(skipped, [(2, LONG_ROW.to_owned())]);
        assert!((200_000..300_000).contains(&rows.len()), "{}", rows.len());
        assert_eq!(rows.last().map(|(line, _)| *line), Some(2 + (1 << 19)));
    }
}
