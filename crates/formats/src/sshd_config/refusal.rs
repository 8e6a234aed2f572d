//! Lines that sshd refuses, or that not every sshd accepts.
//!
//! As long as there is one, nobody knows what the other lines lead to. What is said
//! here is on the safe side: a line without an objection may still be refused for
//! what only sshd can judge (`Takes::Anything`), and then `sshd -t` says so.

use std::net::IpAddr;

use super::keyword::{self, Keyword, Takes};
use super::{Config, Directive};
use crate::address;

/// A line that sshd does not take, as far as the text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub file: String,
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// What is wrong with one line.
pub(super) fn of(said: &Directive, closed: bool, global: bool) -> Option<String> {
    if !closed {
        return Some("a quote is not closed".to_owned());
    }
    let Some(keyword) = keyword::find(&said.keyword) else {
        return Some(format!("{} is no keyword that is known here", said.keyword));
    };
    if !global && !keyword.in_match {
        return Some(format!("{} may not stand under this Match", said.keyword));
    }
    value(keyword, said)
}

fn value(keyword: Keyword, said: &Directive) -> Option<String> {
    let words = said.arguments.iter().map(String::as_str);
    let words: Vec<&str> = words.collect();
    let wrong = || Some(format!("{} does not take `{}`", said.keyword, words.join(" ")));
    let any = !words.is_empty() && words.iter().all(|word| !word.is_empty());
    let one = any && words.len() == 1;
    let number = |text: &str| text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    let right = match keyword.takes {
        Takes::Flag => one && is_one_of(words[0], &["yes", "no"]),
        Takes::OneOf(list) => one && is_one_of(words[0], list),
        Takes::Port => one && is_port(words[0]),
        Takes::Number => one && number(words[0]),
        Takes::Time => one && is_time(words[0]),
        Takes::Listen => one && is_listen_address(words[0]),
        Takes::Users => any && words.iter().all(|word| is_user(word)),
        Takes::Words => any,
        Takes::Word => one,
        Takes::Methods => any && are_methods(&words),
        Takes::Command => {
            any && (words[0].starts_with('/') || words[0].eq_ignore_ascii_case("none"))
        }
        Takes::Anything | Takes::Include => any,
        // Conditions are judged where they are read.
        Takes::Match | Takes::Ignored => true,
    };
    if right { None } else { wrong() }
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_port(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
        && word.parse::<u16>().is_ok_and(|p| p > 0)
}

/// misc.c, `convtime`: numbers, each with a unit or, for seconds, without.
fn is_time(word: &str) -> bool {
    let units = word.bytes().filter(u8::is_ascii_alphabetic).count();
    word.len() < 9
        && word.starts_with(|c: char| c.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || b"smhdwSMHDW".contains(&byte))
        && (units == 0 || !word.ends_with(|c: char| c.is_ascii_digit()))
        && !word.as_bytes().windows(2).any(|two| two.iter().all(u8::is_ascii_alphabetic))
}

fn is_listen_address(word: &str) -> bool {
    match super::listen_address(word) {
        Some((host, port)) => host.parse::<IpAddr>().is_ok() && port.is_none_or(is_port),
        None => false,
    }
}

/// match.c, `match_user`: a host part may be a list of addresses.
fn is_user(word: &str) -> bool {
    word.rsplit_once('@').is_none_or(|(_, host)| address::check(host).is_ok())
}

/// The methods of sshd's own list, one or several lists of them, or `any` alone.
fn are_methods(lists: &[&str]) -> bool {
    let known = |method: &str| {
        let (name, device) = method.split_once(':').unwrap_or((method, ""));
        let devices = name == "keyboard-interactive" || !method.contains(':');
        devices
            && (device.is_empty() || !method.ends_with(':'))
            && METHODS.contains(&name)
    };
    lists == ["any"] || lists.iter().all(|list| list.split(',').all(known))
}

const METHODS: &[&str] =
    &["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic"];

/// What is wrong with the settings together (sshd.c): a list of methods of which none
/// is turned on, a command that nobody is to run.
pub(super) fn together(config: &Config) -> Option<Refusal> {
    let first = |keyword: &'static str| config.global(keyword).next();
    let on = |keyword: &'static str, otherwise: bool| {
        let said = first(keyword).and_then(|said| said.arguments.first());
        said.map_or(otherwise, |value| value.eq_ignore_ascii_case("yes"))
    };
    let refuse = |said: &Directive, why: &str| {
        Some(Refusal { file: said.file.clone(), line: said.line, why: why.to_owned() })
    };
    if let Some(said) =
        first("authenticationmethods").filter(|said| said.arguments != ["any"])
    {
        let enabled = |method: &str| match method.split(':').next().unwrap_or_default() {
            "publickey" => on("pubkeyauthentication", true),
            "password" => on("passwordauthentication", true),
            "keyboard-interactive" => on("kbdinteractiveauthentication", true),
            "hostbased" => on("hostbasedauthentication", false),
            _ => on("gssapiauthentication", false),
        };
        if !said.arguments.iter().any(|list| list.split(',').all(enabled)) {
            return refuse(said, "every list has a method that is turned off");
        }
    }
    // After another line that counts, `any` is not alone.
    let lines = config.directives.iter();
    let mut methods = lines.filter(|said| said.keyword == "authenticationmethods");
    if methods.next().is_some()
        && let Some(said) = methods.find(|said| said.arguments == ["any"])
    {
        return refuse(said, "`any` must stand alone");
    }
    let family = first("addressfamily").and_then(|said| said.arguments.first());
    if let Some(v6) =
        family.and_then(|family| match family.to_ascii_lowercase().as_str() {
            "inet" => Some(false),
            "inet6" => Some(true),
            _ => None,
        })
    {
        for said in config.global("listenaddress") {
            let host =
                said.arguments.first().and_then(|value| super::listen_address(value));
            let address = host.and_then(|(host, _)| host.parse::<IpAddr>().ok());
            if address.is_some_and(|address| address.is_ipv6() != v6) {
                return refuse(said, "AddressFamily excludes the address");
            }
        }
    }
    for (command, user) in [
        ("authorizedkeyscommand", "authorizedkeyscommanduser"),
        ("authorizedprincipalscommand", "authorizedprincipalscommanduser"),
    ] {
        if let Some(said) = first(command)
            && said.arguments.first().is_some_and(|one| !one.eq_ignore_ascii_case("none"))
            && first(user).is_none()
        {
            return refuse(said, "nobody is named who is to run the command");
        }
    }
    None
}
