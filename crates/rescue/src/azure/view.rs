//! The VM as the platform sees it, from its ARM document with the instance view.

use doctor::case::{Agent, Platform, PowerState};
use serde_json::Value;

use super::{COMPUTE, Vm, array, refused_at_vm, text};
use crate::platform::{PlatformError, View};

/// The VM's document, and the section that it makes.
pub(super) async fn look(vm: &Vm) -> Result<View, PlatformError> {
    if let Some(said) = vm.take_seen() {
        return Ok(View { section: read(&said), said });
    }
    let path = format!("{}?$expand=instanceView&api-version={COMPUTE}", vm.id);
    let document = vm.cloud.get(&path).await;
    let said = document.map_err(|error| refused_at_vm("show the VM", error))?;
    Ok(View { section: read(&said), said })
}

fn read(document: &Value) -> Platform {
    let id = text(document, "/id").unwrap_or_default().parse::<arm::ResourceId>().ok();
    let group = id.as_ref().and_then(arm::ResourceId::group).unwrap_or_default();
    let agent = "/properties/instanceView/vmAgent";
    let statuses = array(document, &format!("{agent}/statuses"));
    let status = statuses.iter().find_map(|status| text(status, "/displayStatus"));
    Platform {
        vm: text(document, "/name").unwrap_or_default().to_owned(),
        resource_group: group.to_owned(),
        power: power(document).map(PowerState::from),
        provisioning: text(document, "/properties/provisioningState").map(str::to_owned),
        location: text(document, "/location").map(str::to_owned),
        os: text(document, "/properties/storageProfile/osDisk/osType").map(str::to_owned),
        agent: Agent {
            absent: [
                "/properties/osProfile/linuxConfiguration/provisionVMAgent",
                "/properties/osProfile/allowExtensionOperations",
            ]
            .into_iter()
            .any(|setting| document.pointer(setting) == Some(&Value::Bool(false))),
            status: status.map(str::to_owned),
            version: text(document, &format!("{agent}/vmAgentVersion"))
                .map(str::to_owned),
        },
    }
}

/// `running`, `deallocated`, ...: the status `PowerState/...` of the instance view.
fn power(document: &Value) -> Option<&str> {
    array(document, "/properties/instanceView/statuses")
        .iter()
        .find_map(|status| text(status, "/code")?.strip_prefix("PowerState/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_instance_view_says_power_and_agent() {
        let document = json!({
            "id": "/subscriptions/s/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/vm1",
            "name": "vm1",
            "properties": {
                "provisioningState": "Succeeded",
                "instanceView": {
                    "vmAgent": {
                        "vmAgentVersion": "1.0",
                        "statuses": [{ "displayStatus": "Ready" }],
                    },
                    "statuses": [
                        { "code": "ProvisioningState/succeeded" },
                        { "code": "PowerState/deallocated" },
                    ],
                },
            },
        });
        let platform = read(&document);
        assert_eq!(platform.vm, "vm1");
        assert_eq!(platform.resource_group, "lab");
        assert_eq!(platform.power.as_deref(), Some("deallocated"));
        assert_eq!(platform.agent.status.as_deref(), Some("Ready"));
        assert_eq!(platform.agent.version.as_deref(), Some("1.0"));
    }

    #[test]
    fn a_vm_that_never_reported_has_no_agent_status() {
        let platform = read(&json!({ "name": "vm1", "properties": {} }));
        assert_eq!(platform.power, None);
        assert_eq!(platform.agent.status, None);
    }
}
