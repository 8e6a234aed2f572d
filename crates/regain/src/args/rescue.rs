//! `diagnose`, `repair`, `undo`, `explain`, `faults`, `probe`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use doctor::Risk;
use doctor::fault::shell_quote;

/// Which login is meant: a host, or a VM.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// A host: [USER@]HOST[:PORT].
    #[arg(value_name = "TARGET")]
    pub(crate) host: Option<String>,
    /// The VM's resource group.
    #[arg(short = 'g', long = "resource-group", value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// The VM's name.
    #[arg(short = 'n', long, value_name = "VM")]
    pub(crate) name: Option<String>,
    /// The VM's resource id.
    #[arg(long = "ids", value_name = "ID", conflicts_with_all = ["group", "name"])]
    pub(crate) id: Option<String>,
    /// Login name [default: the VM's administrator, else yours].
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Port of the SSH server [default: 22].
    #[arg(short, long)]
    pub(crate) port: Option<u16>,
    /// Private key file, as for ssh -i.
    #[arg(short, long, value_name = "KEY")]
    pub(crate) identity: Option<PathBuf>,
    /// Known hosts file [default: ~/.ssh/known_hosts].
    #[arg(long, value_name = "FILE")]
    pub(crate) known_hosts: Option<PathBuf>,
    /// Your address as the VM's network sees it, where nobody else can know it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) client_address: Option<IpAddr>,
    /// Ask the guest by this login, which works and may become root without a
    /// password: [USER@]HOST[:PORT]. Without it the cloud is asked.
    #[arg(long, value_name = "LOGIN")]
    pub(crate) through: Option<String>,
    /// Seconds to wait for a connection.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) connect_timeout: Duration,
    /// A directory with more fault files.
    #[arg(long = "faults", value_name = "DIR")]
    pub(crate) faults: Vec<PathBuf>,
}

impl Target {
    /// The options besides the host or VM, for saying the command again: each with a
    /// space before it.
    pub(crate) fn options(&self) -> String {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let vm = self.host.is_none();
        let given = [
            ("--user", self.user.clone().filter(|_| vm)),
            ("--port", self.port.filter(|_| vm).map(|port| port.to_string())),
            ("--identity", self.identity.as_ref().map(path)),
            ("--known-hosts", self.known_hosts.as_ref().map(path)),
            ("--client-address", self.client_address.map(|address| address.to_string())),
            ("--through", self.through.clone()),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given
            .chain(self.faults.iter().map(|directory| ("--faults", path(directory))))
            .map(|(name, value)| format!(" {name} {}", shell_quote(&value)))
            .collect()
    }
}

/// `diagnose`
#[derive(Debug, Args)]
pub(crate) struct Diagnose {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Write the case file, from which the diagnosis can be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub(crate) save: Option<PathBuf>,
    /// Diagnose a saved case file; nothing is asked or touched.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "group", "name", "id"])]
    pub(crate) from: Option<PathBuf>,
}

/// `repair`
#[derive(Debug, Args)]
pub(crate) struct Repair {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The riskiest class of step that is taken without asking: none, edit,
    /// open, credential, reset, reboot, redeploy, offline.
    #[arg(long, value_name = "CLASS", default_value = "credential")]
    pub(crate) allow: Risk,
    /// Only show what would be done, and what the next step would change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take riskier steps, and steps that take something away, without asking.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `undo`
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The id that `repair` printed; without it, every repair is listed that can be taken
    /// back, also one that was killed.
    pub(crate) id: Option<String>,
    /// Reach the guest by this login: [USER@]HOST[:PORT] [default: as the repair did].
    #[arg(long, value_name = "LOGIN")]
    pub(crate) through: Option<String>,
}

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The fault, as in `sshd.config-bad-option`.
    pub(crate) fault: String,
    /// A directory with more fault files.
    #[arg(long = "faults", value_name = "DIR")]
    pub(crate) faults: Vec<PathBuf>,
}

/// `faults`
#[derive(Debug, Subcommand)]
pub(crate) enum Faults {
    /// List every fault that a diagnosis looks for.
    List {
        /// Only this layer: client, name, network, platform, boot, firewall, sshd, auth, session.
        #[arg(long)]
        layer: Option<String>,
        /// A directory with more fault files.
        #[arg(long = "faults", value_name = "DIR")]
        faults: Vec<PathBuf>,
    },
}

/// `probe`
#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Hosts: HOST[:PORT].
    #[arg(value_name = "HOST", required_unless_present = "file")]
    pub(crate) hosts: Vec<String>,
    /// A file with one host per line; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Port where a host names none.
    #[arg(short, long, default_value_t = 22)]
    pub(crate) port: u16,
    /// Seconds to wait for a connection.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) connect_timeout: Duration,
    /// How many hosts are looked at side by side.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) parallel: usize,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
        .filter(|wait| !wait.is_zero() && *wait <= Duration::from_secs(3600))
        .ok_or_else(|| "a number of seconds, more than 0 and at most 3600".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        target: Target,
    }

    fn again(words: &[&str]) -> String {
        Line::try_parse_from([&["regain"], words].concat()).unwrap().target.options()
    }

    #[test]
    fn a_command_that_is_suggested_keeps_what_was_typed() {
        assert_eq!(again(&["-g", "lab", "-n", "vm1"]), "");
        assert_eq!(
            again(&[
                "-g",
                "g",
                "-n",
                "v",
                "--user",
                "bob",
                "-i",
                "my key",
                "--through",
                "me@h"
            ]),
            " --user bob --identity 'my key' --through me@h"
        );
        // These are in the target's own words.
        assert_eq!(again(&["bob@h:2222", "--port", "2222"]), "");
        assert_eq!(
            again(&["h", "--client-address", "192.0.2.7"]),
            " --client-address 192.0.2.7"
        );
    }
}
