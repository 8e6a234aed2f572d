//! The guest's agent, without which no extension comes into a VM: ARM would wait long for
//! one that is not there.

use std::time::Duration;

use arm::{Client, ResourceId};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{self, VM};
use crate::failure::Failure;

/// How long the agent of a VM that has just booted may take to be heard.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two questions; Azure counts those after one VM.
const PAUSE: Duration = Duration::from_secs(3);

/// Waits a while for the agent of a running VM. `vm` is the VM with its instance view.
pub(super) async fn heard(
    client: &Client,
    id: &ResourceId,
    vm: &Value,
) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    let mut silent = is_silent(vm);
    while silent && Instant::now() < until {
        sleep(PAUSE).await;
        silent = is_silent(&client.get(&api::with_instance_view(id, VM)).await?);
    }
    if !silent {
        return Ok(());
    }
    let (group, name) = (id.group().unwrap_or_default(), id.name());
    Err(Failure::new(format!(
        "the guest agent of {name} is not ready, so nothing can be changed through it"
    ))
    .next(format!(
        "`regain diagnose -g {group} -n {name}` says what is known; --no-wait asks Azure all \
         the same"
    )))
}

/// Whether a VM runs whose agent is not heard. Of any other VM ARM itself says why not.
fn is_silent(vm: &Value) -> bool {
    let view = &vm["properties"]["instanceView"];
    let runs = view["statuses"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["code"] == "PowerState/running"));
    let agent = &view["vmAgent"]["statuses"][0]["displayStatus"];
    runs && (agent.is_null() || agent == "Not Ready")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_running_vm_s_agent_can_be_missed() {
        let vm = |power: &str, agent: Value| {
            json!({ "properties": { "instanceView": {
                "statuses": [{ "code": "ProvisioningState/succeeded" }, { "code": power }],
                "vmAgent": agent,
            } } })
        };
        let says = |status: &str| json!({ "statuses": [{ "displayStatus": status }] });
        assert!(is_silent(&vm("PowerState/running", says("Not Ready"))));
        assert!(is_silent(&vm("PowerState/running", Value::Null)));
        assert!(!is_silent(&vm("PowerState/running", says("Ready"))));
        assert!(!is_silent(&vm("PowerState/deallocated", Value::Null)));
        assert!(!is_silent(&json!({})));
    }
}
