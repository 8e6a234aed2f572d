//! What may stand only in one place: who prints, who knows axum and SQL, who
//! starts programs, who reads a clock.

use super::tokens::{Token, Tokens};

/// Code that may stand only in some rooms.
struct Confined {
    /// What is looked for in what the product sees; also found in a grouped import.
    code: &'static str,
    /// Path prefixes in which it may stand.
    home: &'static [&'static str],
    /// The invariant, as ARCHITECTURE.md words it.
    why: &'static str,
}

const PRINTERS: &[&str] = &["crates/regain/src/output", "xtask", "e2e"];

/// Everybody but the pure rooms.
const IMPURE: &[&str] = &[
    "crates/arm",
    "crates/cloud",
    "crates/guest",
    "crates/machine",
    "crates/probe",
    "crates/rescue",
    "crates/regain",
    "xtask",
    "e2e",
];

const CONFINED: [Confined; 11] = [
    printing("print!()"),
    printing("println!()"),
    printing("eprint!()"),
    printing("eprintln!()"),
    Confined {
        code: "axum",
        home: &["crates/cloud/src/http"],
        why: "only cloud/http knows axum",
    },
    Confined {
        code: "sqlx",
        home: &["crates/cloud/src/store"],
        why: "only cloud/store knows SQL",
    },
    Confined {
        code: "\"systemd-nspawn\"",
        home: &["crates/machine", "crates/regain/src/lab/programs.rs"],
        why: "only machine starts VMs",
    },
    Confined {
        code: "\"nft\"",
        home: &[
            "crates/machine",
            "crates/guest",
            "crates/doctor",
            "crates/formats",
            "crates/rescue/src/report",
            "crates/regain/src/lab/programs.rs",
        ],
        why: "only machine touches the host's network",
    },
    Confined {
        code: "Command::new(\"ssh\")",
        home: &["crates/rescue", "e2e"],
        why: "only rescue runs the system's ssh",
    },
    Confined {
        code: "SystemTime::now",
        home: IMPURE,
        why: "the pure rooms read no clock",
    },
    Confined { code: "std::fs", home: IMPURE, why: "the pure rooms do no I/O" },
];

const fn printing(code: &'static str) -> Confined {
    Confined { code, home: PRINTERS, why: "only regain/output prints" }
}

/// Where a file has what it may not have: line and invariant.
pub(super) fn check(path: &str, tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for rule in &CONFINED {
        if rule.home.iter().any(|home| path.starts_with(home)) {
            continue;
        }
        let pattern = pattern(rule.code);
        for (at, token) in tokens.iter().enumerate() {
            if !token.test && follows(tokens, at, &pattern) {
                found.push((token.line, format!("{} (`{}`)", rule.why, rule.code)));
            }
        }
    }
    found
}

/// Code as tokens, up to what is between its last delimiters.
fn pattern(code: &str) -> Vec<Token> {
    let mut tokens = Tokens::read(code).map(|tokens| tokens.all).unwrap_or_default();
    if tokens.last().is_some_and(|last| last.text == ")") {
        tokens.pop();
    }
    tokens
}

/// Whether the pattern stands at `at`. What follows `::` may also be a member of
/// a group: `std::{fs, io}` has `std::fs`.
fn follows(tokens: &[Token], at: usize, pattern: &[Token]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return true };
    let Some(token) = tokens.get(at) else { return false };
    if token.text == first.text {
        return follows(tokens, at + 1, rest);
    }
    let grouped = token.text == "{" && at > 0 && tokens[at - 1].text == ":";
    grouped && members(tokens, at).any(|member| follows(tokens, member, pattern))
}

/// Where the members of an import's group begin.
fn members(tokens: &[Token], open: usize) -> impl Iterator<Item = usize> {
    let mut depth = 0usize;
    let mut begins = false;
    let inside = tokens[open..].iter().enumerate().map_while(move |(offset, token)| {
        let member = begins && depth == 1;
        begins = false;
        match token.text.as_str() {
            "{" => {
                depth += 1;
                begins = true;
            }
            "}" => depth -= 1,
            "," => begins = true,
            _ => {}
        }
        (depth > 0).then_some(member.then_some(open + offset))
    });
    inside.flatten()
}

#[cfg(test)]
mod tests {
    use super::{Tokens, check};

    fn broken(path: &str, text: &str) -> usize {
        check(path, &Tokens::read(text).expect("Rust").all).len()
    }

    const PURE: &str = "crates/doctor/src/judge.rs";

    #[test]
    fn printing_outside_output_is_found() {
        assert_eq!(broken(PURE, "fn f() { println!(\"x\"); }"), 1);
        assert_eq!(broken(PURE, "fn f() { eprint!(\"x\"); }"), 1);
        assert_eq!(broken("crates/regain/src/output/text.rs", "f! { println!() }"), 0);
    }

    #[test]
    fn a_test_in_the_midst_of_a_file_does_not_hide_what_follows() {
        let text = "#[cfg(test)] fn f() { use std::fs; }\nfn g() { println!(\"x\"); }";
        assert_eq!(broken(PURE, text), 1);
        assert_eq!(broken(PURE, "#[cfg(test)] mod tests;\nuse std::fs;"), 1);
    }

    #[test]
    fn tests_may_do_what_the_product_may_not() {
        assert_eq!(broken(PURE, "#[cfg(test)] mod tests { use std::fs; }"), 0);
    }

    #[test]
    fn a_grouped_import_is_an_import() {
        assert_eq!(broken(PURE, "use std::{collections::BTreeMap, fs, io};"), 1);
        assert_eq!(broken(PURE, "use std::{io, fs::{self, File}};"), 1);
        assert_eq!(broken(PURE, "use std::{io::{fs}, process};"), 0);
    }

    #[test]
    fn words_about_a_thing_are_not_the_thing() {
        assert_eq!(broken(PURE, "// println!\n/* std::fs */ fn f() { \"println!\" }"), 0);
        assert_eq!(broken(PURE, "fn f() { print != other }"), 0);
        assert_eq!(broken("crates/arm/src/a.rs", "fn f() { run(\"nft list\") }"), 0);
        assert_eq!(broken("crates/arm/src/a.rs", "fn f() { run(\"nft\") }"), 1);
    }
}
