//! JSON as people write it into templates: with comments, with texts that go over
//! several lines, with a comma too many. `az` sends a template just as its file is,
//! under a name that it does not quote.

/// The same as plain JSON: no comments, line ends in texts escaped, names quoted.
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
            (false, b'}' | b']') => {
                while plain.last().is_some_and(u8::is_ascii_whitespace) {
                    plain.pop();
                }
                if plain.last() == Some(&b',') {
                    plain.pop();
                }
                plain.push(byte);
            }
            // A number may have an `e` in it.
            (false, b'0'..=b'9' | b'-') => {
                plain.push(byte);
                let part = |byte: &u8| byte.is_ascii_digit() || b".eE+-".contains(byte);
                while let Some(byte) = rest.next_if(part) {
                    plain.push(byte);
                }
            }
            (false, b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$') => {
                let mut word = vec![byte];
                while let Some(byte) = rest.next_if(|byte| byte.is_ascii_alphanumeric()) {
                    word.push(byte);
                }
                let is_value = matches!(word.as_slice(), b"true" | b"false" | b"null");
                if is_value {
                    plain.append(&mut word);
                } else {
                    plain.push(b'"');
                    plain.append(&mut word);
                    plain.push(b'"');
                }
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
        let text = b"{ template:{ \"a\": [1e2, true, ], }, mode: \"x,}\" }";
        let value: Value = serde_json::from_slice(&plain(text)).unwrap();
        assert_eq!(value, json!({ "template": { "a": [1e2, true] }, "mode": "x,}" }));
        for odd in ["/", "/*", "\"", "\"\\", "//", "/**/"] {
            plain(odd.as_bytes());
        }
    }
}
