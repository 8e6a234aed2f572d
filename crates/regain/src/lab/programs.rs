//! The host's programs that a lab uses, and what to install for those that are
//! missing.

use std::env;
use std::path::{Path, PathBuf};

use crate::args::Engine;
use crate::failure::Failure;

/// A program and Debian's package that has it.
const NSPAWN: [(&str, &str); 6] = [
    ("systemd-nspawn", "systemd-container"),
    ("mmdebstrap", "mmdebstrap"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
];

/// Checks everything that the engine needs, before anything is made.
pub(crate) fn check(engine: Engine) -> Result<(), Failure> {
    if engine == Engine::Fake {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new("a lab with real VMs needs root")
            .next("run it with sudo, or use --engine fake"));
    }
    missing(&NSPAWN, |program| {
        directories().iter().any(|dir| dir.join(program).is_file())
    })
}

fn missing(
    needed: &[(&str, &str)],
    installed: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let lacking: Vec<_> =
        needed.iter().filter(|(program, _)| !installed(program)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = lacking.iter().map(|(program, _)| *program).collect();
    let mut packages: Vec<&str> = lacking.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    let verb = if programs.len() == 1 { "is" } else { "are" };
    Err(Failure::new(format!("{} {verb} not installed", programs.join(", ")))
        .next(format!("apt-get install {}", packages.join(" "))))
}

/// `PATH`, and where Debian keeps root's programs even if `PATH` does not say so.
fn directories() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&path).collect();
    directories.extend(["/usr/sbin", "/sbin"].map(|dir| Path::new(dir).to_owned()));
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package_once() {
        let failure =
            missing(&NSPAWN, |program| !program.starts_with("ssh")).unwrap_err();
        assert_eq!(failure.chain(), "ssh, ssh-keygen are not installed");
        assert_eq!(failure.next_step().unwrap(), "apt-get install openssh-client");
        assert!(missing(&NSPAWN, |_| true).is_ok());
    }
}
