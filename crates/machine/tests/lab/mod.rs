//! A lab for one test: a state directory, and the promise that nothing of it is
//! left on the host, also when the test panics.

use std::fs;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use machine::{Attachment, MacAddress, MachineId};
use tempfile::TempDir;

/// Longer than anything here takes, on a busy host too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a dropped packet is waited for before the drop is believed.
pub(crate) const SILENCE: Duration = Duration::from_millis(700);

pub(crate) struct Lab(TempDir);

impl Lab {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("regain-test-").expect("a temporary directory"))
    }

    pub(crate) fn state(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let outcome = machine::teardown(self.state());
        if !std::thread::panicking() {
            outcome.expect("the lab is taken down");
        }
    }
}

pub(crate) fn id(text: &str) -> MachineId {
    text.parse().expect("a machine id")
}

pub(crate) fn attachment(vnet: &str, last: u8) -> Attachment {
    Attachment {
        vnet: vnet.to_owned(),
        address: Ipv4Addr::new(10, 0, 0, last),
        prefix_len: 24,
        gateway: Ipv4Addr::new(10, 0, 0, 1),
        mac: MacAddress([0, 0x0d, 0x3a, 0, 0, last]),
    }
}

/// What a client sees at an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Banner(String),
    Refused,
    TimedOut,
}

/// Connects and reads one line.
pub(crate) fn look(address: Ipv4Addr, port: u16) -> Seen {
    let connected =
        TcpStream::connect_timeout(&SocketAddrV4::new(address, port).into(), SILENCE);
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            return Seen::Refused;
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Seen::TimedOut,
        Err(error) => panic!("{address}:{port}: {error}"),
    };
    Seen::Banner(line(&mut stream))
}

/// Reads up to the end of a line.
pub(crate) fn line(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && stream.read(&mut byte).expect("a line") == 1 {
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

/// Everything on the host that bears a lab's name.
pub(crate) fn remains(slot: &str, table: &str, state: &Path) -> Vec<String> {
    let output = |program: &str, args: &[&str]| {
        let output =
            Command::new(program).args(args).output().expect("a program of the host");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let mut remains = Vec::new();
    let mut collect = |kind: &str, text: &str, is: &dyn Fn(&str) -> bool| {
        remains.extend(
            text.lines().filter(|line| is(line)).map(|line| format!("{kind}: {line}")),
        );
    };
    let named = |line: &str| {
        line.split_ascii_whitespace().any(|word| word.starts_with(&format!("{slot}-")))
    };
    collect("namespace", &output("ip", &["netns", "list"]), &named);
    collect("link", &output("ip", &["-o", "link", "show"]), &|line| {
        line.split(['@', ':', ' ']).any(|word| word == slot)
    });
    collect("route", &output("ip", &["route", "show"]), &|line| {
        line.split(' ').any(|word| word == slot)
    });
    collect("table", &output("nft", &["list", "tables"]), &|line| {
        line.ends_with(&format!(" {table}"))
    });
    collect("nspawn", &output("ls", &["/run/systemd/nspawn/propagate"]), &named);
    let state = state.to_string_lossy().into_owned();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("the mount table");
    collect("mount", &mounts, &|line| line.contains(&state));
    collect("process", &output("ps", &["-eo", "args"]), &|line| line.contains(&state));
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"] {
        let group = Path::new(root).join("regain").join(slot);
        remains.extend(group.exists().then(|| format!("cgroup: {}", group.display())));
    }
    remains
}
