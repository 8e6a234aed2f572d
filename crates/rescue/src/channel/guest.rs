//! A guest behind a channel: whole scripts in, whole answers out.

use std::time::Duration;

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

/// How long a script may take that says nothing else: one that only reads.
const USUAL: Duration = Duration::from_secs(20);

/// How long it may take to print a piece of an answer.
const PIECE: Duration = Duration::from_secs(10);

/// A guest, and how long a script may take there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guest<'a> {
    channel: &'a dyn Channel,
    time: Duration,
}

impl<'a> Guest<'a> {
    /// The guest at the other end.
    pub(crate) fn behind(channel: &'a dyn Channel) -> Self {
        Self { channel, time: USUAL }
    }

    /// Gives scripts this long instead.
    pub(crate) fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Whether asking costs so much time that it should be needed first.
    pub(crate) fn is_slow(&self) -> bool {
        self.channel.nature().usual > Duration::from_secs(1)
    }

    /// The channel's name.
    pub(crate) fn channel(&self) -> &'static str {
        self.channel.nature().name
    }

    /// Whether the way there leads through the guest's own network and SSH server.
    pub(crate) fn needs_sshd(&self) -> bool {
        self.channel.nature().needs == Need::Sshd
    }

    /// Runs a script as root and fetches what it said: all of it, or as much as came.
    pub(crate) async fn run(&self, script: &str) -> Result<Ran, ChannelError> {
        let job = uuid::Uuid::new_v4().simple().to_string();
        let piece = frame::piece_size(self.channel.nature().output);
        let first = frame::wrap(script, &job, self.time.as_secs(), piece);
        // The frame stops a script that hangs, and kills it five seconds later.
        let time = self.time + Duration::from_secs(6);
        let mut answer = Answer::begin(&self.channel.call(&first, time).await?)?;
        while !answer.is_whole() {
            let next = frame::next(&answer, piece);
            let more = self.channel.call(&next, PIECE).await;
            match more.and_then(|output| answer.extended(&output)) {
                Ok(extended) => answer = extended,
                Err(error) => return answer.unpack_what_came().ok_or(error),
            }
        }
        answer.unpack()
    }
}
