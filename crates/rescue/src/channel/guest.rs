//! A guest behind a channel: whole scripts in, whole answers out.

use std::time::Duration;

use tokio::time::timeout;

use super::frame::{self, Answer};
use super::{Channel, ChannelError, Need};

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

/// A guest, and how long it may take to answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guest<'a> {
    channel: &'a dyn Channel,
    patience: Duration,
}

impl<'a> Guest<'a> {
    /// The guest at the other end.
    pub(crate) fn behind(channel: &'a dyn Channel) -> Self {
        Self { channel, patience: channel.nature().patience }
    }

    /// Waits this long instead.
    pub(crate) fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The channel's name.
    pub(crate) fn channel(&self) -> &'static str {
        self.channel.nature().name
    }

    /// Whether the way there leads through the guest's own network and SSH server.
    pub(crate) fn needs_sshd(&self) -> bool {
        self.channel.nature().needs == Need::Sshd
    }

    /// Runs a script as root and fetches all of what it said.
    pub(crate) async fn run(&self, script: &str) -> Result<Ran, ChannelError> {
        let all = async {
            let job = uuid::Uuid::new_v4().simple().to_string();
            // The guest gives up first, so that it can say so.
            let seconds = self.patience.as_secs().saturating_sub(3).max(2);
            let piece = frame::piece_size(self.channel.nature().output);
            let first = frame::wrap(script, &job, seconds, piece);
            let mut answer = Answer::begin(&self.channel.call(&first).await?)?;
            while !answer.is_whole() {
                let output = self.channel.call(&frame::next(&answer, piece)).await?;
                answer = answer.extend(&output)?;
            }
            answer.unpack()
        };
        let silent = ChannelError::Silent {
            channel: self.channel(),
            seconds: self.patience.as_secs(),
        };
        timeout(self.patience, all).await.unwrap_or(Err(silent))
    }
}
