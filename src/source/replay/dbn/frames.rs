use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use dbn::{RType, Schema, rtype};

use crate::source::replay::record::{SkipReason, Skipped};

/// The records of a file that can be decoded, as a stream of bytes.
///
/// A record whose length is not that of its type is left out: in a file of one schema, whose records all have the same
/// length, reading goes on one record later; in a mixed one behind the length it claims. Records of types that are not
/// replayed are left out too.
pub(super) struct Frames<R> {
    input: R,
    version: u8,
    /// The length of each record of a file of one schema.
    fixed: Option<usize>,
    ts_out: bool,
    /// The record that is handed out, and how much of it was.
    record: Vec<u8>,
    taken: usize,
    records: u64,
    skipped: VecDeque<Skipped>,
    is_over: bool,
}

/// Every length is in units of four bytes.
const UNIT: usize = 4;
/// The length of a record's header.
const HEADER: usize = 16;
/// The time at which a live session was sent a record, behind it.
const TS_OUT: usize = 8;

impl<R: BufRead> Frames<R> {
    pub(super) fn new(input: R, version: u8, schema: Option<Schema>, ts_out: bool) -> Self {
        let fixed = schema.and_then(|schema| length_of(RType::from(schema) as u8, version));
        Self {
            input,
            version,
            fixed: fixed.map(|length| length + if ts_out { TS_OUT } else { 0 }),
            ts_out,
            record: Vec::new(),
            taken: 0,
            records: 0,
            skipped: VecDeque::new(),
            is_over: false,
        }
    }

    /// The oldest record that was skipped since the last call.
    pub(super) fn take_skipped(&mut self) -> Option<Skipped> {
        self.skipped.pop_front()
    }

    /// Hands out nothing any more.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.record.clear();
        self.taken = 0;
    }

    /// Reads the next record that can be decoded; false at the end of the file, or after a skipped record.
    fn advance(&mut self) -> io::Result<bool> {
        self.record.clear();
        self.taken = 0;
        if self.is_over {
            return Ok(false);
        }
        self.records += 1;
        if !self.fill(HEADER, None)? {
            return Ok(false);
        }
        let (length, rtype) = (usize::from(self.record[0]) * UNIT, self.record[1]);
        let behind = if self.ts_out { TS_OUT } else { 0 };
        let known = length_of(rtype, self.version).map(|known| known + behind);
        let is_right = known == Some(length);
        let foreign = if is_right {
            None
        } else if known.is_none() && length >= HEADER && self.fixed.is_none_or(|fixed| fixed == length) {
            Some((SkipReason::Unknown, format!("the record type {rtype:#04x} is not replayed")))
        } else {
            Some((SkipReason::Broken, format!("a record of type {rtype:#04x} has a length of {length}")))
        };
        let length = match foreign {
            None => length,
            Some(_) => self.fixed.unwrap_or(length),
        };
        if length < HEADER {
            self.skip(SkipReason::Broken, "a record has no length: the rest of the file is not read".into());
            self.is_over = true;
            return Ok(false);
        }
        if !self.fill(length, foreign.as_ref().map(|(reason, _)| *reason))? {
            return Ok(false);
        }
        let Some((reason, detail)) = foreign else { return Ok(true) };
        self.skip(reason, detail);
        self.record.clear();
        Ok(false)
    }

    /// Reads up to this length of the record; false at the end of the file.
    fn fill(&mut self, length: usize, skipped: Option<SkipReason>) -> io::Result<bool> {
        let missing = length - self.record.len();
        // The whole record is mostly in the buffer.
        if let Some(rest) = self.input.fill_buf()?.get(..missing) {
            self.record.extend_from_slice(rest);
            self.input.consume(missing);
            return Ok(true);
        }
        self.input.by_ref().take(missing as u64).read_to_end(&mut self.record)?;
        if self.record.len() == length {
            return Ok(true);
        }
        if !self.record.is_empty() {
            let reason = skipped.unwrap_or(SkipReason::Broken);
            self.skip(reason, "the file ends within a record".into());
        }
        self.end();
        Ok(false)
    }

    fn skip(&mut self, reason: SkipReason, detail: String) {
        self.skipped.push_back(Skipped { reason, position: self.records, detail: detail.into() });
    }
}

impl<R: BufRead> Read for Frames<R> {
    /// At the end and after each skipped record there is nothing to read for a moment, so that the owner reports it.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.skipped.is_empty() {
            return Ok(0);
        }
        let mut count = 0;
        while count < out.len() {
            if self.taken == self.record.len() {
                match self.advance() {
                    Ok(true) => {}
                    Ok(false) => break,
                    // A damaged compressed file: what was read so far is good.
                    Err(error) => {
                        self.skip(SkipReason::Broken, format!("the rest of the file is not read: {error}"));
                        self.end();
                        break;
                    }
                }
            }
            let rest = &self.record[self.taken..];
            let piece = rest.len().min(out.len() - count);
            out[count..count + piece].copy_from_slice(&rest[..piece]);
            self.taken += piece;
            count += piece;
        }
        Ok(count)
    }
}

/// The length of the records of a type that is replayed.
const fn length_of(rtype: u8, version: u8) -> Option<usize> {
    use std::mem::size_of;
    Some(match rtype {
        rtype::MBP_0 => size_of::<dbn::TradeMsg>(),
        rtype::MBP_1 => size_of::<dbn::Mbp1Msg>(),
        rtype::BBO_1S | rtype::BBO_1M => size_of::<dbn::BboMsg>(),
        rtype::CMBP_1 | rtype::TCBBO => size_of::<dbn::Cmbp1Msg>(),
        rtype::CBBO_1S | rtype::CBBO_1M => size_of::<dbn::CbboMsg>(),
        rtype::OHLCV_1S | rtype::OHLCV_1M | rtype::OHLCV_1H | rtype::OHLCV_1D | rtype::OHLCV_EOD => {
            size_of::<dbn::OhlcvMsg>()
        }
        rtype::STATUS => size_of::<dbn::StatusMsg>(),
        rtype::SYMBOL_MAPPING => match version {
            1 => size_of::<dbn::v1::SymbolMappingMsg>(),
            _ => size_of::<dbn::SymbolMappingMsg>(),
        },
        rtype::INSTRUMENT_DEF => match version {
            1 => size_of::<dbn::v1::InstrumentDefMsg>(),
            2 => size_of::<dbn::v2::InstrumentDefMsg>(),
            _ => size_of::<dbn::InstrumentDefMsg>(),
        },
        _ => return None,
    })
}
