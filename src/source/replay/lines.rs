use std::io::{self, BufRead};

/// Passes over what is left of a line, however long it is.
pub(super) fn skip_rest_of_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|letter| *letter == b'\n');
        let count = end.map_or(buffer.len(), |end| end + 1);
        let is_over = end.is_some() || buffer.is_empty();
        input.consume(count);
        if is_over {
            return Ok(());
        }
    }
}
