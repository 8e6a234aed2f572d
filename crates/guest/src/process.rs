//! Child processes with a time limit and a limit on what they may print.
//!
//! A child gets a process group of its own. At the limit the whole group is killed, so
//! that nothing it started lives on. What it prints is read while it runs; a
//! grandchild that keeps the pipe open after the child's end is not waited for.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::edit;

/// How long the output of an ended child may take to arrive.
const GRACE: Duration = Duration::from_millis(500);

/// What a child may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    /// Bytes kept of each of the two outputs: the last ones.
    pub(crate) output: usize,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Exit(i32),
    Signal(i32),
    TimedOut,
}

/// An ended child.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) ended: Ended,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Finished {
    pub(crate) fn success(&self) -> bool {
        self.ended == Ended::Exit(0)
    }

    /// Both outputs as one text, for messages.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.stderr).trim().to_owned();
        let stdout = String::from_utf8_lossy(&self.stdout);
        if !text.is_empty() && !stdout.trim().is_empty() {
            text.push('\n');
        }
        text.push_str(stdout.trim());
        text
    }
}

/// Runs a command to its end. An error means that it could not be started.
pub(crate) fn run(
    command: &mut Command,
    input: &[u8],
    limits: &Limits,
) -> std::io::Result<Finished> {
    let mut child = command
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let group = Pid::from_child(&child);
    let (stdout, stdout_done) = collect(child.stdout.take(), limits.output);
    let (stderr, stderr_done) = collect(child.stderr.take(), limits.output);
    let feeder = child.stdin.take().map(|mut pipe| {
        let input = input.to_vec();
        // The child may end without reading: then writing fails, and that is fine.
        thread::spawn(move || drop(pipe.write_all(&input)))
    });

    let (send, ended) = channel();
    thread::spawn(move || {
        let _ = send.send(child.wait());
    });
    let status = match ended.recv_timeout(limits.time) {
        Ok(status) => Some(status?),
        Err(_) => {
            // The waiter has not reaped the child, so the group's number is still its.
            let _ = kill_process_group(group, Signal::KILL);
            let _ = ended.recv_timeout(GRACE);
            None
        }
    };
    for done in [stdout_done, stderr_done] {
        let _ = done.recv_timeout(GRACE);
    }
    drop(feeder);
    let ended = match status {
        None => Ended::TimedOut,
        Some(status) => match status.signal() {
            Some(signal) => Ended::Signal(signal),
            None => Ended::Exit(status.code().unwrap_or(-1)),
        },
    };
    let (stdout, stderr) = (taken(&stdout, limits.output), taken(&stderr, limits.output));
    Ok(Finished { ended, stdout, stderr })
}

/// Runs one of the guest's own programs, inside the root if that is not `/`.
/// `None`: the guest does not have it.
pub(crate) fn tool(
    root: &Path,
    argv: &[impl AsRef<OsStr>],
    input: &[u8],
    limits: &Limits,
) -> Option<std::io::Result<Finished>> {
    let (program, arguments) = argv.split_first()?;
    let program = find(root, program.as_ref().to_str()?)?;
    let mut command = if root == Path::new("/") {
        Command::new(program)
    } else {
        let mut command = Command::new("chroot");
        command.arg(root).arg(program);
        command
    };
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC");
    Some(run(&mut command, input, limits))
}

/// Where the guest has a program.
pub(crate) fn find(root: &Path, program: &str) -> Option<String> {
    if program.starts_with('/') {
        return edit::kind(root, program).map(|_| program.to_owned());
    }
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|dir| format!("{dir}/{program}"))
        .find(|path| edit::kind(root, path) == Some(rustix::fs::FileType::RegularFile))
}

type Collected = (Arc<Mutex<Vec<u8>>>, Receiver<()>);

fn collect(pipe: Option<impl Read + Send + 'static>, limit: usize) -> Collected {
    let buffer = Arc::new(Mutex::new(Vec::new()));
    let (send, done) = channel();
    let target = Arc::clone(&buffer);
    thread::spawn(move || {
        let mut chunk = [0u8; 8192];
        let Some(mut pipe) = pipe else { return };
        while let Ok(length @ 1..) = pipe.read(&mut chunk) {
            let mut buffer = target.lock().unwrap_or_else(PoisonError::into_inner);
            buffer.extend_from_slice(&chunk[..length]);
            // Not at every chunk: each time costs a copy of what is kept.
            if buffer.len() > 2 * limit {
                keep_end(&mut buffer, limit);
            }
        }
        let _ = send.send(());
    });
    (buffer, done)
}

fn taken(buffer: &Mutex<Vec<u8>>, limit: usize) -> Vec<u8> {
    let mut output =
        std::mem::take(&mut *buffer.lock().unwrap_or_else(PoisonError::into_inner));
    keep_end(&mut output, limit);
    output
}

fn keep_end(buffer: &mut Vec<u8>, limit: usize) {
    buffer.drain(..buffer.len().saturating_sub(limit));
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1000 };

    fn sh(script: &str, input: &[u8], limits: &Limits) -> Finished {
        let mut command = Command::new("sh");
        run(command.arg("-c").arg(script), input, limits).expect("sh starts")
    }

    #[test]
    fn both_outputs_and_the_exit_code_come_back() {
        let done = sh("cat; echo err >&2; exit 3", b"in", &LIMITS);
        assert_eq!(done.ended, Ended::Exit(3));
        assert_eq!(
            (done.stdout.as_slice(), done.stderr.as_slice()),
            (&b"in"[..], &b"err\n"[..])
        );
        assert_eq!(sh("kill -9 $$", b"", &LIMITS).ended, Ended::Signal(9));
    }

    #[test]
    fn only_the_end_of_a_long_output_is_kept() {
        let done = sh("yes | head -c 300000; printf end", b"", &LIMITS);
        assert_eq!((done.ended, done.stdout.len()), (Ended::Exit(0), 1000));
        assert!(done.stdout.ends_with(b"y\nend"));
    }

    #[test]
    fn the_whole_group_dies_at_the_time_limit() {
        let limits = Limits { time: Duration::from_millis(200), output: 100 };
        let done = sh("echo $$; sleep 60 & sleep 60", b"", &limits);
        assert_eq!(done.ended, Ended::TimedOut);
        let group = String::from_utf8_lossy(&done.stdout).trim().parse().expect("a pid");
        let group = Pid::from_raw(group).expect("a pid");
        // The killed sleep leaves the group when init has reaped it.
        let gone = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(10));
            kill_process_group(group, Signal::CONT).is_err()
        });
        assert!(gone, "somebody of the group is alive");
    }

    #[test]
    fn a_daemon_that_keeps_the_pipe_does_not_hold_us() {
        let limits = Limits { time: Duration::from_secs(600), output: 100 };
        let done = sh("echo started; sleep 5 &", b"", &limits);
        assert_eq!(
            (done.ended, done.stdout.as_slice()),
            (Ended::Exit(0), &b"started\n"[..])
        );
    }
}
