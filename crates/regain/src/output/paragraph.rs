//! Running text: broken into lines, or cut to one. Wide characters count double,
//! and Japanese is broken where its rules allow.

use unicode_width::UnicodeWidthStr;

/// Paragraphs, indented by two and broken before they are too long to read.
pub(super) fn indented(text: &str) -> String {
    const WIDTH: usize = 92;
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            if !line.is_empty() && line.width() + piece.trim_end().width() > WIDTH {
                lines.push(format!("  {}", line.trim_end()));
                line.clear();
            }
            line.push_str(piece);
        }
        lines.push(format!("  {}", line.trim_end()).trim_end().to_owned());
    }
    lines.join("\n")
}

/// Where a line may be broken: after blanks, and around wide characters, of
/// which Japanese is written without blanks. What may not begin a line stays
/// with what it follows.
fn pieces(text: &str) -> Vec<&str> {
    const NOT_FIRST: &str = "、。」』）・ーぁぃぅぇぉっゃゅょァィゥェォッャュョ";
    let mut pieces = Vec::new();
    let (mut start, mut before) = (0, None);
    for (at, character) in text.char_indices() {
        let wide = |character: char| !character.is_ascii();
        let breaks = match before {
            None => false,
            Some(_) if NOT_FIRST.contains(character) => false,
            Some(' ') => character != ' ',
            Some(before) => wide(before) || (wide(character) && character != '…'),
        };
        if breaks {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(character);
    }
    pieces.push(&text[start..]);
    pieces
}

/// Cut before it would need a second line.
pub(super) fn shortened(text: &str) -> String {
    const WIDTH: usize = 70;
    if text.width() <= WIDTH {
        return text.to_owned();
    }
    let mut kept = String::new();
    for piece in pieces(text) {
        if kept.width() + piece.width() > WIDTH {
            break;
        }
        kept.push_str(piece);
    }
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_where_the_language_allows() {
        let english = indented(&"word ".repeat(40));
        assert!(english.lines().all(|line| line.width() <= 94 && line.ends_with("word")));
        let japanese = indented(&"鍵が読まれます。".repeat(20));
        assert!(japanese.lines().count() > 1);
        assert!(
            japanese.lines().all(|line| line.width() <= 96 && !line.starts_with("  。"))
        );
        assert_eq!(japanese.replace(['\n', ' '], ""), "鍵が読まれます。".repeat(20));
    }

    #[test]
    fn a_line_that_is_cut_says_so() {
        assert_eq!(shortened("short"), "short");
        let cut = shortened(&"word ".repeat(40));
        assert!(cut.width() <= 71 && cut.ends_with("word…"), "{cut}");
    }
}
