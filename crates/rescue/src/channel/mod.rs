//! A way to run a script in the guest beside the login that fails.
//!
//! A [`Channel`] carries one text to a shell of root's and brings back what it printed,
//! as far as it can: Azure's Run Command ([`crate::azure`]) carries 4,096 bytes and
//! reports success whatever happens, a login of another administrator's
//! ([`crate::Through`]) carries all of it. So that nobody needs to know which it is,
//! every script goes inside a frame (`src/guest/frame.sh`) that hands back both outputs
//! and the exit status in pieces ([`frame`]); [`Guest`] runs it.

pub(crate) mod frame;
mod guest;
pub(crate) mod script;

use std::error::Error as Source;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::boxed::BoxFuture;

#[cfg(test)]
pub(crate) use self::frame::piece_size;
pub(crate) use self::guest::{Guest, Ran};
pub(crate) use self::script::with_variables;

/// A way to run a script in a guest.
pub trait Channel: Debug + Send + Sync {
    /// What the channel is like.
    fn nature(&self) -> Nature;

    /// The login that the channel goes through, if it is one: a later undo needs it.
    fn login(&self) -> Option<&Login> {
        None
    }

    /// Has a POSIX shell of root's run `text`, which ends by itself within `time`, and
    /// gives what it printed to standard output, or the end of it where that is more
    /// than the channel carries. How long the channel itself may need besides is its
    /// own affair: a call that was begun is waited for, because one that is abandoned
    /// may keep the next ones out.
    fn call<'a>(
        &'a self,
        text: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<String, ChannelError>>;
}

/// A login by SSH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// The login name; none for what ssh's configuration says.
    #[serde(default)]
    pub user: Option<String>,
    /// Name, address or alias of ssh's configuration.
    pub host: String,
    /// The port; none for what ssh's configuration says.
    #[serde(default)]
    pub port: Option<u16>,
    /// A private key to offer besides.
    #[serde(default)]
    pub identity: Option<PathBuf>,
    /// Known hosts, if they are not where ssh looks for them.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
}

/// What a channel can carry, what it needs, and how slow it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    /// Its name, as the case file has it.
    pub name: &'static str,
    /// How much output one call brings back, bytes.
    pub output: u64,
    /// What must be alive for it to work.
    pub needs: Need,
    /// How long one call usually takes, whatever it does: what takes seconds is not
    /// asked before it is needed.
    pub usual: Duration,
}

/// What a channel works through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The platform's agent in the guest, and so a VM that runs.
    Agent,
    /// The guest's network and its SSH server: what a repair may be about.
    Sshd,
}

/// Why nothing came back from the guest.
#[derive(Debug, Error)]
pub enum ChannelError {
    /// There is no channel into this guest.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The guest is not there any more.
    #[error("the VM does not exist any more")]
    Gone,
    /// The channel did not carry the script.
    #[error("{channel} failed")]
    Carrier {
        /// The channel's name.
        channel: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Source + Send + Sync>,
    },
    /// The guest did not answer: its agent is dead, or it hangs.
    #[error("the guest did not answer through {channel} within {seconds} s{besides}")]
    Silent {
        /// The channel's name.
        channel: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// What follows from that; empty if nothing does.
        besides: &'static str,
    },
    /// Something else of this kind runs there, and only one may.
    #[error(
        "another {channel} has been running on the VM for {seconds} s and more; try again when it is done"
    )]
    Busy {
        /// The channel's name.
        channel: &'static str,
        /// How long its end was waited for.
        seconds: u64,
    },
    /// What came back is not what the frame prints.
    #[error("the guest's answer cannot be read: {0}")]
    Garbled(String),
}
