//! Opens a file of a recording: finds out its format by its first bytes, and decompresses it.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::csv::{ColumnMap, CsvReader};
#[cfg(feature = "dbn")]
use super::dbn::{DbnHeader, DbnReader, DbnRole};
use super::file_refusal::FileRefusal;
use super::folding_reader::FoldingReader;
use super::lean::{LeanFile, LeanReader};
use super::ndjson::NdjsonReader;
use super::record::{BarPeriod, RecordedKind, RecordingReader, SkipReason};
use super::symbols::SymbolTable;
use super::zip::ZipFile;

/// The bytes of a file without its compression.
type Input = Box<dyn BufRead + Send>;

/// A file whose format is known, before its first record.
pub(super) enum OpenFile {
    #[cfg(feature = "dbn")]
    Dbn(Input, Box<DbnHeader>),
    Lean(Input, LeanFile),
    /// With the file's name, which is that of the only instrument if no column names one.
    Csv(Input, String),
    Ndjson(Input),
}

/// The buffer of a file: a thousand files may be open at once.
const BUFFER_BYTES: usize = 1 << 15;

/// As much of a file as is looked at.
const HEAD_BYTES: usize = 1 << 12;

/// The most white space before the first text.
const MAX_BLANK_BYTES: usize = 1 << 16;

const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK";
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The first bytes of a DBN file, before its version.
const DBN: &[u8] = b"DBN";

impl OpenFile {
    /// Opens a file and recognises its format.
    pub(super) fn open(path: &Path, map: &ColumnMap) -> Result<Self, FileRefusal> {
        let file = File::open(path).map_err(|error| FileRefusal::of(error.to_string()))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(FileRefusal::of("it is a folder: name the files in it"));
        }
        let mut raw = buffered(file);
        let first = raw.fill_buf().map_err(|error| FileRefusal::of(error.to_string()))?;
        let outer = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (unpacked, name): (Input, String) = if first.starts_with(ZIP) {
            let zip = ZipFile::open(raw).map_err(|(at, error)| FileRefusal::at(at, error.to_string()))?;
            let name = zip.name().to_owned();
            (Box::new(buffered(zip)), name)
        } else if first.starts_with(GZIP) {
            (Box::new(buffered(MultiGzDecoder::new(raw))), outer.trim_end_matches(".gz").to_owned())
        } else if first.starts_with(ZSTD) {
            (unpack_zstd(raw)?, outer.trim_end_matches(".zst").to_owned())
        } else {
            (Box::new(raw), outer)
        };
        let (head, input) = peek(unpacked)?;
        Self::recognise(&head, input, path, &name, map)
    }

    fn recognise(
        head: &[u8],
        input: Input,
        path: &Path,
        name: &str,
        map: &ColumnMap,
    ) -> Result<Self, FileRefusal> {
        if head.is_empty() {
            return Err(FileRefusal::at(0, "the file is empty"));
        }
        if head.starts_with(DBN) {
            return Self::dbn(input);
        }
        if head.contains(&0) {
            return Err(FileRefusal::at(0, "it is neither DBN, CSV nor lines of JSON"));
        }
        let text = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head).trim_ascii_start();
        if matches!(text.first(), Some(b'{' | b'[' | b'\x1e')) {
            return Ok(Self::Ndjson(input));
        }
        match LeanFile::of(path, name) {
            Some(layout) => Ok(Self::Lean(input, layout)),
            None if map.is_lean() => {
                let names =
                    "spy/20131007_trade.zip with 20131007_spy_minute_trade.csv in it, or daily/spy.zip";
                Err(FileRefusal::of(format!("its name is none of QuantConnect's, which are such as {names}")))
            }
            None if text
                .iter()
                .take_while(|letter| **letter != b'\n')
                .any(|letter| b",;\t|".contains(letter)) =>
            {
                let stem = name.split('.').next().unwrap_or_default();
                Ok(Self::Csv(input, stem.to_owned()))
            }
            None => Err(FileRefusal::at(0, "it is neither DBN, CSV nor lines of JSON")),
        }
    }

    #[cfg(feature = "dbn")]
    fn dbn(mut input: Input) -> Result<Self, FileRefusal> {
        let header = DbnHeader::read(&mut input)?;
        header.check()?;
        Ok(Self::Dbn(input, Box::new(header)))
    }

    #[cfg(not(feature = "dbn"))]
    fn dbn(_: Input) -> Result<Self, FileRefusal> {
        Err(FileRefusal::of("this build reads no DBN: it has no feature `dbn`"))
    }

    /// The readers of these files, whose symbols are entered into the table as far as their headers name them.
    pub(super) fn readers(
        files: Vec<Self>,
        map: &ColumnMap,
        symbols: &mut SymbolTable,
    ) -> Result<Vec<Box<dyn RecordingReader>>, (usize, FileRefusal)> {
        #[cfg(feature = "dbn")]
        let mut roles = Self::roles(&files).into_iter();
        let mut readers: Vec<Box<dyn RecordingReader>> = Vec::new();
        let is_definitions = |(_, file): &(usize, &Self)| file.is_definitions();
        let definitions: Vec<_> =
            files.iter().enumerate().filter(is_definitions).map(|(number, _)| number).collect();
        for (number, file) in files.into_iter().enumerate() {
            let in_file = |refusal| (number, refusal);
            let has_seconds = file.may_have_seconds();
            let reader: Box<dyn RecordingReader> = match file {
                #[cfg(feature = "dbn")]
                Self::Dbn(input, header) => {
                    let role = roles.next().expect("each file has a role");
                    Box::new(DbnReader::new(input, &header, role).map_err(in_file)?)
                }
                Self::Lean(input, layout) => Box::new(LeanReader::new(input, layout)),
                Self::Csv(input, stem) => Box::new(CsvReader::new(input, map, &stem).map_err(in_file)?),
                Self::Ndjson(input) => Box::new(NdjsonReader::new(input)),
            };
            readers.push(match reader.kind() {
                RecordedKind::Bars(BarPeriod::Second | BarPeriod::Hour) => {
                    Box::new(FoldingReader::new(reader))
                }
                RecordedKind::Events if has_seconds => Box::new(FoldingReader::new(reader)),
                _ => reader,
            });
        }
        // Definitions describe the instruments of the other files, whatever their times are.
        for number in &definitions {
            read_definitions(&mut *readers[*number], symbols).map_err(|refusal| (*number, refusal))?;
        }
        for (_, reader) in readers.iter_mut().enumerate().filter(|(number, _)| !definitions.contains(number))
        {
            reader.declare(symbols);
        }
        Ok(readers)
    }

    /// Whether there may be seconds among other records.
    fn may_have_seconds(&self) -> bool {
        match self {
            #[cfg(feature = "dbn")]
            Self::Dbn(_, header) => header.is_mixed(),
            _ => false,
        }
    }

    /// Whether the file describes the instruments of others.
    fn is_definitions(&self) -> bool {
        match self {
            #[cfg(feature = "dbn")]
            Self::Dbn(_, header) => header.is_definitions(),
            _ => false,
        }
    }

    /// The roles of the DBN files, in their order.
    #[cfg(feature = "dbn")]
    fn roles(files: &[Self]) -> Vec<DbnRole> {
        let headers: Vec<&DbnHeader> = files
            .iter()
            .filter_map(|file| match file {
                Self::Dbn(_, header) => Some(&**header),
                _ => None,
            })
            .collect();
        headers.iter().map(|header| header.role_among(&headers)).collect()
    }
}

