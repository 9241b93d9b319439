/// Validates UTF-8 while it streams in, so that an invalid byte closes the connection at once and not
/// only after the last byte of a long message (RFC 6455 section 8.1).
///
/// Buffers at most the three bytes of an incomplete character.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    incomplete: [u8; 4],
    len: usize,
}

/// Text that is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8Check {
    /// Validates the next bytes; fails at the first that cannot belong to UTF-8 text.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else { return Ok(()) };
            self.incomplete[self.len] = *first;
            self.len += 1;
            bytes = rest;
            match std::str::from_utf8(&self.incomplete[..self.len]) {
                Ok(_) => self.len = 0,
                Err(error) if error.error_len().is_some() => return Err(NotUtf8),
                Err(_) => {}
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(NotUtf8),
            Err(error) => {
                let tail = &bytes[error.valid_up_to()..];
                self.incomplete[..tail.len()].copy_from_slice(tail);
                self.len = tail.len();
                Ok(())
            }
        }
    }

    /// Ends the text; fails within a character. The next text may begin afterwards.
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
    fn valid_text_may_be_split_anywhere() {
        let text = "κόσμε 🦀 ticks".as_bytes();

        for cut in 0..=text.len() {
            let mut check = Utf8Check::default();
            let result = check.feed(&text[..cut]).and_then(|()| check.feed(&text[cut..]));
            assert_eq!(result.and_then(|()| check.finish()), Ok(()), "cut at {cut}");
        }
    }

    #[test]
    fn an_invalid_byte_fails_before_the_character_is_complete() {
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
