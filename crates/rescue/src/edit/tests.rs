//! What a script of edits holds, and what it never does.

use std::net::IpAddr;

use doctor::{Edit, FilterRule, Insertion, Line};

use super::*;

fn line(file: &str, line: u32, text: &str) -> Line {
    Line { file: file.to_owned(), line, text: text.to_owned() }
}

#[test]
fn lines_of_one_file_are_one_call() {
    let lines = vec![
        line("/a", 1, "Port 1"),
        line("/b", 2, " Match=x"),
        line("/a", 3, "PORT\t2"),
    ];
    let script = script("id/1", &[Edit::CommentOut { lines }]).unwrap();
    assert!(script.ends_with(
        "comment_out '/a' '1 Port\n3 PORT' || exit 1\n\
         comment_out '/b' '2 Match' || exit 1\n}\n"
    ));
}

#[test]
fn a_directory_goes_before_what_is_in_it() {
    let paths = vec!["/home/ann/.ssh".to_owned(), "/home/ann".to_owned()];
    let script =
        script("id/1", &[Edit::GiveBack { user: "ann".to_owned(), paths }]).unwrap();
    assert!(
        script.ends_with("give_back 'ann' '/home/ann' '/home/ann/.ssh' || exit 1\n}\n")
    );
}

#[test]
fn only_the_verbs_that_are_used_travel() {
    let used = script("id/1", &[Edit::RemoveNologin {}]).unwrap();
    assert!(used.contains("remove_nologin()"));
    for other in ["authorize_key()", "change_lines()", "apply_sshd()"] {
        assert!(!used.contains(other), "{other}");
    }
    // Run Command takes some hundred kilobytes; a script should be far from that.
    assert!(used.len() < 32_000, "{}", used.len());
}

#[test]
fn what_would_be_more_than_one_value_is_refused() {
    let user = || "ann".to_owned();
    let key = "ssh-ed25519 AAAAC3Nz".to_owned();
    let bad = [
        Edit::SetShell { user: "-s".to_owned() },
        Edit::SetShell { user: "a:b".to_owned() },
        Edit::SetShell { user: "a\nb".to_owned() },
        Edit::MakeHome { user: user(), home: "home".to_owned() },
        Edit::MakeHome { user: user(), home: "/home/a\nb".to_owned() },
        Edit::AuthorizeKey {
            user: user(),
            file: "/f".to_owned(),
            key: format!("command=\"x\" {key}"),
        },
        Edit::AuthorizeKey {
            user: user(),
            file: "/f".to_owned(),
            key: format!("{key}\nssh-rsa AAAA"),
        },
        Edit::InsertAfter {
            insertions: vec![Insertion {
                after: line("/f", 1, "Port 1"),
                new: "Port 2\nPermitRootLogin yes".to_owned(),
            }],
        },
        Edit::AcceptSsh {
            rules: vec![FilterRule {
                tool: "nft".to_owned(),
                family: "inet".to_owned(),
                table: "t accept".to_owned(),
                chain: "c".to_owned(),
                place: None,
            }],
            port: 22,
            client: IpAddr::from([192, 0, 2, 7]),
            incoming: true,
        },
    ];
    for edit in bad {
        assert!(script("id/1", std::slice::from_ref(&edit)).is_err(), "{edit:?}");
    }
}
