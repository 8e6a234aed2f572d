//! A source file as the compiler reads it: tokens with their lines, each marked
//! with whether only tests see it.
//!
//! ```text
//! text ─ proc-macro2 ─► trees ─ item by item ─► tokens, modules of tests
//! ```
//!
//! `#[cfg(test)]` hides the one item that follows it and nothing after that.
//! Where an item's end is doubtful the shorter reading is taken: what is called
//! product too early is only held to stricter rules.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file, flat.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Every token; a group is its delimiters and what is between them.
    pub(crate) all: Vec<Token>,
    /// Modules in files of their own that only tests see.
    pub(crate) test_modules: Vec<String>,
}

/// A word, a literal, a sign or a delimiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Whether `#[cfg(test)]` or `#[test]` hides it from the product.
    pub(crate) test: bool,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is not Rust.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| anyhow!("not Rust: {error}"))?;
        let mut tokens = Self::default();
        tokens.level(stream, false);
        Ok(tokens)
    }

    /// One level of nesting: attributes decide about the item after them.
    fn level(&mut self, stream: TokenStream, mut test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            let (after, hidden) = attributes(&trees, at);
            if after == at {
                // `#![cfg(test)]` hides all that follows.
                test |= is_inner_cfg_test(&trees[at..]);
                self.tree(&trees[at], test);
                at += 1;
                continue;
            }
            let end = if hidden { after + item(&trees[after..]) } else { after };
            if let Some(name) = own_file(&trees[after..end]) {
                self.test_modules.push(name);
            }
            for tree in &trees[at..end] {
                self.tree(tree, test || hidden);
            }
            at = end;
        }
    }

    fn tree(&mut self, tree: &TokenTree, test: bool) {
        let line = tree.span().start().line;
        let TokenTree::Group(group) = tree else {
            self.all.push(Token { text: tree.to_string(), line, test });
            return;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.all.push(Token { text: open.to_owned(), line, test });
        self.level(group.stream(), test);
        let line = group.span_close().start().line;
        self.all.push(Token { text: close.to_owned(), line, test });
    }
}

/// The end of the outer attributes at `at`, and whether one of them hides their
/// item from the product.
fn attributes(trees: &[TokenTree], mut at: usize) -> (usize, bool) {
    let mut hidden = false;
    while let Some([TokenTree::Punct(sign), TokenTree::Group(body)]) =
        trees.get(at..at + 2)
    {
        if sign.as_char() != '#' || body.delimiter() != Delimiter::Bracket {
            break;
        }
        hidden |= is_for_tests(body.stream());
        at += 2;
    }
    (at, hidden)
}

/// `cfg(test)`, `cfg(all(test, unix))`, `test`, `tokio::test`; not `cfg(not(test))`,
/// and not `cfg_attr(test, ...)`, which hides nothing.
fn is_for_tests(attribute: TokenStream) -> bool {
    let words: Vec<String> = words(attribute);
    let tested = words.iter().any(|word| word == "test");
    match words.first().map(String::as_str) {
        Some("cfg") => tested && !words.iter().any(|word| word == "not" || word == "any"),
        Some("test") => words.len() == 1,
        Some(_) => {
            words.get(1).is_some_and(|word| word == "test") && words[0] != "cfg_attr"
        }
        None => false,
    }
}

