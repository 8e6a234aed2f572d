//! The VM as the platform sees it, from its ARM document with the instance view.

use doctor::case::{Agent, Platform, Section};
use serde_json::Value;

use crate::collect::{Watcher, asked, text};
use crate::{Request, why};

/// The api-version of virtual machines.
pub(crate) const COMPUTE: &str = "2024-07-01";

/// The VM's document, or why there is none.
pub(crate) async fn document(request: &Request, watch: Watcher<'_>) -> Section<Value> {
    asked(watch, "platform");
    let (cloud, vm) = match request.cloud() {
        Ok(known) => known,
        Err(why) => return Section::NotTried(why.to_owned()),
    };
    let path = format!("{vm}?$expand=instanceView&api-version={COMPUTE}");
    match cloud.get(&path).await {
        Ok(document) => Section::Collected(document),
        Err(error) => Section::Failed(why::chain(&error)),
    }
}

/// The platform section.
pub(crate) fn platform(document: &Section<Value>) -> Section<Platform> {
    match document {
        Section::Collected(document) => Section::Collected(read(document)),
        Section::Failed(why) => Section::Failed(why.clone()),
        Section::NotTried(why) => Section::NotTried(why.clone()),
    }
}

fn read(document: &Value) -> Platform {
    let id = text(document, "/id").unwrap_or_default().parse::<arm::ResourceId>().ok();
    let group = id.as_ref().and_then(arm::ResourceId::group).unwrap_or_default();
    let agent = "/properties/instanceView/vmAgent";
    let status = document
        .pointer(&format!("{agent}/statuses"))
        .and_then(Value::as_array)
        .and_then(|statuses| statuses.iter().find_map(|s| text(s, "/displayStatus")));
    Platform {
        vm: text(document, "/name").unwrap_or_default().to_owned(),
        resource_group: group.to_owned(),
        power: power(document).map(Into::into),
        provisioning: text(document, "/properties/provisioningState").map(str::to_owned),
        agent: Agent {
            status: status.map(str::to_owned),
            version: text(document, &format!("{agent}/vmAgentVersion"))
                .map(str::to_owned),
        },
    }
}

/// `running`, `deallocated`, ...: the status `PowerState/...` of the instance view.
pub(crate) fn power(document: &Value) -> Option<&str> {
    document
        .pointer("/properties/instanceView/statuses")?
        .as_array()?
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
