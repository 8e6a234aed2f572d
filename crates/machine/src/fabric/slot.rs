//! A lab's place on the host: one of 64 slots, each with its own addresses and
//! names, so that several labs run side by side.
//!
//! A claim is a file under `/run/regain/slots` that holds the lab's state
//! directory. It is gone after a reboot of the host, as is all that it stands
//! for. A claim whose state directory is gone belongs to a dead lab.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use crate::error::Error;
use crate::lock;
use crate::record;
use crate::spec::MachineId;

const CLAIMS: &str = "/run/regain/slots";
const SLOTS: u8 = 64;

/// One of the 64 places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub(super) u8);

impl Slot {
    /// Public addresses, as the host's programs use them: `127.64.(4k).0/22`.
    /// Loopback, so that nothing can leave when the lab is down.
    pub(crate) fn public_range(self) -> Ipv4Net {
        Ipv4Net::new_assert(Ipv4Addr::new(127, 64, 4 * self.0, 0), 22)
    }

    /// The same addresses between host and lab: `198.18.(4k).0/22`. A packet
    /// to 127/8 cannot cross an interface, so they are translated in pairs.
    pub(crate) fn routed_range(self) -> Ipv4Net {
        Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 4 * self.0, 0), 22)
    }

    /// The routed address that stands for a public one.
    pub(crate) fn routed(self, public: Ipv4Addr) -> Result<Ipv4Addr, Error> {
        let range = self.public_range();
        if !range.contains(&public) {
            return Err(Error::PublicAddress { address: public, range });
        }
        let [_, _, c, d] = public.octets();
        Ok(Ipv4Addr::new(198, 18, c, d))
    }

    /// The host's end of the lab, and what VMs see as the client.
    pub(crate) fn client(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.0, 1)
    }

    /// The edge's end of the link to the host.
    pub(crate) fn edge(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.0, 2)
    }

    /// The link between host and edge.
    pub(crate) fn link(self) -> Ipv4Net {
        Ipv4Net::new_assert(Ipv4Addr::new(198, 19, self.0, 0), 30)
    }

    /// `rg3`: the host's interface, the parent cgroup and the start of every name.
    pub(crate) fn name(self) -> String {
        format!("rg{}", self.0)
    }

    /// The host's nftables table.
    pub(crate) fn table(self) -> String {
        format!("regain{}", self.0)
    }

    /// What every namespace of the lab begins with.
    pub(crate) fn prefix(self) -> String {
        format!("rg{}-", self.0)
    }

    pub(crate) fn edge_namespace(self) -> String {
        format!("rg{}-edge", self.0)
    }

    pub(crate) fn vnet_namespace(self, index: u32) -> String {
        format!("rg{}-v-{index}", self.0)
    }

    pub(crate) fn machine_namespace(self, id: &MachineId) -> String {
        format!("rg{}-m-{id}", self.0)
    }

    fn claim_file(self) -> PathBuf {
        Path::new(CLAIMS).join(self.0.to_string())
    }
}

/// The slot that this state directory has, if it has one.
pub(crate) fn find(state: &Path) -> Result<Option<Slot>, Error> {
    for slot in (0..SLOTS).map(Slot) {
        if owner(slot)?.as_deref() == Some(state) {
            return Ok(Some(slot));
        }
    }
    Ok(None)
}

/// Finds or takes a slot. The lowest free one, so that a lab that is alone on
/// its host has the same addresses every time. Before a slot is taken, `sweep`
/// clears it of what a dead lab, whose state directory was this, left behind.
pub(crate) fn claim(
    state: &Path,
    sweep: impl Fn(Slot, Option<&Path>) -> Result<(), Error>,
) -> Result<Slot, Error> {
    fs::create_dir_all(CLAIMS).map_err(Error::io(format!("make {CLAIMS}")))?;
    let _held = hold_claims()?;
    if let Some(slot) = find(state)? {
        return Ok(slot);
    }
    for slot in (0..SLOTS).map(Slot) {
        let owner = owner(slot)?;
        if owner.as_ref().is_some_and(|owner| owner.exists()) {
            continue;
        }
        sweep(slot, owner.as_deref())?;
        let file = slot.claim_file();
        let new = file.with_extension("new");
        fs::write(&new, state.as_os_str().as_encoded_bytes())
            .and_then(|()| fs::rename(&new, &file))
            .map_err(Error::io(format!("write {}", file.display())))?;
        return Ok(slot);
    }
    Err(Error::NoSlot)
}

/// Gives the slot back. Its remains must be gone.
pub(crate) fn release(slot: Slot) -> Result<(), Error> {
    let _held = hold_claims()?;
    record::remove(&slot.claim_file())
}

fn hold_claims() -> Result<fs::File, Error> {
    lock::hold(&Path::new(CLAIMS).with_extension("lock"))
}

fn owner(slot: Slot) -> Result<Option<PathBuf>, Error> {
    let file = slot.claim_file();
    match fs::read(&file) {
        Ok(bytes) => Ok(Some(PathBuf::from(OsString::from_vec(bytes)))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(format!("read {}", file.display()))(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_do_not_overlap_and_stay_in_their_blocks() {
        for k in 0..SLOTS {
            let slot = Slot(k);
            assert!(
                "127.64.0.0/16"
                    .parse::<Ipv4Net>()
                    .unwrap()
                    .contains(&slot.public_range())
            );
            assert!(
                "198.18.0.0/16"
                    .parse::<Ipv4Net>()
                    .unwrap()
                    .contains(&slot.routed_range())
            );
            assert!(
                slot.link().contains(&slot.client())
                    && slot.link().contains(&slot.edge())
            );
            for other in (0..k).map(Slot) {
                assert!(!slot.public_range().contains(&other.public_range()));
                assert!(!slot.edge_namespace().starts_with(&other.prefix()));
            }
        }
    }

    #[test]
    fn a_public_address_keeps_its_low_bits() {
        let slot = Slot(3);
        assert_eq!(
            slot.routed([127, 64, 13, 7].into()).unwrap(),
            Ipv4Addr::new(198, 18, 13, 7)
        );
        assert!(slot.routed([127, 64, 16, 7].into()).is_err());
        assert!(slot.routed([8, 8, 8, 8].into()).is_err());
    }
}
