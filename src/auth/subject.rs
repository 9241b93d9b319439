/// The longest subject of a token.
const MAX_SUBJECT: usize = 128;

/// Whether a text may be the subject of a token: 1 to 128 visible ASCII characters.
pub(super) fn is_subject(text: &str) -> bool {
    (1..=MAX_SUBJECT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
