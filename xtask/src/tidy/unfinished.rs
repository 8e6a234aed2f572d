//! What is unfinished: holes in the code, and tests that do not run. Looked for
//! everywhere, in tests most of all.

use super::tokens::Token;

/// Where a file is unfinished: line and what to do.
pub(super) fn check(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let mut say = |line: usize, what: &str| found.push((line, what.to_owned()));
        if begins(tokens, at, &["todo", "!"])
            || begins(tokens, at, &["unimplemented", "!"])
        {
            say(token.line, "unfinished work is a defect");
        }
        if !begins(tokens, at, &["#", "["]) {
            continue;
        }
        let attribute = inside(tokens, at + 1);
        let is = |word: &str| attribute.iter().any(|token| token.text == word);
        match attribute.first().map(|token| token.text.as_str()) {
            Some("ignore") => say(token.line, "an ignored test proves nothing"),
            Some("cfg_attr") if is("ignore") => {
                say(token.line, "an ignored test proves nothing");
            }
            Some("doc") if is_ignored_example(attribute) => {
                say(token.line, "an example that is not compiled goes stale");
            }
            Some(first) if first == "test" || is_path_to_test(attribute) => {
                if let Some(line) = early_end(&tokens[at..]) {
                    say(line, "a test that may end early proves nothing: assert instead");
                }
            }
            _ => {}
        }
    }
    found
}

fn begins(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.len() >= at + words.len()
        && words.iter().zip(&tokens[at..]).all(|(word, token)| token.text == *word)
}

/// What is between the delimiter at `open` and its partner.
fn inside(tokens: &[Token], open: usize) -> &[Token] {
    let mut depth = 0usize;
    for (offset, token) in tokens[open..].iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &tokens[open + 1..open + offset.max(1)];
        }
    }
    &[]
}

/// `tokio::test`, with or without arguments.
fn is_path_to_test(attribute: &[Token]) -> bool {
    begins(attribute, 1, &[":", ":", "test"])
}

fn is_ignored_example(attribute: &[Token]) -> bool {
    attribute.iter().any(|token| token.text.contains("```ignore"))
}

/// The line at which the test function at the head of these returns before its
/// last assertion. A closure and an `async` block return for themselves.
fn early_end(tokens: &[Token]) -> Option<usize> {
    let open = tokens.iter().position(|token| token.text == "{")?;
    let mut own = vec![];
    let mut before = "";
    for token in inside(tokens, open) {
        match token.text.as_str() {
            "(" | "[" => own.push(true),
            "{" => own.push(matches!(before, "async" | "move" | "|")),
            ")" | "]" | "}" => drop(own.pop()),
            "return" if !own.contains(&true) => return Some(token.line),
            _ => {}
        }
        before = &token.text;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tokens::Tokens;
    use super::check;

    fn lines(text: &str) -> Vec<usize> {
        let tokens = Tokens::read(text).expect("Rust").all;
        check(&tokens).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn an_ignored_test_is_found_in_a_module_of_tests() {
        let text =
            "fn f() {}\n#[cfg(test)]\nmod tests {\n#[test]\n#[ignore]\nfn a() {}\n}";
        assert_eq!(lines(text), [5]);
        assert_eq!(lines("#[test]\n#[ignore = \"slow\"]\nfn a() {}"), [2]);
        assert_eq!(lines("#[cfg_attr(unix, ignore)]\n#[test]\nfn a() {}"), [1]);
    }

    #[test]
    fn a_hole_is_found_wherever_it_is() {
        assert_eq!(lines("fn f() { todo!() }"), [1]);
        assert_eq!(
            lines("#[cfg(test)]\nmod tests {\nfn f() { unimplemented!() }\n}"),
            [3]
        );
    }

    #[test]
    fn a_test_that_skips_itself_is_found() {
        let text = "#[test]\nfn a() {\nif !root() {\nreturn;\n}\nassert!(f());\n}";
        assert_eq!(lines(text), [4]);
        assert_eq!(lines(&text.replace("test]", "tokio::test]")), [4]);
        let text = "#[test]\nfn a() { let Some(x) = f() else { return };\ng(x) }";
        assert_eq!(lines(text), [2]);
    }

    #[test]
    fn what_returns_for_itself_does_not_end_the_test() {
        for body in [
            "each(|x| { if x { return; } assert!(x) });",
            "let is = |x| { return x; };",
            "let is = async move { return true; };",
        ] {
            assert!(lines(&format!("#[test] fn a() {{ {body} }}")).is_empty(), "{body}");
        }
        assert!(lines("fn a() { return; }").is_empty());
    }

    #[test]
    fn an_example_that_is_not_compiled_is_found() {
        assert_eq!(lines("//! A room.\n/// ```ignore\n/// f()\n/// ```\nfn f() {}"), [2]);
    }

    #[test]
    fn words_are_no_holes() {
        assert!(lines("// todo!()\nfn ignore() { \"#[ignore]\"; }").is_empty());
    }
}
