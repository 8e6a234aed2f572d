//! What a keyword comes to for a connection of which something is not known.

use std::net::IpAddr;

use formats::sshd_config::{Config, Connection, MAIN_FILE, Setting};

use super::files;

fn config(text: &str) -> Config {
    Config::read(&files(&[(MAIN_FILE, text)]), MAIN_FILE)
}

fn known(text: &str, keyword: &str, connection: &Connection) -> String {
    match config(text).resolve(keyword, connection).values() {
        Some(values) => values.join(" "),
        None => "unknown".to_owned(),
    }
}

fn reason(text: &str, keyword: &str, connection: &Connection) -> String {
    match config(text).resolve(keyword, connection) {
        Setting::Unknown(why) => why,
        other => panic!("it is known: {other:?}"),
    }
}

fn ann() -> Connection<'static> {
    Connection { user: Some("ann"), ..Connection::default() }
}

#[test]
fn the_first_value_wins() {
    assert_eq!(known("UsePAM yes\nUsePAM no", "usepam", &ann()), "yes");
}

#[test]
fn a_match_that_holds_wins_over_what_is_for_all() {
    let text = "PasswordAuthentication no\nMatch User bob,a*\nPasswordAuthentication yes";
    assert_eq!(known(text, "passwordauthentication", &ann()), "yes");
    let eve = Connection { user: Some("eve"), ..Connection::default() };
    assert_eq!(known(text, "passwordauthentication", &eve), "no");
}

#[test]
fn lists_add_up_but_a_match_replaces_them() {
    let text = "AllowUsers a b\nAllowUsers c\nMatch User ann\nAllowUsers d";
    assert_eq!(known(text, "allowusers", &ann()), "d");
    let eve = Connection { user: Some("eve"), ..Connection::default() };
    assert_eq!(known(text, "allowusers", &eve), "a b c");
}

#[test]
fn what_depends_on_the_unknown_says_where_and_on_what() {
    let text = "\nMatch User ann Address 10.0.0.0/8\nPasswordAuthentication no";
    assert_eq!(
        reason(text, "passwordauthentication", &ann()),
        "`Match User ann Address 10.0.0.0/8` at /etc/ssh/sshd_config:2 depends on the client's \
         address"
    );
    let there = Connection { address: Some(IpAddr::from([10, 0, 0, 1])), ..ann() };
    assert_eq!(known(text, "passwordauthentication", &there), "no");
    // Another user's block does not matter, wherever the client is.
    let eve = Connection { user: Some("eve"), ..Connection::default() };
    assert_eq!(known(text, "passwordauthentication", &eve), "");
}

#[test]
fn the_unknown_does_not_matter_where_both_ways_say_the_same() {
    let text = "PermitTTY no\nMatch Group admin\nPermitTTY no";
    assert_eq!(known(text, "permittty", &ann()), "no");
}

#[test]
fn a_line_that_comes_first_for_certain_outweighs_what_may_come_later() {
    let text = "Match User ann\nPermitTTY no\nMatch Group admin\nPermitTTY yes";
    assert_eq!(known(text, "permittty", &ann()), "no");
    let swapped = "Match Group admin\nPermitTTY yes\nMatch User ann\nPermitTTY no";
    assert_eq!(known(swapped, "permittty", &ann()), "unknown");
}

#[test]
fn a_match_in_an_included_file_needs_the_one_around_it() {
    let all = files(&[
        (MAIN_FILE, "Match User bob\nInclude /x"),
        ("/x", "Match User ann\nPermitTTY no"),
    ]);
    let config = Config::read(&all, MAIN_FILE);
    assert_eq!(config.resolve("permittty", &ann()), Setting::Default);
}

#[test]
fn nothing_is_certain_while_sshd_may_refuse_a_line() {
    let text = "PermitTTY no\nNoSuchThing yes";
    assert!(
        reason(text, "permittty", &ann())
            .starts_with("sshd may refuse /etc/ssh/sshd_config:2")
    );
}

#[test]
fn nothing_is_certain_while_an_included_file_was_not_read() {
    let text = "PermitTTY no\nInclude /opt/x.conf";
    assert_eq!(
        reason(text, "permittty", &ann()),
        "/opt/x.conf is included at /etc/ssh/sshd_config:2 and was not read"
    );
    assert_eq!(known("PermitTTY no\nInclude /opt/*.conf", "permittty", &ann()), "no");
}