fn buffered<R: Read>(input: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER_BYTES, input)
}

#[cfg(feature = "dbn")]
fn unpack_zstd(raw: BufReader<File>) -> Result<Input, FileRefusal> {
    let decoder = ::dbn::decode::DynReader::inferred_with_buffer(raw);
    Ok(Box::new(buffered(decoder.map_err(|error| FileRefusal::of(error.to_string()))?)))
}

#[cfg(not(feature = "dbn"))]
fn unpack_zstd(_: BufReader<File>) -> Result<Input, FileRefusal> {
    Err(FileRefusal::of("this build reads no zstd: it has no feature `dbn`"))
}

/// Reads a file of definitions to its end. One that begins with a record that cannot be read is refused; records behind
/// it that cannot be read describe nothing.
fn read_definitions(reader: &mut dyn RecordingReader, symbols: &mut SymbolTable) -> Result<(), FileRefusal> {
    let mut is_first = true;
    loop {
        match reader.next(symbols) {
            Ok(None) => return Ok(()),
            Err(skipped) if is_first && skipped.reason == SkipReason::Broken => {
                return Err(FileRefusal::at(skipped.position, skipped.detail));
            }
            Ok(Some(_)) | Err(_) => is_first = false,
        }
    }
}

/// The first bytes, and the input with them. Empty lines before the first text are read over.
fn peek(mut input: Input) -> Result<(Vec<u8>, Input), FileRefusal> {
    let mut head = Vec::new();
    loop {
        let read = input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
        // What follows a damaged first part is of no use.
        let count = read.map_err(|error| FileRefusal::at(head.len() as u64, error.to_string()))?;
        if count == 0 || head.len() >= MAX_BLANK_BYTES || !head.iter().all(u8::is_ascii_whitespace) {
            return Ok((head.clone(), Box::new(Cursor::new(head).chain(input))));
        }
    }
}
