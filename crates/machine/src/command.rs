//! Runs a program to its end: argv and standard input in, output out, never a
//! shell, never longer than a limit.
//!
//! The program gets a process group of its own, so that a Ctrl-C at the
//! server's terminal does not cut a half-made network short, and so that the
//! limit ends its children as well. Its end counts, not the end of its output:
//! a daemon that it leaves behind may hold the pipes for ever.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::engine::ExecOutput;

/// More output than this of one stream is read and thrown away.
const MAX_OUTPUT: usize = 16 << 20;

/// How long `ip`, `nft` and the like may take on a host under load.
const HOST_LIMIT: Duration = Duration::from_secs(60);

/// A program that could not be run, or failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It is not installed, or may not be run.
    #[error("cannot run `{command}`")]
    Spawn {
        /// The command line.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It said no.
    #[error("`{command}` failed with status {status}: {stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// It was killed after its limit.
    #[error("`{command}` did not end within {limit:?}")]
    TimedOut {
        /// The command line.
        command: String,
        /// How long it was given.
        limit: Duration,
    },
    /// Its pipes failed.
    #[error("cannot speak with `{command}`")]
    Pipe {
        /// The command line.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Runs a program of the host and wants it to succeed.
pub(crate) fn succeed(
    program: &str,
    args: &[&str],
    stdin: &[u8],
) -> Result<Vec<u8>, CommandError> {
    let mut command = Command::new(program);
    command.args(args);
    let output = run(&mut command, stdin, HOST_LIMIT)?;
    if output.status == 0 {
        return Ok(output.stdout);
    }
    let mut stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !stdin.is_empty() {
        stderr = format!("{stderr}\non this input:\n{}", String::from_utf8_lossy(stdin));
    }
    Err(CommandError::Failed { command: line(&command), status: output.status, stderr })
}

/// Runs a program for at most `limit`. A status other than 0 is no error here.
pub(crate) fn run(
    command: &mut Command,
    stdin: &[u8],
    limit: Duration,
) -> Result<ExecOutput, CommandError> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| CommandError::Spawn { command: line(command), source })?;
    let outcome = converse(&mut child, stdin, Instant::now() + limit);
    if !matches!(outcome, Ok(Some(_))) {
        // The group lives as long as its leader is not reaped: the pid is ours.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    }
    let status = child.wait();
    let pipe = |source| CommandError::Pipe { command: line(command), source };
    let Some((stdout, stderr)) = outcome.map_err(pipe)? else {
        return Err(CommandError::TimedOut { command: line(command), limit });
    };
    let status = status.map_err(pipe)?;
    let status = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(-1);
    Ok(ExecOutput { status, stdout, stderr })
}

/// Feeds standard input and collects both outputs until the program ends.
/// Nothing comes back if the deadline passes first.
fn converse(
    child: &mut Child,
    input: &[u8],
    deadline: Instant,
) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    let mut input = Input { pipe: child.stdin.take(), left: input };
    let mut stdout = Stream::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?)?;
    let mut stderr = Stream::new(child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?)?;
    input.feed()?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        let timeout = Timespec {
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = vec![PollFd::new(&ended, PollFlags::IN)];
        fds.extend(stdout.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(stderr.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(input.pipe.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let over = !fds[0].revents().is_empty();
        drop(fds);
        stdout.drain()?;
        stderr.drain()?;
        if over {
            return Ok(Some((stdout.bytes, stderr.bytes)));
        }
        input.feed()?;
    }
}

/// Standard input that is still to be written.
struct Input<'a> {
    pipe: Option<ChildStdin>,
    left: &'a [u8],
}

impl Input<'_> {
    /// Writes what the pipe takes; closes it at the end, or when nobody reads.
    fn feed(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        ioctl_fionbio(&*pipe, true)?;
        while !self.left.is_empty() {
            match pipe.write(self.left) {
                Ok(written) => self.left = &self.left[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                Err(error) => return Err(error),
            }
        }
        self.pipe = None;
        Ok(())
    }
}

/// One output of the program, and what has come of it.
struct Stream<R> {
    pipe: Option<R>,
    bytes: Vec<u8>,
}

impl<R: Read + AsFd> Stream<R> {
    fn new(pipe: R) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe: Some(pipe), bytes: Vec::new() })
    }

    /// Reads all that is there now.
    fn drain(&mut self) -> io::Result<()> {
        let mut buffer = [0; 64 << 10];
        while let Some(pipe) = &mut self.pipe {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(n) => {
                    let room = MAX_OUTPUT.saturating_sub(self.bytes.len());
                    self.bytes.extend_from_slice(&buffer[..n.min(room)]);
                    // A program that never stops writing must not keep us
                    // from looking at the clock.
                    if n == buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The command line as one would type it, near enough for an error.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn more_input_than_a_pipe_holds_goes_through() {
        let input = vec![b'x'; 1 << 20];
        let output = run(&mut Command::new("cat"), &input, LONG).unwrap();
        assert_eq!(output.stdout, input);
    }

    #[test]
    fn input_that_nobody_reads_is_no_error() {
        let output = run(&mut Command::new("true"), &vec![b'x'; 1 << 20], LONG).unwrap();
        assert_eq!(output.status, 0);
    }

    #[test]
    fn a_failure_carries_the_command_and_its_words() {
        let error = succeed("ls", &["/nonexistent"], b"").unwrap_err().to_string();
        assert!(error.starts_with("`ls /nonexistent` failed with status 2: "), "{error}");
    }

    #[test]
    fn a_child_left_behind_does_not_hold_the_answer_back() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & echo $!"]);
        let output = run(&mut command, b"", Duration::from_secs(20)).unwrap();
        let pid: i32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }

    #[test]
    fn the_limit_ends_the_program_and_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30; true"]);
        let error = run(&mut command, b"", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = succeed("no-such-program", &["-x"], b"").unwrap_err();
        assert_eq!(error.to_string(), "cannot run `no-such-program -x`");
    }
}
