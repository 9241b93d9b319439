use serde_json::Value;

use super::PublishRefusal;

/// The deepest nesting of data. A client that draws what others publish must not be made to recurse at their will.
pub const MAX_DEPTH: usize = 16;

/// What is wrong with the data of a message, whatever the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentFault {
    /// It nests deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A text, or a key, has a control character other than tab and newline.
    ControlCharacter,
}

impl From<ContentFault> for PublishRefusal {
    fn from(fault: ContentFault) -> Self {
        match fault {
            ContentFault::TooDeep => Self::TooDeep,
            ContentFault::ControlCharacter => Self::ControlCharacter,
        }
    }
}

/// Checks the data of a message. Half characters (lone surrogates) are no JSON text, so they never come here.
///
/// # Errors
/// When it may not be published.
pub fn check_content(data: &Value) -> Result<(), ContentFault> {
    check_at(data, 0)
}

fn check_at(data: &Value, depth: usize) -> Result<(), ContentFault> {
    if depth > MAX_DEPTH {
        return Err(ContentFault::TooDeep);
    }
    match data {
        Value::String(text) => check_text(text),
        Value::Array(list) => list.iter().try_for_each(|value| check_at(value, depth + 1)),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            check_text(key)?;
            check_at(value, depth + 1)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), ContentFault> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_bad) { Err(ContentFault::ControlCharacter) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| (0..depth).fold(json!("x"), |inner, _| json!({ "a": inner }));

        assert_eq!(check_content(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check_content(&nested(MAX_DEPTH + 1)), Err(ContentFault::TooDeep));
    }

    #[test]
    fn text_has_no_control_characters_but_may_have_lines_and_markup() {
        for fine in ["a\nb\tc", "<script>alert(1)</script>", "é中😀"] {
            assert_eq!(check_content(&json!([{ "text": fine }])), Ok(()), "{fine:?}");
        }
        for bad in ["\0", "\u{1b}[2J", "a\rb", "\u{7f}", "\u{85}"] {
            assert_eq!(check_content(&json!([bad])), Err(ContentFault::ControlCharacter), "{bad:?}");
            assert_eq!(check_content(&json!({ bad: 1 })), Err(ContentFault::ControlCharacter), "{bad:?}");
        }
    }
}
