//! The system's ssh, which is what the operator will use again: its settings for a
//! host, a login, and what its words mean.

mod login;
mod settings;
mod transcript;

pub(crate) use login::{HostKeys, login};
pub(crate) use settings::Settings;

use tokio::process::Command;

/// A program of OpenSSH, with texts in English: they are read by this program.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("LC_ALL", "C").kill_on_drop(true);
    command
}
