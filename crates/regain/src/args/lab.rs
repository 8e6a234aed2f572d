//! `lab`: the local cloud and its VMs.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Engine, loopback};

/// `lab`
#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Start the cloud in the background and make one VM.
    Up(Up),
    /// Remove the cloud and everything in it, also after a crash.
    Down,
    /// Show the endpoint and the VMs.
    Status,
    /// Print export lines for az and regain: eval "$(regain lab env)".
    Env,
    /// Show the weather, or make another: in which ways the cloud behaves as Azure.
    Weather(Weather),
    /// Run a command as root in a VM, beside every channel.
    Exec(Exec),
    /// Break a VM as a fault's file says.
    Inject(Inject),
    /// Break fresh VMs in every known way, diagnose, repair, log in and undo.
    Gauntlet(Gauntlet),
}

/// `lab up`
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// What runs the VMs.
    #[arg(long, value_enum, default_value_t = Engine::Nspawn)]
    pub(crate) engine: Engine,
    /// Loopback address and port of the endpoint; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
    /// Where images are kept.
    #[arg(
        long,
        value_name = "DIR",
        env = "REGAIN_CACHE",
        default_value = "/var/cache/regain"
    )]
    pub(crate) cache: PathBuf,
    /// Make no VM.
    #[arg(long)]
    pub(crate) no_vm: bool,
    /// Behave as Azure does, once the VM is there: azure, or words of `lab weather`.
    #[arg(long, value_name = "WORDS")]
    pub(crate) weather: Option<cloud::Weather>,
}

/// `lab weather`
#[derive(Debug, Args)]
pub(crate) struct Weather {
    /// Words joined by commas, as in azure,run-command=3,agent=lost; clear for none.
    pub(crate) words: Option<cloud::Weather>,
}

/// `lab exec`
#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The VM: its name, or GROUP/NAME.
    pub(crate) vm: String,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

/// `lab inject`
#[derive(Debug, Args)]
pub(crate) struct Inject {
    /// The fault, as in `sshd.config-bad-option`.
    pub(crate) fault: String,
    /// The VM: its name, or GROUP/NAME.
    #[arg(long, default_value = "vm1")]
    pub(crate) vm: String,
    /// A directory with more fault files.
    #[arg(long = "faults", value_name = "DIR")]
    pub(crate) faults: Vec<PathBuf>,
}

/// `lab gauntlet`
#[derive(Debug, Args)]
pub(crate) struct Gauntlet {
    /// Directory of case files [default: the faults' own].
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
    /// How many VMs are on the bench at once [default: one per core].
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZero<usize>>,
    /// Run only this case; may be repeated.
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Break each VM in two ways: this many pairs of faults of different layers,
    /// instead of each fault by itself.
    #[arg(long, value_name = "N", conflicts_with_all = ["cases", "only"])]
    pub(crate) pairs: Option<std::num::NonZero<usize>>,
    /// Which pairs [default: others each day].
    #[arg(long, value_name = "S", requires = "pairs")]
    pub(crate) seed: Option<u64>,
    /// In this weather: azure, or words of `lab weather`; afterwards it is what it was.
    #[arg(long, value_name = "WORDS")]
    pub(crate) weather: Option<cloud::Weather>,
    /// A directory with more fault files.
    #[arg(long = "faults", value_name = "DIR")]
    pub(crate) faults: Vec<PathBuf>,
}
