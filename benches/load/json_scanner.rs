//! Scans a JSON array of objects for the few fields that the load client needs.
//!
//! A full parse of every object would cost more CPU than the server that is measured. The scanner
//! reads the text once, allocates nothing, and returns slices of it. It checks structure (brackets,
//! commas, strings) but does not validate skipped values: a number is any text before the next comma.

use std::fmt;

/// The scanned fields of one object; a missing text is empty, a missing number is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScannedObject<'a> {
    /// `T`: one letter for market data, a word for control messages.
    pub(crate) kind: &'a [u8],
    /// `S`.
    pub(crate) symbol: &'a [u8],
    /// `t`, not yet parsed.
    pub(crate) time: &'a [u8],
    /// `sq`; sequence numbers start at 1.
    pub(crate) sequence: u64,
    /// `cf`: the number of earlier objects of the stream that were conflated into this one.
    pub(crate) conflated: u64,
    /// `sn`: the last value of the stream, sent on subscribe rather than as a new event.
    pub(crate) is_snapshot: bool,
    /// `c` contains `Z`: the venue itself reported the trade late and out of sequence.
    pub(crate) is_late: bool,
    /// The text of the whole object, for the rare kinds that are parsed in full.
    pub(crate) text: &'a [u8],
}

/// The text is not an array of objects: the expected character and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScanError {
    expected: char,
    at: usize,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected `{}` at byte {}", self.expected, self.at)
    }
}

/// Iterates over the objects of one message; stops after the first error.
pub(crate) struct ObjectScanner<'a> {
    text: &'a [u8],
    at: usize,
    position: Position,
}

#[derive(PartialEq, Eq)]
enum Position {
    BeforeArray,
    AfterObject,
    Done,
}

/// Scans the JSON array `text`.
pub(crate) fn scan(text: &[u8]) -> ObjectScanner<'_> {
    ObjectScanner { text, at: 0, position: Position::BeforeArray }
}

impl<'a> Iterator for ObjectScanner<'a> {
    type Item = Result<ScannedObject<'a>, ScanError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let found = self.advance();
        self.position = if matches!(found, Ok(Some(_))) { Position::AfterObject } else { Position::Done };
        found.transpose()
    }
}

