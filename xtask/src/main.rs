//! The project's own chores: `cargo xtask tidy` and `cargo xtask dist`.
//!
//! `tidy` holds the code against the invariants that ARCHITECTURE.md states; a
//! violation names the file, the line and the invariant. `dist` collects what a
//! release ships.

mod dist;
mod tidy;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy::run(),
        ["dist"] => dist::run(),
        _ => bail!("usage: cargo xtask tidy | dist"),
    }
}
