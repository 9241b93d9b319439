//! Reads what the load client needs from a JSON array of objects, and steps over the rest.
//!
//! A full parse of every object would make this client dearer than the server it measures. This one
//! walks the text once, allocates nothing, and keeps slices of it. It is strict about structure
//! (brackets, commas, strings) and blind to what it does not need: a number is whatever stands
//! before the next comma.

use std::fmt;

/// What the load client wants to know of one object; an absent text is empty, an absent number 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Object<'a> {
    /// `T`: one letter for market data, a word for the conversation.
    pub(crate) kind: &'a [u8],
    /// `S`.
    pub(crate) symbol: &'a [u8],
    /// `t`, still as text.
    pub(crate) stamp: &'a [u8],
    /// `sq`; the protocol counts from 1.
    pub(crate) sequence: u64,
    /// `cf`: how many earlier objects of the stream this one stands for.
    pub(crate) merged: u64,
    /// `sn`: the stream's newest object, sent because we joined and not because it just happened.
    pub(crate) is_snapshot: bool,
    /// `c` says that the venue itself reported it late, out of sequence.
    pub(crate) is_late: bool,
    /// The whole object, for the rare kinds that deserve a real parser.
    pub(crate) text: &'a [u8],
}

/// The text is not an array of objects; what was expected, and where it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    expected: char,
    at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected `{}` at byte {}", self.expected, self.at)
    }
}

/// The objects of one message, in order; ends after the first error.
pub(crate) struct Objects<'a> {
    text: &'a [u8],
    at: usize,
    place: Place,
}

#[derive(PartialEq, Eq)]
enum Place {
    BeforeArray,
    AfterObject,
    Done,
}

/// The objects of the JSON array `text`.
pub(crate) fn objects(text: &[u8]) -> Objects<'_> {
    Objects { text, at: 0, place: Place::BeforeArray }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Result<Object<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let found = self.advance();
        self.place = if matches!(found, Ok(Some(_))) { Place::AfterObject } else { Place::Done };
        found.transpose()
    }
}

impl<'a> Objects<'a> {
    fn advance(&mut self) -> Result<Option<Object<'a>>, Malformed> {
        match self.place {
            Place::Done => return Ok(None),
            Place::BeforeArray => {
                self.expect(b'[')?;
                if self.peek() == b']' {
                    return self.end();
                }
            }
            Place::AfterObject => {
                if self.peek() == b']' {
                    return self.end();
                }
                self.expect(b',')?;
            }
        }
        self.object().map(Some)
    }

    /// The closing bracket, after which only blanks may follow.
    fn end(&mut self) -> Result<Option<Object<'a>>, Malformed> {
        self.expect(b']')?;
        self.peek();
        if self.at < self.text.len() { Err(self.missing(b'\n')) } else { Ok(None) }
    }

    fn object(&mut self) -> Result<Object<'a>, Malformed> {
        let mut object = Object::default();
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
                    b"t" if self.peek() == b'"' => object.stamp = self.string()?,
                    b"sq" => object.sequence = self.integer()?,
                    b"cf" => object.merged = self.integer()?,
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

    /// A string's inside, escapes left as they are.
    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.missing(b'"')),
            }
        }
        self.at += 1;
        Ok(&self.text[start..self.at - 1])
    }

    #[inline]
    fn integer(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        let mut has_digits = false;
        self.peek();
        while let Some(digit @ b'0'..=b'9') = self.text.get(self.at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            has_digits = true;
            self.at += 1;
        }
        if has_digits { Ok(number) } else { Err(self.missing(b'0')) }
    }

    /// Steps over any value.
    #[inline]
    fn value(&mut self) -> Result<&'a [u8], Malformed> {
        match self.peek() {
            b'"' => self.string(),
            b'[' | b'{' => self.nested(),
            _ => {
                let start = self.at;
                while !matches!(self.text.get(self.at), None | Some(b',' | b'}' | b']' | b' ' | b'\n')) {
                    self.at += 1;
                }
                if self.at > start { Ok(&self.text[start..self.at]) } else { Err(self.missing(b'0')) }
            }
        }
    }

    /// Steps over an array or an object by counting brackets outside strings.
    fn nested(&mut self) -> Result<&'a [u8], Malformed> {
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
                None => return Err(self.missing(b']')),
            }
            self.at += 1;
            if depth == 0 {
                return Ok(&self.text[start..self.at]);
            }
        }
    }

    /// The next byte that is not blank, or 0 at the end, which no rule accepts.
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
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != byte {
            return Err(self.missing(byte));
        }
        self.at += 1;
        Ok(())
    }

    fn missing(&self, expected: u8) -> Malformed {
        Malformed { expected: char::from(expected), at: self.at.min(self.text.len()) }
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

    /// The same answer by a real parser.
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
        objects(text.as_bytes())
            .map(Result::unwrap)
            .map(|o| (word(o.kind), word(o.symbol), word(o.stamp), o.sequence, o.merged, o.is_snapshot))
            .collect()
    }

    #[test]
    fn it_reads_what_a_full_parser_reads() {
        let many = format!("[{}]", [TRADE, SHUFFLED, ACK, "{}"].repeat(200).join(","));

        for text in ["[]", " [ ] ", &format!("[{TRADE}]"), &format!("[{SHUFFLED}]"), &many] {
            assert_eq!(scanned(text), parsed(text), "{text}");
        }
    }

    #[test]
    fn the_text_of_an_object_is_the_object_alone() {
        let text = format!("[{TRADE}, {ACK}]");

        let texts: Vec<_> = objects(text.as_bytes()).map(|object| object.unwrap().text).collect();

        assert_eq!(texts, [TRADE.as_bytes(), ACK.as_bytes()]);
    }

    #[test]
    fn a_text_cut_anywhere_is_malformed_and_never_a_panic() {
        let text = format!("[{TRADE},{SHUFFLED},{ACK}]");

        for cut in 0..text.len() {
            let last = objects(&text.as_bytes()[..cut]).last();
            assert!(matches!(last, Some(Err(_))), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_an_array_of_objects_is_malformed() {
        for text in ["", "{}", "[1]", "[{}", "[{}{}]", "[{}]x", r#"[{"T":1}]"#, r#"[{"sq":"7"}]"#, "[{}]]"] {
            assert!(objects(text.as_bytes()).any(|object| object.is_err()), "{text}");
        }
    }
}
