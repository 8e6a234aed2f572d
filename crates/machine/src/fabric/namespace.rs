//! Network namespaces, by name under `/run/netns` as the `ip` program keeps them.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddrV4, TcpListener};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::fstatfs;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::Deserialize;

use crate::command;
use crate::error::Error;

const DIRECTORY: &str = "/run/netns";
/// What `statfs` says of a namespace (linux/magic.h); a file left behind by a
/// crash is something else.
const NSFS_MAGIC: i64 = 0x6e73_6673;

/// A network namespace of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn named(name: String) -> Self {
        Self { name }
    }

    /// Its name, as `ip netns` lists it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        Path::new(DIRECTORY).join(&self.name)
    }

    /// Whether it exists.
    pub fn exists(&self) -> bool {
        let stat = File::open(self.path()).and_then(|file| Ok(fstatfs(&file)?));
        stat.is_ok_and(|stat| stat.f_type == NSFS_MAGIC)
    }

    /// Makes it, new and empty.
    pub(crate) fn create(&self) -> Result<(), Error> {
        self.delete()?;
        command::succeed("ip", &["netns", "add", &self.name], b"")?;
        Ok(())
    }

    /// Removes its name. It dies with its last process and socket.
    pub(crate) fn delete(&self) -> Result<(), Error> {
        if self.exists() {
            command::succeed("ip", &["netns", "delete", &self.name], b"")?;
            return Ok(());
        }
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format!("remove {}", self.path().display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Runs `act` on a thread of its own that lives in the namespace. Sockets
    /// and processes that it makes stay there.
    pub fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T, Error> {
        let doing = || format!("enter the namespace {}", self.name);
        let namespace = File::open(self.path()).map_err(Error::io(doing()))?;
        thread::scope(|scope| {
            let visit = scope.spawn(|| {
                move_into_link_name_space(
                    namespace.as_fd(),
                    Some(LinkNameSpaceType::Network),
                )?;
                Ok(act())
            });
            match visit.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
        .map_err(Error::io::<rustix::io::Errno>(doing()))
    }

    /// A listening socket in the namespace. Anybody may use it from any thread.
    pub fn listen(&self, address: SocketAddrV4) -> Result<TcpListener, Error> {
        self.within(|| TcpListener::bind(address))?
            .map_err(Error::io(format!("listen on {address} in {}", self.name)))
    }

    /// Whether it exists and has this link.
    pub(crate) fn has_link(&self, link: &str) -> Result<bool, Error> {
        Ok(self.exists() && self.within(|| link_exists(link))?)
    }

    /// Runs `ip` commands in it, one a line, stopping at the first that fails.
    pub(crate) fn ip(&self, batch: &str) -> Result<(), Error> {
        command::succeed("ip", &["-n", &self.name, "-batch", "-"], batch.as_bytes())?;
        Ok(())
    }

    /// Loads an nftables script into it: all of it or nothing.
    pub(crate) fn nft(&self, script: &str) -> Result<(), Error> {
        self.within(|| command::succeed("nft", &["-f", "-"], script.as_bytes()))??;
        Ok(())
    }

    /// Sets kernel parameters below `/proc/sys/net` in it.
    pub(crate) fn sysctl(&self, settings: &[(&str, &str)]) -> Result<(), Error> {
        self.within(|| sysctl(settings))?
    }
}

/// Sets kernel parameters below `/proc/sys/net`, which shows each thread its
/// own namespace. What this kernel does not have is left out: one without IPv6
/// need not be told to keep it off.
pub(crate) fn sysctl(settings: &[(&str, &str)]) -> Result<(), Error> {
    for (name, value) in settings {
        let path = Path::new("/proc/sys/net").join(name);
        match fs::write(&path, value) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && name.starts_with("ipv6/") => {}
            outcome => outcome.map_err(Error::io(format!("set {}", path.display())))?,
        }
    }
    Ok(())
}

/// Whether the calling thread's namespace has this link.
pub(crate) fn link_exists(link: &str) -> bool {
    Path::new("/proc/sys/net/ipv4/conf").join(link).exists()
}

/// Waits until a link of a namespace, or of the host, carries packets.
///
/// The end of a veth pair that is brought up first is switched on by the kernel
/// in the background, once it notices the other. Until then it drops packets,
/// and a lost SYN costs its sender a second.
pub(crate) fn await_link(namespace: Option<&Namespace>, link: &str) -> Result<(), Error> {
    let mut args = vec!["-json", "link", "show", "dev", link];
    if let Some(namespace) = namespace {
        args.splice(..0, ["-n", namespace.name()]);
    }
    for _ in 0..200 {
        let listed = command::succeed("ip", &args, b"")?;
        let links: Vec<Link> = serde_json::from_slice(&listed).map_err(|source| {
            Error::Record { path: "the output of `ip -json link`".to_owned(), source }
        })?;
        if links.iter().any(|link| link.operstate == "UP") {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(Error::Host(format!("the link {link} does not come up")))
}

/// One link of `ip -json link show`.
#[derive(Deserialize)]
struct Link {
    operstate: String,
}

/// Every namespace whose name begins with `prefix`.
pub(crate) fn with_prefix(prefix: &str) -> Result<Vec<Namespace>, Error> {
    let doing = || format!("read {DIRECTORY}");
    let entries = match fs::read_dir(DIRECTORY) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(doing()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io(doing()))?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) {
            found.push(Namespace::named(name.to_owned()));
        }
    }
    Ok(found)
}