fn words(stream: TokenStream) -> Vec<String> {
    stream
        .into_iter()
        .flat_map(|tree| match tree {
            TokenTree::Ident(word) => vec![word.to_string()],
            TokenTree::Group(group) => words(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

fn is_inner_cfg_test(trees: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(body), ..] =
        trees
    else {
        return false;
    };
    hash.as_char() == '#' && bang.as_char() == '!' && is_for_tests(body.stream())
}

/// How many trees the item at the head of these has.
fn item(trees: &[TokenTree]) -> usize {
    // A braced list is the end of a function or a module, but in the midst of an
    // import or of a value.
    let mut words = trees.iter().map_while(|tree| match tree {
        TokenTree::Ident(word) => Some(word.to_string()),
        // `pub(crate)`
        TokenTree::Group(_) => Some(String::new()),
        _ => None,
    });
    let kind =
        words.find(|word| !matches!(word.as_str(), "" | "pub" | "unsafe" | "async"));
    let to_semicolon =
        matches!(kind.as_deref(), Some("use" | "static" | "const" | "type" | "let"))
            && !trees.iter().take(6).any(|tree| tree.to_string() == "fn");
    let is_end = |tree: &TokenTree| match tree {
        TokenTree::Punct(sign) => {
            sign.as_char() == ';' || (sign.as_char() == ',' && !to_semicolon)
        }
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !to_semicolon,
        _ => false,
    };
    trees.iter().position(is_end).map_or(trees.len(), |last| last + 1)
}

/// The name of a module that lies in a file of its own: `mod tests;`.
fn own_file(item: &[TokenTree]) -> Option<String> {
    match item {
        [.., TokenTree::Ident(kind), TokenTree::Ident(name), TokenTree::Punct(end)]
            if *kind == "mod" && end.as_char() == ';' =>
        {
            Some(name.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    /// The words that the product sees.
    fn product(text: &str) -> String {
        let tokens = Tokens::read(text).expect("Rust").all;
        let seen = tokens.into_iter().filter(|token| !token.test);
        seen.map(|token| token.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_the_item_after_cfg_test_is_hidden() {
        for item in [
            "mod a { fn f() {} }",
            "mod a;",
            "pub(crate) fn f(x: [u8; 2]) -> u8 { x[0] }",
            "pub const fn f() {}",
            "use a::{b, c};",
            "const A: S = S { b: 1 };",
            "#[derive(Debug)] struct S(u8);",
            "impl S { fn f() {} }",
        ] {
            let text = format!("#[cfg(test)] {item} fn after() ;");
            assert_eq!(product(&text), "fn after ( ) ;", "{item}");
        }
        let field = "struct S { #[cfg(test)] a: u8, b: u8 }";
        assert_eq!(product(field), "struct S { b : u8 }");
    }

    #[test]
    fn a_test_function_is_a_test_wherever_it_stands() {
        assert_eq!(product("#[test] fn a() {} fn b();"), "fn b ( ) ;");
        assert_eq!(product("#[tokio::test(x = 1)] async fn a() {} b!();"), "b ! ( ) ;");
    }

    #[test]
    fn what_the_product_also_sees_is_not_hidden() {
        assert!(product("#[cfg(not(test))] fn f() {}").contains("fn f"));
        assert!(product("#[cfg_attr(test, derive(A))] struct S;").contains("struct S"));
        assert!(product("#[cfg(any(test, unix))] fn f() {}").contains("fn f"));
    }

    #[test]
    fn a_whole_file_can_be_for_tests() {
        assert_eq!(product("#![cfg(test)] fn f() {}"), "");
    }

    #[test]
    fn text_and_comments_are_no_code() {
        let text = "/* #[cfg(test)] */ // {\nfn f() { \"#[cfg(test)] }\"; '{' }\nfn g();";
        assert!(product(text).ends_with("fn g ( ) ;"));
    }

    #[test]
    fn modules_of_tests_in_files_of_their_own_are_known() {
        let tokens = Tokens::read("#[cfg(test)] mod a; mod b; #[cfg(test)] mod c {}");
        assert_eq!(tokens.expect("Rust").test_modules, ["a"]);
    }

    #[test]
    fn lines_are_the_files() {
        let tokens = Tokens::read("//! x\n\nfn f() {\n    g();\n}\n").expect("Rust").all;
        let line = |word| tokens.iter().find(|token| token.text == word).map(|t| t.line);
        assert_eq!((line("g"), line("}")), (Some(4), Some(5)));
    }
}
