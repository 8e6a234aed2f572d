//! The texts of `src/guest/`, and which of them a verb needs.

use super::quote;
use crate::channel::script::compact;

/// What the undo needs, and the edits too.
const USER: &str = include_str!("../guest/user.sh");
const WALK: &str = include_str!("../guest/walk.sh");
const HAND: &str = include_str!("../guest/hand.sh");
const PIN: &str = include_str!("../guest/pin.sh");
const BASE: &str = include_str!("../guest/base.sh");
const LOCK: &str = include_str!("../guest/lock.sh");
const UNDO: &str = include_str!("../guest/undo.sh");

/// What the edits need besides.
const BEGIN: &str = include_str!("../guest/begin.sh");
const PLACE: &str = include_str!("../guest/place.sh");
const JOURNAL: &str = include_str!("../guest/journal.sh");
const FILE: &str = include_str!("../guest/file.sh");

/// A text, and its name for being there only once.
type Part = (&'static str, &'static str);

macro_rules! part {
    ($name:literal) => {
        ($name, include_str!(concat!("../guest/", $name, ".sh")))
    };
}

const KEYS: Part = part!("keys");
const LINES: Part = part!("lines");
const ACCOUNTS: Part = part!("accounts");
const SERVICE: Part = part!("service");

/// What a verb stands on, its own text last.
fn parts(verb: &str) -> &'static [Part] {
    const COMMENT_OUT: Part = part!("verbs/comment-out");
    match verb {
        "authorize-key" => &[KEYS, part!("verbs/authorize-key")],
        "amend-key-line" => &[KEYS, part!("verbs/amend-key-line")],
        "make-home" => &[KEYS, part!("verbs/make-home")],
        "take-write-access" => &[KEYS, part!("verbs/take-write-access")],
        "give-back" => &[KEYS, part!("verbs/give-back")],
        "comment-out" => &[LINES, COMMENT_OUT],
        "comment-out-refused" => {
            &[LINES, COMMENT_OUT, SERVICE, part!("verbs/comment-out-refused")]
        }
        "comment-out-block" => &[LINES, COMMENT_OUT, part!("verbs/comment-out-block")],
        "split-line" => &[LINES, COMMENT_OUT, part!("verbs/split-line")],
        "add-word" | "take-out-word" => &[LINES, COMMENT_OUT, part!("verbs/words")],
        "insert-after" => &[LINES, part!("verbs/insert-after")],
        "restore-stock-config" => &[part!("verbs/restore-stock-config")],
        "clear-expiry" | "renew-password" | "unlock-keys" | "set-shell"
        | "add-sshd-account" => &[ACCOUNTS, part!("verbs/accounts")],
        "remove-nologin" => &[part!("verbs/remove-nologin")],
        "make-host-keys" | "close-host-keys" => &[part!("verbs/host-keys")],
        "make-executable" => &[part!("verbs/make-executable")],
        "unmask-unit" | "enable-unit" | "add-socket-port" => &[part!("verbs/units")],
        "drop-port-option" => &[SERVICE, part!("verbs/drop-port-option")],
        "apply-sshd" => &[SERVICE],
        "continue-processes" => &[part!("verbs/continue-processes")],
        "accept-ssh" => &[part!("verbs/accept-ssh")],
        "lift-ban" => &[part!("verbs/lift-ban")],
        "allow-in-ufw" => &[part!("verbs/allow-in-ufw")],
        // What VMAccess changes is recorded in the same way.
        _ => &[KEYS, part!("verbs/keep")],
    }
}

/// The whole script: `head` sets what it is for, `calls` are verbs with their lines.
pub(super) fn assemble(head: &str, calls: &[(&'static str, String)]) -> String {
    // One group, so that nothing is done unless all of it came and can be parsed.
    let mut text = format!("{{\n{head}{}", compact(BEGIN));
    text.push_str(&format!("regain_library={}\n", quote(&library())));
    text.push_str("regain_role=edit\neval \"$regain_library\"\n");
    text.push_str(&compact(PLACE));
    text.push_str(&compact(JOURNAL));
    text.push_str(&compact(FILE));
    let mut there: Vec<&str> = Vec::new();
    for (verb, _) in calls {
        for (name, part) in parts(verb) {
            if !there.contains(name) {
                there.push(name);
                text.push_str(&compact(part));
            }
        }
    }
    for (_, call) in calls {
        text.push_str(&format!("{call} || exit 1\n"));
    }
    text.push_str("}\n");
    text
}

/// The undo script, which edits read for what they share with it.
fn library() -> String {
    let mut text = compact(USER);
    for (name, part) in [("walk", WALK), ("hand", HAND), ("pin", PIN)] {
        text.push_str(&format!("regain_{name}={}\n", quote(&compact(part))));
    }
    text.push_str("eval \"$regain_walk\"\n");
    text.push_str(&compact(BASE));
    text.push_str(&compact(LOCK));
    text.push_str(&compact(UNDO));
    text
}
