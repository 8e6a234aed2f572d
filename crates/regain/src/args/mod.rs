//! The command line, as data: what can be typed, and nothing of what it does.
//!
//! Verbs and flags are az's wherever az has them.

pub(crate) mod account;
pub(crate) mod ad;
pub(crate) mod classic;
pub(crate) mod cloud;
pub(crate) mod group;
pub(crate) mod lab;
pub(crate) mod monitor;
pub(crate) mod network;
pub(crate) mod noun;
pub(crate) mod rescue;
pub(crate) mod resource;
pub(crate) mod rest;
pub(crate) mod role;
pub(crate) mod vm;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use doctor::Lang;

use crate::output::Format;
use crate::query::Query;

/// Finds out why SSH to a Linux VM fails, and gets you back in.
#[derive(Debug, Parser)]
#[command(name = "regain", version, max_term_width = 100)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    infer_long_args = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Output format.
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// JMESPath query over the result. See https://jmespath.org/.
    #[arg(long, global = true, value_name = "JMESPATH", value_parser = query)]
    pub(crate) query: Option<Query>,
    /// Subscription id; by default the only one, or az's default.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) subscription: Option<String>,
    /// Which cloud to ask: lab, azure, or a name of `regain cloud list` [default:
    /// REGAIN_ENDPOINT's, else the one that was set, else a running lab, else Azure].
    #[arg(long, global = true, value_name = "NAME", env = "REGAIN_CLOUD")]
    pub(crate) cloud: Option<String>,
    /// State directory of the lab [default: REGAIN_STATE, else /var/lib/regain/lab].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Language of what is said; by default the locale's.
    #[arg(long, global = true, value_name = "LANG", value_parser = lang)]
    pub(crate) lang: Option<Lang>,
    /// Say on stderr what is being done.
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    /// Say on stderr every request that is made.
    #[arg(long, global = true)]
    pub(crate) debug: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find out why a login fails.
    Diagnose(rescue::Diagnose),
    /// Diagnose, repair with the least risky step that works, and prove it by a login.
    Repair(rescue::Repair),
    /// Take back what a repair changed.
    Undo(rescue::Undo),
    /// Explain a fault: what it is, how it is seen, how it is repaired.
    Explain(rescue::Explain),
    /// The catalogue of faults.
    #[command(subcommand)]
    Faults(rescue::Faults),
    /// Look at SSH servers from the client's side only.
    Probe(rescue::Probe),
    /// The lab: a local cloud with real VMs.
    #[command(subcommand)]
    Lab(lab::Lab),
    /// Linux virtual machines.
    #[command(subcommand)]
    Vm(vm::Vm),
    /// Networks.
    #[command(subcommand)]
    Network(network::Network),
    /// Resource groups.
    #[command(subcommand)]
    Group(group::Group),
    /// Resources of any kind.
    #[command(subcommand)]
    Resource(resource::Resource),
    /// The activity log.
    #[command(subcommand)]
    Monitor(monitor::Monitor),
    /// Roles, and who has them.
    #[command(subcommand)]
    Role(role::Role),
    /// Applications that sign in.
    #[command(subcommand)]
    Ad(ad::Ad),
    /// Subscriptions.
    #[command(subcommand)]
    Account(account::Account),
    /// Clouds by name: Azure's, the lab, your own.
    #[command(subcommand)]
    Cloud(cloud::Cloud),
    /// The words of the classic CLI.
    #[command(subcommand)]
    Classic(classic::Classic),
    /// Send a request of your own.
    Rest(rest::Rest),
    /// Run the local cloud's server in the foreground.
    Serve(Serve),
    /// Print the completion script of a shell.
    Completion(Completion),
    /// Write the man pages into a directory.
    Man(Man),
    /// Hold one VM of the local cloud.
    #[command(hide = true)]
    MachineKeeper(MachineKeeper),
}

/// `serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Loopback address and port; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
    /// What runs the VMs.
    #[arg(long, value_enum, default_value_t = Engine::Nspawn)]
    pub(crate) engine: Engine,
    /// Where images are kept.
    #[arg(
        long,
        value_name = "DIR",
        env = "REGAIN_CACHE",
        default_value = "/var/cache/regain"
    )]
    pub(crate) cache: PathBuf,
    /// How many reads, writes and deletes per second each client may send; more are
    /// answered 429, as by Azure.
    #[arg(long, value_name = "N", env = "REGAIN_REQUESTS_PER_SECOND")]
    pub(crate) requests_per_second: Option<u32>,
    /// Behave as Azure does: azure, or words of `lab weather` [default: as it was].
    #[arg(long, value_name = "WORDS")]
    pub(crate) weather: Option<::cloud::Weather>,
}

/// What runs a lab's VMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// systemd-nspawn: real VMs; needs root.
    Nspawn,
    /// Machines that exist in name only.
    Fake,
}

/// `completion`
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory; it is made if need be.
    pub(crate) dir: PathBuf,
}

/// `machine-keeper`
#[derive(Debug, Args)]
pub(crate) struct MachineKeeper {
    /// The VM's directory.
    pub(crate) dir: PathBuf,
}

fn query(text: &str) -> Result<Query, String> {
    Query::parse(text).map_err(|error| error.to_string())
}

fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "en" => Ok(Lang::En),
        "ja" => Ok(Lang::Ja),
        _ => Err("use `en` or `ja`".to_owned()),
    }
}

/// The cloud must not be reachable from elsewhere.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "an address and a port, as in 127.0.0.1:18443".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only a loopback address: nothing outside of this host may reach the lab"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_server_listens_on_this_host_only() {
        assert!(loopback("127.0.0.1:0").is_ok());
        assert!(loopback("0.0.0.0:1").is_err());
    }
}
