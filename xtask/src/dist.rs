//! What a release ships: the two binaries, completions, man pages, licences.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::tidy;

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Collect everything under `dist/`. Both binaries must have been built.
#[expect(clippy::print_stdout, reason = "a chore reports to whoever ran it")]
pub(crate) fn run() -> Result<()> {
    let root = tidy::root()?;
    let release = root.join("target/release");
    let dist = root.join("dist");
    fs::create_dir_all(dist.join("completions")).context("making dist/")?;
    for binary in ["regain", "regain-guest"] {
        let from = release.join(binary);
        if !from.exists() {
            bail!("{} is not built: run `make build` first", from.display());
        }
        fs::copy(&from, dist.join(binary))
            .with_context(|| format!("copying {binary}"))?;
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CHANGELOG.md"] {
        fs::copy(root.join(licence), dist.join(licence))
            .with_context(|| format!("copying {licence}"))?;
    }
    let regain = dist.join("regain");
    for shell in SHELLS {
        let output = Command::new(&regain).args(["completion", shell]).output()?;
        fs::write(
            dist.join("completions").join(format!("regain.{shell}")),
            output.stdout,
        )?;
    }
    man(&regain, &dist.join("man"))?;
    println!("dist: {}", dist.display());
    Ok(())
}

fn man(regain: &Path, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let status = Command::new(regain).arg("man").arg(directory).status()?;
    if !status.success() {
        bail!("`regain man` failed: {status}");
    }
    Ok(())
}
