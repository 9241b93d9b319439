/// Checks text for UTF-8 while it streams in, so that a bad byte ends the conversation at once and
/// not only after the last byte of a long message (RFC 6455 section 8.1).
///
/// Keeps at most the three bytes of an unfinished character.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    unfinished: [u8; 4],
    len: usize,
}

/// Text that is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8Check {
    /// Takes in the next bytes; fails at the first that cannot belong to UTF-8 text.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            self.unfinished[self.len] = *first;
            self.len += 1;
            bytes = rest;
            match std::str::from_utf8(&self.unfinished[..self.len]) {
                Ok(_) => self.len = 0,
                Err(fault) if fault.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(fault) if fault.error_len().is_some() => Err(NotUtf8),
            Err(fault) => {
                let tail = &bytes[fault.valid_up_to()..];
                self.unfinished[..tail.len()].copy_from_slice(tail);
                self.len = tail.len();
                Ok(())
            }
        }
    }

    /// Ends the text: fails within a character. Ready for the next text afterwards.
    pub(super) fn finish(&mut self) -> Result<(), NotUtf8> {
        match std::mem::take(&mut self.len) {
            0 => Ok(()),
            _ => Err(NotUtf8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_good_however_it_is_cut() {
        let text = "κόσμε 🦀 ticks".as_bytes();

        for cut in 0..=text.len() {
            let mut check = Utf8Check::default();
            let verdict = check.feed(&text[..cut]).and_then(|()| check.feed(&text[cut..]));
            assert_eq!(verdict.and_then(|()| check.finish()), Ok(()), "cut at {cut}");
        }
    }

    #[test]
    fn a_bad_byte_fails_before_the_character_is_complete() {
        let mut check = Utf8Check::default();

        assert_eq!(check.feed(b"\xce\xba\xf4"), Ok(()));
        assert_eq!(check.feed(b"\x90"), Err(NotUtf8), "F4 90 lies beyond U+10FFFF");
    }

    #[test]
    fn text_must_not_end_within_a_character() {
        let mut check = Utf8Check::default();

        check.feed("🦀".as_bytes().split_last().unwrap().1).unwrap();

        assert_eq!(check.finish(), Err(NotUtf8));
    }
}
