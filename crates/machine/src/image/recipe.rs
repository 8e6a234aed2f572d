//! What goes into an image. Any change gives it another hash, and so another
//! place in the cache.

use std::fs;
use std::path::PathBuf;

/// How an image is made.
#[derive(Clone, Copy)]
pub(super) struct Recipe {
    pub(super) name: &'static str,
    /// The distribution's name for the release.
    pub(super) suite: &'static str,
    pub(super) packages: &'static [&'static str],
    /// Units that would only make the first minutes of a VM busy.
    pub(super) masked: &'static [&'static str],
    /// To be counted up when `finish` does something else.
    revision: u32,
}

const DEBIAN_12: Recipe = Recipe {
    name: "debian12",
    suite: "bookworm",
    packages: &[
        "systemd",
        "systemd-sysv",
        "libpam-systemd",
        "dbus",
        "openssh-server",
        "sudo",
        "nftables",
        "iptables",
        "iproute2",
        "procps",
        "iputils-ping",
        "netbase",
        "ca-certificates",
        "kmod",
        "udev",
        "less",
        "vim-tiny",
        "passwd",
        "login",
        "cron",
    ],
    masked: &[
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "e2scrub_reap.service",
        "fstrim.timer",
    ],
    revision: 1,
};

const DEBIAN_13: Recipe = Recipe { name: "debian13", suite: "trixie", ..DEBIAN_12 };

impl Recipe {
    /// The names of all.
    pub(super) fn names() -> [&'static str; 2] {
        [DEBIAN_12.name, DEBIAN_13.name]
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        [DEBIAN_12, DEBIAN_13].into_iter().find(|recipe| recipe.name == name)
    }

    /// FNV-1a: a name, not a seal, and the same for every compiler.
    pub(super) fn hash(&self) -> u64 {
        let Self { name, suite, packages, masked, revision } = self;
        let text = format!("{name} {suite} {packages:?} {masked:?} {revision}");
        let step =
            |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
    }

    /// The host's own apt sources, if they are those of this release; otherwise
    /// none, and mmdebstrap takes the distribution's.
    pub(super) fn sources(&self) -> Option<PathBuf> {
        let candidates =
            ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
        candidates.into_iter().map(PathBuf::from).find(|path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let mut lines =
                text.lines().filter(|line| !line.trim_start().starts_with('#'));
            lines.any(|line| line.split_ascii_whitespace().any(|word| word == self.suite))
        })
    }
}
