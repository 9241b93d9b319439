use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The id of an instrument: its position in the [`Universe`](super::Universe), from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(pub u32);

impl SymbolId {
    /// The id as an array index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The text that names an instrument: 1 to 24 visible ASCII characters, held inline.
///
/// The characters `"`, `\` and `,` are refused, so a symbol needs no escapes in JSON and in comma-separated
/// lists. Symbols are case-sensitive.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symbol {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Symbol {
    /// The longest symbol accepted, in bytes. OSI option symbols, the longest in use, have 21.
    pub const MAX_LEN: usize = 24;

    /// The symbol as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len as usize]).expect("a symbol holds ASCII only")
    }

    /// The characters as big-endian numbers, which compare as the text does: unused bytes are zero, and no
    /// character is.
    fn sort_key(&self) -> [u64; 3] {
        let (words, _) = self.bytes.as_chunks();
        std::array::from_fn(|place| u64::from_be_bytes(words[place]))
    }
}

/// Ordered as text. Sorting ten thousand symbols takes a hundred thousand comparisons, each of which would be
/// a call to `memcmp`.
impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> Ordering {
        self.sort_key().cmp(&other.sort_key())
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Text that cannot be a symbol: answer `400 invalid syntax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolError;

impl fmt::Display for SymbolError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "a symbol has 1 to {} visible ASCII characters without quote, backslash or comma",
            Symbol::MAX_LEN
        )
    }
}

impl std::error::Error for SymbolError {}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len());
        let clean = text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b','));
        if !fits || !clean {
            return Err(SymbolError);
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: text.len() as u8 })
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Symbol({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_keeps_its_text() {
        let symbol: Symbol = "BRK.B".parse().unwrap();

        assert_eq!(symbol.as_str(), "BRK.B");
    }

    #[test]
    fn symbols_are_ordered_as_their_text() {
        let texts = ["A", "AA", "AA.B", "AAAAAAAA", "AAAAAAAAB", "AB", "ABCDEFGHIJKLMNOPQRSTUVW", "B", "a"];
        let symbols = texts.map(|text| text.parse::<Symbol>().unwrap());

        assert!(texts.is_sorted() && symbols.is_sorted());
        assert!(symbols.windows(2).all(|two| two[0] < two[1]));
    }

    #[test]
    fn text_that_would_need_escapes_is_refused() {
        for bad in ["", "A B", "A\"B", "A\\", "A,B", "ÄPL", "AAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(bad.parse::<Symbol>(), Err(SymbolError), "{bad:?}");
        }
    }
}
