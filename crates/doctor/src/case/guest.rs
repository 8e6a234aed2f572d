//! What the guest itself says, through a channel that does not need SSH.

use std::collections::BTreeMap;

use formats::sshd_config::TestOutput;
use serde::{Deserialize, Serialize};

/// What one command in the guest said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandOutput {
    /// Exit status; none if the command does not exist there.
    pub exit: Option<i32>,
    /// Standard output.
    #[serde(default)]
    pub stdout: String,
    /// Standard error.
    #[serde(default)]
    pub stderr: String,
}

impl CommandOutput {
    /// As what `sshd -t` said.
    pub(crate) fn as_test(&self) -> TestOutput<'_> {
        TestOutput { exit: self.exit, stdout: &self.stdout, stderr: &self.stderr }
    }
}

/// The guest's packet filter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Firewall {
    /// `nft -j list ruleset`, parsed; rules written by `iptables-nft` are in it.
    #[serde(default)]
    pub nft: Option<serde_json::Value>,
    /// `nft list chains`: nft 1.0's JSON leaves out the device of `ingress` chains.
    #[serde(default)]
    pub nft_chains: Option<String>,
    /// `iptables-nft-save`: the same rules as in `nft`, in iptables' words,
    /// because nft shows iptables' extensions as opaque `xt` expressions.
    #[serde(default)]
    pub iptables_nft: Option<String>,
    /// `ip6tables-nft-save`.
    #[serde(default)]
    pub ip6tables_nft: Option<String>,
    /// `iptables-legacy-save`, where that has rules of its own.
    #[serde(default)]
    pub iptables_legacy: Option<String>,
    /// Names of interfaces and their addresses (`eth0` -> `10.0.0.4`).
    #[serde(default)]
    pub interfaces: BTreeMap<String, Vec<String>>,
    /// Tools that own rules, when they are active: `ufw`, `firewalld`, `fail2ban`.
    #[serde(default)]
    pub owners: Vec<String>,
}

/// The SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sshd {
    /// The sshd binary, if there is one.
    #[serde(default)]
    pub binary: Option<String>,
    /// Units by name (`ssh.service`, `sshd.service`, `ssh.socket`), those that exist.
    #[serde(default)]
    pub units: BTreeMap<String, UnitState>,
    /// `sshd -t`.
    pub test: CommandOutput,
    /// `sshd -T -C user=U,host=H,addr=A`: the settings as sshd resolves them,
    /// keyword in lower case -> values in order.
    #[serde(default)]
    pub effective: BTreeMap<String, Vec<String>>,
    /// Why `sshd -T` gave none.
    #[serde(default)]
    pub effective_error: Option<String>,
    /// Every listening TCP socket of the guest.
    #[serde(default)]
    pub listeners: Vec<Listener>,
    /// Configuration files that sshd reads (main file and drop-ins), path -> text.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Host key files and the directories above sshd's files.
    #[serde(default)]
    pub host_keys: Vec<PathFact>,
    /// Public host keys as OpenSSH lines, read from the `.pub` files.
    #[serde(default)]
    pub host_public_keys: Vec<String>,
    /// The last lines of sshd's journal in this boot.
    #[serde(default)]
    pub journal: Vec<String>,
    /// Every process named `sshd`; none if nobody looked.
    #[serde(default)]
    pub processes: Option<Vec<Process>>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The kernel's state letter (`S` sleeping, `T` stopped, `D` in I/O, ...).
    pub state: String,
    /// Its command line.
    #[serde(default)]
    pub command: String,
}

/// A systemd unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnitState {
    /// `active`, `inactive`, `failed`, `activating`.
    pub active: String,
    /// `enabled`, `disabled`, `masked`, `static`.
    pub enabled: String,
    /// systemd's `SubState`.
    #[serde(default)]
    pub sub: String,
    /// systemd's `Result` of the last run.
    #[serde(default)]
    pub result: String,
}

/// One listening TCP socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Local address; `0.0.0.0` and `::` mean every address.
    pub address: String,
    /// Local port.
    pub port: u16,
    /// The owning process's name, if known.
    #[serde(default)]
    pub process: Option<String>,
}

/// One path as `stat` sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathFact {
    /// The path.
    pub path: String,
    /// `file`, `directory`, `symlink`, `other`, or `missing`.
    pub kind: String,
    /// Permission bits as octal digits (`"0755"`).
    #[serde(default)]
    pub mode: Option<String>,
    /// The numeric owner.
    #[serde(default)]
    pub uid: Option<u32>,
    /// The numeric group.
    #[serde(default)]
    pub gid: Option<u32>,
    /// Size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
}

/// The account that logs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The login name.
    pub user: String,
    /// Whether `getent passwd` knows it.
    pub exists: bool,
    /// Numeric user id.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Numeric primary group.
    #[serde(default)]
    pub gid: Option<u32>,
    /// All numeric groups; empty if nobody looked.
    #[serde(default)]
    pub gids: Vec<u32>,
    /// Home directory.
    #[serde(default)]
    pub home: Option<String>,
    /// Login shell.
    #[serde(default)]
    pub shell: Option<String>,
    /// The shell's file.
    #[serde(default)]
    pub shell_file: Option<PathFact>,
    /// Groups by name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The password field's kind: `usable`, `locked`, `none`, `missing`.
    /// Never the hash.
    #[serde(default)]
    pub password: String,
    /// Day on which the account expires, in days since 1970-01-01.
    #[serde(default)]
    pub expires_day: Option<i64>,
    /// Day of the last password change, in days since 1970-01-01; 0 forces a change.
    #[serde(default)]
    pub password_changed_day: Option<i64>,
    /// Days after which the password must be changed.
    #[serde(default)]
    pub password_max_days: Option<i64>,
    /// Days of inactivity after expiry of the password that lock the account.
    #[serde(default)]
    pub password_inactive_days: Option<i64>,
    /// Today in the guest, in days since 1970-01-01.
    #[serde(default)]
    pub today: Option<i64>,
    /// The home, `.ssh`, and every authorized-keys file, with all directories above.
    #[serde(default)]
    pub key_path: Vec<PathFact>,
    /// Authorized-keys files that sshd reads for this user, path -> lines.
    #[serde(default)]
    pub authorized_keys: BTreeMap<String, Vec<String>>,
    /// The text of `/etc/nologin` or `/run/nologin`, if one is there.
    #[serde(default)]
    pub nologin: Option<String>,
}

/// The guest as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guest {
    /// `PRETTY_NAME` of os-release.
    #[serde(default)]
    pub os: String,
    /// Mount point -> per cent of blocks used.
    #[serde(default)]
    pub disk_used: BTreeMap<String, u8>,
    /// Mount point -> per cent of inodes used.
    #[serde(default)]
    pub inodes_used: BTreeMap<String, u8>,
    /// Mount points that are read-only and should not be.
    #[serde(default)]
    pub read_only: Vec<String>,
    /// Seconds since boot.
    #[serde(default)]
    pub uptime: Option<u64>,
    /// The channel that carried the answers (`run-command`, `ssh`, ...).
    #[serde(default)]
    pub channel: String,
}
