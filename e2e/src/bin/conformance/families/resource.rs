//! `az resource`, `az rest` and tags: any resource by its id.

use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "resource",
        BOTH,
        World::Vm,
        vec![
            run("resource list -g {g}")
                .then(Lists("", "/type", "Microsoft.Compute/virtualMachines"))
                .then(Lists("", "/type", "Microsoft.Network/networkInterfaces")),
            run("resource list -g {g} --resource-type Microsoft.Compute/virtualMachines")
                .then(Count("", 1)),
            run("resource show --ids {vmid}").then(Is("/name", json!("{vm}"))),
            run("resource show -g {g} -n {vm} \
                 --resource-type Microsoft.Compute/virtualMachines")
            .then(Is("/properties/provisioningState", json!("Succeeded"))),
            run("resource tag --ids {vmid} --tags stage=test")
                .then(Shows("vm show -g {g} -n {vm}", "/tags/stage", json!("test")))
                .then(Login("azureuser")),
            run("resource tag --ids {vmid} --tags more=1 --is-incremental")
                .then(Shows("vm show -g {g} -n {vm}", "/tags/stage", json!("test")))
                .then(Shows("vm show -g {g} -n {vm}", "/tags/more", json!("1"))),
            run("resource list --tag stage=test").then(Lists("", "/name", "{vm}")),
            run("rest --method get --url {endpoint}{vmid}?api-version=2024-07-01")
                .then(Is("/name", json!("{vm}"))),
            run("rest --method get --url \
                 {vmid}/providers/Microsoft.ResourceHealth/availabilityStatuses/current\
                 ?api-version=2023-07-01")
            .then(Is("/properties/availabilityState", json!("Available"))),
            run("rest --method get --url \
                 {vmid}/providers/Microsoft.ResourceHealth/availabilityStatuses\
                 ?api-version=2023-07-01")
            .then(Has("/value/0/properties/availabilityState", "Available")),
            run("rest --method get --url \
                 {vmid}/providers/Microsoft.ResourceHealth/availabilityStatuses/current\
                 ?api-version=2023-07-01")
            .given(Do("vm deallocate -g {g} -n {vm}"))
            .then(Is("/properties/availabilityState", json!("Unavailable"))),
            run("rest --method get --url /subscriptions/{sub}/providers/\
                 Microsoft.ResourceHealth/availabilityStatuses?api-version=2023-07-01")
            .then(Has("/value", "{vm}")),
            run("monitor activity-log list -g {g} --offset 1h")
                .then(Has("", "Microsoft.Compute/virtualMachines/write"))
                .then(Has("", "Microsoft.Compute/virtualMachines/deallocate/action"))
                .then(Has("", "{client}")),
            run("rest --method get --url \"/subscriptions/{sub}/providers/Microsoft.Insights/\
                 eventtypes/management/values?api-version=2015-04-01&$filter=eventTimestamp ge \
                 '2026-01-01T00:00:00Z' and resourceGroupName eq '{g}'\"")
            .then(Has("/value", "Microsoft.Compute/virtualMachines/write")),
            fails(3, "resource show --ids {vmid}-none").then(Complains("(ResourceNotFound)")),
            fails(1, "rest --method get --url {endpoint}{vmid}")
                .then(Complains("MissingApiVersionParameter")),
            run("resource delete --ids {vmid}").then(Gone("vm show -g {g} -n {vm}")),
        ],
    )
}
