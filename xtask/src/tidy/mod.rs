//! The house's invariants, as checks.
//!
//! Each check walks the tree (or `cargo metadata`) and returns what is wrong.
//! All of them run every time, so that one visit shows everything.

mod confined;
mod faults;
mod floors;
mod rooms;
mod sources;
mod tokens;
mod unfinished;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// One broken invariant.
pub(crate) struct Violation {
    /// Where: a path, with a line where there is one.
    pub(crate) place: String,
    /// Which invariant, and what to do.
    pub(crate) what: String,
}

/// Run every check; fail if any invariant is broken.
#[expect(clippy::print_stdout, reason = "a chore reports to whoever ran it")]
pub(crate) fn run() -> Result<()> {
    let root = root()?;
    let mut violations = floors::check(&root)?;
    violations.extend(rooms::check(&root)?);
    violations.extend(sources::check(&root)?);
    violations.extend(faults::check(&root)?);
    for Violation { place, what } in &violations {
        println!("tidy: {place}: {what}");
    }
    if violations.is_empty() {
        println!("tidy: every invariant holds");
        return Ok(());
    }
    bail!("{} broken invariants", violations.len())
}

/// The workspace's root: the directory above this crate.
pub(crate) fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask has no parent directory")
}
