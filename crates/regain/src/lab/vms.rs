//! The VMs of a lab: what the cloud has, and what this host knows of them.

use std::path::PathBuf;
use std::str::FromStr;

use arm::ResourceId;
use serde::Serialize;

use super::LabState;
use crate::api::{self, COMPUTE};
use crate::failure::Failure;
use crate::session::Session;
use crate::vm_details;

/// One VM, as `lab status` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LabVm {
    pub(crate) group: String,
    pub(crate) name: String,
    /// Its public address; none if it has none.
    pub(crate) host: Option<String>,
    /// Its administrator.
    pub(crate) user: Option<String>,
    /// The private key that the lab made for it, if it did.
    pub(crate) key: Option<PathBuf>,
    /// What runs it.
    pub(crate) engine: String,
}

/// A VM as the operator names it: `NAME` or `GROUP/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VmName {
    group: Option<String>,
    name: String,
}

impl FromStr for VmName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once('/') {
            Some((group, name)) => {
                Self { group: Some(group.to_owned()), name: name.to_owned() }
            }
            None => Self { group: None, name: text.to_owned() },
        })
    }
}

impl VmName {
    /// Whether it means the VM `name` in `group`. Names have no case in ARM.
    pub(crate) fn means(&self, group: &str, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            && self.group.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(group))
    }
}

/// Where the lab keeps the private key of a VM that it made.
pub(crate) fn key_path(lab: &LabState, group: &str, name: &str) -> PathBuf {
    lab.keys().join(format!("{group}.{name}").to_ascii_lowercase())
}

/// Every VM of the lab.
pub(crate) async fn list(
    session: &Session,
    lab: &LabState,
) -> Result<Vec<LabVm>, Failure> {
    let engine =
        lab.settings()?.map_or_else(|| "nspawn".to_owned(), |settings| settings.engine);
    let scope = session.scope(None)?;
    let path = api::below(&scope, "providers/Microsoft.Compute/virtualMachines", COMPUTE);
    let mut vms = Vec::new();
    for vm in session.client.list(&path).await? {
        let Some(id) = vm["id"].as_str().and_then(|id| ResourceId::parse(id).ok()) else {
            continue;
        };
        let group = id.group().unwrap_or_default().to_owned();
        let name = id.name().to_owned();
        let key = key_path(lab, &group, &name);
        // One that goes away while it is looked at is not an error.
        let addresses = match vm_details::addresses(&session.client, &vm).await {
            Ok(addresses) => addresses,
            Err(failure) if failure.exit_code() == 3 => continue,
            Err(failure) => return Err(failure),
        };
        vms.push(LabVm {
            host: addresses.public.into_iter().next(),
            user: vm["properties"]["osProfile"]["adminUsername"]
                .as_str()
                .map(str::to_owned),
            key: key.is_file().then_some(key),
            engine: engine.clone(),
            group,
            name,
        });
    }
    Ok(vms)
}

/// The one VM that is meant.
pub(crate) fn one(vms: Vec<LabVm>, wanted: &str) -> Result<LabVm, Failure> {
    let Ok(meant) = wanted.parse::<VmName>();
    let mut found: Vec<LabVm> =
        vms.into_iter().filter(|vm| meant.means(&vm.group, &vm.name)).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Failure::not_found(format!("there is no VM '{wanted}' in the lab"))
            .next("see `regain lab status`")),
        _ => Err(Failure::usage(format!("several VMs are called '{wanted}'"))
            .next("name it as GROUP/NAME")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(group: &str, name: &str) -> LabVm {
        LabVm {
            group: group.to_owned(),
            name: name.to_owned(),
            host: None,
            user: None,
            key: None,
            engine: "fake".to_owned(),
        }
    }

    #[test]
    fn a_vm_is_named_alone_or_with_its_group() {
        let vms = || vec![vm("lab", "vm1"), vm("other", "vm1"), vm("lab", "vm2")];
        assert_eq!(one(vms(), "vm2").unwrap(), vm("lab", "vm2"));
        assert_eq!(one(vms(), "OTHER/VM1").unwrap(), vm("other", "vm1"));
        assert_eq!(one(vms(), "vm1").unwrap_err().exit_code(), 2);
        assert_eq!(one(vms(), "vm3").unwrap_err().exit_code(), 3);
    }
}
