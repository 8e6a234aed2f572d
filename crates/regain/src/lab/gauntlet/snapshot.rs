//! What a repair may change in a guest, before and after: every file below the
//! directories of configuration and homes, and the packet filter.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::failure::Failure;
use crate::lab::{LabState, machine};

/// One line per path: kind, mode, owner, link target; one per file: its hash;
/// and the rules without their counters. Lock files and caches are not state.
const SCRIPT: &str = r#"
cd /
find etc home root -xdev \( -name '.pwd.lock' -o -name 'ld.so.cache' \) -prune \
    -o -printf '%y %m %U %G %p %l\n'
find etc home root -xdev -type f ! -name .pwd.lock ! -name ld.so.cache -exec sha256sum {} +
nft -s list ruleset 2>/dev/null
"#;

/// The state of a guest. None if it does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeSet<String>);

/// Looks at a guest.
pub(super) async fn take(lab: &LabState, vm: &str) -> Result<Option<Snapshot>, Failure> {
    let argv = ["/bin/sh", "-c", SCRIPT].map(str::to_owned).to_vec();
    match machine::exec(lab, vm, argv, Duration::from_secs(60)).await {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(Some(Snapshot(text.lines().map(str::to_owned).collect())))
        }
        Err(failure) if failure.chain().contains("is not running") => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl Snapshot {
    /// What is different in `later`, at most a few lines of it.
    pub(super) fn differences(&self, later: &Self) -> Vec<String> {
        let gone = self.0.difference(&later.0).map(|line| format!("- {line}"));
        let come = later.0.difference(&self.0).map(|line| format!("+ {line}"));
        gone.chain(come).take(6).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_what_went_and_what_came() {
        let of = |lines: &[&str]| {
            Snapshot(lines.iter().map(|&line| line.to_owned()).collect())
        };
        assert_eq!(of(&["a", "b"]).differences(&of(&["b", "c"])), ["- a", "+ c"]);
        assert!(of(&["a"]).differences(&of(&["a"])).is_empty());
    }
}
