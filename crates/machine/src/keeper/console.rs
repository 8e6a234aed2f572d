//! The VM's serial line: a pseudo-terminal, a log, and any number of clients.
//!
//! One loop waits for all of them. Output goes to the log and to every client
//! that keeps up; one that does not is cut off, because a serial line does not
//! wait. Input of all clients is one stream, read only as fast as the guest
//! takes it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, ExitStatus};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::log::Log;
use crate::error::Error;
use crate::home::Home;
use crate::record;

/// Input that the guest has not taken yet; beyond this, clients have to wait.
const MAX_INPUT: usize = 16 << 10;

/// More clients than this are turned away.
const MAX_CLIENTS: usize = 64;

/// Typed three times within a second, this makes nspawn kill the VM (`Ctrl-]`).
const NSPAWN_ESCAPE: u8 = 0x1d;

/// Both ends of the terminal and all that hangs on it.
pub(crate) struct Console {
    master: File,
    /// Held open, so that the terminal outlives each boot.
    slave: OwnedFd,
    listener: UnixListener,
    clients: Vec<UnixStream>,
    input: VecDeque<u8>,
    last_input: u8,
    log: Log,
}

impl Console {
    /// Makes the terminal and begins to listen on the VM's `console.sock`.
    pub(crate) fn open(home: &Home) -> Result<Self, Error> {
        let log = Log::open(&home.console_log())
            .map_err(Error::io("open the console's log"))?;
        let (master, slave) = terminal().map_err(Error::io("make a terminal"))?;
        let listener =
            listen(home).map_err(Error::io("listen on the console's socket"))?;
        Ok(Self {
            master,
            slave,
            listener,
            clients: Vec::new(),
            input: VecDeque::new(),
            last_input: 0,
            log,
        })
    }

    /// The VM's end of the line, once more.
    pub(crate) fn line(&self) -> Result<OwnedFd, Error> {
        self.slave.try_clone().map_err(Error::io("give the VM its terminal"))
    }

    /// Carries bytes until the process ends.
    pub(crate) fn attend(&mut self, child: &mut Child) -> Result<ExitStatus, Error> {
        self.carry(child).map_err(Error::io("attend the console"))?;
        child.wait().map_err(Error::io("wait for systemd-nspawn"))
    }

    fn carry(&mut self, child: &Child) -> io::Result<()> {
        let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        loop {
            let full = self.input.len() >= MAX_INPUT;
            let line = if self.input.is_empty() {
                PollFlags::IN
            } else {
                PollFlags::IN | PollFlags::OUT
            };
            let client = if full { PollFlags::empty() } else { PollFlags::IN };
            let mut fds = vec![
                PollFd::new(&ended, PollFlags::IN),
                PollFd::new(&self.master, line),
                PollFd::new(&self.listener, PollFlags::IN),
            ];
            fds.extend(self.clients.iter().map(|stream| PollFd::new(stream, client)));
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let ready: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
            drop(fds);
            // Who has connected before something is said, hears it.
            if !ready[2].is_empty() {
                self.welcome();
            }
            self.output()?;
            self.hear(&ready[3..]);
            self.type_in()?;
            if !ready[0].is_empty() {
                return self.output();
            }
        }
    }

    /// Reads what the VM has written, for the log and the clients: all of it, or
    /// as much as fits in a terminal's buffer if it never stops.
    fn output(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        for _ in 0..64 {
            let bytes = match self.master.read(&mut buffer) {
                Ok(n) => &buffer[..n],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            // A full disk must not end the VM.
            if let Err(error) = self.log.append(bytes) {
                tracing::warn!(%error, "the console's log is not complete");
            }
            self.clients.retain_mut(
                |client| matches!(client.write(bytes), Ok(n) if n == bytes.len()),
            );
        }
        Ok(())
    }

    /// Reads what clients type; those that hung up go.
    fn hear(&mut self, ready: &[PollFlags]) {
        let mut buffer = [0; 4 << 10];
        let mut heard = Vec::new();
        let mut ready = ready.iter();
        self.clients.retain_mut(|client| {
            // `output` may have cut one off and so shifted the rest; a read that
            // finds nothing does no harm.
            if ready.next().is_none_or(|flags| flags.is_empty()) {
                return true;
            }
            match client.read(&mut buffer) {
                Ok(0) => false,
                Ok(n) => {
                    heard.extend_from_slice(&buffer[..n]);
                    true
                }
                Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            }
        });
        for byte in heard {
            // nspawn's escape must not be typed through to it.
            if byte != NSPAWN_ESCAPE || self.last_input != NSPAWN_ESCAPE {
                self.input.push_back(byte);
            }
            self.last_input = byte;
        }
    }

    /// Gives the VM what it takes of the input.
    fn type_in(&mut self) -> io::Result<()> {
        while !self.input.is_empty() {
            match self.master.write(self.input.as_slices().0) {
                Ok(n) => drop(self.input.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn welcome(&mut self) {
        while let Ok((client, _)) = self.listener.accept() {
            if self.clients.len() < MAX_CLIENTS && client.set_nonblocking(true).is_ok() {
                self.clients.push(client);
            }
        }
    }
}

/// A pseudo-terminal of 24 lines and 80 columns, as a serial console is taken
/// for. It becomes nobody's controlling terminal.
fn terminal() -> io::Result<(File, OwnedFd)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave =
        open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    tcsetwinsize(&slave, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
    ioctl_fionbio(&master, true)?;
    Ok((File::from(master), slave))
}

/// The directory is root's alone, and so is the socket in it. Its path may be
/// longer than a socket's address can be, so it is named through `/proc`.
fn listen(home: &Home) -> io::Result<UnixListener> {
    record::remove(&home.console_socket()).map_err(io::Error::other)?;
    let directory = File::open(home.path())?;
    let listener = UnixListener::bind(format!(
        "/proc/self/fd/{}/console.sock",
        directory.as_raw_fd()
    ))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn clients_share_the_line_and_cannot_type_the_escape_that_kills() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().to_owned());
        let mut console = Console::open(&home).unwrap();
        let connect = || UnixStream::connect(home.console_socket()).unwrap();
        let (mut first, mut second, third) = (connect(), connect(), connect());
        let script = "stty raw -echo; printf ready; head -c 4 | od -An -c; sleep 0.1";
        let mut guest = Command::new("sh")
            .args(["-c", script])
            .stdin(console.line().unwrap())
            .stdout(console.line().unwrap())
            .spawn()
            .unwrap();
        drop(third);
        let line = thread::spawn(move || {
            let status = console.attend(&mut guest).unwrap();
            drop(console);
            status
        });
        let mut ready = [0; 5];
        first.read_exact(&mut ready).unwrap();
        first.write_all(b"a\x1d\x1d").unwrap();
        first.write_all(b"\x1db\x1d").unwrap();
        let mut heard = String::new();
        second.read_to_string(&mut heard).unwrap();

        assert!(line.join().unwrap().success());
        let words: Vec<&str> = heard.split_ascii_whitespace().collect();
        assert_eq!(words, ["ready", "a", "035", "b", "035"]);
        assert_eq!(Log::read(&home.console_log()).unwrap(), heard.as_bytes());
    }
}