impl<'a> ObjectScanner<'a> {
    fn advance(&mut self) -> Result<Option<ScannedObject<'a>>, ScanError> {
        match self.position {
            Position::Done => return Ok(None),
            Position::BeforeArray => {
                self.expect(b'[')?;
                if self.peek() == b']' {
                    return self.end();
                }
            }
            Position::AfterObject => {
                if self.peek() == b']' {
                    return self.end();
                }
                self.expect(b',')?;
            }
        }
        self.object().map(Some)
    }

    /// Reads the closing bracket, after which only white space may follow.
    fn end(&mut self) -> Result<Option<ScannedObject<'a>>, ScanError> {
        self.expect(b']')?;
        self.peek();
        if self.at < self.text.len() { Err(self.error(b'\n')) } else { Ok(None) }
    }

    fn object(&mut self) -> Result<ScannedObject<'a>, ScanError> {
        let mut object = ScannedObject::default();
        self.expect(b'{')?;
        let start = self.at - 1;
        if self.peek() == b'}' {
            self.at += 1;
        } else {
            loop {
                let key = self.string()?;
                self.expect(b':')?;
                match key {
                    b"T" => object.kind = self.string()?,
                    b"S" => object.symbol = self.string()?,
                    b"t" if self.peek() == b'"' => object.time = self.string()?,
                    b"sq" => object.sequence = self.integer()?,
                    b"cf" => object.conflated = self.integer()?,
                    b"c" => object.is_late = self.value()?.windows(3).any(|part| part == b"\"Z\""),
                    b"sn" => object.is_snapshot = self.value()? == b"true",
                    _ => {
                        self.value()?;
                    }
                }
                if self.peek() != b',' {
                    self.expect(b'}')?;
                    break;
                }
                self.at += 1;
            }
        }
        object.text = &self.text[start..self.at];
        Ok(object)
    }

    /// Reads a string and returns its content with escapes unchanged.
    #[inline]
    fn string(&mut self) -> Result<&'a [u8], ScanError> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.error(b'"')),
            }
        }
        self.at += 1;
        Ok(&self.text[start..self.at - 1])
    }

    #[inline]
    fn integer(&mut self) -> Result<u64, ScanError> {
        let mut number = 0u64;
        let mut has_digits = false;
        self.peek();
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            has_digits = true;
            self.at += 1;
        }
        if has_digits { Ok(number) } else { Err(self.error(b'0')) }
    }

    /// Skips any value and returns its text.
    #[inline]
    fn value(&mut self) -> Result<&'a [u8], ScanError> {
        match self.peek() {
            b'"' => self.string(),
            b'[' | b'{' => self.nested(),
            _ => {
                let start = self.at;
                while !matches!(self.text.get(self.at), None | Some(b',' | b'}' | b']' | b' ' | b'\n')) {
                    self.at += 1;
                }
                if self.at > start { Ok(&self.text[start..self.at]) } else { Err(self.error(b'0')) }
            }
        }
    }

    /// Skips an array or an object by counting brackets outside strings.
    fn nested(&mut self) -> Result<&'a [u8], ScanError> {
        let start = self.at;
        let mut depth = 0;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'[' | b'{') => depth += 1,
                Some(b']' | b'}') => depth -= 1,
                Some(_) => {}
                None => return Err(self.error(b']')),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    /// Skips white space and returns the next byte, or 0 at the end of the text.
    #[inline]
    fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), ScanError> {
        if self.peek() != byte {
            return Err(self.error(byte));
        }
        self.at += 1;
        Ok(())
    }

    fn error(&self, expected: u8) -> ScanError {
        ScanError { expected: char::from(expected), at: self.at.min(self.text.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const TRADE: &str = r#"{"T":"t","S":"AAPL","i":7,"x":"V","p":101.5,"s":3,"c":["@","I"],"z":"C","t":"2026-11-20T14:30:00.000000001Z","sq":8842,"cf":3}"#;
    const SHUFFLED: &str = r#"{ "T":"q", "cf":2 ,"t":"2026-11-20T14:30:00Z","bs":1,"sq":9,
        "x":{"S":"NOT","sq":1,"deep":[{"T":"no"}]},"note":"}],\"S\":\"X\\","sn":true,"S":"BRK.B" }"#;
    const ACK: &str = r#"{"T":"subscription","trades":["S","T"],"quotes":[],"bars":["*"]}"#;

    /// The same fields, read by serde_json.
    fn parsed(text: &str) -> Vec<(String, String, String, u64, u64, bool)> {
        let word = |object: &Value, key| object[key].as_str().unwrap_or_default().to_owned();
        let array: Vec<Value> = serde_json::from_str(text).unwrap();
        array
            .iter()
            .map(|object| {
                let number = |key| object[key].as_u64().unwrap_or_default();
                (
                    word(object, "T"),
                    word(object, "S"),
                    word(object, "t"),
                    number("sq"),
                    number("cf"),
                    object["sn"] == Value::Bool(true),
                )
            })
            .collect()
    }

    fn scanned(text: &str) -> Vec<(String, String, String, u64, u64, bool)> {
        let word = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        scan(text.as_bytes())
            .map(Result::unwrap)
            .map(|o| (word(o.kind), word(o.symbol), word(o.time), o.sequence, o.conflated, o.is_snapshot))
            .collect()
    }

    #[test]
    fn the_scanner_reads_the_same_fields_as_a_full_parser() {
        let many = format!("[{}]", [TRADE, SHUFFLED, ACK, "{}"].repeat(200).join(","));

        for text in ["[]", " [ ] ", &format!("[{TRADE}]"), &format!("[{SHUFFLED}]"), &many] {
            assert_eq!(scanned(text), parsed(text), "{text}");
        }
    }

    #[test]
    fn the_text_of_an_object_excludes_its_neighbours() {
        let text = format!("[{TRADE}, {ACK}]");

        let texts: Vec<_> = scan(text.as_bytes()).map(|object| object.unwrap().text).collect();

        assert_eq!(texts, [TRADE.as_bytes(), ACK.as_bytes()]);
    }

    #[test]
    fn a_truncated_text_is_an_error_and_never_a_panic() {
        let text = format!("[{TRADE},{SHUFFLED},{ACK}]");

        for cut in 0..text.len() {
            let last = scan(&text.as_bytes()[..cut]).last();
            assert!(matches!(last, Some(Err(_))), "cut at {cut}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_array_of_objects_is_an_error() {
        for text in ["", "{}", "[1]", "[{}", "[{}{}]", "[{}]x", r#"[{"T":1}]"#, r#"[{"sq":"7"}]"#, "[{}]]"] {
            assert!(scan(text.as_bytes()).any(|object| object.is_err()), "{text}");
        }
    }
}
