//! What a VM is, before it runs: its name, image, place in a network and the
//! files that it finds in its root at the first boot.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Component, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The name of a VM on this host: `[a-z0-9-]{1,36}`, so that a UUID fits and so
/// that it can be part of a path, a cgroup and a namespace name as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MachineId(String);

impl MachineId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MachineId {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for MachineId {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > 36 || !text.bytes().all(allowed) {
            return Err(SpecError::MachineId(text));
        }
        Ok(Self(text))
    }
}

impl From<MachineId> for String {
    fn from(id: MachineId) -> Self {
        id.0
    }
}

/// An Ethernet address, written `00:0d:3a:12:34:56`. Azure's form with dashes
/// is read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for MacAddress {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = || SpecError::MacAddress(text.to_owned());
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or_else(wrong)?;
            *octet = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        match parts.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(wrong()),
        }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = SpecError;

    fn try_from(text: String) -> Result<Self, SpecError> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

/// A VM's one network interface, seen from inside: `eth0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Name of the virtual network, as in [`Topology`](crate::Topology).
    pub vnet: String,
    /// The private address.
    pub address: Ipv4Addr,
    /// Length of the subnet's prefix, in bits.
    pub prefix_len: u8,
    /// The subnet's first address, which routes for it.
    pub gateway: Ipv4Addr,
    /// The Ethernet address that the guest sees.
    pub mac: MacAddress,
}

/// A file in the guest's root, owned by root.
#[derive(Clone, PartialEq, Eq)]
pub struct SeedFile {
    /// Absolute path in the guest. Symbolic links are followed inside the
    /// guest's root only.
    pub path: PathBuf,
    /// Permission bits, such as `0o600`. Missing parents are made with `0o755`.
    pub mode: u32,
    /// The whole contents. May be secret: never printed, never kept outside
    /// the guest's own disk.
    pub contents: Vec<u8>,
}

impl SeedFile {
    /// The path below the guest's root; none if it is not an absolute path to a
    /// file, or climbs with `..`.
    pub(crate) fn below_root(&self) -> Option<PathBuf> {
        let names =
            self.path.strip_prefix("/").ok()?.components().map(|part| match part {
                Component::Normal(name) => Some(name),
                _ => None,
            });
        let below: PathBuf = names.collect::<Option<_>>()?;
        // `/etc/` would name a directory.
        let directory = self.path.as_os_str().as_encoded_bytes().ends_with(b"/");
        (below.file_name().is_some() && !directory).then_some(below)
    }
}

impl fmt::Debug for SeedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SeedFile({:?}, {:o}, {} bytes)",
            self.path,
            self.mode,
            self.contents.len()
        )
    }
}

/// Everything that an engine needs to make a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSpec {
    /// Unique in the state directory.
    pub id: MachineId,
    /// For people: `group/vm`.
    pub name: String,
    /// The guest's host name.
    pub hostname: String,
    /// Which image, such as `debian12`.
    pub image: String,
    /// Where it hangs in the fabric.
    pub network: Attachment,
    /// Written before the first boot. Not kept in the engine's records, so a
    /// spec that comes back from [`Engine::list`](crate::Engine::list) has none.
    #[serde(skip)]
    pub files: Vec<SeedFile>,
}

impl MachineSpec {
    /// Refuses a spec whose files have no place in a guest.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.files.iter().find(|file| file.below_root().is_none()) {
            Some(file) => Err(Error::SeedPath(file.path.clone())),
            None => Ok(()),
        }
    }
}

/// A word that cannot be what it is meant to be.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not `[a-z0-9-]{1,36}`.
    #[error("{0:?} is no machine id: 1 to 36 lower-case letters, digits and dashes")]
    MachineId(String),
    /// Not six octets.
    #[error("{0:?} is no Ethernet address: six octets such as 00:0d:3a:12:34:56")]
    MacAddress(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_id_can_be_part_of_a_path() {
        for good in ["vm1", "3f2b9a54-6d6c-4b1e-9d5c-0123456789ab"] {
            assert_eq!(good.parse::<MachineId>().unwrap().as_str(), good);
        }
        for bad in ["", "..", "a/b", "VM", "a b", &"x".repeat(37)] {
            assert!(bad.parse::<MachineId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_seed_file_is_an_absolute_path_to_a_file() {
        let file =
            |path: &str| SeedFile { path: path.into(), mode: 0o644, contents: vec![] };
        assert_eq!(file("/etc/./passwd").below_root(), Some("etc/passwd".into()));
        for bad in ["", "/", "etc/passwd", "/etc/../passwd", "/etc/"] {
            assert_eq!(file(bad).below_root(), None, "{bad}");
        }
    }

    #[test]
    fn a_mac_address_reads_both_ways_of_writing() {
        let mac: MacAddress = "00-0D-3A-12-34-56".parse().unwrap();
        assert_eq!(mac.to_string(), "00:0d:3a:12:34:56");
        assert_eq!(mac.to_string().parse::<MacAddress>().unwrap(), mac);
        for bad in [
            "",
            "00:0d:3a:12:34",
            "00:0d:3a:12:34:56:78",
            "0:0d:3a:12:34:56",
            "+1:0d:3a:12:34:5g",
        ] {
            assert!(bad.parse::<MacAddress>().is_err(), "{bad}");
        }
    }
}
