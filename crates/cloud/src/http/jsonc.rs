//! JSON as people write it into templates: with comments, and with texts that go
//! over several lines. `az` sends a template just as its file is.

/// The same JSON without comments, line ends in texts escaped.
pub(super) fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied().peekable();
    let mut within = false;
    while let Some(byte) = rest.next() {
        match (within, byte) {
            (true, b'\\') => {
                plain.push(byte);
                plain.extend(rest.next());
            }
            (true, b'\n') => plain.extend(b"\\n"),
            (true, b'\r') => plain.extend(b"\\r"),
            (true, b'\t') => plain.extend(b"\\t"),
            (_, b'"') => {
                within = !within;
                plain.push(byte);
            }
            (false, b'/') if rest.peek() == Some(&b'/') => {
                while rest.peek().is_some_and(|&byte| byte != b'\n') {
                    rest.next();
                }
            }
            (false, b'/') if rest.peek() == Some(&b'*') => {
                rest.next();
                let mut before = 0;
                for byte in rest.by_ref() {
                    if (before, byte) == (b'*', b'/') {
                        break;
                    }
                    before = byte;
                }
                plain.push(b' ');
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;
    use serde_json::{Value, json};

    #[test]
    fn comments_go_and_texts_stay_whole() {
        let text = b"{ // a \"comment\"\n \"a\": /* two\nlines */ \"x // y /* z */ \\\" \n b\" }";
        let value: Value = serde_json::from_slice(&plain(text)).unwrap();
        assert_eq!(value, json!({ "a": "x // y /* z */ \" \n b" }));
        for odd in ["/", "/*", "\"", "\"\\", "//", "/**/"] {
            plain(odd.as_bytes());
        }
    }
}
