//! Real VMs for tests that read like the sentence they prove.
//!
//! A [`Lab`] is one local cloud with a state directory of its own, so that
//! tests run side by side; dropping it removes everything, also when a test
//! panics. The binaries are the ones that `make build` made.

mod client;
mod disk;
mod guest;
mod lab;
mod operator;
mod ran;
pub mod way_in;

pub use client::Client;
pub use disk::Disk;
pub use guest::Vm;
pub use lab::{Lab, words};
pub use operator::{Entry, Operator, Principal};
pub use ran::Ran;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The `regain` under test: the one in the directory of this profile.
///
/// # Panics
/// If it has not been built, with the command that builds it.
pub fn regain() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let mut directory = own.parent().expect("a program lies in a directory");
    if directory.ends_with("deps") {
        directory = directory.parent().expect("deps lies in the profile's directory");
    }
    let profile = directory;
    let regain = profile.join("regain");
    assert!(regain.exists(), "{} is missing: run `make build`", regain.display());
    assert!(
        profile.join("regain-guest").exists(),
        "{}/regain-guest is missing: run `make build`",
        profile.display()
    );
    regain
}

/// Run `regain` outside any lab, with a home and a state of its own.
pub fn alone(home: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(regain());
    command
        .args(arguments)
        .env("HOME", home)
        .env("REGAIN_STATE", home.join("no-lab"))
        .env_remove("REGAIN_ENDPOINT")
        .env("LANG", "C.UTF-8");
    Ran::of(command)
}
