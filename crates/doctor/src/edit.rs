//! The vocabulary of typed edits: everything that a repair can do inside a guest.
//!
//! A fault's file says which verbs, with CEL expressions for their arguments; here
//! they are values, ready to be carried out. `rescue` has one POSIX sh function for
//! each of them, because a guest need not have any program of ours. What every verb
//! promises is told there (`crates/rescue/src/guest/README.md`): safe in a directory
//! that a hostile user may write, atomic, bounded, and undone to the byte.
//!
//! A verb has a floor of risk: a fault's file may call a step riskier than its verbs
//! are, never less.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::risk::Risk;

/// Declares every verb once: its name in the files, its arguments, its least risk.
macro_rules! vocabulary {
    ($(
        $(#[$doc:meta])*
        $verb:ident = $name:literal, $risk:ident {
            $($(#[$field_doc:meta])* $field:ident: $kind:ty,)*
        }
    )*) => {
        /// One typed change in a guest.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "verb", rename_all_fields = "kebab-case", deny_unknown_fields)]
        pub enum Edit {
            $(
                $(#[$doc])*
                #[serde(rename = $name)]
                $verb { $($(#[$field_doc])* $field: $kind,)* },
            )*
        }

        /// Every verb: its name, the names of its arguments, and its least risk.
        pub const VERBS: &[(&str, &[&str], Risk)] =
            &[$(($name, &[$(stringify!($field)),*], Risk::$risk)),*];

        impl Edit {
            /// The verb's name, as in a fault's file.
            pub const fn verb(&self) -> &'static str {
                match self { $(Self::$verb { .. } => $name),* }
            }
        }
    };
}

vocabulary! {
    /// Adds a public key on a line of its own to a file of authorized keys, and makes
    /// the file and its directory where there are none. Everything happens with the
    /// rights of the user, unless only root can change the directories above.
    AuthorizeKey = "authorize-key", Credential {
        /// The account that is to log in.
        user: String,
        /// The file, absolute.
        file: String,
        /// `type base64`, without options and comment.
        key: String,
    }
    /// Changes options of the line that holds a key, and keeps all others.
    AmendKeyLine = "amend-key-line", Credential {
        /// The account that is to log in.
        user: String,
        /// The file, absolute.
        file: String,
        /// The line's number, from 1.
        line: u32,
        /// The key that must stand there, `type base64`.
        key: String,
        /// Names of options that go.
        drop: Vec<String>,
        /// Options that come instead, as they are written (`from="192.0.2.7"`).
        add: Vec<String>,
    }
    /// Makes a home directory for an account whose own is gone.
    MakeHome = "make-home", Edit {
        /// The account.
        user: String,
        /// The directory, absolute; the directory above it must be only root's.
        home: String,
    }
    /// Takes write access for group and others from files and directories.
    TakeWriteAccess = "take-write-access", Edit {
        /// The account whose keys lie there.
        user: String,
        /// The paths, absolute.
        paths: Vec<String>,
    }
    /// Gives a home directory, its `.ssh`, or a file of authorized keys back to the
    /// account that it belongs to.
    GiveBack = "give-back", Edit {
        /// The account.
        user: String,
        /// The paths, absolute.
        paths: Vec<String>,
    }
    /// Turns lines of a configuration into comments.
    CommentOut = "comment-out", Edit {
        /// The lines.
        lines: Vec<Line>,
    }
    /// Turns the lines that `sshd -t` refuses into comments, asking it again after
    /// each; never a line of `Match`, without which what follows held for everybody.
    CommentOutRefused = "comment-out-refused", Edit {}
    /// Turns a `Match` line and what belongs to it into comments.
    CommentOutBlock = "comment-out-block", Edit {
        /// The `Match` lines.
        lines: Vec<Line>,
    }
    /// Puts the missing line break after the first `yes` or `no` of a line.
    SplitLine = "split-line", Edit {
        /// The lines.
        lines: Vec<Line>,
    }
    /// Adds a word to a line's list.
    AddWord = "add-word", Credential {
        /// The line.
        line: Line,
        /// The word: one name of a user or group.
        word: String,
    }
    /// Takes a word out of lists; a list that would be empty becomes a comment.
    TakeOutWord = "take-out-word", Credential {
        /// The lines.
        lines: Vec<Line>,
        /// The word.
        word: String,
    }
    /// Puts a new line after each of some lines.
    InsertAfter = "insert-after", Edit {
        /// What goes where.
        insertions: Vec<Insertion>,
    }
    /// Puts the distribution's own `sshd_config` where there is none.
    RestoreStockConfig = "restore-stock-config", Edit {}
    /// Takes the expiry date from an account of `/etc/shadow`.
    ClearExpiry = "clear-expiry", Edit {
        /// The account.
        user: String,
    }
    /// Counts an account's password as changed today.
    RenewPassword = "renew-password", Edit {
        /// The account.
        user: String,
    }
    /// Writes a locked password so that keys are let in and the password stays useless.
    UnlockKeys = "unlock-keys", Edit {
        /// The account.
        user: String,
    }
    /// Gives an account a login shell that is there and runs.
    SetShell = "set-shell", Edit {
        /// The account.
        user: String,
    }
    /// Removes `/etc/nologin` and `/run/nologin`.
    RemoveNologin = "remove-nologin", Edit {}
    /// Makes host keys where there are none, or empty ones.
    MakeHostKeys = "make-host-keys", Edit {
        /// Private key files, absolute.
        paths: Vec<String>,
    }
    /// Makes private host keys readable by root only.
    CloseHostKeys = "close-host-keys", Edit {
        /// Private key files, absolute.
        paths: Vec<String>,
    }
    /// Makes the SSH server's program executable again.
    MakeExecutable = "make-executable", Edit {}
    /// Adds the account `sshd` of privilege separation.
    AddSshdAccount = "add-sshd-account", Edit {}
    /// Removes the mask of a unit.
    UnmaskUnit = "unmask-unit", Edit {
        /// Its name.
        unit: String,
    }
    /// Makes a unit start at boot.
    EnableUnit = "enable-unit", Edit {
        /// Its name.
        unit: String,
    }
    /// Makes a socket unit listen on one more port.
    AddSocketPort = "add-socket-port", Edit {
        /// The socket's name.
        socket: String,
        /// The port.
        port: u16,
    }
    /// Takes a port out of the command line that the distribution's file of defaults
    /// gives to sshd, and restarts it.
    DropPortOption = "drop-port-option", Edit {
        /// The port that stands there.
        port: u16,
    }
    /// Makes sshd use its configuration, if `sshd -t` accepts it: starts it, or has it
    /// read its configuration again. Says `not started` and goes on where
    /// `even-if-refused` is set and sshd refuses.
    ApplySshd = "apply-sshd", Edit {
        /// Whether a refused configuration is the next cause's repair.
        even_if_refused: bool,
    }
    /// Lets stopped processes of sshd go on.
    ContinueProcesses = "continue-processes", Edit {
        /// Their ids.
        pids: Vec<u32>,
    }
    /// Accepts TCP to the port from one address before some rules of the packet
    /// filter (`incoming`), or the replies from it (`!incoming`), in the running rules
    /// only.
    AcceptSsh = "accept-ssh", Open {
        /// The rules that stand against it.
        rules: Vec<FilterRule>,
        /// The port.
        port: u16,
        /// The one client.
        client: IpAddr,
        /// Whether it is the client's packets or the replies that are dropped.
        incoming: bool,
    }
    /// Lifts fail2ban's ban of an address.
    LiftBan = "lift-ban", Open {
        /// The address.
        client: IpAddr,
    }
    /// Allows a port from one address in ufw's own rules.
    AllowInUfw = "allow-in-ufw", Open {
        /// The port.
        port: u16,
        /// The one client.
        client: IpAddr,
    }
}

/// A line of a file, and what must stand there for an edit to touch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The file, absolute.
    pub file: String,
    /// The line's number, from 1.
    pub line: u32,
    /// The line as it was collected. The guest compares its first word: a value may
    /// have been left out of the case.
    pub text: String,
}

/// A new line, and after which one it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insertion {
    /// After which line.
    #[serde(flatten)]
    pub after: Line,
    /// The new line.
    pub new: String,
}

/// A rule of a packet filter, as its own tool finds it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterRule {
    /// `nft`, `iptables`, `ip6tables`, `iptables-legacy` or `ip6tables-legacy`.
    pub tool: String,
    /// nft's family (`inet`, `ip`, `ip6`, `netdev`); of iptables, `-`.
    pub family: String,
    /// The table.
    pub table: String,
    /// The chain.
    pub chain: String,
    /// nft's handle, or iptables' number of the rule in its chain; none for the
    /// chain's policy.
    #[serde(default)]
    pub place: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_verb_is_read_with_exactly_its_arguments() {
        let read = |value| serde_json::from_value::<Edit>(value);
        let edit = read(json!({"verb": "clear-expiry", "user": "ann"})).expect("an edit");
        assert_eq!(edit, Edit::ClearExpiry { user: "ann".to_owned() });
        assert_eq!(edit.verb(), "clear-expiry");
        assert!(read(json!({"verb": "clear-expiry"})).is_err());
        assert!(read(json!({"verb": "clear-expiry", "user": "a", "x": 1})).is_err());
        assert!(read(json!({"verb": "run", "script": "reboot"})).is_err());
    }

    #[test]
    fn a_line_takes_what_a_fact_knows_besides() {
        let line = json!({"file": "/f", "line": 3, "text": "Port 1", "value": "1"});
        assert_eq!(serde_json::from_value::<Line>(line).expect("a line").line, 3);
    }
}
