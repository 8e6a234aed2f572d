//! The system's sshd, on a port of its own with a configuration of its own.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An sshd that ends with its test.
pub(crate) struct Sshd {
    pub home: tempfile::TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Sshd {
    /// Makes a client key, a host key and a configuration with these extra lines,
    /// and starts sshd on them.
    pub(crate) fn start(extra: &str) -> Self {
        let mut sshd = Self::prepare(extra);
        sshd.run();
        sshd
    }

    /// The same without starting it. `root/` is for what the guest's scripts may touch:
    /// they run with it as their root.
    pub(crate) fn prepare(extra: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path();
        keygen(&path.join("key"));
        keygen(&path.join("hostkey"));
        fs::copy(path.join("key.pub"), path.join("authorized_keys")).unwrap();
        let port = free_port();
        let config = format!(
            "{extra}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {0}/hostkey\n\
             AuthorizedKeysFile {0}/authorized_keys {0}/root/authorized_keys\nStrictModes no\nPidFile none\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            path.display()
        );
        fs::write(path.join("sshd_config"), config).unwrap();
        Self { home, port, child: None }
    }

    /// Starts sshd and waits until it listens.
    pub(crate) fn run(&mut self) {
        // Debian's unit would make it; sshd of root asks for it.
        let _ = fs::create_dir("/run/sshd");
        let child = Command::new("/usr/sbin/sshd")
            .arg("-D")
            .arg("-f")
            .arg(self.path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sshd is installed by the project's setup (openssh-server)");
        self.child = Some(child);
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it; the port is closed then.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A line that known_hosts would have for this server with that key.
    pub(crate) fn known_hosts_line(&self, key: &Path) -> String {
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn keygen(path: &Path) {
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
