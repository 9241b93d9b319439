//! The words of comments and documents.

use std::path::Path;

/// The comments of a source file, and the whole of a document.
///
/// It goes by lines and does not parse: a `//` within a string counts as a comment, unless it is a URL's.
pub(crate) fn prose(file: &Path, text: &str) -> String {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("md") => text.to_owned(),
        Some("py") => between(text, "\"\"\"", "\"\"\"") + &line_comments(text, "#"),
        Some("html") => between(text, "<!--", "-->"),
        _ => between(text, "/*", "*/") + &line_comments(text, "//"),
    }
}

fn line_comments(text: &str, mark: &str) -> String {
    let comment = |line: &str| {
        let start = line.match_indices(mark).map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'))?;
        Some(line[start..].to_owned() + "\n")
    };
    text.lines().filter_map(comment).collect()
}

fn between(text: &str, start: &str, end: &str) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(start)
        && let Some((inside, after)) = after.split_once(end)
    {
        found += inside;
        found += "\n";
        rest = after;
    }
    found
}

/// How often one of these words or pairs of words occurs, in any case.
pub(crate) fn count(prose: &str, wanted: &[&str]) -> usize {
    let prose = prose.to_lowercase();
    let words: Vec<_> = prose.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let of_one = |wanted: &str| words.iter().filter(|word| **word == wanted).count();
    let of_two = |one: &str, two: &str| words.windows(2).filter(|pair| *pair == [one, two]).count();
    wanted
        .iter()
        .map(|wanted| wanted.split_once(' ').map_or_else(|| of_one(wanted), |(a, b)| of_two(a, b)))
        .sum()
}

#[test]
fn words_are_counted_in_comments_and_not_in_code() {
    let rust = "/// Pears are\nlet pears = \"pears\"; // So\n/* pears */ // many https://pears.example\n";

    let prose = prose(Path::new("a.rs"), rust);

    assert_eq!(count(&prose, &["pears", "apples"]), 3, "{prose}");
    assert_eq!(count("Few pears are few, pears few\npears", &["few pears", "are few"]), 4);
    assert_eq!(
        count(&self::prose(Path::new("a.py"), "\"\"\"Pears\"\"\"\npears = 1  # figs"), &["pears", "figs"]),
        2
    );
}
