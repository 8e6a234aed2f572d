//! Network Watcher: what it answers is what packets meet.

use e2e::way_in::Knock;
use serde_json::json;

use crate::case::{BOTH, Family, World, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "network watcher",
        BOTH,
        World::Vm,
        vec![
            run("network watcher test-ip-flow -g {g} --vm {vm} --direction Inbound \
                 --protocol TCP --local 10.0.0.4:22 --remote 203.0.113.9:50000")
            .given(Knock("{ip}", "22", Knock::Open))
            .then(Is("/access", json!("Allow")))
            .then(Has("/ruleName", "default-allow-ssh")),
            run("network watcher test-ip-flow -g {g} --vm {vm} --direction Inbound \
                 --protocol TCP --local 10.0.0.4:80 --remote 203.0.113.9:50000")
            .given(Knock("{ip}", "80", Knock::Silent))
            .then(Is("/access", json!("Deny")))
            .then(Has("/ruleName", "DenyAllInBound")),
            run("network watcher show-next-hop -g {g} --vm {vm} --source-ip 10.0.0.4 \
                 --dest-ip 203.0.113.9")
            .then(Is("/nextHopType", json!("Internet"))),
            run("network watcher show-next-hop -g {g} --vm {vm} --source-ip 10.0.0.4 \
                 --dest-ip 10.0.0.5")
            .then(Has("/nextHopType", "V")),
            run("network watcher test-connectivity -g {g} --source-resource {vm} \
                 --dest-address 10.0.0.4 --dest-port 22")
            .then(Is("/connectionStatus", json!("Reachable"))),
            run("network watcher test-connectivity -g {g} --source-resource {vm} \
                 --dest-address 10.0.0.200 --dest-port 22")
            .then(Is("/connectionStatus", json!("Unreachable"))),
            run("network watcher show-security-group-view -g {g} --vm {vm}")
                .then(Says("default-allow-ssh"))
                .then(Has("/networkInterfaces/0/id", "{vm}VMNic")),
            run("network watcher run-configuration-diagnostic --resource {vmid} \
                 --direction Inbound --protocol TCP --source 203.0.113.9 \
                 --destination 10.0.0.4 --port 22")
            .then(Says("Allow")),
            run("network watcher run-configuration-diagnostic --resource {vmid} \
                 --direction Inbound --protocol TCP --source 203.0.113.9 \
                 --destination 10.0.0.4 --port 23")
            .then(Says("Deny")),
            run("network watcher list").then(Says("NetworkWatcher")),
        ],
    )
}
