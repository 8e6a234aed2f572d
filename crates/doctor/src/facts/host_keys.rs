//! Host keys: would sshd have one to show?

use formats::sshd_config::{self, Directive};
use serde::Serialize;

use crate::case::{PathFact, Sshd};

/// Host key files by what is wrong with them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HostKeyFacts {
    /// Whether sshd has no host key at all.
    pub none_usable: bool,
    /// Those that are not there.
    pub missing: Vec<String>,
    /// Those without content.
    pub empty: Vec<String>,
    /// Those that others can read, so that sshd ignores them.
    pub too_open: Vec<String>,
    /// Those that look right.
    pub usable: Vec<String>,
}

pub(super) fn derive(sshd: &Sshd, config: &[Directive]) -> HostKeyFacts {
    let configured: Vec<&String> = config
        .iter()
        .filter(|said| said.keyword == "hostkey" && !said.in_match)
        .filter_map(|said| said.arguments.first())
        .collect();
    let is_key = |fact: &&PathFact| {
        if configured.is_empty() {
            let name = fact.path.rsplit('/').next().unwrap_or_default();
            name.starts_with("ssh_host_") && name.ends_with("_key")
        } else {
            configured.contains(&&fact.path)
        }
    };
    let errors = sshd_config::other_errors(sshd.test.as_test());
    let mut keys = HostKeyFacts::default();
    for fact in sshd.host_keys.iter().filter(is_key) {
        let refused = format!("for '{}' are too open", fact.path);
        let said = errors.iter().any(|line| line.contains(&refused));
        let path = fact.path.clone();
        if fact.kind == "missing" {
            keys.missing.push(path);
        } else if fact.size == Some(0) {
            keys.empty.push(path);
        } else if said || readable_by_others(fact) {
            keys.too_open.push(path);
        } else {
            keys.usable.push(path);
        }
    }
    let said = errors.iter().any(|line| line.contains("no hostkeys available"));
    let seen = keys.missing.len() + keys.empty.len() + keys.too_open.len();
    keys.none_usable = said || (seen > 0 && keys.usable.is_empty());
    keys
}

/// authfile.c's rule for a key that root owns. The group may read on systems
/// whose sshd is patched for the group `ssh_keys`, so only `sshd -t` decides there.
fn readable_by_others(fact: &PathFact) -> bool {
    let mode = fact.mode.as_deref().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    fact.uid == Some(0) && mode.is_some_and(|mode| mode & 0o037 != 0)
}
