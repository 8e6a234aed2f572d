//! `sshd_config`: the distribution's default, and which drop-ins stand against it.

use std::path::Path;

use formats::sshd_config::parse_line;

use crate::edit::{self, Attributes, EditError};
use crate::undo::{Journal, UndoError};

pub(crate) const CONFIG: &str = "/etc/ssh/sshd_config";
pub(super) const DROP_INS: &str = "/etc/ssh/sshd_config.d";
/// Debian keeps the default of the installed version here.
const DISTRIBUTIONS: &str = "/usr/share/openssh/sshd_config";

/// Where sftp-server is, by distribution.
const SFTP: [&str; 4] = [
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
];

/// Keywords with which a drop-in decides who gets in and how, so that a reset of the
/// main file alone would change nothing: the first value wins, and drop-ins are read
/// first.
const OVERRIDING: [&str; 35] = [
    "addressfamily",
    "allowgroups",
    "allowusers",
    "authenticationmethods",
    "authorizedkeyscommand",
    "authorizedkeyscommanduser",
    "authorizedkeysfile",
    "challengeresponseauthentication",
    "chrootdirectory",
    "ciphers",
    "denygroups",
    "denyusers",
    "forcecommand",
    "hostkey",
    "hostkeyagent",
    "hostkeyalgorithms",
    "include",
    "kbdinteractiveauthentication",
    "kexalgorithms",
    "listenaddress",
    "logingracetime",
    "macs",
    "maxauthtries",
    "maxsessions",
    "maxstartups",
    "passwordauthentication",
    "persourcemaxstartups",
    "persourcepenalties",
    "port",
    "pubkeyacceptedalgorithms",
    "pubkeyauthentication",
    "refuseconnection",
    "requiredrsasize",
    "strictmodes",
    "usepam",
];

/// What distributions put into their own drop-ins.
const HARMLESS: [(&str, &str); 5] = [
    ("challengeresponseauthentication", "no"),
    ("kbdinteractiveauthentication", "no"),
    ("passwordauthentication", "yes"),
    ("pubkeyauthentication", "yes"),
    ("usepam", "yes"),
];

/// Replaces the main file by the distribution's default.
pub(super) fn install_default(journal: &mut Journal) -> Result<(), UndoError> {
    let default = default(journal.root())?;
    if edit::read(journal.root(), CONFIG)?.as_ref() != Some(&default) {
        journal.write(CONFIG, &default, &Attributes::root(0o644))?;
    }
    Ok(())
}

fn default(root: &Path) -> Result<Vec<u8>, EditError> {
    if let Some(default) = edit::read(root, DISTRIBUTIONS)?
        && !default.is_empty()
    {
        return Ok(default);
    }
    let sftp = SFTP.into_iter().find(|path| edit::kind(root, path).is_some());
    // sshd before 8.2 knows no Include; then the directory is not there either.
    let include = match edit::kind(root, DROP_INS) {
        Some(_) => format!("Include {DROP_INS}/*.conf\n\n"),
        None => String::new(),
    };
    Ok(format!(
        "# Written by regain, because this system has no default configuration to copy.\n\
         {include}KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\n\
         PrintMotd no\nAcceptEnv LANG LC_*\nSubsystem sftp {}\n",
        sftp.unwrap_or("internal-sftp")
    )
    .into_bytes())
}

/// Moves every drop-in that overrides the default into the journal; gives their paths.
pub(super) fn move_overrides(journal: &mut Journal) -> Result<Vec<String>, UndoError> {
    let mut moved = Vec::new();
    for path in drop_ins(journal.root()) {
        let text = edit::read_text(journal.root(), &path)?.unwrap_or_default();
        if overrides(&text) {
            journal.take_away(&path)?;
            moved.push(path);
        }
    }
    Ok(moved)
}

pub(super) fn drop_ins(root: &Path) -> Vec<String> {
    let names = edit::names(root, DROP_INS).into_iter();
    names
        .filter(|name| name.ends_with(".conf"))
        .map(|name| format!("{DROP_INS}/{name}"))
        .collect()
}

fn overrides(text: &str) -> bool {
    text.lines().filter_map(parse_line).any(|line| {
        let value = line.words.as_deref().unwrap_or_default().join(" ");
        let vendors =
            line.keyword == "include" && value.starts_with("/etc/crypto-policies/");
        OVERRIDING.contains(&line.keyword.as_str())
            && !HARMLESS.contains(&(&line.keyword, &value))
            && !vendors
    })
}

/// The drop-in that a message of `sshd -t` names.
pub(super) fn blamed(root: &Path, message: &str) -> Option<String> {
    drop_ins(root).into_iter().find(|path| {
        message.match_indices(path.as_str()).any(|(at, _)| {
            // a.conf must not be blamed for a.conf.conf.
            message[at + path.len()..].starts_with([':', ' ', '\n'])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_that_decide_who_gets_in_are_overrides() {
        for text in [
            "Port 2222",
            "  PORT=2222",
            "AllowUsers bob",
            "# x\nPasswordAuthentication no\n",
            "Match User a\n  ForceCommand /bin/false",
            "Include /etc/ssh/more.conf",
        ] {
            assert!(overrides(text), "{text}");
        }
        for text in [
            "",
            "# Port 2222",
            "X11Forwarding no\nPermitRootLogin no",
            "ChallengeResponseAuthentication no\nUsePAM yes\nGSSAPIAuthentication yes",
            "Include /etc/crypto-policies/back-ends/opensshserver.config",
            "PasswordAuthentication \"yes\"",
        ] {
            assert!(!overrides(text), "{text}");
        }
    }

    #[test]
    fn the_default_fits_the_system() {
        let root = tempfile::tempdir().expect("tempdir");
        let text =
            |root: &Path| String::from_utf8(default(root).expect("read")).expect("text");
        assert!(!text(root.path()).contains("Include"));
        assert!(text(root.path()).contains("internal-sftp"));
        std::fs::create_dir_all(root.path().join("etc/ssh/sshd_config.d"))
            .expect("mkdir");
        assert!(text(root.path()).contains("Include /etc/ssh/sshd_config.d/*.conf"));
        std::fs::create_dir_all(root.path().join("usr/share/openssh")).expect("mkdir");
        let distributions = root.path().join("usr/share/openssh/sshd_config");
        std::fs::write(distributions, "# Debian's\n").expect("write");
        assert_eq!(text(root.path()), "# Debian's\n");
    }

    #[test]
    fn the_blamed_drop_in_is_the_one_in_the_message() {
        let root = tempfile::tempdir().expect("tempdir");
        let dir = root.path().join("etc/ssh/sshd_config.d");
        std::fs::create_dir_all(&dir).expect("mkdir");
        for name in ["a.conf", "b.conf"] {
            std::fs::write(dir.join(name), "x").expect("write");
        }
        let blame = |message| blamed(root.path(), message);
        let line = "/etc/ssh/sshd_config.d/b.conf: line 1: Bad configuration option: x";
        assert_eq!(blame(line).as_deref(), Some("/etc/ssh/sshd_config.d/b.conf"));
        let line = "/etc/ssh/sshd_config.d/b.conf line 2: unsupported option";
        assert_eq!(blame(line).as_deref(), Some("/etc/ssh/sshd_config.d/b.conf"));
        assert_eq!(blame("/etc/ssh/sshd_config: line 1: Bad"), None);
    }
}
