//! Host keys: would sshd have one to show?

use serde::Serialize;

use super::known::Known;
use super::sshd::said;
use crate::case::{CommandOutput, HostKeys, PathFact, PathKind};
use formats::sshd_config::{self, Directive};

/// Host key files by what is wrong with them.
#[derive(Debug, Clone, Serialize)]
pub struct HostKeyFacts {
    /// Whether sshd has no host key at all.
    pub none_usable: Known<bool>,
    /// Those that are not there.
    pub missing: Known<Vec<String>>,
    /// Those without content.
    pub empty: Known<Vec<String>>,
    /// Those that others can read, so that sshd ignores them.
    pub too_open: Known<Vec<String>>,
    /// Those that look right.
    pub usable: Known<Vec<String>>,
    /// Fingerprints of the public halves.
    pub fingerprints: Known<Vec<String>>,
}

#[derive(Default)]
struct Sorted {
    missing: Vec<String>,
    empty: Vec<String>,
    too_open: Vec<String>,
    usable: Vec<String>,
}

pub(super) fn derive(
    keys: &Known<&HostKeys>,
    config: &Known<&[Directive]>,
    test: &Known<&CommandOutput>,
) -> HostKeyFacts {
    let errors = test.as_ref().map(|test| sshd_config::other_errors(said(test)));
    let said = errors
        .as_ref()
        .map(|errors| errors.iter().any(|line| line.contains("no hostkeys available")));
    let sorted = keys.as_ref().zip(config.as_ref()).map(|(keys, config)| {
        sort(keys, config, errors.known().map(Vec::as_slice).unwrap_or_default())
    });
    let seen = sorted.as_ref().map(|sorted| {
        let wrong = sorted.missing.len() + sorted.empty.len() + sorted.too_open.len();
        wrong > 0 && sorted.usable.is_empty()
    });
    let list = |pick: fn(&Sorted) -> &Vec<String>| {
        sorted.as_ref().map(|sorted| pick(sorted).clone())
    };
    HostKeyFacts {
        // sshd's own word that it has none is enough; that it has some, the files say.
        none_usable: Known::any([said, seen]),
        missing: list(|sorted| &sorted.missing),
        empty: list(|sorted| &sorted.empty),
        too_open: list(|sorted| &sorted.too_open),
        usable: list(|sorted| &sorted.usable),
        fingerprints: keys.as_ref().map(|keys| keys.fingerprints.clone()),
    }
}

fn sort(keys: &HostKeys, config: &[Directive], errors: &[String]) -> Sorted {
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
    let mut sorted = Sorted::default();
    for fact in keys.files.iter().filter(is_key) {
        let refused = format!("for '{}' are too open", fact.path);
        let said = errors.iter().any(|line| line.contains(&refused));
        let path = fact.path.clone();
        if fact.kind == PathKind::Missing {
            sorted.missing.push(path);
        } else if fact.size == Some(0) {
            sorted.empty.push(path);
        } else if said || readable_by_others(fact) {
            sorted.too_open.push(path);
        } else {
            sorted.usable.push(path);
        }
    }
    sorted
}

/// authfile.c's rule for a key that root owns. The group may read on systems
/// whose sshd is patched for the group `ssh_keys`, so only `sshd -t` decides there.
fn readable_by_others(fact: &PathFact) -> bool {
    fact.uid == Some(0) && fact.bits().is_some_and(|mode| mode & 0o037 != 0)
}
