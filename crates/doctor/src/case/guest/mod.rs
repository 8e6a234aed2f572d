//! What the guest itself says, through a channel that does not need SSH. A section
//! for each question, because each can fail by itself.

mod account;
mod config;
mod keys;
mod listeners;
mod packet_filter;
mod path;
mod processes;
mod sshd;
mod system;
mod units;

pub use account::{Account, PasswordKind, Shadow};
pub use config::Config;
pub use keys::{HostKeys, KeyFile, KeyLine, KeyLines, KeyOption, Keys};
pub use listeners::{Listener, Listeners};
pub use packet_filter::{Addresses, Iptables, Nft};
pub use path::{PathFact, PathKind};
pub use processes::{Process, Processes};
pub use sshd::{CommandOutput, Journal, NameService, Settings, Sshd};
pub use system::{Disks, System};
pub use units::{ActiveState, EnabledState, UnitState, Units};
