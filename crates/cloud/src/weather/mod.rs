//! The weather: in which ways this cloud behaves as Azure does where it would, left to
//! itself, be quicker or say more.
//!
//! A weather is a text of words, `azure,run-command=3,latency=12`: the first word that
//! names a whole weather (`clear`, `azure`) and each property after it take effect in
//! the order in which they stand. What Azure does, and where that is documented, is in
//! `docs/azure.md`, word by word.
//!
//! ```text
//! word   text ⇄ properties
//! kept   the file `weather` of the state directory: what holds now
//! ```
//!
//! Nobody tells a running server of a change: it [looks](Kept::now) at the file
//! whenever the weather matters, so what was written holds from then on.

mod kept;
mod word;

use std::net::Ipv4Addr;
use std::time::Duration;

pub(crate) use kept::Kept;
pub use word::WeatherError;

/// In which ways the cloud behaves as Azure does. The default is clear: in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Every ARM answer comes so much later.
    pub latency: Duration,
    /// A Run Command's operation takes at least so long.
    pub run_command: Duration,
    /// How many bytes one call of Run Command returns of each of its two streams; none
    /// for this cloud's own limit.
    pub output: Option<usize>,
    /// Whether a Run Command is refused while another one runs on its VM. If not, it
    /// waits for its turn.
    pub conflict: bool,
    /// Whether the GETs of one VM are counted as Microsoft.Compute counts them.
    pub throttle: bool,
    /// What is told of the address from which a client comes.
    pub client: Client,
    /// What there is of the guests' agents.
    pub agent: GuestAgent,
    /// A VM that is started is powered on so much later.
    pub boot: Duration,
    /// Whether nothing says that this cloud is regain's.
    pub hide: bool,
}

/// What is told of the address from which a client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The one that the VMs' networks see.
    Known,
    /// None.
    Unknown,
    /// One that no VM sees: the client is behind a NAT with two ways out.
    Elsewhere(Ipv4Addr),
}

/// What there is of the guests' agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestAgent {
    /// What the machines' own agents report.
    There,
    /// Nothing is heard of them, and nothing reaches them.
    Lost,
    /// There never were any.
    Absent,
}

impl Weather {
    /// No weather: the cloud as quick and as outspoken as it can be.
    pub const CLEAR: Self = Self {
        latency: Duration::ZERO,
        run_command: Duration::ZERO,
        output: None,
        conflict: true,
        throttle: false,
        client: Client::Known,
        agent: GuestAgent::There,
        boot: Duration::ZERO,
        hide: false,
    };

    /// Azure on a usual day.
    pub const AZURE: Self = Self {
        latency: Duration::from_millis(120),
        run_command: Duration::from_secs(30),
        output: Some(4096),
        conflict: true,
        throttle: true,
        client: Client::Unknown,
        agent: GuestAgent::There,
        boot: Duration::from_secs(40),
        hide: true,
    };
}

impl Default for Weather {
    fn default() -> Self {
        Self::CLEAR
    }
}
