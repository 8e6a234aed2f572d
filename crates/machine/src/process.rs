//! A process that is still the same process tomorrow.
//!
//! A pid alone is not a name: it is reused. A pid together with its start time
//! and the host's boot id is one. Signals go through a pidfd that was opened
//! before the start time was compared, so no signal can reach a stranger.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// A process, by pid, start time and boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pid: i32,
    /// Clock ticks after the host's boot.
    start_time: u64,
    /// The host's boot: start times begin anew at each.
    boot_id: String,
}

impl Process {
    /// The process that has this pid now.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        let Some((_, start_time)) = stat(pid)? else {
            return Err(io::ErrorKind::NotFound.into());
        };
        Ok(Self { pid, start_time, boot_id: boot_id()? })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// A handle on it, or nothing once it has ended. A zombie has ended.
    fn open(&self) -> Option<OwnedFd> {
        let pid = Pid::from_raw(self.pid)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let (state, start_time) = stat(self.pid).ok()??;
        let same = start_time == self.start_time && boot_id().ok()? == self.boot_id;
        (same && state != 'Z' && state != 'X').then_some(handle)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.open().is_some()
    }

    /// Sends the signal if the process still lives.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(handle) = self.open()
            && let Err(error) = pidfd_send_signal(&handle, signal)
        {
            tracing::debug!(pid = self.pid, %error, "signal not delivered");
        }
    }

    /// Waits until it has ended; false if it still lives after `limit`.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        self.open().is_none_or(|handle| wait(&handle, limit))
    }

    /// Its children, oldest first.
    pub(crate) fn children(&self) -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

/// Waits for the process behind a pidfd; false if it still lives after `limit`.
pub(crate) fn wait(handle: impl AsFd, limit: Duration) -> bool {
    let mut fds = [PollFd::new(&handle, PollFlags::IN)];
    let limit = Timespec {
        tv_sec: limit.as_secs().cast_signed(),
        tv_nsec: limit.subsec_nanos().into(),
    };
    matches!(poll(&mut fds, Some(&limit)), Ok(1..))
}

/// State letter and start time of a pid, or nothing if there is no such process.
fn stat(pid: i32) -> io::Result<Option<(char, u64)>> {
    let text = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // The process ended between open and read.
        Err(error)
            if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(parse_stat(&text))
}

/// The second field is the command's name in parentheses and may hold anything,
/// so the fields are counted from the last parenthesis on: state is the first
/// after it, start time (field 22) the twentieth.
fn parse_stat(text: &str) -> Option<(char, u64)> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start_time = fields.nth(18)?.parse().ok()?;
    Some((state, start_time))
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_name_with_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        assert_eq!(parse_stat(text), Some(('S', 4242)));
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let me = Process::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        let stranger = Process { start_time: me.start_time + 1, ..me.clone() };
        assert!(!stranger.is_alive());
        let before_the_reboot = Process { boot_id: "another".into(), ..me };
        assert!(!before_the_reboot.is_alive());
    }

    #[test]
    fn a_zombie_has_ended() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = Process::of(child.id());
        assert!(process.is_ok_and(
            |process| process.wait(Duration::from_secs(10)) && !process.is_alive()
        ));
        child.wait().unwrap();
    }
}
