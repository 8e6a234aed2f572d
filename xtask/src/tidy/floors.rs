//! Floors: a crate may use only what lies below it.
//!
//! ```text
//! regain
//! cloud
//! rescue, machine, guest
//! arm, probe
//! doctor, network
//! formats
//! ```
//!
//! An arrow never points up and never sideways. `doctor`, `network` and
//! `formats` stand on nothing that does I/O.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Violation;

/// Rooms by floor, the highest first.
const FLOORS: [&[&str]; 6] = [
    &["regain"],
    &["cloud"],
    &["rescue", "machine", "guest"],
    &["arm", "probe"],
    &["doctor", "network"],
    &["formats"],
];

/// The first floor of the pure crates.
const PURE: usize = 4;

/// What the pure crates must not even depend on.
const IMPURE: [&str; 9] =
    ["tokio", "reqwest", "axum", "sqlx", "rustix", "socket2", "tempfile", "jiff", "rand"];

/// Hold `cargo metadata` against the floors.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let packages =
        metadata["packages"].as_array().context("metadata without packages")?;
    let mut violations = Vec::new();
    for package in packages {
        let Some(name) = package["name"].as_str() else { continue };
        let Some(own) = floor(name) else { continue };
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        for dependency in dependencies.filter(|d| d["kind"].as_str() != Some("dev")) {
            let Some(other) = dependency["name"].as_str() else { continue };
            if let Some(what) = verdict(name, own, other) {
                violations
                    .push(Violation { place: format!("crates/{name}/Cargo.toml"), what });
            }
        }
    }
    Ok(violations)
}

/// Why `name` on floor `own` must not depend on `other`, if it must not.
fn verdict(name: &str, own: usize, other: &str) -> Option<String> {
    if own >= PURE && IMPURE.contains(&other) {
        return Some(format!("`{name}` is pure and must not depend on `{other}`"));
    }
    let below = floor(other)?;
    (below <= own)
        .then(|| format!("`{name}` must not depend on `{other}`: arrows point down"))
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::{floor, verdict};

    fn refused(from: &str, to: &str) -> bool {
        verdict(from, floor(from).expect("a room"), to).is_some()
    }

    #[test]
    fn an_arrow_may_point_down() {
        assert!(!refused("rescue", "doctor"));
        assert!(!refused("regain", "cloud"));
    }

    #[test]
    fn an_arrow_may_not_point_up_or_sideways() {
        assert!(refused("arm", "rescue"));
        assert!(refused("machine", "guest"));
    }

    #[test]
    fn the_pure_rooms_do_no_io() {
        assert!(refused("doctor", "tokio"));
        assert!(!refused("probe", "tokio"));
    }
}
