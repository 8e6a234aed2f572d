//! A way to run a script in the guest that does not need SSH.
//!
//! There is one so far, ARM's Run Command ([`run_command`]). It carries a few
//! kilobytes and reports success whatever happens, so every script goes inside a
//! frame (`src/guest/frame.sh`) that hands back both outputs and the exit status in
//! pieces ([`frame`]).

mod frame;
mod run_command;
pub(crate) mod script;

#[cfg(test)]
pub(crate) use frame::piece_size;
pub(crate) use run_command::Guest;

use thiserror::Error;

/// What a script in the guest did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit status; 124 when it was stopped for taking too long.
    pub(crate) exit: i32,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

/// Why nothing came back from the guest.
#[derive(Debug, Error)]
pub enum ChannelError {
    /// There is no cloud, or no VM in it, to ask.
    #[error("{0}")]
    Unavailable(&'static str),
    /// ARM did not carry the script.
    #[error("Run Command failed")]
    Arm(#[source] Box<arm::Error>),
    /// The guest did not answer: its agent is dead, or it hangs.
    #[error("the guest did not answer through Run Command within {0} s")]
    Silent(u64),
    /// What came back is not what the frame prints.
    #[error("the guest's answer cannot be read: {0}")]
    Garbled(String),
}
