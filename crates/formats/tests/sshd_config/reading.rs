//! Which lines there are, in which order, and under which `Match`.

use formats::sshd_config::{Config, MAIN_FILE, directives};

use super::files;

fn ports(list: &[(&str, &str)]) -> Vec<(usize, String)> {
    directives(&files(list))
        .into_iter()
        .filter(|said| said.keyword == "port")
        .map(|said| (said.line, said.arguments.join(" ")))
        .collect()
}

#[test]
fn included_files_stand_where_they_are_included() {
    let found = ports(&[
        (MAIN_FILE, "# Port 1\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\n"),
        ("/etc/ssh/sshd_config.d/50-b.conf", "Port=2222\n"),
        ("/etc/ssh/sshd_config.d/10-a.conf", "\n  port \"2200\" # here\n"),
        ("/etc/ssh/sshd_config.d/readme.txt", "Port 9\n"),
    ]);
    let found: Vec<_> = found.iter().map(|(line, port)| (*line, port.as_str())).collect();
    assert_eq!(found, [(2, "2200"), (1, "2222"), (3, "22")]);
}

#[test]
fn relative_includes_are_below_etc_ssh() {
    let main = (MAIN_FILE, "Include sshd_config.d/*.conf extra");
    assert_eq!(ports(&[main, ("/etc/ssh/extra", "Port 7")]).len(), 1);
}

#[test]
fn a_file_that_includes_itself_is_refused_after_sixteen_times() {
    let config =
        Config::read(&files(&[(MAIN_FILE, "Include sshd_config\nPort 1\n")]), MAIN_FILE);
    assert_eq!(
        config.directives().iter().filter(|said| said.keyword == "port").count(),
        17
    );
    assert_eq!(config.refusals()[0].why, "files are included more than 16 deep");
    assert_eq!(config.cut(), None);
}

#[test]
fn a_file_that_includes_itself_four_times_is_cut() {
    let text = "Include sshd_config\n".repeat(4);
    let config = Config::read(&files(&[(MAIN_FILE, &text)]), MAIN_FILE);
    assert!(config.directives().len() < 5_000);
    let cut = config.cut().expect("it was cut");
    assert_eq!(cut.why, "more files are included than are read here");
}

#[test]
fn files_that_are_wide_rather_than_deep_are_cut_too() {
    let include = |name: &str| format!("Include {name}\n").repeat(1_000);
    let config = Config::read(
        &files(&[
            (MAIN_FILE, &include("/a")),
            ("/a", &include("/b")),
            ("/b", &"PermitTTY no\n".repeat(1_000)),
        ]),
        MAIN_FILE,
    );
    assert!(config.directives().len() <= 20_000);
    assert!(config.cut().is_some());
}

#[test]
fn what_follows_a_match_belongs_to_it() {
    let all = directives(&files(&[
        (
            MAIN_FILE,
            "Include a\nUsePAM yes\nMatch User bob\nX11Forwarding no\nMatch all\nBanner none\n",
        ),
        ("/etc/ssh/a", "Match User eve\nPermitTTY no\n"),
    ]));
    let in_match: Vec<_> = all
        .iter()
        .filter(|said| said.in_match && said.keyword != "match")
        .map(|said| said.keyword.as_str())
        .collect();
    assert_eq!(in_match, ["permittty", "x11forwarding"]);
}

#[test]
fn a_line_that_sshd_refuses_is_named() {
    for (line, why) in [
        ("Prot 22", "prot is no keyword that is known here"),
        ("UsePAM maybe", "usepam does not take `maybe`"),
        ("Port 0", "port does not take `0`"),
        ("Banner \"none", "a quote is not closed"),
        ("Match Address 10.0.0.1/8", "10.0.0.1/8 is no list of addresses"),
        ("Match", "it has no condition"),
        ("AuthorizedKeysCommand /bin/x", "nobody is named who is to run the command"),
    ] {
        let config = Config::read(&files(&[(MAIN_FILE, line)]), MAIN_FILE);
        assert_eq!(config.refusals()[0].why, why, "{line}");
        assert_eq!(config.refusals()[0].line, 1);
    }
    let config = Config::read(&files(&[(MAIN_FILE, "Match User a\nPort 22")]), MAIN_FILE);
    assert_eq!(config.refusals()[0].why, "port may not stand under this Match");
}
